"""Connections that go stale, crawl, refuse, or never were."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from chimera.engines.wire import wire as wire_module
from chimera.engines.wire.address import Address, parse_address
from chimera.engines.wire.call import Exchange
from chimera.record.request import ErrorClass
from chimera.testing.mock_server import MockServer
from tests.engines.wire.lab import (
    HEAD,
    OK,
    address_of,
    chat,
    exchanged,
    request_of,
    serving,
    text_of,
    wired,
)


@pytest.mark.parametrize("how", ["closed", "reset"])
def test_a_stale_connection_is_opened_anew(how: str) -> None:
    """The server takes one request on each connection, and then closes without saying so."""
    got: list[bytes] = []
    gone = threading.Event()

    def serve(connection: socket.socket, _number: int) -> None:
        got.append(request_of(connection))
        connection.sendall(OK)
        if how == "reset":
            linger = b"\x01\0\0\0\0\0\0\0"  # on, 0 s: close sends RST
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            time.sleep(0.1)  # the client has read the answer by then
        connection.close()
        gone.set()

    with serving(serve) as port, wired() as (loop, wire):
        address = address_of(port)
        exchanged(loop, wire, chat(address, "first"))
        assert gone.wait(5)
        time.sleep(0.05)  # nothing runs the loop meanwhile, so nobody sees the end
        before_ns = time.monotonic_ns()
        (exchange,) = exchanged(loop, wire, chat(address, "second"))
        assert (exchange.error, text_of(exchange), exchange.reused) == (None, b"hi", False)
        times = [before_ns, exchange.start_ns, exchange.connected_ns, exchange.sent_ns]
        times.append(exchange.end_ns)
        assert times == sorted(time or 0 for time in times)
        assert exchange.connected_ns != exchange.start_ns  # the clock of a new connection
        assert [b"first" in got[0], b"second" in got[1]] == [True, True]
        # This server is not trusted again: each request has a connection of its own.
        (third,) = exchanged(loop, wire, chat(address, "third"))
        assert (third.error, third.reused, len(got)) == (None, False, 3)


def test_the_clock_starts_again_where_a_stale_connection_is_opened_anew() -> None:
    cut = threading.Event()

    def serve(connection: socket.socket, number: int) -> None:
        request_of(connection)
        connection.sendall(OK)
        if number == 0:
            request_of(connection)  # taken, and thrown away 0.2 s later
            time.sleep(0.2)
            cut.set()
        else:
            request_of(connection)

    with serving(serve) as port, wired() as (loop, wire):
        exchanged(loop, wire, chat(address_of(port)))
        sent_ns = time.monotonic_ns()
        (exchange,) = exchanged(loop, wire, chat(address_of(port)))
        assert cut.is_set()
        assert exchange.error is None
        assert exchange.start_ns - sent_ns >= 150_000_000


def test_a_server_that_crashes_at_work_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "_STALE_NS", 20_000_000)
    got: list[bytes] = []

    def serve(connection: socket.socket, _number: int) -> None:
        got.append(request_of(connection))
        connection.sendall(OK)
        got.append(request_of(connection))
        time.sleep(0.2)

    with serving(serve) as port, wired() as (loop, wire):
        exchanged(loop, wire, chat(address_of(port)))
        (exchange,) = exchanged(loop, wire, chat(address_of(port)))
        assert exchange.error is not None
        assert exchange.error[0] is ErrorClass.CUT_STREAM
        assert exchange.reused
    assert len(got) == 2


def test_a_cut_answer_is_not_asked_for_twice() -> None:
    got: list[bytes] = []

    def serve(connection: socket.socket, _number: int) -> None:
        got.append(request_of(connection))
        connection.sendall(OK)
        got.append(request_of(connection))
        connection.sendall(HEAD)

    with serving(serve) as port, wired() as (loop, wire):
        exchanged(loop, wire, chat(address_of(port)))
        (exchange,) = exchanged(loop, wire, chat(address_of(port)))
        assert exchange.error is not None
        assert (exchange.error[0], len(got)) == (ErrorClass.CUT_STREAM, 2)


def test_an_idle_connection_that_the_server_closes_is_forgotten() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request_of(connection)
        connection.sendall(OK)
        if number:
            request_of(connection)

    with serving(serve) as port, wired() as (loop, wire):
        address = address_of(port)
        exchanged(loop, wire, chat(address))
        until = time.monotonic_ns() + 200_000_000
        loop.at(until, lambda: None)
        loop.run(lambda: time.monotonic_ns() > until)
        (exchange,) = exchanged(loop, wire, chat(address))
        assert (exchange.error, exchange.reused) == (None, False)


def test_what_comes_behind_an_answer_is_no_part_of_it() -> None:
    def serve(connection: socket.socket, _number: int) -> None:
        request_of(connection)
        connection.sendall(OK + b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 3\r\n\r\nlate")

    with serving(serve) as port, wired() as (loop, wire):
        for _ in range(2):
            (exchange,) = exchanged(loop, wire, chat(address_of(port)))
            assert (exchange.status, text_of(exchange)) == (200, b"hi")
            assert (exchange.error, exchange.reused) == (None, False)


def both_places(port: int) -> Any:
    def resolve(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        v6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0))
        v4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))
        return [v6, v4]

    return resolve


def test_localhost_is_ipv6_first_but_only_ipv4_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer() as server, wired(reuse=False) as (loop, wire):
        monkeypatch.setattr(socket, "getaddrinfo", both_places(server.port))
        address = Address("http", "localhost", server.port)
        for _ in range(2):
            (exchange,) = exchanged(loop, wire, chat(address))
            assert exchange.error is None
            assert b"t3" in text_of(exchange)
        # What worked comes first from then on.
        assert wire._places[address][0][0] is socket.AF_INET


def test_no_place_of_a_host_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setattr(socket, "getaddrinfo", both_places(port))
    with wired() as (loop, wire):
        (exchange,) = exchanged(loop, wire, chat(Address("http", "localhost", port)))
    assert exchange.error is not None
    assert exchange.error[0] is ErrorClass.CONNECT
    assert f"localhost:{port}" in exchange.error[1]
    assert (exchange.sent_ns, exchange.connected_ns) == (None, None)


def test_a_refused_port() -> None:
    with MockServer(refuse=True) as server, wired() as (loop, wire):
        found = exchanged(loop, wire, *[chat(parse_address(server.url)) for _ in range(8)])
    for exchange in found:
        assert exchange.error is not None
        assert exchange.error[0] is ErrorClass.CONNECT
        assert "refused" in exchange.error[1]
        assert exchange.sent_ns is None


def test_a_host_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request goes out in ``on_done``, as a client in a closed loop sends it."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ended: list[Exchange] = []
    with wired() as (loop, wire):

        def again(exchange: Exchange) -> None:
            ended.append(exchange)
            wire.send(chat(Address("http", "no.such.host", 80)), again)

        wire.send(chat(Address("http", "no.such.host", 80)), again)
        loop.run(lambda: len(ended) >= 3)  # it must be asked, though there is always more to do
    assert len(ended) == 3
    for exchange in ended:
        assert exchange.error is not None
        assert exchange.error[0] is ErrorClass.CONNECT
        assert "no.such.host" in exchange.error[1]


@pytest.mark.parametrize("host", ["a" * 70 + ".x", "a..b", "."])
def test_a_host_that_cannot_be(host: str) -> None:
    with wired() as (loop, wire):
        (exchange,) = exchanged(loop, wire, chat(Address("http", host, 80)))
    assert exchange.error is not None
    assert exchange.error[0] is ErrorClass.CONNECT


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "HTTPS_PROXY"])
def test_proxies_of_the_environment_are_passed_by(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[int] = []
    with serving(lambda _, number: asked.append(number)) as proxy, MockServer() as server:
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy}")
        with wired() as (loop, wire):
            (exchange,) = exchanged(loop, wire, chat(parse_address(server.url)))
    assert (exchange.error, exchange.status, asked) == (None, 200, [])


def test_a_long_prompt_to_a_server_that_reads_slowly() -> None:
    """5 MB that a socket does not take at once; others go on meanwhile."""
    got = bytearray()

    def serve(connection: socket.socket, _number: int) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)
        while not got.endswith(b"the end."):
            if b'"' not in got[-40:]:
                time.sleep(0.002)
            got.extend(connection.recv(1 << 16))
            if got.endswith(b'the end."}]}'):
                break
        connection.sendall(OK)

    with serving(serve) as port, MockServer() as server, wired() as (loop, wire):
        long = chat(address_of(port), prompt="x" * 5_000_000 + "the end.")
        short = chat(parse_address(server.url))
        first, second = exchanged(loop, wire, long, short)
    assert (first.call, second.call) == (short, long)
    assert second.error is None
    assert bytes(got) == long.data
    assert text_of(second) == b"hi"
    assert (second.sent_ns or 0) < (second.first_byte_ns or 0)


def test_a_long_prompt_that_the_server_refuses_before_its_end() -> None:
    def serve(connection: socket.socket, _number: int) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nlong")
        connection.shutdown(socket.SHUT_WR)
        time.sleep(0.05)  # what the sockets do not hold is unsent when the answer is here
        while connection.recv(1 << 16):
            pass

    with serving(serve) as port, wired() as (loop, wire):
        (exchange,) = exchanged(loop, wire, chat(address_of(port), prompt="x" * 20_000_000))
        assert (exchange.error, exchange.status, exchange.refused) == (None, 413, b"long")
