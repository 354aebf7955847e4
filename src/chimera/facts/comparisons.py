"""Who is faster, by how much, and whether that is certain.

Subjects are compared only over the conditions that both were measured under, stratum by
stratum, so that a difference of settings or prompts is never taken for one of models.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from math import isfinite

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Condition, Dataset, Subject, load_of, subject_label
from chimera.facts.fact import Fact
from chimera.facts.measures import Members, headline_scope, mixed_load, warm_of
from chimera.facts.repeats import measured
from chimera.record.vocabulary import metric_better
from chimera.stats.compare import Difference, centred, paired, stratified
from chimera.stats.describe import mean
from chimera.stats.repeats import Measured, difference, level_for, names_repeats, pairs_of

COMPARED = ("decode_throughput", "token_rate", "output_throughput", "ttft", "tpot", "e2e_latency")
_MOST_SUBJECTS = 24  # beyond it, not every pair is compared: they grow with the square


class Comparison(msgspec.Struct, frozen=True):
    """Two subjects on one metric over their shared conditions; ``a`` is the better by its mean.

    ``difference`` is a - b and ``ratio`` larger over smaller, both None when they were never
    measured alike (``why``). ``certain`` says that the interval excludes zero; ``recorded`` is
    False where the files say nothing of settings and prompts.
    """

    metric: str
    a: Subject
    b: Subject
    certain: bool
    difference: Fact | None = None
    ratio: Fact | None = None
    mean_a: Fact | None = None
    mean_b: Fact | None = None
    conditions: Fact | None = None
    why: str = ""
    recorded: bool = True


class _Side(msgspec.Struct):
    """One subject's records of a metric by condition: the members, their values and mean."""

    subject: Subject
    members: dict[Condition, Members]
    records: dict[Condition, list[Measured]]
    means: dict[Condition, float]

    def over(self, shared: list[Condition]) -> float:
        """Mean over conditions of each condition's mean."""
        return mean([self.means[c] for c in shared])


def _side(subject: Subject, members: Members) -> _Side:
    strata: dict[Condition, Members] = {}
    records: dict[Condition, list[Measured]] = {}
    conditions = [sample.condition for sample, _ in members]
    for member, record in zip(members, measured(members, conditions), strict=True):
        strata.setdefault(member[0].condition, []).append(member)
        records.setdefault(member[0].condition, []).append(record)
    means = {c: mean([r.value for r in some]) for c, some in records.items()}
    return _Side(subject, strata, records, means)


def _test(
    a: _Side, b: _Side, shared: list[Condition], level: float
) -> tuple[Difference | None, str]:
    """Their difference a - b and how it was tested, or None and why it was not.

    Between repeats where any are named. Otherwise paired by condition where three or more are
    shared, and by Welch's test within each where fewer are.
    """
    own, others = ([r for c in shared for r in side.records[c]] for side in (a, b))
    if names_repeats(own) or names_repeats(others):
        test, why = difference(own, others, level)
        test = test and centred(test, a.over(shared) - b.over(shared))
        how = "between repeats"
    elif len(shared) >= 3:
        test = paired([a.means[c] - b.means[c] for c in shared], level)
        how, why = "paired by condition", "the differences have no spread"
    else:
        left, right = ([[r.value for r in side.records[c]] for c in shared] for side in (a, b))
        test = stratified(right, left, level)
        how, why = "Welch within each condition", "the values have no spread"
        if any(len(some) < 2 for some in (*left, *right)):
            why = "too few records under shared conditions"
    return test, how if test else why


def compare(
    book: FactBook,
    metric: str,
    unit: str,
    a: tuple[Subject, Members],
    b: tuple[Subject, Members],
    pairs: int = 1,
) -> Comparison:
    """Compare two subjects on one metric; ``pairs`` are compared at once (Bonferroni)."""
    return _compare(book, metric, unit, _side(*a), _side(*b), pairs)


