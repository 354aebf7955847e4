"""OpenAI's stream as servers really send it, and every way in which it can fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chimera.engines.base import Completion, CompletionRequest, ErrorClass, RequestFailed
from chimera.engines.openai import OpenAI
from chimera.engines.wire.address import Address
from tests.engines.fault_server import END, HANG, HEAD, RouteServer, chunk, event, reply

CHAT = "POST /v1/chat/completions"
PLAIN = "POST /v1/completions"
DONE = chunk("data: [DONE]\n\n")
PLAIN_HEAD = HEAD.replace(b"Transfer-Encoding: chunked\r\n", b"")
Script = list[bytes | object]


def models(*entries: dict[str, Any]) -> list[bytes | object]:
    listed = entries or ({"id": "m", "owned_by": "someone"},)
    return [reply("200 OK", json.dumps({"object": "list", "data": listed}).encode())]


def said(content: str | None = None, finish: str | None = None, **more: Any) -> bytes:
    delta = {} if content is None else {"content": content}
    return event(json.dumps({"choices": [{"delta": delta, "finish_reason": finish}]} | more))


def plain(text: str, finish: str | None = None, **more: Any) -> bytes:
    return event(json.dumps({"choices": [{"text": text, "finish_reason": finish}]} | more))


def usage(prompt: int, output: int, **more: Any) -> bytes:
    counts = {"prompt_tokens": prompt, "completion_tokens": output} | more
    return event(json.dumps({"choices": [], "usage": counts}))


WHOLE: Script = [HEAD, said("a"), said("b"), said(finish="stop"), usage(3, 2), DONE, END]
PLAIN_WHOLE: Script = [HEAD, plain("a"), plain("b", "stop"), usage(3, 2), DONE, END]


def complete(script: Script, *, chat: bool = True, timeout_s: float = 5.0) -> Completion:
    place, whole = (CHAT, WHOLE) if chat else (PLAIN, PLAIN_WHOLE)
    with RouteServer({"GET /v1/models": models(), place: whole}) as server:
        address = Address("http", "127.0.0.1", server.port, "/v1")
        with OpenAI(address, chat=chat) as engine:
            server.routes[place] = script
            request = CompletionRequest(prompt="p", max_tokens=4, timeout_s=timeout_s)
            return engine.complete(request)


def failure(script: Script, *, chat: bool = True, timeout_s: float = 5.0) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        complete(script, chat=chat, timeout_s=timeout_s)
    assert "\n" not in caught.value.text
    assert isinstance(caught.value.partial, Completion)
    return caught.value


def test_a_chat_is_read_whole() -> None:
    done = complete(WHOLE)
    assert (done.text, done.output_tokens, done.prompt_tokens) == ("ab", 2, 3)
    assert (done.finish_reason, done.tokens_basis) == ("stop", "server")
    assert (done.cached_tokens, done.evaluated_tokens, done.server_prefill_ns) == (None,) * 3


def test_plain_completions_are_read_whole() -> None:
    done = complete(PLAIN_WHOLE, chat=False)
    assert (done.text, done.output_tokens, done.finish_reason) == ("ab", 2, "stop")


def test_details_and_llama_timings_are_learnt() -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 2}}
    details |= {"completion_tokens_details": {"reasoning_tokens": 1}}
    done = complete([HEAD, said("ab"), said(finish="stop"), usage(5, 2, **details), DONE, END])
    assert (done.cached_tokens, done.evaluated_tokens, done.reasoning_tokens) == (2, 3, 1)
    timings = {"cache_n": 4, "prompt_n": 6, "prompt_ms": 1.5, "predicted_n": 2}
    timings["predicted_ms"] = 2.25
    done = complete([HEAD, said("ab"), said(finish="stop", timings=timings), DONE, END])
    assert (done.prompt_tokens, done.cached_tokens, done.evaluated_tokens) == (10, 4, 6)
    assert (done.output_tokens, done.tokens_basis) == (2, "server")
    assert (done.server_prefill_ns, done.server_decode_ns) == (1_500_000, 2_250_000)


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_comes_first_and_is_no_answer(field: str) -> None:
    thought = event(json.dumps({"choices": [{"delta": {field: "hm", "content": None}}]}))
    script: Script = [HEAD, said(""), thought, thought, 0.01, said("a", "stop"), DONE, END]
    done = complete(script)
    assert (done.text, done.reasoning) == ("a", "hmhm")
    assert done.first_token_ns == done.token_ns[0]
    assert done.first_answer_ns == done.token_ns[2]
    assert done.first_token_ns < done.first_answer_ns


def test_empty_chunks_roles_and_comments_are_no_tokens() -> None:
    role = event('{"choices":[{"delta":{"role":"assistant","content":null}}]}')
    filtered = event('{"choices":[],"prompt_filter_results":[]}')
    ping = chunk(": ping\n\n")
    done = complete(
        [HEAD, ping, filtered, role, said(""), said("a"), ping, said("b", "stop"), DONE]
    )
    assert (done.text, len(done.token_ns)) == ("ab", 2)
    assert (done.output_tokens, done.tokens_basis, done.prompt_tokens) == (2, "chunks", None)


def test_a_sum_that_equals_the_chunks_counts_each_as_one() -> None:
    assert complete(WHOLE).chunk_tokens == (1, 1)
    more: Script = [HEAD, said("a b c"), said("d"), said(finish="stop"), usage(3, 4), DONE, END]
    done = complete(more)
    assert (done.chunk_tokens, done.output_tokens, len(done.token_ns)) == (None, 4, 2)


def test_usage_with_every_chunk_counts_its_tokens() -> None:
    """vLLM's ``continuous_usage_stats``; the last is the sum over all."""

    def counted(text: str, total: int, finish: str | None = None) -> bytes:
        return said(text, finish, usage={"prompt_tokens": 3, "completion_tokens": total})

    stream: Script = [HEAD, counted("", 0), counted("a b", 3), counted("c", 4), said("", "stop")]
    done = complete([*stream, usage(3, 5), DONE, END])
    assert (done.chunk_tokens, done.output_tokens) == ((3, 1, 1), 5)
    assert len(done.token_ns) == 3


