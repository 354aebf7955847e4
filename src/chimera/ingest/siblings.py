"""Units that a column does not name but a sibling proves, by value.

A field without a unit that repeats, digit by digit, a value that stands elsewhere in the file
with one has the same unit. Nothing is inferred from how large a number looks.
"""

from __future__ import annotations

from math import fsum

from chimera.ingest.names import lacks_unit
from chimera.record.batch import Batch

_MIN_DIGITS = 6
_SCALES = (1.0, 1e-3)  # seconds, milliseconds
_TOLERANCE = 1e-6


def infer_units(batches: list[Batch]) -> None:
    """Fill the units of metrics of one file that equal a value of known unit."""
    bare = [
        c for b in batches for c in b.columns if c.role == "metric" and lacks_unit(c.key, c.unit)
    ]
    if not bare:
        return
    _by_mean(batches)
    bare = [c for c in bare if not c.unit]
    wanted = {raw for column in bare for raw in column.raw if isinstance(raw, float)}
    known: dict[float, float] = {}
    for batch in batches if wanted else []:
        for column in batch.columns:
            if column.unit_from == "name" and column.unit == "s" and column.role == "metric":
                for raw in column.raw:
                    if isinstance(raw, float) and raw in wanted and len(repr(raw)) > _MIN_DIGITS:
                        known[raw] = column.scale
    for column in bare:
        scales = {known.get(raw) for raw in column.raw if isinstance(raw, float)}
        if len(scales) == 1 and (scale := scales.pop()) is not None:
            column.unit, column.scale, column.unit_from = "s", scale, "equal value"
            column.values = [None if v is None else v * scale for v in column.values]


def _by_mean(batches: list[Batch]) -> None:
    """A list whose mean stands beside it with a unit ("ttfts", "mean_ttft_ms") has that unit."""
    means = {
        (b.pointer, c.key): c.values[0]
        for b in batches
        if len(b) == 1
        for c in b.columns
        if c.role == "metric" and c.statistic == "mean" and c.unit == "s"
    }
    for batch in batches if means else []:
        for column in batch.columns:
            mean = means.get((batch.pointer, column.key))
            if not mean or column.unit or column.statistic or column.role != "metric":
                continue
            good = zip(column.values, batch.outcomes, strict=True)
            listed = [v for v, outcome in good if v is not None and not outcome]
            own = fsum(listed) / len(listed) if len(listed) > 1 else 0.0
            for scale in _SCALES:
                if abs(own * scale - mean) <= _TOLERANCE * abs(mean):
                    column.unit, column.scale, column.unit_from = "s", scale, "equal mean"
                    column.values = [None if v is None else v * scale for v in column.values]
                    break
