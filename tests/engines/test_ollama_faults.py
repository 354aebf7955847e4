"""Every way in which Ollama, or what stands in its place, can fail is one error class."""

from __future__ import annotations

import pytest

from chimera.engines.answers import finished
from chimera.engines.base import Completion, ErrorClass, RequestFailed
from chimera.engines.ollama_stream import OllamaAnswer
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, http_request
from chimera.engines.wire.once import exchange_now
from tests.engines.fault_server import END, HANG, FaultServer, chunk, reply

HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"
)


def line(json: str) -> bytes:
    """One line of a stream, in a chunk of its own."""
    return chunk(json + "\n")


def said(text: str) -> bytes:
    return line(f'{{"model":"m","response":"{text}","done":false}}')


def last(reason: str = "length", more: str = '"eval_count":2,"prompt_eval_count":3') -> bytes:
    return line(f'{{"response":"","done":true,"done_reason":"{reason}",{more}}}')


ONE, TWO = said("a"), said("b")


def complete(
    *script: bytes | object,
    timeout_s: float = 5.0,
    most: int | None = 4,
    context: int | None = 512,
    reload_ns: int | None = 1000,
) -> Completion:
    with FaultServer(*script) as server:
        address = Address("http", "127.0.0.1", server.port)
        data = http_request("POST", address, "/api/generate", {}, {})
        answer = OllamaAnswer(None, most=most, context=context, reload_ns=reload_ns)
        return finished(exchange_now(Call(address, data, answer, timeout_s=timeout_s)))


def failure(*script: bytes | object, timeout_s: float = 5.0) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        complete(*script, timeout_s=timeout_s)
    assert "\n" not in caught.value.text
    assert isinstance(caught.value.partial, Completion)
    return caught.value


def test_a_good_stream_is_read_whole() -> None:
    times = (
        '"eval_count":2,"prompt_eval_count":3,"total_duration":100,"load_duration":10,'
        '"prompt_eval_duration":20,"eval_duration":30,"context":[1,2,3]'
    )
    done = complete(HEAD, ONE, TWO, last(more=times), END)
    assert (done.text, done.output_tokens, done.finish_reason) == ("ab", 2, "length")
    assert (done.prompt_tokens, done.cached_tokens, done.evaluated_tokens) == (3, None, None)
    assert (done.server_load_ns, done.server_queue_ns, done.server_total_ns) == (10, None, 100)
    assert (done.server_prefill_ns, done.server_decode_ns) == (20, 30)
    assert (done.chunk_tokens, done.tokens_basis, done.reloaded) == ((1, 1), "server", False)
    assert done.raw_reply is not None
    assert "context" not in done.raw_reply


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([HEAD, ONE], ErrorClass.CUT_STREAM, id="closed after a line"),
        pytest.param([HEAD, ONE, END], ErrorClass.CUT_STREAM, id="ended without a last line"),
        pytest.param([HEAD, END], ErrorClass.CUT_STREAM, id="ended without any line"),
        pytest.param([HEAD, ONE, TWO[:20]], ErrorClass.CUT_STREAM, id="cut inside a chunk"),
        pytest.param(
            [HEAD, ONE, chunk('{"resp'), END], ErrorClass.CUT_STREAM, id="cut inside a line"
        ),
        pytest.param([HEAD, ONE, chunk("hello\n")], ErrorClass.MALFORMED_STREAM, id="no JSON"),
        pytest.param([HEAD, ONE, line("[1]")], ErrorClass.MALFORMED_STREAM, id="no object"),
        pytest.param([HEAD, ONE, line('{"a":1}')], ErrorClass.MALFORMED_STREAM, id="no text"),
        pytest.param(
            [HEAD, ONE, line('{"response":7}')], ErrorClass.MALFORMED_STREAM, id="wrong type"
        ),
        pytest.param(
            [HEAD, ONE, last(more='"eval_count":-1')], ErrorClass.MALFORMED_STREAM, id="negative"
        ),
        pytest.param([HEAD, ONE, line("[" * 100_000)], ErrorClass.MALFORMED_STREAM, id="too deep"),
        pytest.param(
            [HEAD, ONE, line('{"error":"unexpected EOF"}'), END],
            ErrorClass.SERVER_ERROR,
            id="error inside a 200",
        ),
    ],
)
def test_a_broken_stream_keeps_what_came(script: list[bytes], expected: ErrorClass) -> None:
    error = failure(*script)
    assert error.error_class is expected
    partial = error.partial
    assert partial is not None
    assert partial.text == ("a" if ONE in script else "")
    assert (partial.output_tokens, partial.finish_reason, partial.raw_reply) == (None, None, None)
    assert partial.end_ns >= max(partial.token_ns, default=partial.start_ns)


def test_an_error_inside_a_stream_has_the_servers_words() -> None:
    assert failure(HEAD, ONE, line('{"error":"a\\nb"}'), END).text == "a b"


