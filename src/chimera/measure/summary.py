"""What a run shows at its end: means with intervals per configuration and prompt, failures.

Derived from the records each time, never stored. Cold starts stand apart and failed requests
are counted, not averaged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from statistics import fmean

import msgspec

from chimera.record.metrics.decode_throughput import decode_tokens_per_s
from chimera.record.metrics.e2e_latency import e2e_latency_s
from chimera.record.metrics.prefill_throughput import prefill_tokens_per_s
from chimera.record.metrics.tpot import tpot_s
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import EngineStart, Request
from chimera.record.runfile import RunFile
from chimera.stats.describe import sample_sd
from chimera.stats.student import mean_interval

METRICS: dict[str, Callable[[Request], float | None]] = {
    "ttft_s": ttft_s,
    "tpot_s": tpot_s,
    "e2e_latency_s": e2e_latency_s,
    "decode_tokens_per_s": decode_tokens_per_s,
    "prefill_tokens_per_s": prefill_tokens_per_s,
}


class Mean(msgspec.Struct, frozen=True):
    """The mean of ``n`` requests; ``ci95`` is None below two."""

    n: int
    mean: float
    ci95: tuple[float, float] | None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration with one prompt, measured requests only.

    A metric that no request has is None.
    """

    options: dict[str, int | float | str | bool]
    prompt_id: str
    n: int
    failed: int
    metrics: dict[str, Mean | None]


class ColdStart(msgspec.Struct, frozen=True, kw_only=True):
    """A configuration's start and its first request; ``error`` if one of them failed."""

    options: dict[str, int | float | str | bool]
    load_s: float | None
    ttft_s: float | None
    error: str | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """``failures`` counts the failed requests by error class. ``pressure`` is the share of
    the run in which some task of the machine, ours included, waited for a CPU; None where
    the system doesn't say. ``stopped`` is "complete" or "interrupted".
    """

    run_id: str
    model: str
    engine: str
    requests: int
    failed: int
    planned: int
    stopped: str
    duration_s: float | None
    pressure: float | None
    cells: tuple[Cell, ...]
    cold_starts: tuple[ColdStart, ...]
    failures: dict[str, int]


def summarise(file: RunFile) -> Summary:
    """The summary of a run, whole or cut short."""
    run, end = file.run, file.end
    failed = [request for request in file.requests if request.error is not None]
    options = {c.index: c.options.as_set() for c in run.configurations}
    starts = {start.configuration: start for start in file.starts}
    return Summary(
        run_id=run.id,
        model=run.model.name,
        engine=run.engine,
        requests=len(file.requests),
        failed=len(failed),
        planned=end.planned if end else len(file.requests),
        stopped=end.stopped if end else "killed",
        duration_s=end.end_ns / 1e9 if end else None,
        pressure=_pressure(file),
        cells=tuple(
            _cell(file.requests, index, set_, prompt.id)
            for index, set_ in options.items()
            for prompt in run.workload.prompts
        ),
        cold_starts=tuple(
            _cold(starts.get(index), file.requests, index, set_) for index, set_ in options.items()
        ),
        failures=dict(Counter(r.error.error_class.value for r in failed if r.error)),
    )


def load_s(start: EngineStart) -> float | None:
    """Seconds in which the server loaded the model, as it says; None where it does not."""
    return None if start.server_load_ns is None else start.server_load_ns / 1e9


def _cell(
    requests: Iterable[Request],
    index: int,
    options: dict[str, int | float | str | bool],
    prompt_id: str,
) -> Cell:
    mine = [
        request
        for request in requests
        if request.configuration == index
        and request.prompt_id == prompt_id
        and request.phase == "measured"
    ]
    good = [request for request in mine if request.error is None]
    return Cell(
        options=options,
        prompt_id=prompt_id,
        n=len(good),
        failed=len(mine) - len(good),
        metrics={name: _mean(map(metric, good)) for name, metric in METRICS.items()},
    )


def _mean(values: Iterable[float | None]) -> Mean | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    centre, sd = fmean(known), sample_sd(known)
    interval = None if sd is None else mean_interval(centre, sd, len(known))
    return Mean(len(known), centre, interval)


def _cold(
    start: EngineStart | None,
    requests: Iterable[Request],
    index: int,
    options: dict[str, int | float | str | bool],
) -> ColdStart:
    if start is None or start.error is not None:
        said = start.error.text if start and start.error else "never started"
        return ColdStart(options=options, load_s=None, ttft_s=None, error=said)
    first = next((r for r in requests if r.configuration == index and r.phase == "cold"), None)
    failure = first.error if first else None
    return ColdStart(
        options=options,
        load_s=load_s(start),
        ttft_s=ttft_s(first) if first else None,
        error=failure.text if failure else None,
    )


def _pressure(file: RunFile) -> float | None:
    before = file.run.environment.pressure
    after = file.end.pressure if file.end else None
    if before is None or after is None or file.end is None or file.end.end_ns <= 0:
        return None
    return (after.total_us - before.total_us) * 1e3 / file.end.end_ns
