"""Which records paid for loading the model, where their file does not say so itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from chimera.record.batch import Batch, Column

_FACTOR = 5.0
_LEAST_S = 0.1


class _Record(Protocol):
    """What is read and set of a record; ``chimera.facts.dataset.Sample`` is one."""

    batch: Batch
    index: int
    phase: str
    failure: str
    cold_why: str


def mark_cold_starts(samples: Sequence[_Record]) -> None:
    """Set ``phase`` and ``cold_why`` of the records of one subject that paid a model load.

    By their load time where the file has one; otherwise the first record of a file, when its
    TTFT stands far above that of the others. Nothing is inferred from fewer than two load times
    or from fewer than two other records.
    """
    loads: list[tuple[_Record, float]] = []
    bare: dict[int, list[tuple[_Record, float]]] = {}
    columns: dict[int, tuple[Column | None, Column | None]] = {}
    for sample in samples:
        if sample.failure or sample.phase:
            continue
        key = id(sample.batch)
        if key not in columns:
            columns[key] = _seconds(sample.batch, "load_time"), _seconds(sample.batch, "ttft")
        load, ttft = columns[key]
        column = load or ttft
        value = column.values[sample.index] if column else None
        if value is None:
            continue
        if load:
            loads.append((sample, value))
        else:
            bare.setdefault(key, []).append((sample, value))
    if len(loads) >= 2:
        usual = _low_median([v for _, v in loads])
        for sample, value in loads:
            if value > _limit(usual):
                sample.phase, sample.cold_why = "cold", "load time"
    for members in bare.values():
        first, value = members[0]
        rest = [v for _, v in members[1:]]
        if len(rest) >= 2 and value > _limit(_low_median(rest)):
            first.phase, first.cold_why = "cold", "first of its file"


def _seconds(batch: Batch, key: str) -> Column | None:
    column = batch.column(key, role="metric")
    return column if column is not None and column.unit == "s" else None


def _limit(usual: float) -> float:
    return max(_FACTOR * usual, usual + _LEAST_S)


def _low_median(values: list[float]) -> float:
    """The median of the lower half: what a warm record takes, even when a third are cold."""
    ordered = sorted(values)
    half = ordered[: max(1, (len(ordered) + 1) // 2)]
    return half[len(half) // 2]
