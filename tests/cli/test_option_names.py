"""A mistyped option is never compared in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.cli.main import main
from chimera.measure.summary import summarise
from chimera.record.runfile import read_run
from chimera.testing.mock_server import MockServer

QUICK = "mock?ttft_ms=2&itl_ms=1&tokens=4"
ONCE = ("--workload", "built-in:short", "--repeats", "1", "--no-watch", "--no-store", "-o", "out")


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(model=QUICK) as server:
        yield server


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    ("target", "setting", "said"),
    [
        ("llamacpp", "num_ctxx=1,2", "'num_ctxx'; the nearest is num_ctx; "),
        ("llamacpp", "num_ctxx=1", "write extra.num_ctxx"),
        ("llamacpp", "Min_P=0.1", "the nearest is min_p"),
        ("ollama:m", "num_thraed=1,2", "the nearest is num_thread"),
        ("ollama:m@127.0.0.1:9", "ignore_eoss=true", "write extra.ignore_eoss"),
        ("llamacpp", "zzzzqqqq=1", "common ones are num_ctx"),
        ("llamacpp", "num_predict=4,8", "--max-tokens"),
        ("openai:m@127.0.0.1:9", "extra.max_tokens=4,8", "--max-tokens"),
        ("openai:m@127.0.0.1:9", "messages=4", "--workload"),
        ("llamacpp", "extra.=1", "no name of an option"),
    ],
)
def test_an_option_that_the_server_does_not_document_is_refused_before_the_start(
    capsys: pytest.CaptureFixture[str], target: str, setting: str, said: str
) -> None:
    assert main(["bench", target, "--set", setting, *ONCE]) == 2
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_doctor_and_named_targets_obey_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    Path("chimera.toml").write_text(
        "[targets.mine]\ntarget = 'llamacpp'\noptions = { num_thrad = 2 }\n", encoding="utf-8"
    )
    for verb in (["doctor", "mine"], ["bench", "mine", *ONCE]):
        assert main(verb) == 2
        assert "the nearest is num_thread" in capsys.readouterr().err


def test_one_name_in_two_spellings_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "llamacpp", "-s", "min_p=0.1", "-s", "extra.min_p=0.2", *ONCE]) == 2
    assert "'extra.min_p' is set twice" in capsys.readouterr().err


def test_an_open_set_of_options_is_warned_of(
    server: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"openai@{server.url}/v1"
    assert main(["bench", target, "--set", "temperatur=1,2", *ONCE, "--json"]) == 0
    out, err = capsys.readouterr()
    assert "chimera: warning: no server with OpenAI's interface documents" in err
    assert "the nearest is temperature" in err
    warnings = json.loads(out)["warnings"]
    assert any("temperatur (compared: 1, 2)" in one for one in warnings)
    file = read_run(Path("out") / "run.jsonl")
    assert [c.options.other for c in file.run.configurations] == [
        {"temperatur": 1},
        {"temperatur": 2},
    ]


def test_a_known_name_is_warned_of_by_nobody(
    server: MockServer, capsys: pytest.CaptureFixture[str]
) -> None:
    target = f"openai@{server.url}/v1"
    assert main(["bench", target, "--set", "min_tokens=1", *ONCE]) == 0
    assert "documents" not in capsys.readouterr().err
    file = read_run(Path("out") / "run.jsonl")
    assert "min_tokens" not in " ".join(summarise(file).warnings)


@pytest.mark.model
def test_extra_forces_a_name_and_the_run_says_that_nobody_knows_what_it_did() -> None:
    assert main(["bench", "llamacpp", "-s", "num_ctx=256", "-s", "extra.foo=1,2", *ONCE]) == 0
    file = read_run(Path("out") / "run.jsonl")
    assert [c.options.other for c in file.run.configurations] == [{"foo": 1}, {"foo": 2}]
    assert "--set extra.foo=1,2" in file.run.command
    assert any("foo (compared: 1, 2)" in one for one in summarise(file).warnings)


@pytest.mark.model
def test_what_the_embedded_engine_cannot_pass_on_is_said() -> None:
    assert main(["bench", "llamacpp", "-s", "num_ctx=256", "-s", "think=true,false", *ONCE]) == 0
    file = read_run(Path("out") / "run.jsonl")
    assert file.end is not None
    assert any("think has no effect on this target" in note for note in file.end.notes)