def test_a_token_repeated_over_and_over_ends_without_a_last_line() -> None:
    error = failure(HEAD, *[said(" ha")] * 30, END)
    assert error.error_class is ErrorClass.CUT_STREAM
    assert "repeats one token" in error.text
    assert "repeats" not in failure(HEAD, *[ONE, TWO] * 15, END).text


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "500 Error", "503 Busy"])
@pytest.mark.parametrize(
    ("body", "words"), [(b"", "without a message"), (b'{"error":"why not"}', "why not")]
)
def test_a_bad_status(status: str, body: bytes, words: str) -> None:
    error = failure(reply(status, body))
    assert (error.error_class, error.http_status) == (ErrorClass.HTTP_STATUS, int(status[:3]))
    assert words in error.text


def test_a_prompt_that_the_server_finds_too_long() -> None:
    body = b'{"error":"the input length exceeds the context length"}'
    error = failure(reply("400 Bad Request", body))
    assert (error.error_class, error.http_status) == (ErrorClass.DOES_NOT_FIT, 400)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":"no model"}', ErrorClass.SERVER_ERROR),
        (b'{"response":"a","done":true}', ErrorClass.MALFORMED_STREAM),
        (b"<html>", ErrorClass.MALFORMED_STREAM),
    ],
)
def test_a_200_that_is_no_stream(body: bytes, expected: ErrorClass) -> None:
    assert failure(reply("200 OK", body)).error_class is expected


@pytest.mark.parametrize("script", [[HANG], [HEAD, HANG], [HEAD, ONE, HANG]])
def test_a_stall_ends_at_the_limit(script: list[bytes | object]) -> None:
    assert failure(*script, timeout_s=0.3).error_class is ErrorClass.TIMEOUT


def test_an_answer_without_a_token_is_empty() -> None:
    assert failure(HEAD, last("stop", '"prompt_eval_count":3'), END).error_class is ErrorClass.EMPTY


def test_lines_cut_anywhere_and_many_in_a_piece() -> None:
    raw = "".join(f'{{"response":"{c}","done":false}}\n' for c in ("é", "🎉")).encode()
    raw += b'{"response":"","done":true,"done_reason":"length","eval_count":2}\n\n'
    for size in (1, 2, 3, 7, 1000):
        pieces = [chunk(raw[i : i + size]) for i in range(0, len(raw), size)]
        done = complete(HEAD, *pieces, END)
        assert (done.text, done.chunk_tokens) == ("é🎉", (1, 1))


def test_thinking_comes_first_and_is_no_answer() -> None:
    thought = line('{"response":"","thinking":"hm","done":false}')
    chat = line('{"message":{"role":"assistant","content":"","thinking":"m"},"done":false}')
    nothing = line('{"response":"","done":false}')  # a tag that was swallowed
    done = complete(HEAD, thought, chat, nothing, ONE, last(more='"eval_count":4'), END)
    assert (done.reasoning, done.text) == ("hmm", "a")
    assert done.first_token_ns == done.token_ns[0]
    assert done.first_answer_ns == done.token_ns[-1]
    # One of the four has no text, so nobody knows which chunk had it.
    assert (done.chunk_tokens, done.output_tokens, len(done.token_ns)) == (None, 4, 3)


def test_the_end_of_text_is_a_token_of_the_last_line() -> None:
    done = complete(HEAD, ONE, TWO, last("stop", '"eval_count":3'), END)
    assert (done.chunk_tokens, done.output_tokens) == ((1, 1, 1), 3)
    assert done.token_ns[-1] == done.end_ns
    assert complete(HEAD, ONE, last("stop", '"eval_count":3'), END).chunk_tokens is None


def test_uncounted_tokens_are_chunks_and_said_to_be() -> None:
    done = complete(HEAD, ONE, TWO, last(more='"prompt_eval_count":3'), END)
    assert (done.output_tokens, done.tokens_basis, done.chunk_tokens) == (2, "chunks", None)


def test_what_comes_after_the_last_line_is_not_looked_at() -> None:
    assert complete(HEAD, ONE, TWO, last(), line("x"), END).text == "ab"


def test_a_full_context_is_no_limit_of_tokens() -> None:
    full = last(more='"eval_count":2,"prompt_eval_count":510')
    assert complete(HEAD, ONE, TWO, full, END).finish_reason == "context"
    assert complete(HEAD, ONE, TWO, full, END, most=2).finish_reason == "length"
    assert complete(HEAD, ONE, TWO, full, END, most=None).finish_reason == "context"
    assert complete(HEAD, ONE, TWO, full, END, context=None).finish_reason == "length"


def test_a_load_within_a_request_is_told_by_its_time() -> None:
    for load_ns, reload_ns, expected in ((999, 1000, False), (2000, 1000, True), (9, None, False)):
        more = f'"eval_count":2,"load_duration":{load_ns}'
        done = complete(HEAD, ONE, TWO, last(more=more), END, reload_ns=reload_ns)
        assert done.reloaded is expected
