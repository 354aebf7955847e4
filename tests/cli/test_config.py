"""``chimera.toml``: what its names stand for, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from chimera.cli.bench import command
from chimera.cli.config import Config, load_config
from chimera.cli.main import main
from chimera.engines.targets import open_target
from chimera.errors import InputError
from chimera.measure.selftest import FILE
from chimera.record.runfile import RunFile, read_run
from chimera.testing.mock_server import MockServer
from tests.conftest import ROOT
from tests.project.consoles import fenced_blocks

MODEL = "mock?ttft_ms=2&itl_ms=1&tokens=4"


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(model=MODEL) as server:
        yield server


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test in a folder of its own, with a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "project" / "inner"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def written(folder: Path, text: str, name: str = "chimera.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def bench(*words: str) -> RunFile:
    assert main(["bench", *words, "--no-watch", "--output", "out"]) == 0
    return read_run(Path("out") / "run.jsonl")


def test_the_nearest_file_counts(here: Path) -> None:
    assert load_config() == Config()
    written(here.parent, "[targets.a]\ntarget = 'outer'")
    assert load_config().target("a").target == "outer"
    inner = written(here, "[targets.a]\ntarget = 'inner'")
    assert load_config().target("a").target == "inner"
    assert load_config(here.parent / "chimera.toml").target("a").target == "outer"
    assert load_config(inner).target("llamacpp").target == "llamacpp"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("targets = [", "is no TOML"),
        ("[targets.a", "is no TOML"),
        ("\xff\xfe", "is no TOML"),
        ("folder = '/'", "unknown key 'folder'"),
        ("[target.a]\ntarget = 'x'", "`target`"),
        ("[targets.a]\ntraget = 'x'", "`traget`"),
        ("[targets.a]\n", "`target`"),
        ("[targets.a]\ntarget = 7", "Expected `str`"),
        ("[targets.a]\ntarget = 'x'\noptions = { a = [1] }", "options"),
        ("[targets.a]\ntarget = 'x'\napi_key = 'k'", "`api_key`"),
        ("[workloads.a]\nworkload = 'x'\nfirst = 3", "`first`"),
        ("profiles = 3", "profiles"),
    ],
)
def test_what_is_wrong_is_named(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = written(here, "")
    path.write_bytes(text.encode("latin-1"))
    for verb in ("bench", "doctor"):
        assert main([verb, "a"]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert "chimera.toml" in error
        assert error.count("\n") == 1


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("bench", "doctor"):
        assert main([verb, "--config", "none.toml", "a"]) == 2
        assert "none.toml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("repeats = 3", {"repeats": "3"}),
        ("concurrency = '1,4'", {"concurrency": "1,4"}),
        ("concurrency = [1, 4]", {"concurrency": "1,4"}),
        ("max-tokens = 7", {"max_tokens": "7"}),
        ("max_tokens = 7", {"max_tokens": "7"}),
        ("watch = false", {"watch": False}),
        ("set = ['num_ctx=1024,2048', 'top_k=1']", {"settings": ("num_ctx=1024,2048", "top_k=1")}),
        ("set = 'num_ctx=1024'", {"settings": ("num_ctx=1024",)}),
        ("timeout = 1.5", {"timeout": "1.5"}),
        ("", {}),
    ],
)
def test_a_profile_is_what_the_command_line_would_say(
    here: Path, profile: str, expected: dict[str, Any]
) -> None:
    config = load_config(written(here, f"[profiles.p]\n{profile}"))
    assert config.profile("p", command) == expected
    # Every value can be taken by the command.
    with click.Context(command) as context:
        context.default_map = config.profile("p", command)
        for param in command.params:
            if param.name in expected:
                param.process_value(context, expected[param.name])


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("repeat = 3", "no option 'repeat'"),
        ("profile = 'q'", "no option 'profile'"),
        ("config = 'q'", "no option 'config'"),
        ("repeats = true", "neither true nor false"),
        ("repeats = { a = 1 }", "cannot be"),
        ("repeats = 2020-01-01", "cannot be"),
        ("repeats = [[1]]", "cannot be"),
    ],
)
def test_a_profile_that_the_command_cannot_have(here: Path, profile: str, said: str) -> None:
    config = load_config(written(here, f"[profiles.p]\n{profile}"))
    with pytest.raises(InputError, match=said):
        config.profile("p", command)


def test_a_bad_value_of_a_profile_is_refused_like_a_given_one(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(here, "[profiles.p]\nrepeats = 0")
    assert main(["bench", "--profile", "p"]) == 2
    assert "--repeats" in capsys.readouterr().err
    assert main(["bench", "--profile", "q"]) == 2
    assert "it has: p" in capsys.readouterr().err


def test_a_workload_is_found_beside_the_file(here: Path) -> None:
    outer = here.parent
    for name in ("p.jsonl", "a:b.txt", "built-in"):
        (outer / name).write_text('{"prompt": "x"}\n{"prompt": "y"}')
    named = {
        "file": "p.jsonl",
        "part": "p.jsonl:first=1",
        "colon": "a:b.txt",
        "suite": "built-in:short",
        "made": "synthetic:in=8,out=2,n=1",
        "other": "nowhere.jsonl",
    }
    text = "".join(f"[workloads.{k}]\nworkload = '{v}'\n" for k, v in named.items())
    config = load_config(written(outer, text))
    assert config.workload("file") == str(outer / "p.jsonl")
    assert config.workload("part") == str(outer / "p.jsonl:first=1")
    assert config.workload("colon") == str(outer / "a:b.txt")
    for name in ("suite", "made", "other"):
        assert config.workload(name) == named[name]
    assert config.workload("p.jsonl") == "p.jsonl"


def test_names_in_a_bench(here: Path, server: MockServer) -> None:
    (here.parent / "p.jsonl").write_text('{"prompt": "x"}\n{"prompt": "y"}')
    written(
        here.parent,
        f"""
        [targets.fast]
        target = "openai:{MODEL}@{server.url}/v1"
        options = {{ top_k = 7, temperature = 0.5 }}

        [workloads.mine]
        workload = "p.jsonl:first=1"

        [profiles.short]
        workload = "mine"
        repeats = 2
        max_tokens = 3
        cache_prompt = true
        json = false
        """,
    )
    file = bench("fast", "--profile", "short", "--repeats", "3", "--set", "top_k=9")
    assert file.run.target == f"openai:{MODEL}@{server.url}/v1"
    (configuration,) = file.run.configurations
    assert (configuration.options.top_k, configuration.options.temperature) == (9, 0.5)
    assert file.run.plan.repeats == 3  # what is given wins
    assert file.run.plan.request["max_tokens"] == 3
    assert file.run.plan.request["cache_prompt"] is True
    assert [r.error for r in file.requests if r.phase == "measured"] == [None] * 3
    assert file.run.workload.name == "p.jsonl"
    # The recorded command does the same without chimera.toml.
    for part in ("top_k=9", "temperature=0.5", "--workload p.jsonl:first=1", "--repeats 3"):
        assert part in file.run.command
    assert "--cache-prompt" in file.run.command
    assert "fast" not in file.run.command
    assert "profile" not in file.run.command
    assert str(here.parent) not in Path("out/run.jsonl").read_text()


@pytest.mark.parametrize("order", [0, 1])
def test_another_file_and_a_profile_in_any_order(
    here: Path, server: MockServer, order: int
) -> None:
    written(here, "[profiles.p]\nrepeats = 1")
    other = written(here.parent, "[profiles.p]\nrepeats = 2", "other.toml")
    words = [["--config", str(other)], ["--profile", "p"]]
    first, second = words[order], words[1 - order]
    target = f"openai:{MODEL}@{server.url}/v1"
    file = bench(*first, target, *second, "-w", "built-in:short", "--max-tokens", "2")
    assert file.run.plan.repeats == 2
    assert str(here.parent) not in file.run.command


def test_the_newest_self_test_is_recorded(tmp_path: Path, server: MockServer) -> None:
    from chimera import __version__
    from chimera.cli.selftest import cache_folder

    assert cache_folder().is_relative_to(tmp_path)
    level = dict.fromkeys(
        ("true_ttft_mean_ns", "ttft_bias_mean_ns", "ttft_bias_p99_ns", "true_itl_mean_ns"), 5.0
    )
    level |= dict.fromkeys(
        ("itl_bias_percent", "delivered", "client_cpu_share", "server_lag_p99_ns"), 0.5
    )
    counts = {"streams": 8, "requests": 32, "failed": 0}
    report = {
        "version": __version__,
        "captured_utc": "2025-01-02T03:04:05.000000Z",
        "levels": [level | counts],
        "chunks_per_cpu_s": 1e5,
    }
    cache_folder().mkdir(parents=True)
    (cache_folder() / FILE).write_text(json.dumps(report))
    target = f"openai:{MODEL}@{server.url}/v1"
    file = bench(target, "-w", "built-in:short", "--repeats", "1", "--max-tokens", "2")
    assert file.run.instrument is not None
    assert (file.run.instrument.streams, file.run.instrument.ttft_bias_mean_ns) == (8, 5)


def test_the_documented_file_is_the_example() -> None:
    blocks = fenced_blocks(ROOT / "docs" / "targets.md")
    (shown,) = [body for tag, _, body in blocks if tag == "toml"]
    path = ROOT / "examples" / "chimera.toml"
    assert path.read_text("utf-8").splitlines() == shown
    config = load_config(path)
    assert config.workload("mine") == str(ROOT / "examples" / "prompts.jsonl:first=2")
    assert config.profile("quick", command)["max_tokens"] == "4"
    for target in config.targets.values():
        open_target(target.target).close()
