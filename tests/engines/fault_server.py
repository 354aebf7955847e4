"""A server that does everything wrong: it sends scripted bytes and hangs or closes as told."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
HANG = object()


def chunk(data: bytes | str) -> bytes:
    """One HTTP chunk."""
    raw = data.encode() if isinstance(data, str) else data
    return b"%x\r\n%s\r\n" % (len(raw), raw)


def event(text: str) -> bytes:
    """One event of a stream, in a chunk of its own."""
    return chunk(f"data: {text}\n\n")


def reply(status: str, body: bytes = b"", kind: str = "application/json") -> bytes:
    """A whole HTTP answer that is no stream."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class FaultServer:
    """Answers each connection with ``script``: bytes are sent, a number is a pause in seconds,
    HANG waits for the client.
    """

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

    def script(self, request: bytes) -> Sequence[bytes | object]:
        """What ``request`` is answered with."""
        return self._script

    def _answer(self, connection: socket.socket) -> None:
        self.received = _read_request(connection)
        for part in self.script(self.received):
            if isinstance(part, bytes):
                connection.sendall(part)
            elif isinstance(part, float):
                time.sleep(part)
            else:
                # the client gives up and closes: recv returns
                connection.settimeout(10)
                connection.recv(1)


class RouteServer(FaultServer):
    """Answers by path: ``routes`` maps "POST /path" to a script; any other is not found.

    ``requests`` holds every request as (method and path, body).
    """

    def __init__(self, routes: Mapping[str, Sequence[bytes | object]]) -> None:
        super().__init__()
        self.routes = dict(routes)
        self.requests: list[tuple[str, bytes]] = []

    def script(self, request: bytes) -> Sequence[bytes | object]:
        head, _, body = request.partition(b"\r\n\r\n")
        place = " ".join(head.split(b"\r\n")[0].decode().split()[:2])
        self.requests.append((place, body))
        missing = reply("404 Not Found", b'{"error":{"message":"no such page"}}')
        return self.routes.get(place, [missing])

    def last_body(self, place: str) -> dict[str, Any]:
        """The body of the last request to a place."""
        found: dict[str, Any] = json.loads([b for p, b in self.requests if p == place][-1])
        return found


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
