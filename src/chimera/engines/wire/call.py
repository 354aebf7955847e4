"""A request ready to be sent, and what the wire learns of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from chimera.engines.wire.address import Address
from chimera.record.request import ErrorClass

_MOST_REFUSED = 1 << 16  # so much is kept of a body that is not what was asked for


class Answer(Protocol):
    """What becomes of the body of an answer with status 200 and a type in ``accepts``.

    ``take`` gets its pieces in order, long after they arrived unless ``live``; it raises
    nothing for what they say, but keeps it. An empty ``accepts`` takes every type.
    """

    live: bool
    accepts: tuple[str, ...]

    def take(self, arrived_ns: int, data: bytes) -> None: ...


class Call:
    """A request, serialised before the clock starts.

    ``data`` is the whole of it, head and body. ``timeout_s`` limits all of it, ``stall_s`` the
    silence after the headers. ``answer`` takes the body of an answer with status 200.
    ``body`` is kept as given for the record of an agent's calls. ``secrets`` are what must not
    be kept of an answer that quotes it. ``before_decoding`` gets an exchange that goes on, with
    pieces that are about to be decoded and let go.
    """

    __slots__ = (
        "address",
        "answer",
        "before_decoding",
        "body",
        "data",
        "secrets",
        "stall_s",
        "timeout_s",
    )

    def __init__(
        self,
        address: Address,
        data: bytes,
        answer: Answer,
        *,
        timeout_s: float = 600.0,
        stall_s: float | None = None,
        body: Any = None,
        secrets: tuple[bytes, ...] = (),
    ) -> None:
        self.address = address
        self.data = data
        self.answer = answer
        self.timeout_s = timeout_s
        self.stall_s = stall_s
        self.body = body
        self.secrets = secrets
        self.before_decoding: Callable[[Exchange], None] | None = None


def http_request(
    method: str, address: Address, path: str, body: Any, headers: Mapping[str, str]
) -> bytes:
    """Head and body of an HTTP/1.1 request; ``body`` becomes JSON unless it is None."""
    data = b"" if body is None else msgspec.json.encode(body)
    lines = [
        f"{method} {address.path}{path} HTTP/1.1",
        f"Host: {address.authority}",
        "Accept: */*",
        "User-Agent: chimera",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + data


class Exchange:
    """One request on the wire and how far it got. Times are monotonic ns, None where it did
    not get there.

    error     why it failed: (class, what was said); None while it runs or when it succeeded
    status    of the answer; None before its headers
    server    what the answer's header "Server" says, "" without one
    lag_ns    longest time between a piece's arrival at this machine and its reading
    kernel    whether arrivals were stamped by the kernel
    reused    whether the connection was open already
    refused   the body where it is not what was asked for: another status or type
    """

    __slots__ = (
        "call",
        "connected_ns",
        "content_type",
        "end_ns",
        "error",
        "first_byte_ns",
        "intended_ns",
        "kernel",
        "lag_ns",
        "last_ns",
        "pieces",
        "pieces_bytes",
        "refused",
        "reused",
        "sent_ns",
        "server",
        "start_ns",
        "status",
    )

    def __init__(self, call: Call, intended_ns: int | None = None) -> None:
        self.call = call
        self.intended_ns = intended_ns
        self.start_ns = time.monotonic_ns()
        self.connected_ns: int | None = None
        self.sent_ns: int | None = None
        self.first_byte_ns: int | None = None
        self.last_ns: int | None = None
        self.end_ns: int | None = None
        self.status: int | None = None
        self.content_type = ""
        self.server = ""
        self.error: tuple[ErrorClass, str] | None = None
        self.lag_ns = 0
        self.kernel = False
        self.reused = False
        self.pieces: list[tuple[int, bytes]] = []
        self.pieces_bytes = 0
        self.refused = b""

    @property
    def accepted(self) -> bool:
        """Whether the answer's status and type are those that were asked for."""
        accepts = self.call.answer.accepts
        return self.status == 200 and (
            not accepts or any(kind in self.content_type for kind in accepts)
        )

    def decode(self) -> None:
        """Hand the pieces that have gathered to the answer, and let them go."""
        if self.end_ns is None and self.call.before_decoding is not None:
            self.call.before_decoding(self)
        if self.accepted:
            take = self.call.answer.take
            for arrived, data in self.pieces:
                take(arrived, data)
        else:
            body = b"".join(data for _, data in self.pieces)
            self.refused = (self.refused + body)[:_MOST_REFUSED]
        self.pieces.clear()
        self.pieces_bytes = 0
