"""HTTP/1.1 as far as a model server needs it: requests cut out of bytes, answers put together.

Own code rather than a library, so that a client under test which uses that library is not
checked against itself.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

_MOST_HEAD = 1 << 16
_MOST_BODY = 1 << 26
_METHODS = (b"GET", b"POST", b"DELETE", b"HEAD", b"PUT", b"OPTIONS", b"PATCH")
LAST_CHUNK = b"0\r\n\r\n"


class BadRequest(ValueError):
    """These bytes are no request. The connection cannot go on: nobody knows where it ends."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    chunks_allowed: bool
    close: bool


class Parser:
    """Takes bytes as they come and gives whole requests. ``expects`` asks for a 100 Continue."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: Request | None = None

    def feed(self, data: bytes) -> None:
        self._buffer += data

    @property
    def expects(self) -> bool:
        return self._head is not None and "100-continue" in self._head.headers.get("expect", "")

    def next(self) -> Request | None:
        """The next whole request; None until more bytes have come.

        Raises:
            BadRequest: this is not HTTP.
        """
        if self._head is None:
            self._head = self._read_head()
        if self._head is None:
            return None
        body = self._read_body(self._head.headers)
        if body is None:
            return None
        request, self._head = self._head, None
        return msgspec.structs.replace(request, body=body) if body else request

    def _read_head(self) -> Request | None:
        while self._buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: skip what an old client leaves
            del self._buffer[:2]
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MOST_HEAD:
                raise BadRequest("the head of the request is too long")
            if b"\n" in self._buffer or len(self._buffer) > 8:
                _check_method(bytes(self._buffer).split(b" ", 1)[0])
            if self._buffer.count(b"\n") > self._buffer.count(b"\r\n"):
                raise BadRequest("the lines of a request end in CR LF")
            return None
        head = bytes(self._buffer[:end])
        del self._buffer[: end + 4]
        return _parse_head(head)

    def _read_body(self, headers: dict[str, str]) -> bytes | None:
        if "transfer-encoding" in headers:
            return self._read_chunked(headers["transfer-encoding"])
        text = headers.get("content-length", "0")
        if not (text.isascii() and text.isdigit()) or len(text) > 12 or int(text) > _MOST_BODY:
            raise BadRequest(f"not a usable Content-Length: {text[:40]!r}")
        length = int(text)
        if len(self._buffer) < length:
            return None
        body = bytes(self._buffer[:length])
        del self._buffer[:length]
        return body

    def _read_chunked(self, encoding: str) -> bytes | None:
        if encoding.lower() != "chunked":
            raise BadRequest(f"a transfer encoding that is not known: {encoding[:40]!r}")
        pieces: list[bytes] = []
        place = 0
        while True:  # from the start each time: chunked requests are rare and small
            line = self._buffer.find(b"\r\n", place)
            if line < 0 or place > _MOST_BODY:
                if len(self._buffer) - place > 64 or place > _MOST_BODY:
                    raise BadRequest("a chunk without a usable length")
                return None
            try:
                size = int(bytes(self._buffer[place:line]).partition(b";")[0], 16)
            except ValueError:
                raise BadRequest("the length of a chunk is no number") from None
            if not 0 <= size <= _MOST_BODY:
                raise BadRequest("a chunk without a usable length")
            end = line + 2 + size
            if len(self._buffer) < end + 2:
                return None
            if self._buffer[end : end + 2] != b"\r\n":
                raise BadRequest("a chunk that is longer or shorter than it says")
            pieces.append(bytes(self._buffer[line + 2 : end]))
            place = end + 2
            if size == 0:
                del self._buffer[:place]
                return b"".join(pieces)


def _check_method(word: bytes) -> None:
    if word not in _METHODS:
        raise BadRequest(f"not an HTTP request: it begins with {word[:40]!r}")


def _parse_head(head: bytes) -> Request:
    first, *lines = head.split(b"\r\n")
    words = first.split(b" ")
    _check_method(words[0])
    if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadRequest(f"not a request line: {first[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip():
            raise BadRequest(f"not a header line: {line[:80]!r}")
        headers[name.lower().decode("latin-1")] = value.strip().decode("latin-1")
    path, _, query = words[1].decode("latin-1").partition("?")
    old = words[2] == b"HTTP/1.0"
    return Request(
        method=words[0].decode(),
        path=path,
        query=query,
        headers=headers,
        body=b"",
        chunks_allowed=not old,
        close=old or headers.get("connection", "").lower() == "close",
    )


def head_bytes(status: int, headers: dict[str, str]) -> bytes:
    """The status line and the headers, up to and with the empty line."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Mock"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace")


def chunked(data: bytes) -> bytes:
    """One chunk of a chunked body; the chunk that would end the body is never made of it."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is sent at once."""

    status: int = 200
    body: bytes = b""
    kind: str = "application/json"
    headers: dict[str, str] = {}

    def encode(self, request: Request | None) -> bytes:
        """The bytes that answer ``request``; None where there was none that could be read."""
        headers = {"Content-Type": self.kind, "Content-Length": str(len(self.body))}
        if request is None or request.close:
            headers["Connection"] = "close"
        head = head_bytes(self.status, headers | self.headers)
        return head if request is not None and request.method == "HEAD" else head + self.body
