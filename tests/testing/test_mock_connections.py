"""The mock server's connections and its process: what is kept, closed, refused, killed."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
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
    get,
    has_ended,
    in_parallel,
    last_truth,
    numbered,
    open_stream,
    post,
    raw_exchange,
    raw_request,
    texts,
)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


class TestConnections:
    @pytest.mark.parametrize("path", PATHS)
    def test_kept_alive(self, server: MockServer, path: str) -> None:
        with connected(server) as connection:
            for stream in (True, False, True):
                body = json.dumps(body_for(path, f"mock?{QUICK}", stream=stream))
                connection.request("POST", path, body)
                sock = connection.sock
                assert numbered(6, 8).split()[-1] in connection.getresponse().read().decode()
                assert connection.sock is sock is not None

    def test_requests_sent_ahead_are_answered_in_turn(self, server: MockServer) -> None:
        first, second = (
            raw_request(CHAT, body_for(CHAT, f"mock?{QUICK}&tokens={n}")) for n in (2, 3)
        )
        last = raw_request(CHAT, body_for(CHAT, f"mock?{QUICK}"), "Connection: close")
        received, end = raw_exchange(server, first + second + last)
        assert end == "closed"
        assert received.count(b"HTTP/1.1 200") == 3
        assert [received.count(b" t%d" % n) for n in (1, 2, 3)] == [3, 2, 1]

    @pytest.mark.parametrize(
        ("query", "headers", "version", "chunked"),
        [
            ("", ["Connection: close"], "1.1", True),
            ("", [], "1.0", False),
            ("close=1", [], "1.1", False),
        ],
    )
    def test_closed_when_asked(
        self, server: MockServer, query: str, headers: list[str], version: str, chunked: bool
    ) -> None:
        body = body_for(CHAT, f"mock?{QUICK}&{query}")
        received, end = raw_exchange(server, raw_request(CHAT, body, *headers, version=version))
        assert end == "closed"
        assert b"Connection: close" in received
        assert (b"Transfer-Encoding: chunked" in received) == chunked
        assert received.rstrip().endswith(b"0" if chunked else b"[DONE]")

    def test_a_request_in_pieces(self, server: MockServer) -> None:
        data = raw_request(CHAT, body_for(CHAT, f"mock?{QUICK}"), "Connection: close")
        with socket.create_connection((server.host, server.port), timeout=10) as connection:
            for place in range(0, len(data), 40):
                connection.sendall(data[place : place + 40])
                time.sleep(0.001)
            last_ns = time.monotonic_ns()
            while connection.recv(65536):
                pass
        assert last_truth(server).tokens == 8
        assert abs(last_truth(server).arrival_ns - last_ns) < 1_000_000_000

    def test_a_chunked_request(self, server: MockServer) -> None:
        with connected(server) as connection:
            data = json.dumps(body_for(CHAT, f"mock?{QUICK}")).encode()
            pieces = [data[:10], data[10:60], data[60:]]
            connection.request("POST", CHAT, iter(pieces), encode_chunked=True,
                               headers={"Transfer-Encoding": "chunked"})  # fmt: skip
            assert has_ended(CHAT, connection.getresponse().read())

    def test_64_at_a_time(self, server: MockServer) -> None:
        server.clear()
        bodies = in_parallel(64, lambda n: ask(server, PATHS[n % 4], "itl_ms=5&tokens=20"))
        for n, body in enumerate(bodies):
            assert "".join(texts(PATHS[n % 4], body)) == numbered(0, 20)
        truth = server.truth().requests
        assert [request.tokens for request in truth] == [20] * 64
        assert max(r.arrival_ns for r in truth) < max(r.write_ns[-1] for r in truth)


class TestProcess:
    def test_one_dialect_alone(self) -> None:
        with MockServer(only="ollama", defaults=QUICK) as server:
            assert get(server, "/v1/models")[0] == 404
            assert post(server, CHAT, body_for(CHAT, "mock"))[0].status == 404
            assert get(server, "/api/tags")[0] == 200

    def test_refused(self) -> None:
        with MockServer(refuse=True) as server, pytest.raises(ConnectionRefusedError):
            get(server, "/health")

    def test_connections_taken_late(self) -> None:
        with MockServer(accept_delay_ms=120) as server:
            begun_ns = time.monotonic_ns()
            assert get(server, "/health")[0] == 200
            assert time.monotonic_ns() - begun_ns >= 120_000_000

    def test_killed(self) -> None:
        server = MockServer()
        with server:
            connection = open_stream(server, "mock?itl_ms=50&tokens=1000")
            assert connection.recv(100)
            server.kill()
            with pytest.raises(OSError, match="refused"):
                get(server, "/health")
            connection.close()

    @pytest.mark.parametrize(
        "option", ["--defaults=chnk=2", "--defaults=fault=x", "--port=77777777"]
    )
    def test_wrong_options_do_not_start(self, option: str) -> None:
        command = [sys.executable, "-m", "chimera.testing.mock_server", option]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2
        assert "error:" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_wrong_start_is_said(self) -> None:
        with pytest.raises(RuntimeError, match="chnk"):
            MockServer(defaults="chnk=2")
