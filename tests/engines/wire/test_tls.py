"""Encrypted connections: whose certificate is trusted, and what every failure is called."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Exchange
from chimera.record.request import ErrorClass
from chimera.testing.mock_server import MockServer
from tests.engines.wire.lab import Pieces, chat, exchanged, serving, text_of, wired


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@contextmanager
def encrypted(authority: trustme.CA, mock: MockServer, name: str = "localhost") -> Iterator[int]:
    """The mock behind TLS, its certificate made out to ``name``; yields the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)

    def pass_on(connection: socket.socket, _number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with (
            context.wrap_socket(connection, server_side=True) as client,
            socket.create_connection((mock.host, mock.port)) as server,
        ):
            while data := client.recv(1 << 16):
                server.sendall(data)
                answer = b""
                while not answer.endswith(b"0\r\n\r\n"):
                    piece = server.recv(1 << 16)
                    client.sendall(piece)
                    answer += piece

    with serving(pass_on) as port:
        yield port


@pytest.fixture
def trusted(authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def one(port: int, host: str = "localhost", scheme: str = "https") -> Exchange:
    with wired() as (loop, wire):
        return exchanged(loop, wire, chat(Address(scheme, host, port)))[0]


def error_of(exchange: Exchange) -> tuple[ErrorClass, str]:
    assert exchange.error is not None
    return exchange.error


def test_a_certificate_that_nobody_vouches_for(authority: trustme.CA, mock: MockServer) -> None:
    with encrypted(authority, mock) as port:
        exchange = one(port)
    kind, said = error_of(exchange)
    assert kind is ErrorClass.TLS
    assert "certificate" in said
    assert (exchange.sent_ns, exchange.status) == (None, None)


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_for_another_host(authority: trustme.CA, mock: MockServer, host: str) -> None:
    with encrypted(authority, mock, "example.org") as port:
        exchange = one(port, host)
    kind, said = error_of(exchange)
    assert kind is ErrorClass.TLS
    assert host in said
    assert exchange.sent_ns is None


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_trusted_certificate_streams(authority: trustme.CA, mock: MockServer, host: str) -> None:
    with encrypted(authority, mock, host) as port, wired() as (loop, wire):
        address = Address("https", host, port)
        for reused in (False, True):
            call = chat(address, "mock?ttft_ms=10&itl_ms=5&tokens=6", live=True)
            (exchange,) = exchanged(loop, wire, call)
            assert (exchange.error, exchange.status) == (None, 200)
            assert exchange.reused is reused
            assert text_of(exchange).count(b'"content":" t') == 6
            answer = call.answer
            assert isinstance(answer, Pieces)
            arrivals = [arrived for arrived, _ in answer.times]
            assert len(set(arrivals)) > 3
            assert all(arrived <= read for arrived, read in answer.times)
            times = [exchange.start_ns, exchange.connected_ns, exchange.sent_ns, *arrivals]
            assert times == sorted(time or 0 for time in times)


@pytest.mark.usefixtures("trusted")
def test_a_long_prompt_encrypted(authority: trustme.CA) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    got = bytearray()

    def serve(connection: socket.socket, _number: int) -> None:
        with context.wrap_socket(connection, server_side=True) as client:
            while not got.endswith(b'the end."}]}'):
                got.extend(client.recv(1 << 16))
            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"y" * 100_000)

    with serving(serve) as port, wired() as (loop, wire):
        call = chat(Address("https", "localhost", port), prompt="x" * 5_000_000 + "the end.")
        (exchange,) = exchanged(loop, wire, call)
    assert exchange.error is None
    assert bytes(got) == call.data
    assert text_of(exchange) == b"y" * 100_000


def test_an_encrypted_port_asked_in_the_clear(authority: trustme.CA, mock: MockServer) -> None:
    with encrypted(authority, mock) as port:
        kinds = {error_of(one(port, scheme="http"))[0] for _ in range(5)}
    assert kinds == {ErrorClass.CUT_STREAM}


def test_a_clear_port_asked_encrypted(mock: MockServer) -> None:
    kinds = {error_of(one(mock.port))[0] for _ in range(3)}
    assert kinds == {ErrorClass.TLS}


def test_a_server_that_closes_during_the_handshake() -> None:
    with serving(lambda connection, _: None) as port:
        kind, said = error_of(one(port))
    assert kind is ErrorClass.CONNECT
    assert "\n" not in said


def test_a_handshake_that_never_ends() -> None:
    def silent(connection: socket.socket, _number: int) -> None:
        while connection.recv(1 << 16):
            pass

    with serving(silent) as port, wired() as (loop, wire):
        call = chat(Address("https", "localhost", port), timeout_s=0.2)
        (exchange,) = exchanged(loop, wire, call)
    assert error_of(exchange)[0] is ErrorClass.TIMEOUT
