"""A wall clock that is set while the client runs: counted, and no arrival is dated wrongly."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.engines.wire import kernel_time
from chimera.engines.wire.address import parse_address
from chimera.engines.wire.kernel_time import ArrivalClock
from chimera.engines.wire.lag import LagHistogram
from chimera.testing.mock_server import MockServer
from tests.engines.wire.lab import Pieces, chat, exchanged, wired

S = 1_000_000_000
MS = 1_000_000


class Clocks:
    """Both clocks under a test's control; monotonic time goes on by 100 ns with each look."""

    def __init__(self) -> None:
        self.mono = 50 * S
        self.wall_minus_mono = 1_700_000_000 * S

    def monotonic_ns(self) -> int:
        self.mono += 100
        return self.mono

    def time_ns(self) -> int:
        return self.mono + self.wall_minus_mono


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    clocks = Clocks()
    monkeypatch.setattr(kernel_time, "time", clocks)
    return clocks


def test_a_stamp_is_brought_to_the_monotonic_clock(clocks: Clocks) -> None:
    clock = ArrivalClock()
    stamp = clocks.mono + 3 * MS + clocks.wall_minus_mono
    floor = clocks.mono
    clocks.mono += 5 * MS
    now = clocks.monotonic_ns()
    assert abs(clock.arrived(stamp, floor, now) - (now - 2 * MS)) < 1000
    assert clock.steps == 0


@pytest.mark.parametrize("step", [3600 * S, -3600 * S, 50 * MS, -50 * MS, 2 * MS, -2 * MS])
def test_a_step_is_counted_once_and_seen_at_the_next_read(clocks: Clocks, step: int) -> None:
    clock = ArrivalClock()
    clocks.mono += 10 * MS
    sent = clocks.monotonic_ns()
    clocks.wall_minus_mono += step
    stamp = clocks.time_ns()
    clocks.mono += 1 * MS
    now = clocks.monotonic_ns()
    assert clock.arrived(stamp, sent, now) == now  # our own time until the difference is known
    assert clock.steps == 1
    clocks.mono += 5 * MS
    stamp = clocks.time_ns()
    clocks.mono += 1 * MS
    now = clocks.monotonic_ns()
    assert abs(clock.arrived(stamp, sent, now) - (now - 1 * MS)) < 1000
    clock.refresh()
    assert clock.steps == 1


def test_what_was_stamped_before_a_step_is_dated_by_its_reading(clocks: Clocks) -> None:
    clock = ArrivalClock()
    sent = clocks.monotonic_ns()
    clocks.mono += 5 * MS
    stamp = clocks.time_ns()
    clocks.wall_minus_mono += 2 * MS + 10
    clocks.mono += 5 * MS
    clock.refresh()
    now = clocks.monotonic_ns()
    assert clock.arrived(stamp, sent, now) == now


def test_slewing_is_no_step(clocks: Clocks) -> None:
    clock = ArrivalClock()
    for _ in range(100):
        clocks.mono += 100 * MS
        clocks.wall_minus_mono += 50_000  # 500 ppm, the most that NTP does
        clock.refresh()
    assert clock.steps == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 10**9), st.integers(-(10**12), 10**12) | st.just(0)), max_size=20
    )
)
def test_arrivals_never_go_back_nor_beyond_the_reading(moves: list[tuple[int, int]]) -> None:
    clocks = Clocks()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_time, "time", clocks)
        clock = ArrivalClock()
        floor = clocks.monotonic_ns()
        for wait, step in moves:
            stamp = clocks.time_ns() + wait // 2
            clocks.mono += wait
            clocks.wall_minus_mono += step
            now = clocks.monotonic_ns()
            arrived = clock.arrived(stamp, floor, now)
            assert floor <= arrived <= now
            floor = arrived


@pytest.mark.parametrize("step", [3600 * S, -3600 * S])
def test_a_real_exchange_while_the_clock_is_set(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """Setting what Python sees of the wall clock looks to the client as setting it does."""
    real = time.time_ns
    call_model = "mock?ttft_ms=40&itl_ms=10&tokens=20"
    with MockServer() as server, wired() as (loop, wire):
        call = chat(parse_address(server.url), call_model, live=True)
        set_at = time.monotonic_ns() + 100 * MS

        def set_clock() -> None:
            monkeypatch.setattr(time, "time_ns", lambda: real() + step)

        loop.at(set_at, set_clock)
        (exchange,) = exchanged(loop, wire, call)
        assert wire.clock_steps == 1
    answer = call.answer
    assert isinstance(answer, Pieces)
    arrivals = [arrived for arrived, _ in answer.times]
    assert arrivals == sorted(arrivals)
    assert (exchange.sent_ns or 0) <= arrivals[0]
    assert all(arrived <= read for arrived, read in answer.times)


@given(st.lists(st.integers(0, 2**40), min_size=1), st.floats(0.01, 1))
def test_a_lag_is_known_within_a_factor_of_two(lags: list[int], share: float) -> None:
    histogram, other = LagHistogram(), LagHistogram()
    for n, lag in enumerate(lags):
        (histogram if n % 2 else other).add(lag)
    histogram.merge(other.bins, other.most)
    bound = histogram.quantile_ns(share)
    assert bound is not None
    assert histogram.count == len(lags)
    below = sum(lag <= bound for lag in lags)
    assert below >= share * len(lags) - 1e-9
    assert bound <= histogram.most == max(lags)
