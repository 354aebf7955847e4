"""Records as ``chimera.stats.repeats`` takes them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from chimera.facts.dataset import Sample
from chimera.record.batch import Column
from chimera.stats.repeats import Measured


def measured(
    members: Sequence[tuple[Sample, Column]], conditions: Sequence[Hashable] | None = None
) -> list[Measured]:
    """The members' values, each with its repeat and what it was measured under, if that is given.

    A cold start belongs to no repeat: it is a start of its own.
    """
    return [
        Measured(c.values[s.index], None if s.phase == "cold" else s.repeat, condition)
        for (s, c), condition in zip(members, conditions or [None] * len(members), strict=True)
    ]
