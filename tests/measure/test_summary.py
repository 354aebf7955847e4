"""What the end of a run says: worked out by hand from records written by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.cli.bench_output import bench_text
from chimera.measure.summary import Summary, summarise
from chimera.measure.summary.distribution import distribution, interval
from chimera.measure.summary.time_split import PARTS, checks, split, time_shares
from chimera.record.metrics.block_throughput import (
    goodput_per_s,
    output_tokens_per_s,
    requests_per_s,
)
from chimera.record.metrics.chunk_gap import chunk_gaps_s
from chimera.record.metrics.dispatch_delay import dispatch_delay_s
from chimera.record.metrics.first_answer import first_answer_s
from chimera.record.request import Block, ErrorClass, Failure, Request, ServerPhases
from chimera.record.run import Configuration, Options
from chimera.record.runfile import RunFile
from tests.measure.samples import END, MS, REQUEST, START, a_run

SECOND = 1_000_000_000


def request(index: int, repeat: int, ttft_ms: float, **changes: Any) -> Request:
    """A request like REQUEST that began at its index in seconds and has another TTFT."""
    shift = index * SECOND
    moved = {
        "index": index,
        "repeat": repeat,
        "start_ns": shift,
        "sent_ns": shift,
        "first_byte_ns": shift,
        "first_token_ns": shift + round(ttft_ms * MS),
        "token_ns": tuple(shift + round((ttft_ms + 10 * i) * MS) for i in range(4)),
        "end_ns": shift + round((ttft_ms + 30) * MS),
    }
    return msgspec.structs.replace(REQUEST, **(moved | changes))


def block(repeat: int, first: int, last: int, **changes: Any) -> Block:
    count = last - first + 1
    given_: dict[str, Any] = {
        "requests": count,
        "failed": 0,
        "stopped": "complete",
        "planned": count,
    }
    return Block(
        configuration=0,
        repeat=repeat,
        start_ns=first * SECOND,
        end_ns=(last + 1) * SECOND,
        **(given_ | changes),
    )


def a_file(*requests: Request, blocks: tuple[Block, ...] = (), **run: Any) -> RunFile:
    return RunFile(run=a_run(**run), starts=(START,), requests=requests, end=END, blocks=blocks)


THREE = (request(0, 1, 100), request(1, 2, 110), request(2, 3, 120))


def only(summary: Summary) -> Any:
    (one,) = summary.configurations
    return one


def test_the_interval_between_repeats_is_students() -> None:
    """Means 100, 110, 120 ms: sd 10, t(0.975, 2) = 4.303, half 4.303 * 10 / sqrt(3)."""
    ttft = only(summarise(a_file(*THREE))).metrics["ttft_s"]
    assert (ttft.n, ttft.repeats) == (3, 3)
    assert ttft.mean == pytest.approx(0.110)
    low, high = ttft.ci95_repeats
    assert (high - low) / 2 == pytest.approx(0.0248414, rel=1e-4)


def test_requests_of_one_repeat_are_not_independent_ones() -> None:
    many = [request(i, 1 + i // 2, 100 + 10 * (i // 2)) for i in range(6)]
    ttft = only(summarise(a_file(*many))).metrics["ttft_s"]
    assert ttft.repeats == 3
    wide, narrow = ttft.ci95_repeats, ttft.ci95_requests
    assert wide[1] - wide[0] > narrow[1] - narrow[0]


def test_two_repeats_have_no_interval_and_it_is_said() -> None:
    blocks = (block(1, 0, 0), block(2, 1, 1))
    summary = summarise(a_file(*THREE[:2], blocks=blocks))
    assert only(summary).metrics["ttft_s"].ci95_repeats is None
    assert any("no interval between repeats" in warning for warning in summary.warnings)


@pytest.mark.parametrize(
    ("n", "p95", "p99", "p99_interval"),
    [
        (19, False, False, False),
        (20, True, False, False),
        (99, True, False, False),
        (100, True, True, False),
        (367, True, True, False),
        (368, True, True, True),
    ],
)
def test_no_percentile_of_too_few(n: int, p95: bool, p99: bool, p99_interval: bool) -> None:
    found = distribution({1: [float(i) for i in range(n)]})
    assert found is not None
    assert (found.p95 is not None, found.p99 is not None) == (p95, p99)
    assert (found.p99_ci95 is not None) is p99_interval


def test_nothing_is_none_and_not_zero() -> None:
    assert distribution({}) is None
    assert interval([(1, None), (2, None)]) is None
    failed = request(0, 1, 100, error=Failure(ErrorClass.TIMEOUT, "late"))
    one = only(summarise(a_file(failed)))
    assert (one.n, one.failed) == (0, 1)
    assert set(one.metrics.values()) == {None}
    assert (one.time, one.output_tokens_per_s) == (None, None)


def test_cold_warm_up_and_reloaded_requests_are_apart() -> None:
    file = a_file(
        request(0, 0, 900, phase="cold"),
        request(1, 0, 800, phase="warmup"),
        request(2, 1, 700, phase="cold", reloaded=True),
        request(3, 1, 100),
    )
    summary = summarise(file)
    one = only(summary)
    assert (one.n, one.reloaded) == (1, 1)
    assert one.metrics["ttft_s"].mean == pytest.approx(0.1)
    assert summary.starts[0].ttft_s == pytest.approx(0.9)
    assert any("loaded its model 1 time(s)" in warning for warning in summary.warnings)


def test_throughputs_are_of_the_blocks() -> None:
    """Two requests of 4 tokens in 2 seconds, one of them failed in the second block."""
    good = (request(0, 1, 100), request(1, 1, 100))
    whole = block(1, 0, 1)
    assert output_tokens_per_s(whole, good) == 4.0
    assert requests_per_s(whole, good) == 1.0
    assert goodput_per_s(whole, good, {"ttft_s": 0.05}) == 0.0
    assert goodput_per_s(whole, good, {}) is None
    failed = (good[0], request(1, 1, 100, error=Failure(ErrorClass.TIMEOUT, "late")))
    assert output_tokens_per_s(whole, failed) == 2.0
    uncounted = (request(0, 1, 100, output_tokens=None, tokens_basis=None),)
    assert output_tokens_per_s(whole, uncounted) is None
    assert requests_per_s(block(1, 0, -1), good) is None


def test_metrics_of_one_request() -> None:
    one = request(0, 1, 100, first_answer_ns=250 * MS, intended_start_ns=-3 * MS)
    assert first_answer_s(one) == pytest.approx(0.25)
    assert dispatch_delay_s(one) == pytest.approx(0.003)
    assert chunk_gaps_s(one) == pytest.approx([0.01, 0.01, 0.01])
    assert (first_answer_s(REQUEST), dispatch_delay_s(REQUEST)) == (None, None)


CONFIGURATIONS = tuple(
    Configuration(index=i, options=Options(num_ctx=size)) for i, size in enumerate((512, 1024))
)


def compared(gap_ms: float) -> Summary:
    """Configuration 1 is slower by ``gap_ms`` in the mean, with 2 ms of noise."""
    noise = (0.0, 2.0, -2.0, 1.0)
    requests = [
        request(2 * i + c, i + 1, 100 + noise[i] * (1 - 2 * c) + c * gap_ms, configuration=c)
        for i in range(4)
        for c in (0, 1)
    ]
    return summarise(a_file(*requests, configurations=CONFIGURATIONS))


def test_a_difference_is_only_certain_beyond_its_interval() -> None:
    clear = next(c for c in compared(20).comparisons if c.metric == "ttft_s")
    assert (clear.best, clear.next, clear.certain) == (0, 1, True)
    assert clear.difference == pytest.approx(-0.02, abs=0.002)
    unclear = next(c for c in compared(0.5).comparisons if c.metric == "ttft_s")
    assert not unclear.certain


def test_what_can_be_told_comes_first() -> None:
    """The quickest two are alike and the third is slow: its lag is told, and told first."""
    configurations = tuple(Configuration(index=i, options=Options(num_ctx=i)) for i in (0, 1, 2))
    noise = (0.0, 2.0, -2.0, 1.0, -1.5)
    requests = [
        request(3 * i + c, i + 1, 100 + noise[(i + c) % 5] + (60 if c == 2 else 0), configuration=c)
        for i in range(5)
        for c in (0, 1, 2)
    ]
    summary = summarise(a_file(*requests, configurations=configurations))
    told, untold = (c for c in summary.comparisons if c.metric == "ttft_s")
    assert {told.best, told.next} == {untold.best, 2}
    assert (told.certain, untold.certain) == (True, False)
    lines = [line for line in bench_text(summary, "").splitlines() if line.startswith("TTFT: ")]
    assert "is better than num_ctx=2 by" in lines[0]
    assert "cannot be told apart" in lines[1]


_TIMES = st.one_of(st.none(), st.integers(0, 10**12))


@given(st.integers(0, 10**12), _TIMES, _TIMES, _TIMES, _TIMES, _TIMES)
def test_the_parts_of_a_request_add_up_to_it(
    end: int,
    connected: int | None,
    queue: int | None,
    load: int | None,
    prefill: int | None,
    decode: int | None,
) -> None:
    server = ServerPhases(queue_ns=queue, load_ns=load, prefill_ns=prefill, decode_ns=decode)
    one = msgspec.structs.replace(
        REQUEST, start_ns=0, connected_ns=connected, end_ns=end, server=server
    )
    parts = split(one)
    known = [part for name in PARTS if (part := getattr(parts, name)) is not None]
    assert sum(known) + parts.rest == parts.total == end
    shares = time_shares([one])
    assert shares is not None
    seconds = [s for name in PARTS if (s := getattr(shares, f"{name}_s")) is not None]
    assert sum(seconds) + shares.rest_s == pytest.approx(shares.total_s, abs=1e-6)


def test_the_client_is_checked_against_the_server() -> None:
    """REQUEST: TTFT 100 ms of which the server says 80; 40 ms of tokens where it says 45."""
    found = {check.what: check.difference_s.mean for check in checks([REQUEST])}
    assert found == {
        "TTFT minus the server's load, queue and prefill": pytest.approx(0.02),
        "first to last token minus the server's decode": pytest.approx(-0.005),
    }