def test_zeros_with_every_chunk_are_no_count() -> None:
    """Ollama's plain completions send usage of zeros until the last event."""
    zero = {"prompt_tokens": 0, "completion_tokens": 0}
    stream: Script = [HEAD, plain("a", usage=zero), plain("b", "stop", usage=zero)]
    done = complete([*stream, usage(3, 3), DONE, END], chat=False)
    assert (done.output_tokens, done.prompt_tokens, done.chunk_tokens) == (3, 3, None)
    done = complete([*stream, DONE, END], chat=False)
    assert (done.output_tokens, done.tokens_basis, done.prompt_tokens) == (2, "chunks", None)


@pytest.mark.parametrize(
    ("word", "expected"),
    [("stop", "stop"), ("eos_token", "stop"), ("length", "length"), ("content_filter",) * 2],
)
def test_finish_reasons_have_one_name(word: str, expected: str) -> None:
    assert complete([HEAD, said("a"), said(finish=word), DONE, END]).finish_reason == expected


@pytest.mark.parametrize(
    ("counts", "expected"), [((4, 4), "length"), ((14, 2), "context"), ((4, 2), "length")]
)
def test_a_full_context_is_told_from_a_limit(counts: tuple[int, int], expected: str) -> None:
    entry = models({"id": "m", "max_model_len": 16})
    with RouteServer({"GET /v1/models": entry, CHAT: WHOLE}) as server:
        address = Address("http", "127.0.0.1", server.port, "/v1")
        with OpenAI(address) as engine:
            assert engine.start().num_ctx == 16
            server.routes[CHAT] = [HEAD, said("a", "length"), usage(*counts), DONE, END]
            done = engine.complete(CompletionRequest(prompt="p", max_tokens=4))
    assert done.finish_reason == expected


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([HEAD, said("a", "stop"), END], id="no [DONE]"),
        pytest.param([HEAD, said("a"), said(finish="stop"), usage(1, 1), END], id="usage last"),
        pytest.param([PLAIN_HEAD, said("a", "stop").split(b"\r\n")[1]], id="ended by closing"),
        pytest.param([HEAD, said("a", "stop"), DONE, b"junk"], id="junk after [DONE]"),
        pytest.param([HEAD, said("a", "stop"), DONE], id="cut after [DONE]"),
    ],
)
def test_a_finish_reason_and_a_regular_end_are_an_end(script: Script) -> None:
    done = complete(script)
    assert (done.text, done.finish_reason, done.output_tokens) == ("a", "stop", 1)


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([HEAD, said("a")], ErrorClass.CUT_STREAM, id="closed after a chunk"),
        pytest.param([HEAD, said("a"), END], ErrorClass.CUT_STREAM, id="no finish reason"),
        pytest.param([HEAD, said("a", "stop")], ErrorClass.CUT_STREAM, id="cut before [DONE]"),
        pytest.param([HEAD, said("a"), chunk("data: {")], ErrorClass.CUT_STREAM, id="cut event"),
        pytest.param([HEAD, said("a"), chunk("hi\n\n")], ErrorClass.MALFORMED_STREAM, id="no SSE"),
        pytest.param([HEAD, said("a"), event("{")], ErrorClass.MALFORMED_STREAM, id="no JSON"),
        pytest.param([HEAD, said("a"), event("[1]")], ErrorClass.MALFORMED_STREAM, id="no object"),
        pytest.param([HEAD, said("a"), event('{"a":1}')], ErrorClass.MALFORMED_STREAM, id="other"),
        pytest.param(
            [HEAD, said("a"), event('{"choices":[{"delta":{"content":7}}]}')],
            ErrorClass.MALFORMED_STREAM,
            id="wrong type",
        ),
        pytest.param(
            [HEAD, said("a"), event('{"choices":[],"usage":{"completion_tokens":"2"}}'), DONE],
            ErrorClass.MALFORMED_STREAM,
            id="usage of a wrong type",
        ),
        pytest.param(
            [HEAD, said("a"), usage(-1, 2), DONE], ErrorClass.MALFORMED_STREAM, id="usage below 0"
        ),
        pytest.param(
            [HEAD, said("a"), event('{"error":{"message":"slot failed"}}'), DONE, END],
            ErrorClass.SERVER_ERROR,
            id="error object",
        ),
        pytest.param(
            [HEAD, said("a"), event('{"object":"error","message":"slot failed"}'), DONE, END],
            ErrorClass.SERVER_ERROR,
            id="object error",
        ),
        pytest.param(
            [HEAD, said("a"), chunk('error: {"message":"slot failed"}\n\n'), END],
            ErrorClass.SERVER_ERROR,
            id="error as its own field",
        ),
        pytest.param([HEAD, said("a", "abort"), DONE], ErrorClass.SERVER_ERROR, id="given up"),
    ],
)
def test_a_broken_stream_keeps_what_came(script: Script, expected: ErrorClass) -> None:
    error = failure(script)
    assert error.error_class is expected
    assert error.partial is not None
    assert (error.partial.text, len(error.partial.token_ns)) == ("a", 1)
    assert error.partial.output_tokens is None
    if b"slot failed" in b"".join(part for part in script if isinstance(part, bytes)):
        assert error.text == "slot failed"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([HEAD, said(finish="stop"), DONE, END], ErrorClass.EMPTY, id="no text"),
        pytest.param([HEAD, said(""), usage(3, 0), DONE, END], ErrorClass.EMPTY, id="no tokens"),
        pytest.param([HEAD, DONE, END], ErrorClass.EMPTY, id="nothing but the end"),
        pytest.param([HEAD, END], ErrorClass.CUT_STREAM, id="not even an end"),
        pytest.param([reply("200 OK", b"")], ErrorClass.MALFORMED_STREAM, id="no body"),
        pytest.param([reply("200 OK", b"<html>")], ErrorClass.MALFORMED_STREAM, id="a page"),
        pytest.param([reply("200 OK", b'{"error":"x"}')], ErrorClass.SERVER_ERROR, id="error"),
        pytest.param([], ErrorClass.CUT_STREAM, id="closed without an answer"),
        pytest.param([b"\x00\x01 no\r\n\r\n"], ErrorClass.MALFORMED_STREAM, id="no HTTP"),
    ],
)
def test_an_empty_or_other_answer(script: Script, expected: ErrorClass) -> None:
    assert failure(script).error_class is expected


@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [b"", b'{"error":{"message":"why not"}}', b"why not"])
def test_a_bad_status(status: int, body: bytes, chat: bool) -> None:
    error = failure([reply(f"{status} Nope", body)], chat=chat)
    assert (error.error_class, error.http_status) == (ErrorClass.HTTP_STATUS, status)
    assert ("why not" if body else "without a message") in error.text


def test_a_redirect_is_not_followed() -> None:
    answer = (
        b"HTTP/1.1 307 Over There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    )
    assert failure([answer]).error_class is ErrorClass.REDIRECT


@pytest.mark.parametrize("script", [[HANG], [HEAD, HANG], [HEAD, said("a"), HANG]])
def test_a_silent_server_is_left_at_the_limit(script: Script) -> None:
    error = failure(script, timeout_s=0.3)
    assert error.error_class is ErrorClass.TIMEOUT
