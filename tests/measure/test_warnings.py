"""Each warning comes where its cause is in the data, and nowhere else."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chimera.measure.summary import summarise
from chimera.record.request import (
    Block,
    ClientCost,
    ErrorClass,
    Failure,
    Request,
    ServerPhases,
    Watched,
)
from chimera.record.run import Configuration, Options
from chimera.record.runfile import RunFile
from tests.measure.samples import END, MS
from tests.measure.test_summary import CONFIGURATIONS, SECOND, a_file, block, request

CLIENT = ClientCost(
    cpu_s=0.1,
    wall_s=10.0,
    processes=1,
    reads=100,
    lag_p50_ns=1000,
    lag_p99_ns=100_000,
    lag_max_ns=200_000,
    dispatch_p99_ns=None,
    dispatch_max_ns=None,
)
MANY = tuple(request(i, 1 + i // 40, 100 + i % 7, cached_tokens=0) for i in range(120))
BLOCKS = tuple(block(repeat, 40 * (repeat - 1), 40 * repeat - 1) for repeat in (1, 2, 3))


def warned(
    requests: tuple[Request, ...] = MANY,
    blocks: tuple[Block, ...] = BLOCKS,
    client: ClientCost = CLIENT,
    watched: tuple[Watched, ...] = (),
    **run: Any,
) -> tuple[tuple[str, ...], bool]:
    """(warnings, whether the numbers are called certain) of a run of such records."""
    file = a_file(*requests, blocks=blocks, **run)
    end = msgspec.structs.replace(END, client=client)
    file = msgspec.structs.replace(file, end=end, watched=watched)
    summary = summarise(file)
    return summary.warnings, summary.certain


def changed(count: int, **changes: Any) -> tuple[Request, ...]:
    """MANY, with ``count`` of them changed."""
    return tuple(
        msgspec.structs.replace(r, **changes) if i < count else r for i, r in enumerate(MANY)
    )


def test_a_good_run_has_none() -> None:
    assert warned() == ((), True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"requests": changed(3, error=Failure(ErrorClass.TIMEOUT, "too slow"))},
            "3 of 120 requests failed and are left out of every mean; the first: too slow",
        ),
        ({"blocks": (*BLOCKS[:2], block(3, 80, 119, stopped="errors"))}, "ended early"),
        ({"blocks": BLOCKS[:2]}, "2 repeat(s) give no interval between repeats"),
        ({"requests": MANY[:60], "blocks": BLOCKS}, "no p99 below 100 requests"),
        (
            {"client": msgspec.structs.replace(CLIENT, cpu_s=8.0)},
            "this client used 80% of a core",
        ),
        ({"requests": changed(1, stamped_by="kernel")}, "some arrivals were stamped by the kernel"),
        ({"requests": changed(2, reloaded=True, phase="cold")}, "loaded its model 2 time(s)"),
        ({"requests": changed(5, cached_tokens=9)}, "found a part of their prompt in the server's"),
        ({"requests": changed(4, tokens_basis="chunks")}, "the server counts no tokens (4 of 120"),
        ({"requests": changed(4, chunk_tokens=None)}, "chunks hold several tokens (4 of 120"),
        ({"requests": changed(4, output_tokens=1)}, "counts fewer tokens than chunks"),
    ],
)
def test_each_cause_has_its_warning(given: dict[str, Any], said: str) -> None:
    warnings, _ = warned(**given)
    assert any(said in warning for warning in warnings), warnings


def test_late_reading_makes_numbers_uncertain_unless_the_kernel_stamped_them() -> None:
    late = msgspec.structs.replace(CLIENT, lag_p99_ns=20 * MS)
    warnings, certain = warned(client=late)
    assert not certain
    assert any("are not certain" in warning for warning in warnings)
    by_kernel = changed(len(MANY), stamped_by="kernel")
    a_little = msgspec.structs.replace(CLIENT, lag_p99_ns=9 * MS)  # gaps are 10 ms
    assert warned(requests=by_kernel, client=a_little)[1]
    assert not warned(requests=by_kernel, client=late)[1]


def test_an_open_loop_that_falls_behind_is_said() -> None:
    open_loop = (
        Configuration(
            index=0, options=Options(), arrival="constant", concurrency=None, request_rate=2.0
        ),
    )
    meant = tuple(msgspec.structs.replace(r, intended_start_ns=r.index * SECOND // 2) for r in MANY)
    warnings, certain = warned(requests=meant, configurations=open_loop)
    assert not certain
    assert any("1 requests/s were started where 2 were meant" in w for w in warnings)


def test_a_neighbours_load_is_told_from_our_own() -> None:
    def seen(machine: float, server: float) -> tuple[Watched, ...]:
        values = {
            "cpu": {"cpu_percent": machine, "logical_cpus": 2.0},
            "client": {"cpu_percent": 1.0},
            "watcher": {"cpu_percent": 1.0},
            "process": {"cpu_percent": server},
        }
        return tuple(Watched(t_ns=1, source=s, values=v) for s, v in values.items())

    warnings, _ = warned(watched=seen(90.0, 178.0))
    assert not any("other programs" in warning for warning in warnings)
    warnings, _ = warned(watched=seen(90.0, 20.0))
    assert any("other programs used 79%" in warning for warning in warnings)


def test_a_cache_that_warmed_up_is_seen_in_the_prefill() -> None:
    def served(i: int) -> ServerPhases:
        return ServerPhases(prefill_ns=(80 if i == 0 else 20) * MS)

    silent = tuple(
        msgspec.structs.replace(r, cached_tokens=None, server=served(i)) for i, r in enumerate(MANY)
    )
    warnings, _ = warned(requests=silent)
    assert any("the server's cache was warm" in warning for warning in warnings)


def test_thermal_drift_needs_a_processor_that_grew_hot() -> None:
    slower = tuple(
        request(
            i,
            1 + i // 40,
            100,
            token_ns=tuple(i * SECOND + round((100 + k * (10 + i / 30)) * MS) for k in range(4)),
        )
        for i in range(120)
    )
    warming = tuple(
        Watched(t_ns=i, source="cpu", values={"temperature_c": 50.0 + i, "clock_hz": 3e9 - 2e7 * i})
        for i in range(12)
    )
    hot = [w for w in warned(requests=slower, watched=warming)[0] if "thermal drift" in w]
    assert "decode throughput fell by" in hot[0]
    assert not any("thermal drift" in w for w in warned(requests=slower)[0])


def test_answers_of_other_lengths_are_no_equal_work() -> None:
    two = tuple(
        msgspec.structs.replace(r, configuration=i % 2, output_tokens=4 + (i % 5 == 0))
        for i, r in enumerate(MANY)
    )
    warnings, _ = warned(requests=two, configurations=CONFIGURATIONS)
    assert any("differ in length" in warning for warning in warnings)


def test_limits_that_nothing_met_are_said() -> None:
    plan = a_file(*MANY).run.plan
    strict = msgspec.structs.replace(plan, slo={"ttft_s": 0.001})
    warnings, _ = warned(plan=strict)
    assert any("no request met every limit" in warning for warning in warnings)


def test_a_run_without_an_end_has_a_summary_too() -> None:
    file: RunFile = msgspec.structs.replace(a_file(*MANY, blocks=BLOCKS), end=None)
    assert summarise(file).stopped == "killed"
