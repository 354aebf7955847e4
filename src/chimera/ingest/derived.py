"""Summaries of rows that stand in the folder too: checked against them, never counted again."""

from __future__ import annotations

from math import fsum

from chimera.ingest.duplicates import _half_unit as half_unit
from chimera.ingest.tables import Note
from chimera.record.batch import Batch, Column

_RATES = frozenset({"token_rate", "decode_throughput", "wall_throughput"})
_MOST = 0.8
_DIMENSIONS = ("model", "quantization", "config", "prompt", "prompt_id", "test", "backend")
Key = tuple[tuple[str, object], ...]


def mark_derived(batches: list[Batch], notes: list[Note]) -> None:
    """Set ``derived_from`` of summaries whose means are those of rows in the folder."""
    samples = [b for b in batches if b.kind == "sample" and not all(b.duplicate_of)]
    for batch in batches:
        if batch.kind != "summary" or any(batch.duplicate_of):
            continue
        near = batch.file.rpartition("/")[0]
        order = sorted(
            samples,
            key=lambda b: (b.file != batch.file, b.file.rpartition("/")[0] != near, b.file),
        )
        for candidate in order:
            verdict = _compare(batch, candidate)
            if verdict is None:
                continue
            held, wrong = verdict
            if len(held) >= _MOST * (len(held) + len(wrong)):
                batch.derived_from = candidate.file
                if "model" not in batch.constants and "model" in candidate.constants:
                    batch.constants["model"] = candidate.constants["model"]
                    batch.constants_from["model"] = "copy"
                notes.append(Note("derived-summary", batch.file, other=candidate.file))
                if wrong:
                    notes.append(
                        Note("summary-disagrees", batch.file, tuple(wrong), other=candidate.file)
                    )
                break
            if candidate.file == batch.file:
                # It stands around these very rows, so it should be their mean.
                notes.append(Note("summary-disagrees", batch.file, tuple(wrong), other=batch.file))
                break


def _cell(batch: Batch, key: str, row: int) -> object:
    column = next(
        (c for c in batch.columns if c.key == key and c.role in ("parameter", "identity")), None
    )
    if column is not None:
        return column.values[row]
    return batch.constants.get(key)


def _shared_dimensions(summary: Batch, sample: Batch) -> list[str]:
    def keys(batch: Batch) -> set[str]:
        own = {c.key for c in batch.columns if c.role == "parameter" or c.key in _DIMENSIONS}
        return own | {k for k in batch.constants if k in _DIMENSIONS or k not in ("engine", "host")}

    return sorted(keys(summary) & keys(sample))


def _groups(sample: Batch, dimensions: list[str]) -> dict[Key, list[int]]:
    groups: dict[Key, list[int]] = {}
    for i, outcome in enumerate(sample.outcomes):
        if not outcome and not sample.phases[i]:
            key = tuple((d, _cell(sample, d, i)) for d in dimensions)
            groups.setdefault(key, []).append(i)
    return groups


def _measured(summary: Batch, sample: Batch) -> list[tuple[Column, Column]]:
    pairs = []
    for column in summary.metrics():
        if column.statistic not in ("mean", ""):
            continue
        if not column.statistic and column.key in _RATES:
            continue  # a rate over all rows is a ratio of sums, no mean
        other = sample.column(column.key)
        if other is None and column.key in _RATES:
            other = next((c for k in _RATES if (c := sample.column(k))), None)
        if other is not None and (other.unit == column.unit or not column.unit):
            pairs.append((column, other))
    return pairs


def _compare(summary: Batch, sample: Batch) -> tuple[list[int], list[int]] | None:
    """(rows whose means hold, rows whose means do not), or None when they share nothing."""
    pairs = _measured(summary, sample)
    if not pairs:
        return None
    dimensions = _shared_dimensions(summary, sample)
    groups = _groups(sample, dimensions)
    held, wrong = [], []
    for row, line in enumerate(summary.rows):
        members = groups.get(tuple((d, _cell(summary, d, row)) for d in dimensions))
        if not members:
            continue
        verdicts = [
            _is_mean(column, other, row, members)
            for column, other in pairs
            if column.values[row] is not None
        ]
        if verdicts and all(verdicts):
            held.append(line)
        elif verdicts:
            wrong.append(line)
    if not held and not (wrong and summary.file == sample.file):
        return None
    return held, wrong


def _is_mean(column: Column, other: Column, row: int, members: list[int]) -> bool:
    values = [v for i in members if (v := other.values[i]) is not None]
    if not values:
        return False
    mean = fsum(values) / len(values)
    slack = half_unit(column.raw[row], column.scale) + 1e-9 * abs(mean)
    # Means of values that were printed rounded can be off by half a unit of those as well.
    slack += half_unit(other.raw[members[0]], other.scale)
    return abs(mean - column.values[row]) <= slack * 1.01
