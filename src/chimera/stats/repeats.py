"""The method of every interval of a mean and every difference, for the end of a bench and facts.

Records of one repeat share its state: what differs from one repeat to the next (heat, a neighbour,
where memory lay) met all of them alike, and an interval that takes each for a sample of its own is
too narrow. So where repeats are named, the repeat is the unit, and its value the mean of its
records:

- The interval of a mean is Student's t over the repeats' means.
- A difference of two that were measured in the same repeats is paired by repeat; otherwise it is
  Welch's over the repeats' means.

Below three repeats there is no interval. Where no repeats are named, each record is a unit. The
value itself is always that of all records; an interval lies around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

import msgspec

from chimera.stats.additive import fit_additive
from chimera.stats.compare import Difference, centred, paired, welch
from chimera.stats.describe import mean, sample_sd
from chimera.stats.student import mean_interval

LEAST_REPEATS = 3
_MATCHED = 12  # conditions; of more (prompts drawn from many), no repeat asks all
FEW_REPEATS = "fewer than three repeats have no interval"
UNLIKE = "the two were not measured alike (prompts or other columns differ)"


class Measured(msgspec.Struct, frozen=True, gc=False):
    """A value, its repeat (None where none is named) and what else it was measured under."""

    value: float
    repeat: Hashable = None
    condition: Hashable = None


class Mean(NamedTuple):
    """A mean with its 95% interval over ``units``; where that is None, ``why`` says why."""

    value: float
    units: int
    ci95: tuple[float, float] | None
    why: str


def level_for(pairs: int) -> float:
    """The level of each of so many intervals that hold together in 95% of cases (Bonferroni)."""
    return 1.0 - 0.05 / max(1, pairs)


def pairs_of(count: int) -> int:
    """The pairs among so many, where the one that is looked at is known from the data alone."""
    return count * (count - 1) // 2


def leaders_of(counts: Sequence[int]) -> int:
    """The pairs of a leader and one of the others, in groups of so many: those that a leader and
    its runner-up come from. Of the two that lie next to one another no more need be allowed for.
    """
    return sum(count - 1 for count in counts)


def by_repeat(records: Sequence[Measured]) -> list[Measured]:
    """The units: of each repeat the mean, under all that it was measured under; a record without
    a repeat is its own.
    """
    groups: dict[Hashable, list[Measured]] = {}
    for record in records:
        key = object() if record.repeat is None else record.repeat
        groups.setdefault(key, []).append(record)
    return [
        Measured(
            mean([r.value for r in some]), some[0].repeat, frozenset(r.condition for r in some)
        )
        for some in groups.values()
    ]


def names_repeats(records: Sequence[Measured]) -> bool:
    """Whether any of the records names its repeat."""
    return any(record.repeat is not None for record in records)


def mean_of(records: Sequence[Measured]) -> Mean:
    """The mean of at least one record.

    There is no interval below three repeats, or two records where none are named; without any
    spread; and where Student's t would reach below zero for values that never do.
    """
    values = [record.value for record in records]
    centre, units = mean(values), [unit.value for unit in by_repeat(records)]
    n = len(units)
    if n < LEAST_REPEATS and names_repeats(records):
        return Mean(centre, n, None, FEW_REPEATS)
    if n < 2:
        return Mean(centre, n, None, "one value has no interval")
    sd = sample_sd(units)
    if not sd:
        return Mean(centre, n, None, "values without any spread say nothing of the noise")
    low, high = mean_interval(centre, sd, n)
    if low < 0 <= min(values):
        return Mean(centre, n, None, "the values are too skewed for an interval of their mean")
    return Mean(centre, n, (low, high), "")


def alike(a: Sequence[Measured], b: Sequence[Measured]) -> tuple[list[int], list[int]]:
    """The places of the records of each that the other has a like of.

    Where repeats are named, of the same condition, and of the same repeat where any is shared; of
    many conditions, which ones a repeat saw is taken for chance. All, where none are named.
    """
    conditions = [{r.condition for r in side} for side in (a, b)]
    few = max(map(len, conditions)) <= _MATCHED
    named = names_repeats(a) or names_repeats(b)
    shared = {r.repeat for r in a} & {r.repeat for r in b} - {None}
    keys = [
        [(bool(shared) and r.repeat, few and r.condition) if named else None for r in side]
        for side in (a, b)
    ]
    both = set(keys[0]).intersection(keys[1])
    left, right = ([i for i, key in enumerate(side) if key in both] for side in keys)
    return left, right


def difference(
    a: Sequence[Measured], b: Sequence[Measured], level: float
) -> tuple[Difference | None, str]:
    """(mean of a minus mean of b over what is ``alike``, or None; why there is none).

    Without repeats, Welch's test where all have one condition; where both have the same ones
    equally often, these are blocks of a least-squares fit, which takes their differences out of
    the noise.
    """
    a, b = ([side[i] for i in kept] for side, kept in zip((a, b), alike(a, b), strict=True))
    if not a or not b:
        return None, UNLIKE
    if names_repeats(a) or names_repeats(b):
        test, why = _between_repeats(by_repeat(a), by_repeat(b), level)
    else:
        test, why = _between_records(a, b, level)
    if test is not None:
        test = centred(test, mean([r.value for r in a]) - mean([r.value for r in b]))
    return test, "" if test else why


def _between_repeats(
    a: list[Measured], b: list[Measured], level: float
) -> tuple[Difference | None, str]:
    of_b = {unit.repeat: unit.value for unit in b if unit.repeat is not None}
    shared = [unit for unit in a if unit.repeat in of_b]
    if min(len(shared) or len(a), len(b)) < LEAST_REPEATS:
        return None, FEW_REPEATS
    if shared:
        gaps = [unit.value - of_b[unit.repeat] for unit in shared]
        return paired(gaps, level), "the differences have no spread"
    if Counter(unit.condition for unit in a) != Counter(unit.condition for unit in b):
        a, b = ([Measured(unit.value) for unit in side] for side in (a, b))
    return _between_records(a, b, level)


def _between_records(
    a: Sequence[Measured], b: Sequence[Measured], level: float
) -> tuple[Difference | None, str]:
    if min(len(a), len(b)) < 2:
        return None, "one run per configuration has no interval"
    x, y = [r.value for r in a], [r.value for r in b]
    conditions = [[r.condition for r in side] for side in (a, b)]
    if Counter(conditions[0]) != Counter(conditions[1]):
        return None, UNLIKE
    if len(set(conditions[0])) == 1:
        return welch(y, x, level), "the values have no spread"
    sides = [1] * len(x) + [0] * len(y)
    fit = fit_additive(x + y, {"side": sides, "block": [*conditions[0], *conditions[1]]})
    test = fit.contrast("side", 0, 1, level) if fit else None
    return test, "the values have no spread"
