"""One client's connection: bytes in, requests out to the server, answers back."""

from __future__ import annotations

import selectors
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import Protocol

from chimera.testing.mock_server.loop import Loop, clock
from chimera.testing.mock_server.openai import refusal
from chimera.testing.mock_server.script import End
from chimera.testing.mock_server.stream import Stream
from chimera.testing.mock_server.wire import BadRequest, Parser, Reply, Request

_READ = 1 << 16
_STAMP = struct.Struct("qq")
# asm-generic's number, as on x86 and ARM; Python's socket module does not name it.
_SO_TIMESTAMPNS = 35
_KERNEL_STAMPS = sys.platform == "linux" and struct.calcsize("P") == 8
_ANCILLARY = 64 if _KERNEL_STAMPS else 0
# Older than this, a stamp says that the wall clock was set in between.
_OLDEST_NS = 60_000_000_000
_RESET = struct.pack("ii", 1, 0)


class Handler(Protocol):
    """What a connection needs from the server."""

    loop: Loop

    def handle(self, request: Request, arrival: Arrival, connection: Connection) -> Reply | None:
        """The answer, or None where the connection was given a stream that answers."""

    def released(self, stream: Stream) -> None:
        """The stream needs its place no longer."""


class Arrival:
    """When the last byte so far reached the machine (monotonic ns), and who says so."""

    __slots__ = ("ns", "source")

    def __init__(self, at_ns: int, source: str) -> None:
        self.ns = at_ns
        self.source = source


def stamp_arrivals(listener: socket.socket) -> None:
    """Ask the kernel for the time of arrival; accepted connections inherit it."""
    if _KERNEL_STAMPS:
        with suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)


class Connection:
    """Answers one request after the other, in the order in which they came."""

    def __init__(self, sock: socket.socket, server: Handler) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._server = server
        self._parser = Parser()
        self._arrival = Arrival(0, "read")
        self._rest = b""  # of a write that was not taken whole
        self._stream: Stream | None = None
        self._close_after_rest = False
        self._saying_goodbye = False  # our side is closed; what still comes is thrown away
        self._open = True
        self._asked_to_go_on = False

    def fileno(self) -> int:
        return self._sock.fileno()

    def ready(self, events: int) -> None:
        if events & selectors.EVENT_WRITE and self._open:
            self._flush()
        if events & selectors.EVENT_READ and self._open:
            self._read()

    def write(self, data: bytes) -> bool:
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.drop()
            return False
        if sent == len(data):
            return True
        self._rest = data[sent:]
        self._server.loop.change(self, selectors.EVENT_READ | selectors.EVENT_WRITE)
        return False

    def answered(self, stream: Stream, end: End) -> None:
        if end is End.HANG:
            return  # the place stays taken until the client leaves, as in a server that hangs
        self._stream = None
        self._server.released(stream)
        if end is End.RESET:
            with suppress(OSError):
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.drop()
        elif end is End.CLOSE:
            self._say_goodbye()
        else:
            # From the loop and not from here, so that many small answers in one read do not
            # become as many nested calls.
            self._server.loop.at(clock(), self._next_request)

    def drop(self) -> None:
        """Close at once, whatever was under way."""
        if not self._open:
            return
        self._open = False
        self._server.loop.forget(self)
        self._sock.close()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.leave()
            self._server.released(stream)

    def _read(self) -> None:
        try:
            data, ancillary, _, _ = self._sock.recvmsg(_READ, _ANCILLARY)
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        if not data:
            self.drop()
            return
        if self._saying_goodbye:
            return
        self._arrival = _arrival(ancillary)
        self._parser.feed(data)
        self._next_request()

    def _next_request(self) -> None:
        if not self._open or self._saying_goodbye or self._stream is not None or self._rest:
            return
        try:
            request = self._parser.next()
        except BadRequest as error:
            body = refusal(400, str(error))
            self._reply(Reply(status=400, body=body).encode(None), close=True)
            return
        if request is None:
            if self._parser.expects and not self._asked_to_go_on:
                self._asked_to_go_on = True
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        self._asked_to_go_on = False
        answer = self._server.handle(request, self._arrival, self)
        if answer is not None:
            self._reply(answer.encode(request), close=request.close)

    def has(self, stream: Stream) -> None:
        """From now on the connection is the stream's, until it is answered."""
        self._stream = stream

    def _reply(self, data: bytes, *, close: bool) -> None:
        self._close_after_rest = close
        if self.write(data):
            self._replied()

    def _replied(self) -> None:
        if self._close_after_rest:
            self._say_goodbye()
        else:
            self._server.loop.at(clock(), self._next_request)

    def _flush(self) -> None:
        try:
            sent = self._sock.send(self._rest)
        except BlockingIOError:
            return
        except OSError:
            self.drop()
            return
        self._rest = self._rest[sent:]
        if self._rest:
            return
        self._server.loop.change(self, selectors.EVENT_READ)
        if self._stream is not None:
            self._stream.resume()
        else:
            self._replied()

    def _say_goodbye(self) -> None:
        """Close our side only: closing with unread bytes would reset the connection, and the
        client might lose the end of the answer.
        """
        self._saying_goodbye = True
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> Arrival:
    """The kernel's stamp, moved from the wall clock to the monotonic one by its age."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            age_ns = time.time_ns() - (seconds * 1_000_000_000 + nanoseconds)
            if 0 <= age_ns < _OLDEST_NS:
                return Arrival(clock() - age_ns, "kernel")
    return Arrival(clock(), "read")
