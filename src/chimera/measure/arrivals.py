"""When the requests of an open loop are meant to start."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from random import Random

from chimera.errors import InputError
from chimera.record.run import Arrival


def intended_starts(
    arrival: Arrival,
    rate: float | None,
    count: int,
    seed: str,
    trace_s: Sequence[float | None] = (),
) -> list[int]:
    """Nanoseconds after the block's beginning at which each request is to start, ascending.

        poisson    gaps are exponential with mean 1 / rate: gap = -ln(1 - u) / rate
        constant   every 1 / rate seconds
        trace      the times that the trace's own records hold

    Raises:
        InputError: a rate or a time of the trace is missing.
    """
    if arrival == "trace":
        missing = next((i for i, at in enumerate(trace_s) if at is None), None)
        if missing is not None or not trace_s:
            where = "" if missing is None else f" (record {missing + 1})"
            raise InputError(f"a replay needs a trace whose records say when they came{where}")
        first = min(at for at in trace_s if at is not None)
        return sorted(round((at - first) * 1e9) for at in trace_s if at is not None)
    if rate is None:
        raise InputError(f"{arrival} arrivals need a request rate")
    if arrival == "constant":
        return [round(i / rate * 1e9) for i in range(count)]
    random = Random(seed)  # noqa: S311 - arrivals, not secrets
    starts, now = [], 0.0
    for _ in range(count):
        starts.append(round(now * 1e9))
        now += -log(1.0 - random.random()) / rate
    return starts
