"""One HTTP request whose answer is a stream of server-sent events, each stamped on arrival.

The body is serialised before the clock starts, bytes are stamped when they are received and
before anything is decoded, and nothing is tried twice. Every way of failing is one
``ErrorClass``.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec

from chimera.engines.base import ErrorClass, RequestFailed

_READ = 1 << 16
_MOST_OF_ERROR = 1 << 16
_LONGEST_LINE = 1 << 26
_FIELDS = (b"data", b"event", b"id", b"retry", b"error")


class Stamps:
    """When one exchange got how far, monotonic ns; None where it did not get there."""

    def __init__(self) -> None:
        self.start_ns = time.monotonic_ns()
        self.sent_ns: int | None = None
        self.first_byte_ns: int | None = None
        self.end_ns: int | None = None


class HttpServer:
    """Where requests go: one host and port, and the headers that each request carries."""

    def __init__(self, host: str, port: int, headers: dict[str, str] | None = None) -> None:
        self._host = host
        self._port = port
        self._headers = {"Content-Type": "application/json"} | (headers or {})

    def call(self, method: str, path: str, body: Any = None, timeout_s: float = 60.0) -> Any:
        """A request whose answer is one JSON document.

        Raises:
            RequestFailed: with its error class.
        """
        stamps = Stamps()
        with closing(self._connect(timeout_s)) as connection:
            limit = time.monotonic() + timeout_s
            response = self._send(connection, method, path, _encode(body), stamps)
            data = _read_whole(connection, response, limit)
        try:
            return msgspec.json.decode(data)
        except msgspec.DecodeError:
            raise RequestFailed(
                ErrorClass.MALFORMED_STREAM, f"{path} answered with something else than JSON"
            ) from None

    def events(
        self, path: str, body: dict[str, Any], timeout_s: float, stamps: Stamps
    ) -> Iterator[tuple[int, bytes]]:
        """The events of a streamed answer: when each arrived (ns), and its data.

        Ends when the server ends the stream; whether that was too early, the caller knows.

        Raises:
            RequestFailed: with its error class.
        """
        data = _encode(body)
        stamps.start_ns = time.monotonic_ns()
        limit = time.monotonic() + timeout_s
        with closing(self._connect(timeout_s)) as connection:
            response = self._send(connection, "POST", path, data, stamps)
            if "event-stream" not in (response.getheader("Content-Type") or ""):
                raise _not_a_stream(_read_whole(connection, response, limit))
            yield from _split(_receive(connection, response, limit))

    def _connect(self, timeout_s: float) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
        try:
            connection.connect()
        except TimeoutError:
            raise RequestFailed(ErrorClass.TIMEOUT, f"no connection in {timeout_s:g} s") from None
        except OSError as error:
            where = f"{self._host}:{self._port}"
            raise RequestFailed(
                ErrorClass.CONNECT, f"cannot connect to {where}: {error.strerror or error}"
            ) from error
        return connection

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        data: bytes | None,
        stamps: Stamps,
    ) -> http.client.HTTPResponse:
        stamps.sent_ns = time.monotonic_ns()
        try:
            connection.request(method, path, data, self._headers)
            response = connection.getresponse()
        except TimeoutError:
            raise RequestFailed(ErrorClass.TIMEOUT, "no answer within the time limit") from None
        except (http.client.RemoteDisconnected, ConnectionError) as error:
            raise RequestFailed(
                ErrorClass.CUT_STREAM, "the server closed the connection without an answer"
            ) from error
        except (http.client.HTTPException, OSError) as error:
            raise RequestFailed(
                ErrorClass.MALFORMED_STREAM, f"the answer is not HTTP: {type(error).__name__}"
            ) from error
        stamps.first_byte_ns = time.monotonic_ns()
        if response.status != 200:
            raise _bad_status(response)
        return response


def _encode(body: Any) -> bytes | None:
    return None if body is None else msgspec.json.encode(body)


def _receive(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, limit: float
) -> Iterator[tuple[int, bytes]]:
    """Pieces of the body as they come, stamped; ends at the body's regular end."""
    while True:
        left = limit - time.monotonic()
        if left <= 0:
            raise RequestFailed(ErrorClass.TIMEOUT, "the stream did not end within the time limit")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        try:
            piece = response.read1(_READ)
        except TimeoutError:
            raise RequestFailed(
                ErrorClass.TIMEOUT, "the stream did not end within the time limit"
            ) from None
        except (http.client.HTTPException, OSError) as error:
            raise RequestFailed(
                ErrorClass.CUT_STREAM, f"the stream was cut: {type(error).__name__}"
            ) from error
        arrived = time.monotonic_ns()
        if not piece:
            return
        yield arrived, piece


def _read_whole(
    connection: http.client.HTTPConnection, response: http.client.HTTPResponse, limit: float
) -> bytes:
    return b"".join(piece for _, piece in _receive(connection, response, limit))


def _split(pieces: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Cut a byte stream into the data of its events. An event's time is its last piece's."""
    rest = b""
    data: list[bytes] = []
    for arrived, piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise RequestFailed(ErrorClass.MALFORMED_STREAM, "a line of the stream never ends")
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if not line:
                if data:
                    yield arrived, b"\n".join(data)
                    data = []
                continue
            value = _data_of(line)
            if value is not None:
                data.append(value)
    if rest.strip() or data:
        raise RequestFailed(ErrorClass.CUT_STREAM, "the stream ended inside an event")


def _data_of(line: bytes) -> bytes | None:
    """What a line adds to its event; None for comments and fields that carry no data."""
    name, colon, value = line.partition(b":")
    if colon and not name:
        return None
    if name not in _FIELDS:
        raise RequestFailed(
            ErrorClass.MALFORMED_STREAM, f"not a line of an event stream: {_shown(line)}"
        )
    return value.removeprefix(b" ") if name in (b"data", b"error") else None


def _bad_status(response: http.client.HTTPResponse) -> RequestFailed:
    try:
        body = response.read(_MOST_OF_ERROR)
    except (http.client.HTTPException, OSError):
        body = b""
    text = server_message(body)
    said = f": {text}" if text else " without a message"
    if b'"exceed_context_size_error"' in body:
        return RequestFailed(ErrorClass.DOES_NOT_FIT, text or "the prompt does not fit")
    return RequestFailed(ErrorClass.HTTP_STATUS, f"HTTP {response.status}{said}")


def _not_a_stream(body: bytes) -> RequestFailed:
    try:
        reply = msgspec.json.decode(body)
    except msgspec.DecodeError:
        reply = None
    if isinstance(reply, dict) and reply.get("error"):
        return RequestFailed(
            ErrorClass.SERVER_ERROR, server_message(body) or "an error without a message"
        )
    return RequestFailed(
        ErrorClass.MALFORMED_STREAM, f"the answer is not an event stream: {_shown(body)}"
    )


def server_message(body: bytes) -> str:
    """The error message in a server's reply, "" if there is none; one line, kept short."""
    try:
        reply = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return _shown(body) if body.strip() else ""
    error = reply.get("error", reply) if isinstance(reply, dict) else reply
    if isinstance(error, dict):
        error = error.get("message", error)
    return " ".join(str(error).split())[:500]


def _shown(data: bytes) -> str:
    return repr(data[:80].decode("utf-8", "replace"))
