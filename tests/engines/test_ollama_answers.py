"""Answers of a real Ollama (0.24.0) beyond the contract: chats, thinking, shared weights, repeats.

The recording is made anew with

    python -m chimera.testing.recording http://127.0.0.1:11434 \
        tests/engines/recordings/ollama-answers.json -- env CHIMERA_OLLAMA_AT={url} \
        python -m pytest tests/engines/test_ollama_answers.py -k recorded

from a server that has gemma3:270m, and its weights once more as gemma3-think:270m with a template
that opens a thought.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chimera.engines.base import CompletionRequest, ErrorClass, Message, Options, RequestFailed
from chimera.engines.targets import open_target
from chimera.testing.recording import Replay, load
from tests.engines.fault_server import RouteServer
from tests.engines.test_openai import ok

RECORDING = Path(__file__).with_name("recordings") / "ollama-answers.json"
OPTIONS = Options(num_ctx=512, num_thread=2, temperature=0.0, seed=1, keep_alive="60")


@pytest.fixture(scope="module")
def at() -> Iterator[str]:
    """Where the answers come from."""
    named = os.environ.get("CHIMERA_OLLAMA_AT")
    if named:
        yield named
        return
    with Replay(load(RECORDING)) as server:
        yield server.url


def test_a_recorded_chat_has_its_phases(at: str) -> None:
    request = CompletionRequest(messages=(Message("user", "Say hello."),), max_tokens=8)
    with open_target(f"ollama:gemma3:270m@{at}", OPTIONS) as engine:
        done = engine.complete(request)
    assert (done.output_tokens, done.tokens_basis, done.finish_reason) == (8, "server", "length")
    assert done.chunk_tokens == (1,) * 8
    assert done.prompt_tokens == 4
    assert (done.cached_tokens, done.evaluated_tokens) == (None, None)
    parts = (done.server_load_ns, done.server_prefill_ns, done.server_decode_ns)
    assert None not in parts
    assert sum(part or 0 for part in parts) <= (done.server_total_ns or 0)


def test_recorded_thoughts_are_no_answer(at: str) -> None:
    options = Options(num_ctx=512, num_thread=2, temperature=0.0, seed=1, think=True)
    request = CompletionRequest(messages=(Message("user", "Capital of France?"),), max_tokens=9)
    with open_target(f"ollama:gemma3-think:270m@{at}", options) as engine:
        assert "thinking" in engine.about()["capabilities"]
        done = engine.complete(request)
    assert done.reasoning
    assert done.text == ""
    assert done.first_token_ns is not None
    assert done.first_answer_ns is None


def test_recorded_repeats_break_off_without_an_end(at: str) -> None:
    request = CompletionRequest(prompt="ha" + " ha" * 15, max_tokens=100)
    with (
        open_target(f"ollama:gemma3:270m@{at}", OPTIONS) as engine,
        pytest.raises(RequestFailed, match="repeats one token") as caught,
    ):
        engine.complete(request)
    assert caught.value.error_class is ErrorClass.CUT_STREAM
    assert caught.value.partial is not None
    assert caught.value.partial.text.startswith(" ha ha")


@pytest.mark.parametrize(
    ("before", "after", "cold", "num_ctx"),
    [
        pytest.param([], [("m", 16)], True, 16, id="loaded"),
        pytest.param([("m", 16)], [("m", 16)], False, 16, id="was loaded"),
        pytest.param([("m", 8)], [("m", 16)], True, 16, id="with another context"),
        pytest.param([("e", 16)], [("e", 16)], False, 16, id="shares another's weights"),
        pytest.param([], [("e", 16)], True, 99, id="shares them and was loaded"),
        pytest.param([("e", 4), ("f", 8)], [("f", 8), ("e", 4)], False, 99, id="one of several"),
        pytest.param([], [("m", None)], True, 99, id="an older server"),
    ],
)
def test_whether_it_was_loaded_already(
    before: list[Any], after: list[Any], cold: bool, num_ctx: int
) -> None:
    class Lists(RouteServer):
        def script(self, request: bytes) -> Any:
            script = super().script(request)
            if self.requests[-1][0] != "GET /api/ps":
                return script
            asked = any(place == "POST /api/generate" for place, _ in self.requests)
            listed = after if asked else before
            return ok({"models": [dict(zip(names, entry, strict=True)) for entry in listed]})

    names = ("name", "context_length")
    routes = {
        "GET /api/version": ok({"version": "0.24.0"}),
        "GET /api/tags": ok({"models": [{"name": "m"}]}),
        "POST /api/show": ok({"details": {"parameter_size": "1.5B"}}),
        "POST /api/generate": ok({"done": True, "done_reason": "load"}),
    }
    with (
        Lists(routes) as server,
        open_target(f"ollama@127.0.0.1:{server.port}", Options(num_ctx=99)) as engine,
    ):
        load = engine.start()
        assert engine.model().parameters == 1_500_000_000
    assert (load.cold, load.num_ctx) == (cold, num_ctx)
