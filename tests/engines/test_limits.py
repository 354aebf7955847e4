"""The limits of several exchanges on one wire, whatever the order they were sent in."""

from __future__ import annotations

from contextlib import closing

from chimera.engines.base import ErrorClass
from chimera.engines.wire.address import parse_address
from chimera.engines.wire.call import Call, Exchange, http_request
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.testing.mock_server import MockServer


class Unread:
    live = False
    accepts: tuple[str, ...] = ()

    def take(self, arrived_ns: int, data: bytes) -> None:
        pass


def call(url: str, asked: str, timeout_s: float, stall_s: float | None = None) -> Call:
    address = parse_address(url)
    body = {"model": f"mock?{asked}", "prompt": "p", "stream": True}
    data = http_request("POST", address, "/v1/completions", body, {})
    return Call(address, data, Unread(), timeout_s=timeout_s, stall_s=stall_s)


def test_each_exchange_ends_at_its_own_limit() -> None:
    ended: list[Exchange] = []
    with MockServer() as server, closing(Loop()) as loop, closing(Wire(loop)) as wire:
        slow = call(server.url, "ttft_ms=60000", 4.0)
        stalls = call(server.url, "ttft_ms=300&itl_ms=300&fault=stall&after=3", 60.0, stall_s=1.0)
        late = call(server.url, "ttft_ms=60000", 0.3)
        for each in (slow, stalls, late):
            wire.send(each, ended.append)
        loop.run(lambda: len(ended) == 3)
    assert [exchange.call for exchange in ended] == [late, stalls, slow]
    errors = [exchange.error[0] if exchange.error else None for exchange in ended]
    assert errors == [ErrorClass.TIMEOUT, ErrorClass.STALL, ErrorClass.TIMEOUT]
