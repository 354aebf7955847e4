"""Finding rows that stand in the folder twice: copied files, CSV beside JSON, rounded copies.

Two measurements never agree in all their digits, so rows that do are copies. Repetitions of a
measurement differ, and are kept.
"""

from __future__ import annotations

from chimera.ingest.identity import models_of
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
_RATES = frozenset({"decode_throughput", "token_rate", "wall_throughput"})


def mark_duplicates(batches: list[Batch], notes: list[Note]) -> None:
    """Fill ``duplicate_of`` of rows that repeat rows of another batch."""
    samples = [b for b in batches if b.kind == "sample"]
    _identical_files(batches, notes)
    open_ones = [b for b in samples if not any(b.duplicate_of)]
    open_ones.sort(key=_rank)
    anchors = [_anchor_values(b) for b in open_ones]
    for i, copy in enumerate(open_ones):
        if not anchors[i]:
            continue
        for j in range(i):
            original = open_ones[j]
            if any(original.duplicate_of) or not _may_match(anchors[i], anchors[j]):
                continue
            if _mark(copy, original, notes):
                break


def _rank(batch: Batch) -> tuple[int, int, str]:
    """Originals first: those that name their model, then the more precise, then by name."""
    anchor = next((c for k in _ANCHORS if (c := batch.column(k))), None)
    digits = 0
    if anchor:
        filled = [v for v in anchor.raw[:8] if v not in (None, "")]
        digits = max((_digits(v) for v in filled), default=0)
    return (0 if models_of(batch) else 1, -digits, batch.file)


def _identical_files(batches: list[Batch], notes: list[Note]) -> None:
    first: dict[str, str] = {}
    for batch in batches:
        original = first.setdefault(batch.sha256, batch.file)
        if original != batch.file:
            batch.duplicate_of = [
                place.replace(batch.file, original, 1)
                for place in map(batch.place, range(len(batch)))
            ]
            notes.append(Note("copied-file", batch.file, other=original))


def _anchor_values(batch: Batch) -> dict[str, set[str]]:
    """For each metric that can identify rows, its values to three digits."""
    found: dict[str, set[str]] = {}
    for key in _ANCHORS:
        column = batch.column(key)
        if column is not None:
            name = "rate" if key in _RATES else key
            values = {
                f"{v:.2e}"
                for v, o in zip(column.values, batch.outcomes, strict=True)
                if v and not o
            }
            if values:
                found[name] = values
    return found


def _may_match(a: dict[str, set[str]], b: dict[str, set[str]]) -> bool:
    shared = a.keys() & b.keys()
    return bool(shared) and all(len(a[k] & b[k]) * 2 >= min(len(a[k]), len(b[k])) for k in shared)


def _digits(raw: object) -> int:
    """Significant digits of a value as written."""
    text = str(raw).lower().partition("e")[0]
    return len(text.replace(".", "").replace("-", "").replace(",", "").strip("0 "))


def _half_unit(raw: object, scale: float) -> float:
    """Half a unit of the last written digit, in canonical units."""
    text = str(raw).lower()
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    try:
        power = int(exponent) if exponent else 0
    except ValueError:
        power = 0
    return 0.5 * 10.0 ** (power - decimals) * scale


def _pairs(a: Batch, b: Batch) -> list[tuple[Column, Column]]:
    """The metrics that both hold, in the same unit."""
    pairs = []
    for column in a.metrics():
        other = b.column(column.key, column.statistic, "metric")
        if other is None and column.key in _RATES:
            other = next((c for k in _RATES if (c := b.column(k, column.statistic))), None)
        if other is not None and other.unit == column.unit:
            pairs.append((column, other))
    return pairs


def _same_row(pairs: list[tuple[Column, Column]], i: int, j: int) -> int:
    """How many values with at least four digits agree; -1 when one disagrees."""
    rich = 0
    for a, b in pairs:
        x, y = a.values[i], b.values[j]
        if x is None and y is None:
            continue
        if x is None or y is None:
            return -1
        slack = max(_half_unit(a.raw[i], a.scale), _half_unit(b.raw[j], b.scale)) * 1.001
        if abs(x - y) > max(slack, abs(x) * 1e-12):
            return -1
        rich += min(_digits(a.raw[i]), _digits(b.raw[j])) >= 4
    return rich


def _mark(copy: Batch, original: Batch, notes: list[Note]) -> bool:
    """Mark the rows of ``copy`` that ``original`` holds too; False when it is no copy."""
    models, others = models_of(copy), models_of(original)
    if models and others and not set(models) & set(others):
        return False
    pairs = _pairs(copy, original)
    if not pairs:
        return False
    good = [i for i, o in enumerate(copy.outcomes) if not o]
    free = {j for j, o in enumerate(original.outcomes) if not o}
    matched: dict[int, int] = {}
    evidence = 0
    for i in good:
        for j in (i, *free) if i in free else free:
            rich = _same_row(pairs, i, j)
            if rich >= 1:
                matched[i] = j
                evidence += rich
                free.discard(j)
                break
    if not good or len(matched) < _MOST * min(len(good), len(free) + len(matched)):
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
        _digits(a.raw[i]) < _digits(b.raw[j]) - 2 for i, j in matched.items() for a, b in pairs[:3]
    )
    kind = "rounded-copy" if rounded else "copied-rows"
    rows = tuple(copy.rows[i] for i in matched)
    notes.append(Note(kind, copy.file, rows, other=original.file))
    return True
