"""Records as ``chimera.stats.repeats`` takes them: with the repeat, where their table names any."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from chimera.facts.dataset import Sample
from chimera.record.batch import Batch, Column
from chimera.stats.repeats import Measured


def measured(
    members: Sequence[tuple[Sample, Column]], conditions: Sequence[Hashable] | None = None
) -> list[Measured]:
    """The members' values, each with its repeat and its condition.

    A table names repeats where it has more than one. A cold start belongs to none: it is a start
    of its own.
    """
    repeats: dict[int, list[Any] | None] = {}
    found = []
    for place, (sample, column) in enumerate(members):
        table = id(sample.batch)
        if table not in repeats:
            repeats[table] = _repeats(sample.batch)
        own = repeats[table]
        repeat = None
        if own is not None and sample.phase != "cold":
            repeat = (table, str(own[sample.index]))
        condition = sample.prompt if conditions is None else conditions[place]
        found.append(Measured(column.values[sample.index], repeat, condition))
    return found


def _repeats(batch: Batch) -> list[Any] | None:
    column = batch.column("repeat", role="status")
    if column is None or len({str(value) for value in column.raw}) < 2:
        return None
    return column.raw
