"""A fact's value computed once more, by other means than those that made it.

Means, deviations and quantiles by the standard library's ``statistics``; sums of effects by
exact arithmetic on fractions; counts by counting the rows.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import sqrt

from chimera.facts.counts import utc_of
from chimera.facts.dataset import Condition, Sample, level_label
from chimera.facts.effects import factors_of
from chimera.facts.fact import Fact, Value
from chimera.facts.folder import Facts
from chimera.facts.raw_cells import Found, Missing, RawCells

_MOST_CELLS = 200_000  # records times levels that exact arithmetic is asked to fit


class NotComputable(Exception):
    """A value that cannot be computed again; the message says why."""


def recomputed(
    facts: Facts, fact: Fact, found: list[Found], operands: Sequence[Fact], cells: RawCells
) -> Value:
    """The value of ``fact`` from the rows ``found`` at its origins.

    Raises NotComputable, and Missing when a row of an operand is not in the folder.
    """
    if fact.subject.get("agent"):
        raise NotComputable("it is about this report, not about rows of the folder")
    if fact.value is None:
        raise NotComputable(fact.why_none or "it has no value")
    if fact.scope == "summary" or fact.statistic == "closest record":
        return _only(found)
    if fact.statistic.startswith("claimed "):
        return _only(found)
    if fact.statistic == "count":
        return _count(fact, found, operands, cells)
    if fact.metric == "last modified":
        return _newest(facts, fact)
    if fact.scope == "shared conditions" and fact.statistic == "mean":
        return _mean_of_means(found)
    if fact.scope == "warm sweep" and fact.statistic == "difference":
        return _contrast(fact, found)
    if fact.statistic == "residual sd":
        return _fit(found)[1]
    if fact.statistic == "difference":
        return _pair(operands, lambda a, b: a - b)
    if fact.statistic in ("ratio", "gap in residual sd"):
        return _pair(operands, lambda a, b: a / b)
    known = _OF_VALUES.get(fact.statistic)
    if known is None:
        raise NotComputable(f"no second way to compute {fact.statistic!r} is known")
    return float(known([Fraction(v) for v in _values(found)]))


def _values(found: list[Found]) -> list[float]:
    values = [f.row.value for f in found]
    if not values or any(v is None for v in values):
        raise Missing("a cell behind it holds no number")
    return [v for v in values if v is not None]


def _only(found: list[Found]) -> float:
    values = _values(found)
    if len(values) != 1:
        raise Missing(f"it is one cell, but {len(values)} are given")
    return values[0]


def _percentile(values: list[Fraction]) -> Fraction:
    """The 95th, as ``statistics`` interpolates within the extremes."""
    if len(values) == 1:
        return values[0]
    return statistics.quantiles(values, n=20, method="inclusive")[18]


# On fractions, which neither round nor overflow.
_OF_VALUES: dict[str, Callable[[list[Fraction]], Fraction | float]] = {
    "mean": statistics.mean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "sd": statistics.stdev,
    "p95": _percentile,
}


def _pair(operands: Sequence[Fact], how: Callable[[float, float], float]) -> float:
    values = [f.value for f in operands]
    if len(values) != 2 or not all(isinstance(v, (int, float)) for v in values):
        raise NotComputable("it needs two facts with numbers")
    first, second = (float(v) for v in values if isinstance(v, (int, float)))
    return how(first, second)


def _sample(found: Found) -> Sample:
    if found.sample is None:
        raise Missing(f"{found.row.place} is no record that counts")
    return found.sample


def _count(fact: Fact, found: list[Found], operands: Sequence[Fact], cells: RawCells) -> int:
    if fact.metric == "configurations":
        return len({_sample(f).parameters for f in found})
    if fact.metric.startswith("levels in "):
        name = fact.subject["parameter"]
        return len({dict(_sample(f).parameters).get(name) for f in found})
    if fact.metric.startswith("shared conditions of "):
        sides = [
            {_sample(f).condition for origin in operand.origins for f in cells.of(origin)}
            for operand in operands
        ]
        return len(set.intersection(*sides)) if sides else 0
    if operands and not found:
        return len({o.file for operand in operands for o in operand.origins})
    if fact.metric == "files with this data note":
        return len({o.file for o in fact.origins})
    return len(found)


def _newest(facts: Facts, fact: Fact) -> str | None:
    kind = fact.subject.get("type")
    times = [f.mtime_ns for f in facts.ingest.files if f.type == kind]
    return utc_of(max(times)) if times else None


def _mean_of_means(found: list[Found]) -> float:
    strata: dict[Condition, list[Fraction]] = {}
    for one, value in zip(found, _values(found), strict=True):
        strata.setdefault(_sample(one).condition, []).append(Fraction(value))
    return float(statistics.mean(statistics.mean(v) for v in strata.values()))


def _contrast(fact: Fact, found: list[Found]) -> float:
    effects, _ = _fit(found)
    name = fact.subject["parameter"]
    a, b = (
        next(v for (factor, level), v in effects.items() if (factor, level_label(level)) == end)
        for end in ((name, fact.subject["from"]), (name, fact.subject["to"]))
    )
    return float(b - a)


def _fit(found: list[Found]) -> tuple[dict[tuple[str, object], Fraction], float]:
    """(effect of each level of each factor, residual standard deviation), by fractions."""
    values = [Fraction(v) for v in _values(found)]
    factors, _ = factors_of([_sample(f) for f in found])
    levels = {name: list(dict.fromkeys(column)) for name, column in factors.items()}
    columns = [(name, level) for name, some in levels.items() for level in some[1:]]
    k = len(columns) + 1
    if k * k * k + len(values) * len(factors) > _MOST_CELLS:
        raise NotComputable("the fit is too large for exact arithmetic")
    place = {column: i + 1 for i, column in enumerate(columns)}
    active = [
        [0, *(place[c] for c in zip(factors, row, strict=True) if c in place)]
        for row in zip(*factors.values(), strict=True)
    ]
    # The normal equations, with the right side as one more column.
    work = [[Fraction(0)] * (k + 1) for _ in range(k)]
    for own, value in zip(active, values, strict=True):
        for i in own:
            for j in own:
                work[i][j] += 1
            work[i][k] += value
    for i in range(k):
        pivot = next((r for r in range(i, k) if work[r][i]), None)
        if pivot is None:
            raise NotComputable("the settings cannot be told apart")
        work[i], work[pivot] = work[pivot], work[i]
        work[i] = [x / work[i][i] for x in work[i]]
        for r in range(k):
            if r != i and work[r][i]:
                factor = work[r][i]
                work[r] = [x - factor * y for x, y in zip(work[r], work[i], strict=True)]
    beta = [row[k] for row in work]
    left = [v - sum(beta[i] for i in own) for own, v in zip(active, values, strict=True)]
    sd = sqrt(sum(r * r for r in left) / (len(values) - k))
    effects: dict[tuple[str, object], Fraction] = {
        (name, some[0]): Fraction(0) for name, some in levels.items()
    }
    effects.update({column: beta[i + 1] for i, column in enumerate(columns)})
    return effects, sd
