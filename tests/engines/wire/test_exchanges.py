"""Many exchanges on one loop, and what their stamps say of a server that knows the truth."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from chimera.engines.wire.address import parse_address
from chimera.engines.wire.call import Exchange
from chimera.record.request import ErrorClass
from chimera.testing.mock_server import MockServer
from tests.engines.wire.lab import Pieces, chat, exchanged, text_of, wired

SLACK_NS = 1_000_000  # of bringing the wall clock's stamps to the monotonic clock


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


def tokens(exchange: Exchange) -> list[int]:
    return [int(n) for n in re.findall(rb'"content":" t(\d+)"', text_of(exchange))]


def test_64_at_once_each_get_their_own_answer(server: MockServer) -> None:
    server.clear()
    address = parse_address(server.url)
    calls = [
        chat(address, f"mock?ttft_ms=30&itl_ms=2&tokens={8 + n % 5}", user=str(n))
        for n in range(64)
    ]
    with wired() as (loop, wire):
        ended = exchanged(loop, wire, *calls)
        assert wire.active == 0
        assert wire.reads >= 64
    assert {id(exchange.call) for exchange in ended} == {id(call) for call in calls}
    truth = server.truth().by_id()
    for exchange in ended:
        assert (exchange.error, exchange.status) == (None, 200)
        n = int(exchange.call.body["user"])
        assert tokens(exchange) == list(range(8 + n % 5))
        assert exchange.sent_ns is not None
        assert exchange.sent_ns <= truth[str(n)].arrival_ns + SLACK_NS
    # All were in flight together.
    firsts = [exchange.first_byte_ns or 0 for exchange in ended]
    assert max(exchange.sent_ns or 0 for exchange in ended) < max(firsts)


def test_times_are_in_order_and_true(server: MockServer) -> None:
    server.clear()
    call = chat(parse_address(server.url), "mock?ttft_ms=20&itl_ms=5&tokens=10", live=True)
    with wired() as (loop, wire):
        (exchange,) = exchanged(loop, wire, call)
    answer = call.answer
    assert isinstance(answer, Pieces)
    arrivals = [arrived for arrived, _ in answer.times]
    order = [
        exchange.start_ns,
        exchange.connected_ns,
        exchange.sent_ns,
        exchange.first_byte_ns,
        *arrivals,
        exchange.end_ns,
    ]
    assert order == sorted(time or 0 for time in order)
    assert all(arrived <= read for arrived, read in answer.times)
    assert exchange.lag_ns >= 0
    writes = server.truth().requests[-1].write_ns
    # The last arrivals are the end's, so as many as there are tokens are looked at.
    carrying = sorted(set(arrivals))
    assert len(carrying) >= len(writes)
    assert carrying[0] <= writes[0] + SLACK_NS  # the head comes before the first token
    for write in writes:  # each write arrives after it was made
        assert any(arrived >= write - SLACK_NS for arrived in carrying)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux stamps what it receives")
def test_a_busy_client_keeps_the_true_times(server: MockServer) -> None:
    """The kernel's stamps stay where they belong while the client does something else."""
    import time

    server.clear()
    call = chat(parse_address(server.url), "mock?ttft_ms=1&itl_ms=1&tokens=3", live=True)
    with wired() as (loop, wire):
        ended: list[Exchange] = []
        exchange = wire.send(call, ended.append)
        loop.run(lambda: exchange.sent_ns is not None)
        time.sleep(0.3)
        loop.run(lambda: bool(ended))
    answer = call.answer
    assert isinstance(answer, Pieces)
    assert exchange.kernel
    write = server.truth().requests[-1].write_ns[0]
    arrived, read = answer.times[0]
    assert arrived - write < read - arrived
    assert exchange.lag_ns > 100_000_000
    assert wire.lag.most == exchange.lag_ns


def test_connections_are_kept(server: MockServer) -> None:
    address = parse_address(server.url)
    with wired() as (loop, wire):
        found = [exchanged(loop, wire, chat(address))[0] for _ in range(4)]
        assert [exchange.reused for exchange in found] == [False, True, True, True]
        for exchange in found[1:]:
            assert exchange.connected_ns == exchange.start_ns
        # As many connections as there were requests at once.
        exchanged(loop, wire, *[chat(address) for _ in range(3)])
        again = exchanged(loop, wire, *[chat(address) for _ in range(3)])
        assert all(exchange.reused for exchange in again)


def test_connections_are_not_kept_where_that_is_not_wanted(server: MockServer) -> None:
    with wired(reuse=False) as (loop, wire):
        for _ in range(2):
            (exchange,) = exchanged(loop, wire, chat(parse_address(server.url)))
            assert not exchange.reused


@pytest.mark.parametrize("option", ["close=1", "fault=status_500", "fault=cut"])
def test_after_these_answers_a_connection_is_opened_anew(server: MockServer, option: str) -> None:
    address = parse_address(server.url)
    with wired() as (loop, wire):
        exchanged(loop, wire, chat(address, f"mock?ttft_ms=1&itl_ms=1&tokens=4&{option}"))
        (exchange,) = exchanged(loop, wire, chat(address))
        assert (exchange.error, tokens(exchange)) == (None, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("model", "timeout_s", "stall_s", "expected"),
    [
        ("mock?ttft_ms=5000", 0.2, None, ErrorClass.TIMEOUT),
        ("mock?ttft_ms=1&itl_ms=20&tokens=1000", 0.3, 0.2, ErrorClass.TIMEOUT),
        ("mock?ttft_ms=1&itl_ms=1&tokens=8&fault=stall", 20.0, 0.2, ErrorClass.STALL),
        ("mock?ttft_ms=1&itl_ms=1&tokens=8&fault=stall", 0.3, None, ErrorClass.TIMEOUT),
        ("mock?fault=slow_headers&slow_ms=5000", 0.2, 0.1, ErrorClass.TIMEOUT),
    ],
)
def test_limits_end_what_is_too_slow(
    server: MockServer, model: str, timeout_s: float, stall_s: float | None, expected: ErrorClass
) -> None:
    address = parse_address(server.url)
    slow = chat(address, model, timeout_s=timeout_s, stall_s=stall_s)
    with wired() as (loop, wire):
        ended = exchanged(loop, wire, slow, chat(address))
        by_call = {id(exchange.call): exchange for exchange in ended}
        exchange = by_call.pop(id(slow))
        assert exchange.error is not None
        assert exchange.error[0] is expected
        assert exchange.end_ns is not None
        assert exchange.end_ns - exchange.start_ns >= 200_000_000
        (other,) = by_call.values()
        assert (other.error, tokens(other)) == (None, [0, 1, 2, 3])
        # The connection of the slow one is not used again: its answer may still come.
        (after,) = exchanged(loop, wire, chat(address))
        assert tokens(after) == [0, 1, 2, 3]


def test_abandoned_exchanges_end_once_each(server: MockServer) -> None:
    address = parse_address(server.url)
    ended: list[Exchange] = []
    with wired() as (loop, wire):

        def done(exchange: Exchange) -> None:
            ended.append(exchange)
            wire.abandon(ErrorClass.CANCELLED, "stopped")  # from within, as a stop may

        sent = [wire.send(chat(address, "mock?ttft_ms=5000"), done) for _ in range(5)]
        loop.run(lambda: all(exchange.sent_ns for exchange in sent))
        wire.abandon(ErrorClass.CANCELLED, "stopped")
        assert wire.active == 0
    assert sorted(map(id, ended)) == sorted(map(id, sent))
    assert {exchange.error for exchange in ended} == {(ErrorClass.CANCELLED, "stopped")}
