"""How the command starts, and how every error ends."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import click
import pytest

import chimera
from chimera.cli.main import COMMANDS, main
from chimera.errors import EngineError, InputError

RunVerb = Callable[[BaseException | None], int]


@pytest.fixture
def run_verb(monkeypatch: pytest.MonkeyPatch) -> RunVerb:
    """Runs ``chimera trial``, a verb that raises what it is given."""

    def run(error: BaseException | None) -> int:
        @click.command()
        def command() -> None:
            if error is not None:
                raise error

        module = ModuleType("chimera.cli.trial")
        module.__dict__["command"] = command
        monkeypatch.setitem(sys.modules, "chimera.cli.trial", module)
        monkeypatch.setitem(COMMANDS, "trial", "Try something.")
        return main(["trial"])

    return run


def test_help_imports_nothing_that_is_heavy() -> None:
    code = (
        "import sys; from chimera.cli.main import main; code = main(['--help']);"
        "heavy = {'msgspec', 'orjson', 'rich', 'numpy', 'platformdirs', 'importlib.metadata',"
        " 'asyncio', 'sqlite3', 'json', 'pathlib'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else code)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for verb, line in COMMANDS.items():
        assert verb in done.stdout
        assert line in done.stdout


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"chimera {chimera.__version__}\n"


def test_a_verb_that_ends_well(run_verb: RunVerb) -> None:
    assert run_verb(None) == 0


def test_an_unknown_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["raport"]) == 2
    assert "No such command" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["raport"], "chimera: No such command 'raport'"),
        (["bench", "--rate", "x"], "chimera bench: Invalid value for '--rate': 'x' is no list"),
        (["bench", "--repeats", "0"], "chimera bench: Invalid value for '--repeats': 0 is not"),
        (["bench", "--raet", "1"], "chimera bench: No such option"),
        (["runs", "show"], "chimera runs show: Missing argument 'ID'"),
        (["ingest"], "chimera ingest: Missing argument 'FOLDER'"),
        (["report", "--max-file-mb", "a\nb"], "chimera report: Invalid value for '--max-file-mb'"),
    ],
)
def test_words_that_are_not_understood_are_one_line_with_the_next_step(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(line)
    assert said.endswith(f" (see {line.partition(':')[0]} --help)")


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["runs", "--store", ""], "--store"),
        (["report", "--experiment="], "--experiment"),
        (["report", "x", "-o", ""], "-o"),
        (["bench", "--config", ""], "--config"),
    ],
)
def test_an_empty_value_takes_no_default(
    words: list[str], flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert f"error: {flag} has an empty value" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["bench", "--timeout", "nan"],
        ["bench", "--seconds", "inf"],
        ["doctor", "--timeout", "nan"],
        ["report", "x", "--temperature", "nan"],
        ["report", "x", "--top-p", "nan"],
    ],
)
def test_nan_and_inf_are_no_numbers(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert f"Invalid value for '{words[-2]}': {words[-1]} is no number" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-c", "65536"], "a concurrency is from 1 to 65,535, not 65536"),
        (["--rate", "1e9"], "a request rate is above 0 and at most 1,000,000 a second"),
        (["--set", "temperature=nan"], "temperature=nan is no number"),
        (["--set", "temperature=0,inf"], "temperature=inf is no number"),
        (["--set", "num_ctx=9999999999"], "num_ctx must be at most 2147483647"),
        (["--slo", "ttft=1s,ttft=2s"], "ttft has two limits"),
    ],
)
def test_values_that_no_bench_can_have(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "openai:m@127.0.0.1:1", "--no-store", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_limit_that_no_database_takes_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--limit", "99999999999999999999"]) == 2
    assert "'--limit'" in capsys.readouterr().err


def _shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"$0" -m chimera personas {command}', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_closed_output_is_nobodys_loss() -> None:
    done = _shell(">&-")
    assert (done.returncode, done.stderr) == (0, "")
    assert _shell("2>&-").returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_behind_the_output_is_said() -> None:
    done = _shell("> /dev/full")
    assert done.returncode == 3
    assert done.stderr == (
        "chimera: error: cannot write the output: No space left on device; make room for it\n"
    )


def test_ctrl_c_while_the_command_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop())\n"
        "from chimera.__main__ import run\n"
        "sys.exit(run())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "chimera: stopped\n")


def test_no_verb_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) in (0, 2)
    shown = capsys.readouterr()
    assert "Commands:" in shown.out + shown.err


def test_an_error_of_ours_is_one_line(
    run_verb: RunVerb, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHIMERA_DEBUG", raising=False)
    assert run_verb(InputError("no folder 'a\nb\x1b[2J'; name one that exists")) == 2
    expected = "chimera: error: no folder 'a\\nb\\x1b[2J'; name one that exists\n"
    assert capsys.readouterr().err == expected


def test_an_error_may_carry_a_hint(
    run_verb: RunVerb, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHIMERA_DEBUG", raising=False)
    error = EngineError("no server answers")
    error.hint = "start it first"  # type: ignore[attr-defined]
    assert run_verb(error) == 4
    assert capsys.readouterr().err.splitlines() == [
        "chimera: error: no server answers",
        "chimera: hint: start it first",
    ]


@pytest.mark.parametrize("debug", ["", "1"])
def test_an_unexpected_error_says_how_to_see_more(
    run_verb: RunVerb,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    debug: str,
) -> None:
    monkeypatch.setenv("CHIMERA_DEBUG", debug)
    assert run_verb(ValueError("two\nlines")) == 70
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("chimera: unexpected error: ValueError: two\\nlines")
    assert (len(lines) > 1) == bool(debug)
    assert ("CHIMERA_DEBUG=1" in lines[-1]) != bool(debug)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_ctrl_c_is_no_traceback(
    run_verb: RunVerb, capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    assert run_verb(error) == 130
    assert capsys.readouterr().err == "chimera: stopped\n"


def test_a_broken_pipe_that_is_not_our_output_is_not_hidden(
    run_verb: RunVerb, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_verb(BrokenPipeError("a worker has died")) == 70
    assert "a worker has died" in capfd.readouterr().err


def test_a_closed_pipe_is_quiet() -> None:
    code = (
        "import sys; from chimera.cli.main import main;sys.stdin.read(); sys.exit(main(['--help']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141
