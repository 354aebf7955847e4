"""What the doctor finds in servers of every kind, and that it never fails over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chimera.cli.main import main
from chimera.engines.base import CompletionRequest, Measurable
from chimera.engines.openai import OpenAI
from chimera.engines.targets import open_target
from chimera.errors import EngineError
from chimera.measure.doctor import Examination, examine
from chimera.testing.mock_server import MockServer

QUICK = "mock?ttft_ms=2&itl_ms=2&tokens=8"


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(model=QUICK) as server:
        yield server


def target_of(server: MockServer) -> str:
    return f"openai@{server.url}/v1"


def examined(target: str) -> Examination:
    return examine(target, lambda: open_target(target), 5.0)


def results(found: Examination) -> dict[str, str]:
    return {check.name: check.result for check in found.checks}


def test_a_good_server(server: MockServer) -> None:
    found = examined(target_of(server))
    assert found.measurable
    said = results(found)
    for name in ("reachable", "model", "answers", "streams", "output tokens", "prompt tokens"):
        assert said[name] == "ok"
    assert found.seconds > 0
    assert all(check.text for check in found.checks)


@pytest.mark.parametrize(
    ("options", "name", "result"),
    [
        ("&usage=none", "output tokens", "missing"),
        ("&usage=none", "prompt tokens", "missing"),
        ("&chunk=4", "token times", "missing"),
        ("&flat=1&ttft_ms=0", "answers", "ok"),
        ("&timings=1", "server's own times", "missing"),
    ],
)
def test_what_a_server_does_not_tell(options: str, name: str, result: str) -> None:
    with MockServer(model=QUICK + options) as server:
        found = examined(target_of(server))
    assert found.measurable
    assert result in [check.result for check in found.checks if check.name == name]


@pytest.mark.parametrize("fault", ["status_500", "cut", "malformed_json", "not_http"])
def test_a_server_that_fails(fault: str) -> None:
    with MockServer(model=f"{QUICK}&fault={fault}") as server:
        found = examined(target_of(server))
    assert [check.result for check in found.checks] == ["failed"]


def test_nobody_is_there() -> None:
    found = examined("openai:m@http://127.0.0.1:9/v1")
    assert [check.result for check in found.checks] == ["failed"]
    assert "127.0.0.1:9" in found.checks[0].text


def broken(method: str) -> Callable[[str], Measurable]:
    """An engine one method of which fails after the start."""

    class Broken(OpenAI):
        pass

    def fail(self: OpenAI, *_: object) -> object:
        raise EngineError(f"{method} is broken")

    setattr(Broken, method, fail)

    def make(target: str) -> Measurable:
        engine = open_target(target)
        engine.__class__ = Broken
        return engine

    return make


@pytest.mark.parametrize(
    ("method", "measurable"), [("model", False), ("complete", False), ("count_tokens", True)]
)
def test_an_engine_that_fails_after_its_start(
    server: MockServer, method: str, measurable: bool
) -> None:
    target = target_of(server)
    found = examine(target, lambda: broken(method)(target), 5.0)
    assert found.measurable is measurable
    said = [check.text for check in found.checks if check.result == "failed"]
    assert said == ([] if measurable else [f"{method} is broken"])


def test_the_engine_is_closed(server: MockServer) -> None:
    engine = open_target(target_of(server))
    examine("t", lambda: engine, 5.0)
    with pytest.raises(EngineError, match="closed"):
        engine.complete(CompletionRequest(prompt="p"))


def test_the_command(
    server: MockServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chimera.toml").write_text(f'[targets.fast]\ntarget = "{target_of(server)}"\n')
    assert main(["doctor", "fast"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(target_of(server))
    assert "It can be measured" in text
    assert main(["doctor", "fast", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {check["result"] for check in found["checks"]} == {"ok", "missing"}
    assert main(["doctor", "openai:m@http://127.0.0.1:9/v1"]) == 4
    assert "It cannot be measured like this." in capsys.readouterr().out
    assert main(["doctor", "nonsense"]) == 2
