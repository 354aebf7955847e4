"""Finding rows that stand in the folder twice: copied files, CSV beside JSON, rounded copies.

Two measurements never agree in all their digits, so rows that do are copies. Repetitions of a
measurement differ, and are kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import cached_property

from chimera.ingest.identity import models_of
from chimera.ingest.precision import Precisions, digits
from chimera.ingest.rates import DERIVED
from chimera.ingest.tables import Note
from chimera.record.batch import Batch, Column

_ANCHORS = (
    "decode_throughput",
    "token_rate",
    "wall_throughput",
    "ttft",
    "e2e_latency",
    "generation_time",
    "duration",
    "decode_time",
)
_MOST = 0.8
_MIN_EVIDENCE = 4
_COMMON = 200  # a value that so many tables hold tells none of them apart
_RICH = 4  # significant digits from which an equal value is no accident
_RATES = ("decode_throughput", "token_rate", "wall_throughput")
Anchors = dict[str, set[str]]


def mark_duplicates(batches: list[Batch], notes: list[Note]) -> None:
    """Fill ``duplicate_of`` of rows that repeat rows of another batch."""
    _identical_files(batches, notes)
    _same_blocks(batches)
    open_ones = [b for b in batches if b.kind == "sample" and not any(b.duplicate_of)]
    anchors = [_anchor_values(b) for b in open_ones]
    alike = _alike(anchors)
    if not alike:
        return
    order = sorted(alike, key=lambda i: _rank(open_ones[i]))
    place = {i: rank for rank, i in enumerate(order)}
    for i in order:
        for j in sorted((j for j in alike[i] if place[j] < place[i]), key=place.__getitem__):
            if not any(open_ones[j].duplicate_of) and _mark(open_ones[i], open_ones[j], notes):
                break


def _alike(anchors: list[Anchors]) -> dict[int, list[int]]:
    """For each batch those that share enough values to be its copy; others are left out."""
    holders: dict[tuple[str, str], list[int]] = {}
    for i, found in enumerate(anchors):
        for key, values in found.items():
            for value in values:
                holders.setdefault((key, value), []).append(i)
    shared = {tuple(m) for m in holders.values() if 1 < len(m) <= _COMMON}
    pairs = {(i, j) for m in shared for n, i in enumerate(m) for j in m[n + 1 :]}
    alike: dict[int, list[int]] = {}
    for i, j in sorted(pairs):
        if _may_match(anchors[i], anchors[j]):
            alike.setdefault(i, []).append(j)
            alike.setdefault(j, []).append(i)
    return alike


def _rank(batch: Batch) -> tuple[int, int, str]:
    """Originals first: those that name their model, then the more precise, then by name."""
    anchor = next((c for k in _ANCHORS if (c := batch.column(k))), None)
    most = 0
    if anchor:
        filled = [v for v in anchor.raw[:8] if v not in (None, "")]
        most = max((digits(v) for v in filled), default=0)
    return (0 if models_of(batch) else 1, -most, batch.file)


def _identical_files(batches: list[Batch], notes: list[Note]) -> None:
    first: dict[str, str] = {}
    told: set[str] = set()
    for batch in batches:
        original = first.setdefault(batch.sha256, batch.file)
        if original == batch.file:
            continue
        shift = len(batch.file)
        places = map(batch.place, range(len(batch)))
        batch.duplicate_of = [original + place[shift:] for place in places]
        if batch.file not in told:
            told.add(batch.file)
            notes.append(Note("copied-file", batch.file, other=original))


def _same_blocks(batches: list[Batch]) -> None:
    """Blocks of a run that is in the folder twice, whole and in part."""
    first: dict[object, str] = {}
    for batch in batches:
        if batch.kind == "block" and not any(batch.duplicate_of):
            run = batch.constants.get("run", batch.file)
            for i, cells in enumerate(zip(*(c.raw for c in batch.columns), strict=True)):
                own = batch.place(i)
                original = first.setdefault((run, cells), own)
                batch.duplicate_of[i] = None if original == own else original


def _anchor_values(batch: Batch) -> Anchors:
    """For each metric that can identify rows, its values to three digits."""
    found: Anchors = {}
    failed = any(batch.outcomes)
    for column in batch.columns:
        key = column.key
        if key not in _ANCHORS or column.role != "metric" or column.statistic:
            continue
        if column.unit_from == DERIVED:  # follows from the others, and was never written
            continue
        values = [v for v in column.values if v]
        if failed:
            pairs = zip(column.values, batch.outcomes, strict=True)
            values = [v for v, o in pairs if v and not o]
        if values:
            name = "rate" if key in _RATES else key
            found.setdefault(name, set()).update(("%.2e " * len(values) % tuple(values)).split())
    return found


def _may_match(a: Anchors, b: Anchors) -> bool:
    shared = a.keys() & b.keys()
    return bool(shared) and all(len(a[k] & b[k]) * 2 >= min(len(a[k]), len(b[k])) for k in shared)


def _pairs(a: Batch, b: Batch) -> list[tuple[Column, Column]]:
    """The metrics that both hold, in the same unit."""
    pairs = []
    for column in a.metrics():
        if column.unit_from == DERIVED:
            continue
        other = b.column(column.key, column.statistic, "metric")
        if other is None and column.key in _RATES:
            found = (b.column(k, column.statistic, "metric") for k in _RATES)
            other = next((c for c in found if c), None)
        if other is None or other.unit_from == DERIVED:
            continue
        if other.unit == column.unit:
            pairs.append((column, other))
    return pairs


def _is_rich(column: Column) -> bool:
    return any(raw is not None and digits(raw) >= _RICH for raw in column.raw)


class _Comparison:
    """Two batches side by side: the metrics that both hold, and how exactly each was written."""

    def __init__(self, pairs: list[tuple[Column, Column]]) -> None:
        self.pairs = pairs
        self.slack = Precisions().slack
        self._rich = [_is_rich(a) and _is_rich(b) for a, b in pairs]

    def agreeing(self, i: int, j: int) -> int:
        """How many telling values of row ``i`` and row ``j`` agree; -1 when one disagrees."""
        found = 0
        for (a, b), rich in zip(self.pairs, self._rich, strict=True):
            x, y = a.values[i], b.values[j]
            if x is None and y is None:
                continue
            if x is None or y is None:
                return -1
            difference = abs(x - y)
            if difference > abs(x) * 1e-12:
                slack = max(self.slack(a, i), self.slack(b, j))
                if difference > slack * 1.001:
                    return -1
            found += rich and x != 0
        return found


class _Rows:
    """The successful rows of an original, found by the value of their most telling column.

    They are put in order when the first row is looked for that does not stand in its own place.
    """

    def __init__(self, both: _Comparison, outcomes: list[str]) -> None:
        self._all = [j for j, o in enumerate(outcomes) if not o]
        self.free = set(self._all)
        self._of_copy, self._key = max(both.pairs, key=lambda pair: len(set(pair[1].values)))
        self._slack_of = both.slack

    @cached_property
    def _blank(self) -> list[int]:
        return [j for j in self._all if self._key.values[j] is None]

    @cached_property
    def _order(self) -> list[int]:
        values = self._key.values
        return sorted((j for j in self._all if values[j] is not None), key=values.__getitem__)

    @cached_property
    def _values(self) -> list[float]:
        return [self._key.values[j] for j in self._order]

    @cached_property
    def _slack(self) -> float:
        return max((self._slack_of(self._key, j) for j in self._order), default=0.0)

    def near(self, i: int) -> Iterator[int]:
        """The free rows that may equal row ``i`` of the copy; the row of the same number first."""
        if i in self.free:
            yield i
        value = self._of_copy.values[i]
        if value is None:
            yield from (j for j in self._blank if j in self.free)
            return
        slack = max(self._slack, self._slack_of(self._of_copy, i))
        slack = slack * 1.001 + abs(value) * 1e-12
        low = bisect_left(self._values, value - slack)
        high = bisect_right(self._values, value + slack)
        yield from (j for j in self._order[low:high] if j in self.free)


def _matches(
    pairs: list[tuple[Column, Column]], good: list[int], original: Batch
) -> tuple[dict[int, int], int]:
    """(row of the copy -> the original's row that it repeats, rich values that agree in all)."""
    both = _Comparison(pairs)
    rows = _Rows(both, original.outcomes)
    matched: dict[int, int] = {}
    evidence = 0
    for i in good:
        for j in rows.near(i):
            rich = both.agreeing(i, j)
            if rich >= 1:
                matched[i] = j
                evidence += rich
                rows.free.discard(j)
                break
    return matched, evidence


def _mark(copy: Batch, original: Batch, notes: list[Note]) -> bool:
    """Mark the rows of ``copy`` that ``original`` holds too; False when it is no copy."""
    models, others = models_of(copy), models_of(original)
    if models and others and not set(models) & set(others):
        return False
    pairs = _pairs(copy, original)
    if not pairs:
        return False
    good = [i for i, o in enumerate(copy.outcomes) if not o]
    matched, evidence = _matches(pairs, good, original)
    there = original.outcomes.count("")
    if not good or len(matched) < _MOST * min(len(good), there):
        return False
    if evidence < _MIN_EVIDENCE:
        return False
    for i, j in matched.items():
        copy.duplicate_of[i] = original.place(j)
    if len(copy) == len(original) and len(matched) == len(good):
        for i, outcome in enumerate(copy.outcomes):
            if outcome and original.outcomes[i]:
                copy.duplicate_of[i] = original.place(i)
    rounded = any(
        digits(a.raw[i]) < digits(b.raw[j]) - 2 for i, j in matched.items() for a, b in pairs[:3]
    )
    kind = "rounded-copy" if rounded else "copied-rows"
    rows = tuple(copy.rows[i] for i in matched)
    notes.append(Note(kind, copy.file, rows, other=original.file))
    return True
