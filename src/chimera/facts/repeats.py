"""Records of one repeat share its state, so that they are no independent samples.

What differs from one repeat to the next (heat, a neighbour, where memory lay) met all requests of
a repeat alike. An interval that takes each of them for a sample of its own is too narrow.
"""

from __future__ import annotations

from typing import Any

from chimera.facts.dataset import Members, Sample
from chimera.record.batch import Batch
from chimera.stats.compare import Difference
from chimera.stats.describe import mean


def by_repeat(members: Members) -> list[tuple[float, Sample]]:
    """(mean, one record) of each condition in each repeat of its table.

    Records whose table names no repeats, or one for all, stand for themselves.
    """
    repeats: dict[int, list[Any] | None] = {}
    groups: dict[tuple[object, ...], list[tuple[float, Sample]]] = {}
    for place, (sample, column) in enumerate(members):
        table = id(sample.batch)
        if table not in repeats:
            repeats[table] = _repeats(sample.batch)
        found = repeats[table]
        key: tuple[object, ...] = (place,)
        if found is not None:
            key = (table, sample.condition, str(found[sample.index]))
        groups.setdefault(key, []).append((column.values[sample.index], sample))
    return [(mean([value for value, _ in group]), group[0][1]) for group in groups.values()]


def _repeats(batch: Batch) -> list[Any] | None:
    column = batch.column("repeat", role="status")
    if column is None or len({str(value) for value in column.raw}) < 2:
        return None
    return column.raw


def centred(spread: Difference, value: float) -> Difference:
    """The interval of ``spread`` around ``value``, where both estimate the same difference.

    The value over all records is shown, and between repeats is how far it can be trusted.
    """
    shift = value - spread.value
    return Difference(value, spread.low + shift, spread.high + shift, spread.df, spread.p)
