"""Every way in which a server can fail is one error class, and what had arrived is kept."""

from __future__ import annotations

import socket

import pytest

from chimera.engines.base import Completion, CompletionRequest, ErrorClass, Options, RequestFailed
from chimera.engines.llama_server import LlamaServer, completion_body
from chimera.engines.wire.address import Address
from tests.engines.fault_server import END, HANG, HEAD, FaultServer, chunk, event, reply

ONE = event('{"content":"a","tokens_predicted":1,"stop":false}')
TWO = event('{"content":"b","tokens_predicted":2,"stop":false}')
LAST = event(
    '{"content":"","stop":true,"stop_type":"eos","tokens_predicted":2,"tokens_evaluated":3,'
    '"timings":{"cache_n":1,"prompt_n":2,"prompt_ms":1.5,"predicted_ms":2.25}}'
)
REQUEST = CompletionRequest(prompt="p", max_tokens=4, timeout_s=5.0)


def complete(*script: bytes | object, timeout_s: float = 5.0) -> Completion:
    request = CompletionRequest(prompt="p", max_tokens=4, timeout_s=timeout_s)
    with FaultServer(*script) as server:
        return LlamaServer(Address("http", "127.0.0.1", server.port)).complete(request, Options())


def failure(*script: bytes | object, timeout_s: float = 5.0) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        complete(*script, timeout_s=timeout_s)
    assert "\n" not in caught.value.text
    assert isinstance(caught.value.partial, Completion)
    return caught.value


def test_a_good_stream_is_read_whole() -> None:
    done = complete(HEAD, ONE, TWO, LAST, END)
    assert (done.text, done.output_tokens, done.finish_reason) == ("ab", 2, "stop")
    assert (done.prompt_tokens, done.cached_tokens, done.evaluated_tokens) == (3, 1, 2)
    assert (done.server_prefill_ns, done.server_decode_ns) == (1_500_000, 2_250_000)
    assert (done.server_load_ns, done.chunk_tokens) == (None, (1, 1))


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([HEAD, ONE], ErrorClass.CUT_STREAM, id="closed after a chunk"),
        pytest.param([HEAD, ONE, END], ErrorClass.CUT_STREAM, id="ended without a last event"),
        pytest.param([HEAD, END], ErrorClass.CUT_STREAM, id="ended without any event"),
        pytest.param([HEAD, ONE, TWO[:20]], ErrorClass.CUT_STREAM, id="cut inside a chunk"),
        pytest.param(
            [HEAD, ONE, chunk('data: {"cont'), END], ErrorClass.CUT_STREAM, id="cut inside a line"
        ),
        pytest.param([HEAD, ONE, chunk("hello\n\n")], ErrorClass.MALFORMED_STREAM, id="no SSE"),
        pytest.param([HEAD, ONE, event('{"content":')], ErrorClass.MALFORMED_STREAM, id="no JSON"),
        pytest.param([HEAD, ONE, event("[1]")], ErrorClass.MALFORMED_STREAM, id="no object"),
        pytest.param([HEAD, ONE, event('{"a":1}')], ErrorClass.MALFORMED_STREAM, id="no content"),
        pytest.param(
            [HEAD, ONE, event('{"content":7}')], ErrorClass.MALFORMED_STREAM, id="wrong type"
        ),
        pytest.param(
            [HEAD, ONE, event('{"content":"","stop":true,"tokens_evaluated":"many"}')],
            ErrorClass.MALFORMED_STREAM,
            id="last event of wrong types",
        ),
        pytest.param(
            [HEAD, ONE, event('{"error":{"code":500,"message":"slot failed"}}'), END],
            ErrorClass.SERVER_ERROR,
            id="error inside a 200",
        ),
        pytest.param(
            [HEAD, ONE, chunk('error: {"code":500,"message":"slot failed"}\n\n'), END],
            ErrorClass.SERVER_ERROR,
            id="error as its own field",
        ),
    ],
)
def test_a_broken_stream_keeps_what_came(script: list[bytes], expected: ErrorClass) -> None:
    error = failure(*script)
    assert error.error_class is expected
    partial = error.partial
    assert partial is not None
    assert partial.text == ("a" if ONE in script else "")
    assert len(partial.token_ns) == len(partial.text)
    assert (partial.output_tokens, partial.finish_reason, partial.raw_reply) == (None, None, None)
    assert partial.end_ns >= max(partial.token_ns, default=partial.start_ns)


def test_an_error_inside_a_stream_has_the_servers_words() -> None:
    error = failure(HEAD, event('{"error":{"code":500,"message":"slot\\nfailed"}}'), END)
    assert error.text == "slot failed"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"error":"no model"}', ErrorClass.SERVER_ERROR),
        (b'{"content":"a"}', ErrorClass.MALFORMED_STREAM),
        (b"<html>", ErrorClass.MALFORMED_STREAM),
        (b"", ErrorClass.MALFORMED_STREAM),
    ],
)
def test_a_200_that_is_no_stream(body: bytes, expected: ErrorClass) -> None:
    assert failure(reply("200 OK", body)).error_class is expected


@pytest.mark.parametrize(
    "status",
    [
        "400 Bad Request",
        "401 Unauthorized",
        "404 Not Found",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ],
)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "without a message"),
        (b'{"error":{"message":"why not"}}', "why not"),
        (b'{"error":"why not"}', "why not"),
        (b"<h1>why not</h1>", "why not"),
        (b"\xff\xfe", "HTTP"),
    ],
)
def test_a_bad_status(status: str, body: bytes, said: str) -> None:
    error = failure(reply(status, body))
    assert error.error_class is ErrorClass.HTTP_STATUS
    assert error.text.startswith(f"HTTP {status[:3]}")
    assert said in error.text
    assert error.http_status == int(status[:3])


