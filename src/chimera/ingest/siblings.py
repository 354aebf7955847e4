"""Units that a column does not name but a sibling proves, by value.

A field without a unit that repeats, digit by digit, a value that stands elsewhere in the file
with one has the same unit. Nothing is inferred from how large a number looks.
"""

from __future__ import annotations

from chimera.record.batch import Batch
from chimera.record.vocabulary import METRICS

_MIN_DIGITS = 6


def infer_units(batches: list[Batch]) -> None:
    """Fill the units of metrics of one file that equal a value of known unit."""
    bare = [
        c
        for b in batches
        for c in b.columns
        if not c.unit and c.role == "metric" and c.key in METRICS and METRICS[c.key].unit == "s"
    ]
    if not bare:
        return
    known: dict[float, float] = {}
    for batch in batches:
        for column in batch.columns:
            if column.unit_from == "name" and column.unit == "s" and column.role == "metric":
                for raw in column.raw:
                    if isinstance(raw, float) and len(repr(raw)) > _MIN_DIGITS:
                        known[raw] = column.scale
    for column in bare:
        scales = {known.get(raw) for raw in column.raw if isinstance(raw, float)}
        if len(scales) == 1 and (scale := scales.pop()) is not None:
            column.unit, column.scale, column.unit_from = "s", scale, "equal value"
            column.values = [None if v is None else v * scale for v in column.values]
