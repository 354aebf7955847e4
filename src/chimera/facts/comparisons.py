"""Who is faster, by how much, and whether that is certain.

Subjects are compared only over the conditions that both were measured under, stratum by
stratum, so that a difference of settings or prompts is never taken for one of models.
"""

from __future__ import annotations

from itertools import combinations

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Condition, Dataset, Sample, Subject, subject_label
from chimera.facts.fact import Fact
from chimera.facts.measures import Members, headline_scope, members_of
from chimera.facts.stats.compare import Difference, paired, welch
from chimera.facts.stats.describe import mean
from chimera.record.batch import Column
from chimera.record.vocabulary import metric_better

COMPARED = ("decode_throughput", "token_rate", "output_throughput", "ttft", "tpot", "e2e_latency")


class Comparison(msgspec.Struct, frozen=True):
    """Two subjects on one metric over their shared conditions; ``a`` is the better by its mean.

    ``difference`` is a - b and ``ratio`` larger over smaller, both None when they were never
    measured alike (``why``). ``certain`` says that the interval excludes zero.
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


def _strata(members: Members) -> dict[Condition, list[tuple[Sample, Column]]]:
    strata: dict[Condition, list[tuple[Sample, Column]]] = {}
    for sample, column in members:
        strata.setdefault(sample.condition, []).append((sample, column))
    return strata


def _values(members: list[tuple[Sample, Column]]) -> list[float]:
    return [c.values[s.index] for s, c in members]


def _test(
    a: dict[Condition, list[tuple[Sample, Column]]],
    b: dict[Condition, list[tuple[Sample, Column]]],
    shared: list[Condition],
    level: float,
) -> tuple[Difference | None, str]:
    """Paired by condition where three or more are shared, Welch within one otherwise."""
    if len(shared) >= 3:
        gaps = [mean(_values(a[c])) - mean(_values(b[c])) for c in shared]
        return paired(gaps, level), "paired by condition"
    va = [v for c in shared for v in _values(a[c])]
    vb = [v for c in shared for v in _values(b[c])]
    if len(shared) > 1 and any(len(a[c]) != len(b[c]) for c in shared):
        return None, "too few conditions"
    return welch(vb, va, level), "Welch"


def compare(
    book: FactBook,
    metric: str,
    unit: str,
    a: tuple[Subject, Members],
    b: tuple[Subject, Members],
    pairs: int = 1,
) -> Comparison:
    """Compare two subjects on one metric; ``pairs`` are compared at once (Bonferroni)."""
    strata_a, strata_b = _strata(a[1]), _strata(b[1])
    shared = [c for c in strata_a if c in strata_b]
    if not shared:
        return Comparison(metric, a[0], b[0], False, why="never measured under the same conditions")
    in_a = [m for c in shared for m in strata_a[c]]
    in_b = [m for c in shared for m in strata_b[c]]
    mean_a = mean([mean(_values(strata_a[c])) for c in shared])
    mean_b = mean([mean(_values(strata_b[c])) for c in shared])
    lower = metric_better(metric) == "lower"
    if (mean_b < mean_a) == lower and mean_a != mean_b:
        a, b, strata_a, strata_b = b, a, strata_b, strata_a
        in_a, in_b, mean_a, mean_b = in_b, in_a, mean_b, mean_a
    difference, method = _test(strata_a, strata_b, shared, 1.0 - 0.05 / pairs)
    fact_a = _side(book, metric, unit, a[0], mean_a, in_a, b[0], len(shared))
    fact_b = _side(book, metric, unit, b[0], mean_b, in_b, a[0], len(shared))
    about: Subject = (("a", subject_label(a[0])), ("b", subject_label(b[0])))
    ci = (difference.low, difference.high) if difference else None
    gap = book.add(
        about,
        metric,
        "difference",
        mean_a - mean_b,
        unit,
        scope="shared conditions",
        n=len(shared),
        ci95=ci,
        ci_why="" if ci else "too few records under shared conditions",
        operands=(fact_a, fact_b),
        expression=f"mean(a) - mean(b) over shared conditions, interval: {method}, "
        f"for {pairs} comparisons together",
        flags=("derived",),
    )
    ratio = None
    large, small = max(mean_a, mean_b), min(mean_a, mean_b)
    if small > 0:
        ratio = book.add(
            about,
            metric,
            "ratio",
            large / small,
            "ratio",
            scope="shared conditions",
            n=len(shared),
            operands=(fact_a, fact_b) if mean_a >= mean_b else (fact_b, fact_a),
            ci_why="the interval is that of the difference",
            expression="larger mean / smaller mean over shared conditions",
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
    certain = difference is not None and difference.certain
    return Comparison(metric, a[0], b[0], certain, gap, ratio, fact_a, fact_b, conditions)


def _side(
    book: FactBook,
    metric: str,
    unit: str,
    subject: Subject,
    value: float,
    members: list[tuple[Sample, Column]],
    other: Subject,
    shared: int,
) -> Fact:
    return book.add(
        (*subject, ("compared with", subject_label(other))),
        metric,
        "mean",
        value,
        unit,
        scope="shared conditions",
        n=len(members),
        origins=origins_of(members),
        ci_why="see the difference",
        expression=f"mean over {shared} conditions of each condition's mean({metric})",
    )


def comparisons_of(book: FactBook, data: Dataset) -> list[Comparison]:
    """Every pair of named subjects on every metric that both hold."""
    found: dict[tuple[str, str], dict[Subject, Members]] = {}
    for subject in data.by_subject:
        if subject[0][0] != "model":
            continue
        for (metric, unit), members in members_of(data.good(subject)).items():
            if metric in COMPARED and unit:
                if headline_scope(metric, members) == "warm":
                    members = [(s, c) for s, c in members if s.phase != "cold"]
                found.setdefault((metric, unit), {})[subject] = members
    return [
        compare(
            book,
            metric,
            unit,
            (a, subjects[a]),
            (b, subjects[b]),
            len(subjects) * (len(subjects) - 1) // 2,
        )
        for (metric, unit), subjects in found.items()
        for a, b in combinations(subjects, 2)
    ]
