"""Ollama's stream, and every way in which it can fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chimera.engines.base import (
    Completion,
    CompletionRequest,
    ErrorClass,
    Message,
    RequestFailed,
)
from chimera.engines.ollama import Ollama
from chimera.engines.wire.address import Address
from tests.engines.fault_server import END, HANG, HEAD, RouteServer, chunk, reply

GENERATE = "POST /api/generate"
LINES = HEAD.replace(b"text/event-stream", b"application/x-ndjson")
DIGEST = "d8" * 32
Script = list[bytes | object]


def line(**fields: Any) -> bytes:
    return chunk(json.dumps(fields) + "\n")


def said(text: str) -> bytes:
    return line(response=text, done=False)


def last(**fields: Any) -> bytes:
    counts: dict[str, Any] = {
        "prompt_eval_count": 3,
        "eval_count": 2,
        "total_duration": 9,
        "load_duration": 4,
    }
    counts |= {"prompt_eval_duration": 2, "eval_duration": 1, "done_reason": "stop"}
    kept = {name: value for name, value in (counts | fields).items() if value is not None}
    return line(response="", done=True, **kept)


WHOLE: Script = [LINES, said("a"), said("b"), last(), END]


def page(**fields: Any) -> Script:
    return [reply("200 OK", json.dumps(fields).encode())]


def routes(**more: Script) -> dict[str, Script]:
    entry = {"name": "m:1b", "digest": DIGEST, "size": 7, "details": {"parent_model": "/a/b"}}
    loaded = {"name": "m:1b", "digest": DIGEST, "context_length": 16, "size_vram": 5}
    found = {
        "GET /api/version": page(version="0.24.0"),
        "GET /api/tags": page(models=[entry]),
        "GET /api/ps": page(models=[loaded]),
        "POST /api/show": page(details={"quantization_level": "Q4_0", "parameter_size": "1.5B"}),
        GENERATE: page(response="", done=True, done_reason="load"),
    }
    return found | {name.replace("_", " /api/", 1): script for name, script in more.items()}


def at(server: RouteServer) -> Address:
    return Address("http", "127.0.0.1", server.port)


def complete(script: Script, *, chat: bool = False, timeout_s: float = 5.0) -> Completion:
    place = "POST /api/chat" if chat else GENERATE
    with RouteServer(routes()) as server, Ollama(at(server), "m:1b") as engine:
        server.routes[place] = script
        messages = (Message("user", "p"),) if chat else ()
        request = CompletionRequest(
            prompt="p", messages=messages, max_tokens=4, timeout_s=timeout_s
        )
        return engine.complete(request)


def failure(script: Script, *, chat: bool = False, timeout_s: float = 5.0) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        complete(script, chat=chat, timeout_s=timeout_s)
    assert "\n" not in caught.value.text
    assert isinstance(caught.value.partial, Completion)
    return caught.value


def test_a_stream_is_read_whole() -> None:
    done = complete(WHOLE)
    assert (done.text, done.output_tokens, done.prompt_tokens) == ("ab", 2, 3)
    assert (done.server_total_ns, done.server_load_ns, done.server_queue_ns) == (9, 4, None)
    assert (done.server_prefill_ns, done.server_decode_ns) == (2, 1)
    assert (done.finish_reason, done.tokens_basis, done.chunk_tokens) == ("stop", "server", (1, 1))
    assert not done.reloaded


def test_the_end_token_is_counted_and_came_with_the_last_line() -> None:
    done = complete([LINES, said("a"), said("b"), last(eval_count=3), END])
    assert (done.text, done.output_tokens, done.chunk_tokens) == ("ab", 3, (1, 1, 1))
    more: Script = [LINES, said("a"), said("b"), last(eval_count=3, done_reason="length"), END]
    assert complete(more).chunk_tokens is None


def test_what_is_zero_is_left_out_by_the_server_and_not_learnt() -> None:
    names = ("prompt_eval_count", "eval_count", "load_duration", "eval_duration")
    done = complete([LINES, said("a"), last(**dict.fromkeys(names)), END])
    assert (done.output_tokens, done.tokens_basis, done.prompt_tokens) == (1, "chunks", None)
    assert (done.server_load_ns, done.server_decode_ns, done.reloaded) == (None, None, False)


def test_thinking_comes_first_and_is_no_answer() -> None:
    thought = line(message={"role": "assistant", "content": "", "thinking": "hm"}, done=False)
    answer = line(message={"role": "assistant", "content": "a"}, done=False)
    end = line(message={"content": ""}, done=True, done_reason="stop", eval_count=4)
    done = complete([LINES, thought, 0.01, answer, end, END], chat=True)
    assert (done.text, done.reasoning, done.output_tokens) == ("a", "hm", 4)
    assert done.first_token_ns is not None
    assert done.first_answer_ns is not None
    assert done.first_token_ns < done.first_answer_ns
    assert done.chunk_tokens is None


def test_a_long_load_in_a_request_is_a_reload() -> None:
    assert complete([LINES, said("a"), last(load_duration=700_000_000), END]).reloaded
    assert not complete([LINES, said("a"), last(load_duration=300_000_000), END]).reloaded


def test_a_full_context_is_told_from_a_limit() -> None:
    full: Script = [LINES, said("a"), last(prompt_eval_count=14, done_reason="length"), END]
    assert complete(full).finish_reason == "context"
    reached = last(prompt_eval_count=12, eval_count=4, done_reason="length")
    assert complete([LINES, said("a"), reached, END]).finish_reason == "length"


def test_a_prompt_that_filled_the_context_may_have_been_cut() -> None:
    """Versions without ``truncate`` drop the front of a longer prompt in silence."""
    error = failure([LINES, said("a"), last(prompt_eval_count=16), END])
    assert error.error_class is ErrorClass.PROMPT_CHANGED
    assert "16 tokens of the prompt, its whole context" in error.text


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([LINES, said("a")], ErrorClass.CUT_STREAM, id="closed after a line"),
        pytest.param([LINES, said("a"), END], ErrorClass.CUT_STREAM, id="no last line"),
        pytest.param([LINES, said("a"), chunk('{"re')], ErrorClass.CUT_STREAM, id="cut in a line"),
        pytest.param(
            [LINES, said("a"), chunk("no\n"), END], ErrorClass.MALFORMED_STREAM, id="no JSON"
        ),
        pytest.param(
            [LINES, said("a"), chunk("[1]\n"), END], ErrorClass.MALFORMED_STREAM, id="no object"
        ),
        pytest.param(
            [LINES, said("a"), line(a=1), END], ErrorClass.MALFORMED_STREAM, id="another object"
        ),
        pytest.param(
            [LINES, said("a"), line(response=7), END], ErrorClass.MALFORMED_STREAM, id="wrong type"
        ),
        pytest.param(
            [LINES, said("a"), last(eval_count="2"), END], ErrorClass.MALFORMED_STREAM, id="count"
        ),
        pytest.param(
            [LINES, said("a"), last(eval_count=-2), END], ErrorClass.MALFORMED_STREAM, id="below 0"
        ),
        pytest.param(
            [LINES, said("a"), line(error="slot failed"), END], ErrorClass.SERVER_ERROR, id="error"
        ),
    ],
)
def test_a_broken_stream_keeps_what_came(script: Script, expected: ErrorClass) -> None:
    error = failure(script)
    assert error.error_class is expected
    assert error.partial is not None
    assert (error.partial.text, len(error.partial.token_ns)) == ("a", 1)
    assert (error.partial.output_tokens, error.partial.finish_reason) == (None, None)
    if expected is ErrorClass.SERVER_ERROR:
        assert error.text == "slot failed"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([LINES, last(eval_count=None), END], ErrorClass.EMPTY, id="no token"),
        pytest.param([LINES, END], ErrorClass.CUT_STREAM, id="no line"),
        pytest.param([reply("200 OK", b"")], ErrorClass.MALFORMED_STREAM, id="no body"),
        pytest.param([reply("200 OK", b"<html>")], ErrorClass.MALFORMED_STREAM, id="a page"),
        pytest.param([reply("200 OK", b'{"error":"x"}')], ErrorClass.SERVER_ERROR, id="error"),
        pytest.param([], ErrorClass.CUT_STREAM, id="closed without an answer"),
        pytest.param([b"\x00 no\r\n\r\n"], ErrorClass.MALFORMED_STREAM, id="no HTTP"),
        pytest.param(
            [reply("400 Bad", b'{"error":"the input length exceeds the context length"}')],
            ErrorClass.DOES_NOT_FIT,
            id="too long",
        ),
        pytest.param(
            [b"HTTP/1.1 302 There\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"],
            ErrorClass.REDIRECT,
            id="elsewhere",
        ),
    ],
)
def test_an_empty_or_other_answer(script: Script, expected: ErrorClass) -> None:
    assert failure(script).error_class is expected


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [b"", b'{"error":"why not"}', b"why not"])
def test_a_bad_status(status: int, body: bytes, chat: bool) -> None:
    error = failure([reply(f"{status} Nope", body)], chat=chat)
    assert (error.error_class, error.http_status) == (ErrorClass.HTTP_STATUS, status)
    assert ("why not" if body else "without a message") in error.text


@pytest.mark.parametrize("script", [[HANG], [LINES, HANG], [LINES, said("a"), HANG]])
def test_a_silent_server_is_left_at_the_limit(script: Script) -> None:
    assert failure(script, timeout_s=0.3).error_class is ErrorClass.TIMEOUT


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_lines_are_not_pieces(size: int) -> None:
    raw = b'{"response":"a\\u00e9"}\n\n{"response":"\xe2\x82\xac"}\n{"done":true,"eval_count":2}\n'
    pieces = [chunk(raw[i : i + size]) for i in range(0, len(raw), size)]
    assert complete([LINES, *pieces, END]).text == "aé€"
