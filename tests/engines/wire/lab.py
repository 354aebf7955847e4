"""A wire of the test's own, and servers that do one thing to each connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange, http_request
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\n"
Serve = Callable[[socket.socket, int], None]


class Pieces:
    """An answer of any type, as it came: (arrived, read) of each piece, and all bytes."""

    accepts: tuple[str, ...] = ()

    def __init__(self, *, live: bool = False) -> None:
        self.live = live
        self.times: list[tuple[int, int]] = []
        self.data = b""

    def take(self, arrived_ns: int, data: bytes) -> None:
        self.times.append((arrived_ns, time.monotonic_ns()))
        self.data += data


def address_of(port: int, host: str = "127.0.0.1", scheme: str = "http") -> Address:
    return Address(scheme, host, port)


def chat(
    address: Address,
    model: str = "mock?ttft_ms=2&itl_ms=1&tokens=4",
    *,
    live: bool = False,
    user: str = "",
    prompt: str = "p",
    timeout_s: float = 20.0,
    stall_s: float | None = None,
) -> Call:
    """A streamed chat, as the mock server and most others want it."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": prompt}]}
    body |= {"user": user} if user else {}
    data = http_request("POST", address, "/v1/chat/completions", body, {})
    return Call(address, data, Pieces(live=live), timeout_s=timeout_s, stall_s=stall_s, body=body)


@contextmanager
def wired(*, reuse: bool = True) -> Iterator[tuple[Loop, Wire]]:
    with closing(Loop()) as loop, closing(Wire(loop, reuse=reuse)) as wire:
        yield loop, wire


def exchanged(loop: Loop, wire: Wire, *calls: Call) -> list[Exchange]:
    """All of them at once, each decoded, in the order of their ends."""
    ended: list[Exchange] = []
    for call in calls:
        wire.send(call, ended.append)
    loop.run(lambda: len(ended) == len(calls))
    for exchange in ended:
        exchange.decode()
    return ended


def text_of(exchange: Exchange) -> bytes:
    answer = exchange.call.answer
    assert isinstance(answer, Pieces)
    return answer.data


def request_of(connection: socket.socket) -> bytes:
    """One whole request; b"" where the client is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(1 << 16)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(serve: Serve, host: str = "127.0.0.1") -> Iterator[int]:
    """``serve(connection, number)`` in a thread for each connection; yields the port."""
    listener = socket.create_server((host, 0))
    number = 0

    def one(connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            serve(connection, number)

    def accept() -> None:
        nonlocal number
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection, number), daemon=True).start()
                number += 1

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