def _compare(book: FactBook, metric: str, unit: str, a: _Side, b: _Side, pairs: int) -> Comparison:
    shared = [c for c in a.means if c in b.means]
    if not shared:
        return Comparison(
            metric, a.subject, b.subject, False, why="never measured under the same conditions"
        )
    mean_a, mean_b = a.over(shared), b.over(shared)
    if (mean_b < mean_a) == (metric_better(metric) == "lower") and mean_a != mean_b:
        a, b, mean_a, mean_b = b, a, mean_b, mean_a
    fact_a = _mean_fact(book, metric, unit, a, b, shared)
    fact_b = _mean_fact(book, metric, unit, b, a, shared)
    test, how = _test(a, b, shared, level_for(pairs))
    about: Subject = (("a", subject_label(a.subject)), ("b", subject_label(b.subject)))
    gap = book.add(
        about,
        metric,
        "difference",
        mean_a - mean_b,
        unit,
        scope="shared conditions",
        n=len(shared),
        ci95=(test.low, test.high) if test else None,
        ci_why="" if test else how,
        operands=(fact_a, fact_b),
        expression="mean(a) - mean(b) over shared conditions"
        + (f", interval: {how}, for {pairs} comparisons together" if test else ""),
        flags=("derived",),
    )
    conditions = book.add(
        about,
        f"shared conditions of {metric}",
        "count",
        len(shared),
        "1",
        n=len(shared),
        operands=(fact_a, fact_b),
        expression="count(conditions that both were measured under)",
    )
    return Comparison(
        metric,
        a.subject,
        b.subject,
        test is not None and test.certain,
        gap,
        _ratio(book, about, metric, fact_a, fact_b, len(shared)),
        fact_a,
        fact_b,
        conditions,
        recorded=any(shared),
    )


def _ratio(
    book: FactBook, about: Subject, metric: str, fact_a: Fact, fact_b: Fact, shared: int
) -> Fact | None:
    """Larger mean over smaller; None unless both are above zero."""
    large, small = fact_a, fact_b
    assert isinstance(large.value, float)
    assert isinstance(small.value, float)
    if large.value < small.value:
        large, small = small, large
    high, low = float(large.value or 0.0), float(small.value or 0.0)
    if low <= 0 or not isfinite(high / low):
        return None
    return book.add(
        about,
        metric,
        "ratio",
        high / low,
        "ratio",
        scope="shared conditions",
        n=shared,
        operands=(large, small),
        ci_why="the interval is that of the difference",
        expression="larger mean / smaller mean over shared conditions",
        flags=("derived",),
    )


def _mean_fact(
    book: FactBook, metric: str, unit: str, side: _Side, other: _Side, shared: list[Condition]
) -> Fact:
    members = [m for c in shared for m in side.members[c]]
    return book.add(
        (*side.subject, ("compared with", subject_label(other.subject))),
        metric,
        "mean",
        side.over(shared),
        unit,
        scope="shared conditions",
        n=len(members),
        origins=origins_of(members),
        ci_why="see the difference",
        expression=f"mean over {len(shared)} conditions of each condition's mean({metric})",
        flags=mixed_load(members),
    )


def comparisons_of(book: FactBook, data: Dataset) -> list[Comparison]:
    """Pairs of named subjects on every metric that both hold, at each load where that varies.

    Every pair up to 24 subjects. Of more, each is compared with the leader and with its
    neighbours in the order of their means; the intervals still allow for every pair, because
    which ones these are is only known from the data.
    """
    found: dict[tuple[str, str], dict[object, list[_Side]]] = {}
    named = [subject for subject in data.by_subject if subject[0][0] == "model"]
    for subject in (p for s in named for p in data.populations(s)):
        for (metric, unit), members in data.measured(subject).items():
            if metric in COMPARED and unit:
                if headline_scope(metric, members) == "warm":
                    members = warm_of(members)
                load = "several" if mixed_load(members) else load_of(members[0][0])
                at = found.setdefault((metric, unit), {})
                at.setdefault(load, []).append(_side(subject, members))
    return [
        _compare(book, metric, unit, a, b, sum(pairs_of(len(sides)) for sides in at.values()))
        for (metric, unit), at in found.items()
        for sides in at.values()
        for a, b in _pairs(metric, sides)
    ]


def _pairs(metric: str, sides: list[_Side]) -> list[tuple[_Side, _Side]]:
    if len(sides) <= _MOST_SUBJECTS:
        return list(combinations(sides, 2))
    sign = 1.0 if metric_better(metric) == "lower" else -1.0
    ranked = sorted(sides, key=lambda s: sign * mean(list(s.means.values())))
    return [(ranked[0], other) for other in ranked[1:]] + list(pairwise(ranked[1:]))
