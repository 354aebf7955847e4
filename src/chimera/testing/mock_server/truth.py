"""What really happened, as the server saw it: the document that a measurement is held against.

All times are ns of the system's monotonic clock (CLOCK_MONOTONIC on Linux), which every process
on the machine shares: a client's ``time.monotonic_ns()`` can be subtracted from them.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from chimera.stats.describe import mean, quantile


class RequestTruth(msgspec.Struct, kw_only=True):
    """One request for tokens.

    n               its number, from 0, in the order of arrival
    id              the client's ``x-request-id`` header or ``user`` field; None without
    arrival_ns      its last byte reached this machine's network stack
    arrival_source  "kernel" (stamped by it) or "read" (when the server came to read it)
    queue_ns        waited for a free stream; load_ns: waited for the model's load
    write_ns        taken immediately before each write that carried tokens
    planned_ns      when that write was to be; write_tokens: the tokens in it
    tokens          their sum
    end_ns          the last write of all (an end marker, a part of a head); None without any
    blocked         writes that the client did not take at once; the ones after them are late
                    through no fault of the server
    outcome         "running", "done" (a regular end was sent), "fault" (it ended otherwise, as
                    asked; a stall has ended) or "aborted" (the client left before its end)
    """

    n: int
    id: str | None
    path: str
    model: str
    stream: bool
    status: int = 200
    fault: str | None = None
    outcome: str = "running"
    arrival_ns: int
    arrival_source: str
    queue_ns: int = 0
    load_ns: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    blocked: int = 0
    end_ns: int | None = None
    planned_ns: list[int] = []
    write_ns: list[int] = []
    write_tokens: list[int] = []

    @property
    def ttft_ns(self) -> int | None:
        """Arrival to the first write with a token; None if there was none."""
        return self.write_ns[0] - self.arrival_ns if self.write_ns else None


class Truth(msgspec.Struct, kw_only=True):
    """GET /truth: every request since the start or the last DELETE /truth."""

    clock: str = "CLOCK_MONOTONIC"
    pid: int
    requests: list[RequestTruth]

    def by_id(self) -> dict[str, RequestTruth]:
        """The requests that had an id, by it; of two with the same, the later."""
        return {request.id: request for request in self.requests if request.id is not None}


class Summary(msgspec.Struct, kw_only=True):
    """GET /truth/summary. None where no value exists.

    ``gap`` is between two writes of one answer, ``lag`` is a write's time minus its plan; writes
    of answers that the client did not take at once are left out of it. A flat write is planned
    for when the one before it was taken. ``cpu_s`` is the server
    process's CPU time within ``wall_s``, since the start or the last DELETE /truth. ``starved_s``
    is how long it was ready to run while others had the cores: where it is not small, the lag
    is the machine's.
    """

    n: int
    done: int
    tokens: int
    blocked: int
    ttft_mean_ns: float | None
    ttft_p99_ns: float | None
    gap_mean_ns: float | None
    gap_p99_ns: float | None
    lag_p50_ns: float | None
    lag_p99_ns: float | None
    lag_max_ns: int | None
    cpu_s: float
    wall_s: float
    starved_s: float | None


class Record:
    """The truth of one request while it is being answered: arrays of machine integers, because
    a minute of 512 streams writes three million of them.
    """

    __slots__ = ("planned_ns", "truth", "write_ns", "write_tokens")

    def __init__(self, truth: RequestTruth) -> None:
        self.truth = truth
        self.planned_ns = array("q")
        self.write_ns = array("q")
        self.write_tokens = array("q")

    def wrote(self, planned_ns: int, at_ns: int, tokens: int) -> None:
        self.planned_ns.append(planned_ns)
        self.write_ns.append(at_ns)
        self.write_tokens.append(tokens)
        self.truth.tokens += tokens

    def whole(self) -> RequestTruth:
        return msgspec.structs.replace(
            self.truth,
            planned_ns=self.planned_ns.tolist(),
            write_ns=self.write_ns.tolist(),
            write_tokens=self.write_tokens.tolist(),
        )


class TruthLog:
    """All records, and the CPU time since they were last cleared."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._count = 0
        self.clear()

    def add(self, **known: Any) -> Record:
        record = Record(RequestTruth(n=self._count, **known))
        self._count += 1
        self.records.append(record)
        return record

    def clear(self) -> None:
        """Forget every record; what still runs is not heard of again."""
        self.records = []
        self._cpu_s = time.process_time()
        self._starved_s = _starved_s()
        self._since_ns = time.monotonic_ns()

    def summary(self) -> Summary:
        records = self.records
        starved_s = _starved_s()
        known = starved_s is not None and self._starved_s is not None
        ttft = sorted(r.write_ns[0] - r.truth.arrival_ns for r in records if r.write_ns)
        gaps = sorted(b - a for r in records for a, b in pairwise(r.write_ns))
        lags = sorted(_lags(records))
        return Summary(
            n=len(records),
            done=sum(record.truth.outcome == "done" for record in records),
            tokens=sum(record.truth.tokens for record in records),
            blocked=sum(record.truth.blocked for record in records),
            ttft_mean_ns=mean(ttft) if ttft else None,
            ttft_p99_ns=quantile(ttft, 0.99) if ttft else None,
            gap_mean_ns=mean(gaps) if gaps else None,
            gap_p99_ns=quantile(gaps, 0.99) if gaps else None,
            lag_p50_ns=quantile(lags, 0.5) if lags else None,
            lag_p99_ns=quantile(lags, 0.99) if lags else None,
            lag_max_ns=lags[-1] if lags else None,
            cpu_s=time.process_time() - self._cpu_s,
            wall_s=(time.monotonic_ns() - self._since_ns) / 1e9,
            starved_s=(starved_s or 0.0) - (self._starved_s or 0.0) if known else None,
        )


def _starved_s() -> float | None:
    """Linux counts it in the second field of schedstat; None elsewhere."""
    try:
        return int(Path("/proc/self/schedstat").read_text("ascii").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


def _lags(records: list[Record]) -> Iterable[int]:
    for record in records:
        if not record.truth.blocked:
            yield from (w - p for p, w in zip(record.planned_ns, record.write_ns, strict=True))
