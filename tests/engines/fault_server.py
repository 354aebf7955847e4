"""A server that does everything wrong: it sends scripted bytes and hangs or closes as told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
HANG = object()


def chunk(data: bytes | str) -> bytes:
    """One HTTP chunk."""
    raw = data.encode() if isinstance(data, str) else data
    return b"%x\r\n%s\r\n" % (len(raw), raw)


def event(json: str) -> bytes:
    """One event of a stream, in a chunk of its own."""
    return chunk(f"data: {json}\n\n")


def reply(status: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """A whole HTTP answer that is no stream."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class FaultServer:
    """Answers each connection with ``script``: bytes are sent, HANG waits for the client."""

    def __init__(self, *script: bytes | object) -> None:
        self._script: Sequence[bytes | object] = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.received = b""
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        # shutdown wakes accept, which close alone does not
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        self.received = _read_request(connection)
        for part in self._script:
            if isinstance(part, bytes):
                connection.sendall(part)
            else:
                # the client gives up and closes: recv returns
                connection.settimeout(10)
                connection.recv(1)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
