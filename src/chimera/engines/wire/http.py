"""From the bytes of a connection to an exchange: status, headers, and the body in pieces."""

from __future__ import annotations

from typing import Any

from chimera.engines.wire.call import Exchange

_MOST_KEPT = 1 << 14  # beyond this a body is decoded while it still arrives


class _Unasked(Exception):
    """A second answer to one request."""


class HttpAnswer:
    """Reads one HTTP/1.1 answer into an exchange. ``complete`` when its end has come.

    ``ends_with_connection``: the body has no other end than that of the connection.
    ``keep``: whether the connection may carry another request.
    """

    def __init__(self, exchange: Exchange) -> None:
        import httptools

        self._exchange = exchange
        self._parser: Any = httptools.HttpResponseParser(self)
        self._error = httptools.HttpParserError
        self._upgrade = httptools.HttpParserUpgrade
        self.arrived_ns = 0
        self.complete = False
        self.keep = False
        self.ends_with_connection = False
        self._has_length = False

    def feed(self, arrived_ns: int, data: bytes) -> str:
        """Take what arrived; says what is wrong with it, "" if nothing is."""
        self.arrived_ns = arrived_ns
        try:
            self._parser.feed_data(data)
        except self._upgrade:
            return "the server wants another protocol"
        except self._error as error:
            if not self.complete:
                return f"the answer is not HTTP: {error}"
            self.keep = False
        exchange = self._exchange
        if exchange.pieces and (exchange.call.answer.live or exchange.pieces_bytes > _MOST_KEPT):
            exchange.decode()
        return ""

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self.complete:  # nobody asked for a second answer; it must not touch the first
            raise _Unasked

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower == b"content-type":
            self._exchange.content_type = value.decode("latin-1").lower()
        elif lower in (b"content-length", b"transfer-encoding"):
            self._has_length = True
        elif lower == b"server":
            self._exchange.server = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        exchange.status = self._parser.get_status_code()
        if exchange.status >= 200:
            exchange.first_byte_ns = self.arrived_ns
            self.ends_with_connection = not self._has_length

    def on_body(self, data: bytes) -> None:
        exchange = self._exchange
        exchange.pieces.append((self.arrived_ns, data))
        exchange.pieces_bytes += len(data)

    def on_message_complete(self) -> None:
        if (self._exchange.status or 0) >= 200:  # 100 Continue and its like announce the answer
            self.complete = True
            self.keep = self._parser.should_keep_alive()
