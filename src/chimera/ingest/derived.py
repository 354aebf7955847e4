"""Summaries of rows that stand in the folder too: checked against them, never counted again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from math import fsum
from typing import Any

import msgspec

from chimera.ingest.precision import Precisions, digits, half_unit
from chimera.ingest.rates import DERIVED
from chimera.ingest.tables import Note
from chimera.record.batch import Batch, Column

_RATES = ("token_rate", "decode_throughput", "wall_throughput")
_MOST = 0.8
_DIMENSIONS = frozenset(
    {"model", "quantization", "config", "prompt", "prompt_id", "test", "backend"}
)
_NO_DIMENSIONS = frozenset({"engine", "host"})
_RICH = 4  # significant digits from which an equal value is no accident
_SIZE = re.compile(r"\d+(?:\.\d+)?[bm]$")
_FAMILY_WORD = re.compile(r"(?:llama|gemma|qwen|mistral|mixtral|phi|deepseek|falcon)(?![a-z])")
_SUMMARY_WORDS = frozenset({"summary", "aggregate", "aggregated"})
_SAMPLE_WORDS = frozenset({"individual", "raw", "samples"})
Key = tuple[Any, ...]
_Shared = tuple[int, Column]  # a summary's metric by its place, and a sample's that it may sum up


class _Side(msgspec.Struct):
    """A batch as seen by the others: what its rows can be grouped by, and its metrics.

    ``dimensions`` are the values of each row. ``groups`` and ``means`` are worked out when a
    summary first asks for them.
    """

    batch: Batch
    dimensions: dict[str, list[Any]]
    names: frozenset[str]
    metrics: dict[str, Column]
    folder: str
    groups: dict[tuple[str, ...], dict[Key, list[int]]] = {}
    means: dict[tuple[int, tuple[str, ...], Key], float | None] = {}


def mark_derived(batches: list[Batch], notes: list[Note]) -> None:
    """Set ``derived_from`` of summaries whose means are those of rows in the folder."""
    summaries = [b for b in batches if b.kind == "summary" and not any(b.duplicate_of)]
    samples = [b for b in batches if b.kind == "sample" and not all(b.duplicate_of)]
    if not summaries or not samples:
        return
    samples.sort(key=lambda b: b.file)
    sides = list(map(_side, samples))
    files = {b.file for b in samples}
    written = Precisions()
    sharing: dict[tuple[tuple[str, str], ...], list[tuple[_Side, list[_Shared]]]] = {}
    for batch in summaries:
        wanted = [c for c in batch.columns if c.role == "metric" and _is_mean_column(c)]
        telling = any(_is_telling(c, row) for row in range(len(batch)) for c in wanted)
        if not telling and batch.file not in files:
            continue  # that it agrees with rows of another file would prove nothing
        signature = tuple((c.key, c.unit) for c in wanted)
        if signature not in sharing:
            pairs = [(side, _measured(wanted, side)) for side in sides]
            sharing[signature] = [(side, shared) for side, shared in pairs if shared]
        if not sharing[signature]:
            continue
        dimensions = _dimensions(batch)
        own = frozenset(dimensions)
        keys: dict[tuple[str, ...], list[Key]] = {}
        for side, shared in _nearest(batch, sharing[signature]):
            if not telling and side.batch.file != batch.file:
                break
            if _name_different(batch.file, side.batch.file):
                continue
            names = _shared_names(own, side.names)
            both = [(wanted[i], other) for i, other in shared]
            if names not in keys:
                keys[names] = _rows(dimensions, names, len(batch))
            verdict = _compare(batch, names, keys[names], both, side, written)
            if verdict and _judge(batch, side.batch, *verdict, notes):
                break


def _side(batch: Batch) -> _Side:
    dimensions = _dimensions(batch)
    folder = batch.file.rpartition("/")[0]
    return _Side(batch, dimensions, frozenset(dimensions), _plain_metrics(batch), folder)


def _dimensions(batch: Batch) -> dict[str, list[Any]]:
    n = len(batch)
    found = {
        k: [v] * n
        for k, v in batch.constants.items()
        if k in _DIMENSIONS or k not in _NO_DIMENSIONS
    }
    own: set[str] = set()
    for column in batch.columns:
        key, role = column.key, column.role
        if key not in own and (role == "parameter" or (role == "identity" and key in _DIMENSIONS)):
            own.add(key)
            found[key] = column.values
    return found


def _plain_metrics(batch: Batch) -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in batch.columns:
        if column.role == "metric" and not column.statistic and column.unit_from != DERIVED:
            found.setdefault(column.key, column)
    rate = next((found[k] for k in _RATES if k in found), None)
    if rate is not None:
        for key in _RATES:
            found.setdefault(key, rate)
    return found


def _is_mean_column(column: Column) -> bool:
    """A mean by name; a rate over all rows is a ratio of sums, no mean."""
    return column.statistic == "mean" or (not column.statistic and column.key not in _RATES)


def _nearest(
    batch: Batch, sides: list[tuple[_Side, list[_Shared]]]
) -> Iterator[tuple[_Side, list[_Shared]]]:
    """The samples of the same file, then of its folder, then all others by name."""
    folder = batch.file.rpartition("/")[0]
    later: list[tuple[_Side, list[_Shared]]] = []
    last: list[tuple[_Side, list[_Shared]]] = []
    for found in sides:
        side = found[0]
        if side.batch.file == batch.file:
            yield found
        elif side.folder == folder:
            later.append(found)
        else:
            last.append(found)
    yield from later
    yield from last


def _measured(wanted: list[Column], side: _Side) -> list[_Shared]:
    metrics = side.metrics
    return [
        (i, other)
        for i, column in enumerate(wanted)
        if (other := metrics.get(column.key)) is not None
        and (other.unit == column.unit or not column.unit)
    ]


@lru_cache(maxsize=1024)
def _shared_names(a: frozenset[str], b: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(a & b))


def _rows(dimensions: dict[str, list[Any]], names: tuple[str, ...], n: int) -> list[Key]:
    """The values of some dimensions, row by row."""
    return list(zip(*(dimensions[k] for k in names), strict=True)) if names else [()] * n


def _groups(side: _Side, names: tuple[str, ...]) -> dict[Key, list[int]]:
    """The measured rows of a sample by their values of these dimensions."""
    groups = side.groups.get(names)
    if groups is None:
        groups = side.groups[names] = {}
        batch = side.batch
        for i, key in enumerate(_rows(side.dimensions, names, len(batch))):
            if not batch.outcomes[i] and not batch.phases[i]:
                groups.setdefault(key, []).append(i)
    return groups


def _compare(
    summary: Batch,
    names: tuple[str, ...],
    keys: list[Key],
    pairs: list[tuple[Column, Column]],
    side: _Side,
    written: Precisions,
) -> tuple[list[int], list[int]] | None:
    """(rows whose means hold, rows whose means do not), or None when they share nothing.

    ``names`` are the dimensions that both have, ``keys`` the summary's values of them by row.
    """
    groups = _groups(side, names)
    if groups.keys().isdisjoint(keys):
        return None
    own = summary.file == side.batch.file
    most_wrong = len(summary) if own else (1 - _MOST) * len(summary)
    telling = False
    held: list[int] = []
    wrong: list[int] = []
    for row, key in enumerate(keys):
        members = groups.get(key)
        if not members:
            continue
        checked = False
        for column, other in pairs:
            value = column.values[row]
            if value is None:
                continue
            checked = True
            if len(members) == 1:
                mean = other.values[members[0]]
            else:
                mean = _mean(side, other, names, key, members)
            if value != mean and not _agrees(
                value, mean, written, (column, row), (other, members[0])
            ):
                wrong.append(summary.rows[row])
                if len(wrong) > most_wrong:
                    return None
                break
        else:
            if checked:
                held.append(summary.rows[row])
                telling = telling or any(_is_telling(column, row) for column, _ in pairs)
    if not own and not telling:
        return None
    return (held, wrong) if held or wrong else None


def _is_telling(column: Column, row: int) -> bool:
    """Whether a mean that agrees is no accident: a time or rate of enough digits."""
    timed = column.unit == "s" or column.unit.endswith("/s")
    return timed and column.values[row] is not None and digits(column.raw[row]) >= _RICH


def _words(stem: str) -> set[str]:
    return set(filter(None, re.split(r"[^a-z0-9.]+", stem.lower())))


@lru_cache(maxsize=8192)
def _name_different(summary: str, sample: str) -> bool:
    """Whether two files' names speak of different things: another size or family of models, or
    what is left of "summary_x" and "individual_y" without their first kind of word.
    """
    a, b = (_words(f.rpartition("/")[2].rpartition(".")[0]) for f in (summary, sample))
    for pattern in (_SIZE, _FAMILY_WORD):
        of_a, of_b = ({w for w in words if pattern.match(w)} for words in (a, b))
        if of_a and of_b and not of_a & of_b:
            return True
    parted = _SUMMARY_WORDS.intersection(a) and _SAMPLE_WORDS.intersection(b)
    return bool(parted) and a - _SUMMARY_WORDS != b - _SAMPLE_WORDS


def _mean(
    side: _Side, other: Column, names: tuple[str, ...], key: Key, members: list[int]
) -> float | None:
    place = (id(other), names, key)
    if place not in side.means:
        values = [v for i in members if (v := other.values[i]) is not None]
        side.means[place] = fsum(values) / len(values) if values else None
    return side.means[place]


def _agrees(
    value: float,
    mean: float | None,
    written: Precisions,
    of_summary: tuple[Column, int],
    of_sample: tuple[Column, int],
) -> bool:
    if mean is None:
        return False
    difference = abs(mean - value)
    slack = 1e-9 * abs(mean)
    if difference <= slack:
        return True
    # Means of values that were printed rounded can be off by half a unit of those as well.
    (column, row), (other, first) = of_summary, of_sample
    most = half_unit(column.raw[row], column.scale) + half_unit(other.raw[first], other.scale)
    if difference > (slack + most) * 1.01:
        return False
    return difference <= (slack + written.slack(column, row) + written.slack(other, first)) * 1.01


def _judge(
    batch: Batch, sample: Batch, held: list[int], wrong: list[int], notes: list[Note]
) -> bool:
    """Whether this settles where the summary comes from; fills ``derived_from`` if it does."""
    if len(held) >= _MOST * (len(held) + len(wrong)):
        batch.derived_from = sample.file
        if "model" not in batch.constants and "model" in sample.constants:
            batch.constants["model"] = sample.constants["model"]
            batch.constants_from["model"] = "copy"
        notes.append(Note("derived-summary", batch.file, other=sample.file))
        if wrong:
            notes.append(Note("summary-disagrees", batch.file, tuple(wrong), other=sample.file))
        return True
    if sample.file == batch.file:
        # It stands around these very rows, so it should be their mean.
        notes.append(Note("summary-disagrees", batch.file, tuple(wrong), other=batch.file))
        return True
    return False
