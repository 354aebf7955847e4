"""One exchange by itself, waited for: what agents and questions about a server need."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import msgspec

from chimera.engines.base import RequestFailed
from chimera.engines.judgement import refusal
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange, http_request
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.record.request import ErrorClass


def exchange_now(call: Call) -> Exchange:
    """Send a call, wait for its end, and decode what came."""
    ended: list[Exchange] = []
    with closing(Loop()) as loop, closing(Wire(loop, reuse=False)) as wire:
        wire.send(call, ended.append)
        loop.run(lambda: bool(ended))
    ended[0].decode()
    return ended[0]


class _Document:
    """A body that is one document."""

    live = False
    accepts: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.data = bytearray()

    def take(self, _arrived_ns: int, data: bytes) -> None:
        self.data += data


def fetch(
    address: Address,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    timeout_s: float = 60.0,
) -> bytes:
    """The body of an answer with status 200.

    Raises:
        RequestFailed: with its error class and, where there was one, the HTTP status.
    """
    document = _Document()
    data = http_request(method, address, path, body, {"Connection": "close"} | (headers or {}))
    exchange = exchange_now(Call(address, data, document, timeout_s=timeout_s))
    failed = refusal(exchange)
    if failed is not None:
        raise failed
    return bytes(document.data)


def ask(
    address: Address,
    method: str,
    path: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    timeout_s: float = 60.0,
) -> dict[str, Any]:
    """The JSON object that a request is answered with.

    Raises:
        RequestFailed: with its error class; MALFORMED_STREAM where it is no JSON object.
    """
    data = fetch(address, method, path, body, headers=headers, timeout_s=timeout_s)
    try:
        reply = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        text = f"{path} answered with something else than JSON"
        raise RequestFailed(ErrorClass.MALFORMED_STREAM, text) from None
    if not isinstance(reply, dict):
        raise RequestFailed(ErrorClass.MALFORMED_STREAM, f"{path} answered with no object")
    return reply
