"""Every fault of the mock server does what it says, and nonsense is refused."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator

import pytest

from chimera.testing.mock_server import MockServer
from tests.testing.wire_client import (
    CHAT,
    PATHS,
    QUICK,
    ask,
    body_for,
    connected,
    count_tokens,
    events,
    get,
    has_ended,
    last_truth,
    numbered,
    post,
    raw_exchange,
    raw_request,
    texts,
)

every_path = pytest.mark.parametrize("path", PATHS)
whole_or_not = pytest.mark.parametrize("stream", [True, False])


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def raw(server: MockServer, path: str, query: str, stream: bool = True) -> tuple[bytes, str]:
    body = body_for(path, f"mock?{QUICK}&{query}", stream=stream)
    # Only who is told to hang is given up soon; a slow machine must not look like a hang.
    quiet_s = 0.5 if "stall" in query or "never" in query else 10.0
    return raw_exchange(server, raw_request(path, body, "Connection: close"), quiet_s)


@every_path
class TestInTheStream:
    def test_an_error_in_it(self, server: MockServer, path: str) -> None:
        body = ask(server, path, "fault=error_in_stream&after=3")
        assert count_tokens(body) == 3
        errors = [line for line in body.splitlines() if b'{"error":' in line]
        assert len(errors) == 1
        assert json.loads(errors[0].removeprefix(b"data: "))["error"]
        assert has_ended(path, body) == path.startswith("/v1")
        assert (last_truth(server).tokens, last_truth(server).outcome) == (3, "fault")

    def test_a_line_of_no_event(self, server: MockServer, path: str) -> None:
        body = ask(server, path, "fault=malformed_sse&after=2")
        broken = b"\ndata: {" if path.startswith("/api") else b"\ndta: {"
        before, found, after = body.partition(broken)
        assert found
        assert (b" t1" in before, b" t2" in after) == (True, True)
        assert last_truth(server).tokens == 8

    def test_json_that_breaks_off(self, server: MockServer, path: str) -> None:
        body = ask(server, path, "fault=malformed_json&after=2")
        lines = [line.removeprefix(b"data: ") for line in body.splitlines() if line]
        broken = [line for line in lines if line != b"[DONE]" and not is_json(line)]
        assert len(broken) == 1
        assert body.index(b" t1") < body.index(broken[0] + b"\n") < body.index(b" t2")

    @pytest.mark.parametrize(("more", "tokens"), [("", 8), ("&after=3", 3)])
    def test_no_end(self, server: MockServer, path: str, more: str, tokens: int) -> None:
        received, end = raw(server, path, f"fault=no_end{more}")
        assert end == "closed"
        assert received.endswith(b"\r\n0\r\n\r\n")
        assert b"[DONE]" not in received
        assert b'"done":true' not in received
        assert count_tokens(received) == tokens == last_truth(server).tokens
        assert last_truth(server).outcome == "fault"

    def test_cut(self, server: MockServer, path: str) -> None:
        received, end = raw(server, path, "fault=cut&after=3")
        assert end == "reset"
        assert count_tokens(received) == 3 == last_truth(server).tokens

    def test_stall(self, server: MockServer, path: str) -> None:
        received, end = raw(server, path, "fault=stall&after=3")
        assert end == "quiet"
        assert count_tokens(received) == 3 == last_truth(server).tokens
        assert last_truth(server).outcome == "fault"

    def test_never_ends(self, server: MockServer, path: str) -> None:
        body = body_for(path, f"mock?{QUICK}&fault=never_ends", max_tokens=4)
        with connected(server) as connection:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            received = b"".join(response.readline() for _ in range(100))
        assert numbered(40, 41).encode() in received

    @pytest.mark.parametrize("fault", ["empty", "empty_text"])
    def test_nothing_said(self, server: MockServer, path: str, fault: str) -> None:
        body = ask(server, path, f"fault={fault}")
        assert texts(path, body) == []
        assert has_ended(path, body)
        assert last_truth(server).tokens == (0 if fault == "empty" else 8)

    def test_the_fault_may_come_first(self, server: MockServer, path: str) -> None:
        for fault in ("error_in_stream", "malformed_json", "no_end", "cut", "stall"):
            received, _ = raw(server, path, f"fault={fault}&after=0")
            assert b"HTTP/1.1 200 OK" in received
            assert last_truth(server).tokens == (8 if fault == "malformed_json" else 0)


def test_wrong_usage(server: MockServer) -> None:
    body = ask(server, CHAT, "fault=wrong_usage", stream_options={"include_usage": True})
    assert events(CHAT, body)[-1]["usage"]["completion_tokens"] == 15
    assert (
        events("/api/chat", ask(server, "/api/chat", "fault=wrong_usage"))[-1]["eval_count"] == 15
    )


@every_path
@whole_or_not
class TestBeforeIt:
    @pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
    def test_a_status(self, server: MockServer, path: str, stream: bool, status: int) -> None:
        for query, has_body in (("", True), ("&body=0", False)):
            body = body_for(path, f"mock?fault=status_{status}{query}", stream=stream)
            response, received = post(server, path, body)
            assert response.status == status
            assert bool(received) == has_body
            if has_body:
                error = json.loads(received)["error"]
                assert isinstance(error, dict if path.startswith("/v1") else str)
            assert last_truth(server).status == status
            assert last_truth(server).outcome == "fault"

    def test_redirect(self, server: MockServer, path: str, stream: bool) -> None:
        response, _ = post(server, path, body_for(path, "mock?fault=redirect", stream=stream))
        assert (response.status, response.getheader("Location")) == (302, f"/elsewhere{path}")

    def test_not_http(self, server: MockServer, path: str, stream: bool) -> None:
        received, end = raw(server, path, "fault=not_http", stream)
        assert (end, received[:5]) == ("closed", b"\x16\x03\x01\x00\xff")
        with pytest.raises(http.client.BadStatusLine):
            post(server, path, body_for(path, "mock?fault=not_http", stream=stream))

    @pytest.mark.parametrize("fault", ["slow_accept", "slow_headers"])
    def test_slow(self, server: MockServer, path: str, stream: bool, fault: str) -> None:
        body = body_for(path, f"mock?{QUICK}&fault={fault}&slow_ms=60", stream=stream)
        begun_ns = time.monotonic_ns()
        with connected(server) as connection:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            assert time.monotonic_ns() - begun_ns >= 54_000_000
            assert b" t7" in response.read()
        assert (last_truth(server).tokens, last_truth(server).outcome) == (8, "done")


@every_path
class TestWhole:
    def test_an_error_for_an_answer(self, server: MockServer, path: str) -> None:
        body = body_for(path, f"mock?{QUICK}&fault=error_in_stream", stream=False)
        response, received = post(server, path, body)
        assert response.status == 200
        assert "error" in json.loads(received)

    def test_half_an_answer(self, server: MockServer, path: str) -> None:
        for fault, ending in (("cut", "reset"), ("stall", "quiet"), ("no_end", "closed")):
            received, end = raw(server, path, f"fault={fault}", stream=False)
            head, _, body = received.partition(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].split()[0])
            assert end == ending
            assert 0 < len(body) < length

    def test_broken_json(self, server: MockServer, path: str) -> None:
        body = body_for(path, f"mock?{QUICK}&fault=malformed_json", stream=False)
        assert not is_json(post(server, path, body)[1])

    def test_never(self, server: MockServer, path: str) -> None:
        assert raw(server, path, "fault=never_ends", stream=False) == (b"", "quiet")


NO_REQUESTS = [
    b"hello\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET /health HTTP/2.0\r\n\r\n",
    b"GET /health\r\n\r\n",
    b"GET /health HTTP/1.1\n\n",
    b"GET /health HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET /health HTTP/1.1\r\nName : value\r\n\r\n",
    b"POST /v1/completions HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /v1/completions HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
    b"POST /v1/completions HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef",
    b"GET /" + b"x" * 70_000,
]


@pytest.mark.parametrize("data", NO_REQUESTS, ids=lambda data: repr(data[:60]))
def test_what_is_no_request(server: MockServer, data: bytes) -> None:
    received, end = raw_exchange(server, data)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert end == "closed"
    assert get(server, "/health")[0] == 200


NO_BODIES = [
    b"",
    b"{",
    b"[]",
    b"\xff\xfe",
    b'{"model": 7, "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?tokens=-1", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?tokens=many", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?token=1", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?tokens", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?fault=status_200", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?ttft_ms=nan", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock?ttft_ms=inf", "messages": [{"content": "x"}], "prompt": "x"}',
    b'{"model": "mock", "messages": [{"content": "x"}], "prompt": "x", "max_tokens": "9"}',
]


@every_path
@pytest.mark.parametrize("data", NO_BODIES)
def test_what_is_no_question(server: MockServer, path: str, data: bytes) -> None:
    response, received = post(server, path, data)
    assert response.status == 400
    assert json.loads(received)["error"]


@pytest.mark.parametrize("path", PATHS[:2])
def test_a_prompt_is_needed(server: MockServer, path: str) -> None:
    assert post(server, path, {"model": "mock"})[0].status == 400


def test_what_is_not_there(server: MockServer) -> None:
    assert get(server, "/nothing")[0] == 404
    assert get(server, CHAT)[0] == 405
    assert get(server, "/truth", "PUT")[0] == 405
    assert get(server, "/health", "HEAD") == (200, b"")


def is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except ValueError:
        return False
    return True
