"""The difference of two configurations of a subject, as ``chimera.stats.repeats`` has it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import msgspec

from chimera.facts.book import FactBook, describe
from chimera.facts.dataset import Condition, Members, Subject
from chimera.facts.fact import Fact
from chimera.facts.measures import configured
from chimera.facts.repeats import measured
from chimera.stats.compare import Difference
from chimera.stats.repeats import alike, difference

Seen = dict[int, Hashable]  # what each sample was measured under beside its parameters, by identity


class Gap(msgspec.Struct):
    """``test`` of one side minus the other, over the records that both have a like of."""

    test: Difference | None
    why: str
    sides: tuple[Members, Members]


def gap_of(a: Members, b: Members, seen: Seen, level: float) -> Gap:
    """Compare two configurations; where none of their records are alike, they are kept whole."""
    left, right = (measured(side, [seen[id(s)] for s, _ in side]) for side in (a, b))
    test, why = difference(left, right, level)
    places = alike(left, right)
    if all(places):
        a, b = ([side[i] for i in kept] for side, kept in zip((a, b), places, strict=True))
    return Gap(test, why, (a, b))


def gap_facts(
    book: FactBook,
    about: Subject,
    what: tuple[Subject, str, str],
    conditions: Sequence[Condition],
    gap: Gap,
    scope: str,
) -> tuple[Fact, Fact, Fact]:
    """(mean of one, mean of the other, their difference); ``what``: (subject, metric, unit)."""
    subject, metric, unit = what
    one, other = (
        _mean_fact(book, configured(subject, condition), metric, unit, members)
        for condition, members in zip(conditions, gap.sides, strict=True)
    )
    assert isinstance(one.value, float)
    assert isinstance(other.value, float)
    return (
        one,
        other,
        book.add(
            about,
            metric,
            "difference",
            one.value - other.value,
            unit,
            scope=scope,
            n=sum(map(len, gap.sides)),
            ci95=(gap.test.low, gap.test.high) if gap.test else None,
            ci_why=gap.why,
            operands=(one, other),
            expression="mean(one configuration) - mean(the other), interval for all pairs that "
            "were looked at together (Bonferroni)",
            flags=("derived",),
        ),
    )


def _mean_fact(book: FactBook, about: Subject, metric: str, unit: str, members: Members) -> Fact:
    """The mean of a configuration over exactly these members."""
    facts = (book.find(about, metric, "mean", scope) for scope in ("all", "warm"))
    found = next((f for f in facts if f is not None and f.n == len(members)), None)
    if found is not None and found.unit == unit:
        return found
    return describe(book, about, metric, unit, members, scope="measured alike", full=False)