def test_a_redirect_is_not_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    error = failure(answer)
    assert (error.error_class, error.http_status) == (ErrorClass.REDIRECT, 302)


def test_a_prompt_that_the_server_finds_too_long() -> None:
    body = b'{"error":{"type":"exceed_context_size_error","message":"9 tokens exceed 8"}}'
    error = failure(reply("400 Bad Request", body))
    assert (error.error_class, error.text) == (ErrorClass.DOES_NOT_FIT, "9 tokens exceed 8")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param([], ErrorClass.CUT_STREAM, id="closed without an answer"),
        pytest.param([b"HTTP/1.1 2"], ErrorClass.MALFORMED_STREAM, id="half a status line"),
        pytest.param([b"\x00\x01 nonsense\r\n\r\n"], ErrorClass.MALFORMED_STREAM, id="no HTTP"),
    ],
)
def test_no_http_answer(script: list[bytes], expected: ErrorClass) -> None:
    error = failure(*script)
    assert error.error_class is expected
    assert error.partial is not None
    assert error.partial.first_byte_ns is None


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([HANG], id="never answers"),
        pytest.param([HEAD, HANG], id="never sends an event"),
        pytest.param([HEAD, ONE, HANG], id="stalls"),
        pytest.param([HEAD, ONE, chunk("data: {")[:-2], HANG], id="stalls inside an event"),
    ],
)
def test_a_stall_ends_at_the_limit(script: list[bytes | object]) -> None:
    error = failure(*script, timeout_s=0.3)
    assert error.error_class is ErrorClass.TIMEOUT
    assert error.partial is not None
    assert error.partial.text == ("a" if ONE in script else "")


def test_a_stream_that_never_ends_is_ended() -> None:
    """Each event comes in time, so only a limit on the whole stream can end it."""
    error = failure(HEAD, *[ONE] * 2_000_000, timeout_s=0.3)
    assert error.error_class is ErrorClass.TIMEOUT


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(RequestFailed) as caught:
        LlamaServer(Address("http", "127.0.0.1", port)).complete(REQUEST, Options())
    assert caught.value.error_class is ErrorClass.CONNECT
    assert caught.value.partial is not None
    assert caught.value.partial.sent_ns is None


def test_chunks_are_not_events_nor_tokens() -> None:
    """Events cut anywhere, several in one piece, comments, several tokens in an event."""
    many = event('{"content":"é€ ","tokens_predicted":5,"stop":false}')
    stream = ONE + many + LAST.replace(b'"tokens_predicted":2', b'"tokens_predicted":7')
    raw = b": ping\n\n" + b"".join(
        line + b"\r\n\r\n" for line in stream.split(b"\r\n") if line.startswith(b"data")
    ).replace(b"\n\n\r\n\r\n", b"\r\n\r\n")
    for size in (1, 2, 3, 7, 1000):
        pieces = [chunk(raw[i : i + size]) for i in range(0, len(raw), size)]
        done = complete(HEAD, *pieces, END)
        assert done.text == "aé€ "
        assert done.chunk_tokens == (1, 4, 2)
        assert done.output_tokens == 7


def test_empty_chunks_are_no_first_token() -> None:
    empty = event('{"content":"","stop":false}')
    silent = event('{"content":"","tokens_predicted":1,"stop":false}')
    later = event('{"content":"b","tokens_predicted":2,"stop":false}')
    done = complete(HEAD, empty, silent, later, LAST, END)
    assert done.chunk_tokens == (1, 1)
    assert done.first_token_ns == done.token_ns[1]


def test_an_answer_without_a_token_is_empty() -> None:
    last = LAST.replace(b'"tokens_predicted":2', b'"tokens_predicted":0')
    error = failure(HEAD, last, END)
    assert error.error_class is ErrorClass.EMPTY
    done = error.partial
    assert done is not None
    assert (done.text, done.output_tokens) == ("", 0)
    assert (done.first_token_ns, done.token_ns) == (None, ())


def test_uncounted_tokens_are_chunks_and_said_to_be() -> None:
    done = complete(HEAD, event('{"content":"a b c"}'), event('{"content":"","stop":true}'), END)
    assert (done.chunk_tokens, done.output_tokens, done.tokens_basis) == (None, 1, "chunks")
    assert (done.prompt_tokens, done.server_prefill_ns) == (None, None)
    assert len(done.token_ns) == 1


def test_only_what_is_set_is_sent() -> None:
    with FaultServer(HEAD, LAST, END) as server:
        LlamaServer(Address("http", "127.0.0.1", server.port), "the-key").complete(
            CompletionRequest(prompt="p"), Options()
        )
    head, _, body = server.received.partition(b"\r\n\r\n")
    assert b"Bearer the-key" in head
    assert body == b'{"prompt":"p","stream":true,"cache_prompt":true}'


def test_all_that_is_set_is_sent() -> None:
    options = Options(temperature=0.5, top_p=0.9, top_k=7, repeat_penalty=1.1, seed=3)
    request = CompletionRequest(
        prompt="p",
        max_tokens=4,
        grammar="g",
        temperature=0.1,
        stop=("x", "y"),
        cache_prompt=False,
        ignore_eos=True,
    )
    assert completion_body(request, options) == {
        "prompt": "p",
        "stream": True,
        "cache_prompt": False,
        "temperature": 0.1,
        "top_p": 0.9,
        "top_k": 7,
        "repeat_penalty": 1.1,
        "seed": 3,
        "n_predict": 4,
        "grammar": "g",
        "stop": ["x", "y"],
        "ignore_eos": True,
    }
    assert completion_body(REQUEST, Options(num_predict=9))["n_predict"] == 4
    assert completion_body(CompletionRequest(prompt=""), Options(num_predict=9))["n_predict"] == 9
