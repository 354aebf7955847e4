"""The highest configuration of a sweep and its runner-up, and whether they can be told apart."""

from __future__ import annotations

from collections import Counter

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Condition, Members, Subject, condition_label, load_of
from chimera.facts.effects import fit_of, seen_by
from chimera.facts.fact import Fact
from chimera.facts.gaps import gap_facts, gap_of
from chimera.facts.measures import headline_scope, warm_of
from chimera.stats.describe import mean
from chimera.stats.repeats import leaders_of, level_for

_SCOPE = "best and runner-up"


class Best(msgspec.Struct, frozen=True):
    """The highest configuration and its runner-up. ``gap_sd`` is their gap in residual sd.

    ``gap_sd`` and ``residual`` are None where no additive fit of the settings is possible. ``load``
    is that of both, () where all records have one load.
    """

    metric: str
    first: Fact
    second: Fact
    gap: Fact
    gap_sd: Fact | None
    residual: Fact | None
    certain: bool
    first_label: str
    second_label: str
    load: Subject = ()


def best_of(
    book: FactBook,
    populations: list[Subject],
    what: tuple[Subject, str, str],
    members: Members,
) -> list[Best]:
    """At each load, the two configurations with the highest means, where there are two.

    ``what`` is (subject, metric, unit); the ``populations`` are those of the subject.
    The intervals allow for the leader's pairs with each of the others (Bonferroni).
    """
    subject, metric, unit = what
    if headline_scope(metric, members) == "warm":
        members = warm_of(members)
    loads = [(p[len(subject) :], _at(members, p[len(subject) :])) for p in populations]
    level = level_for(leaders_of([len(groups) for _, groups in loads if groups]))
    residual = _residual(book, subject, metric, unit, members)
    names, seen = _config_names(members), seen_by([s for s, _ in members])
    found = []
    for load, groups in loads:
        ranked = sorted(groups, key=lambda c: -mean(_values(groups[c])))[:2]
        if len(ranked) == 2:
            gap = gap_of(groups[ranked[0]], groups[ranked[1]], seen, level)
            labels = [names.get(c, condition_label(c)) for c in ranked]
            both: Subject = (*subject, ("first", labels[0]), ("second", labels[1]))
            facts = gap_facts(book, both, what, ranked, gap, _SCOPE)
            gap_sd = None if residual is None else _gap_sd(book, both, facts[2], residual)
            certain = gap.test is not None and gap.test.low > 0
            top = Best(metric, *facts, gap_sd, residual, certain, labels[0], labels[1], load)
            found.append(top)
    return found


def _at(members: Members, load: Subject) -> dict[Condition, Members]:
    """The members at one load, by configuration."""
    names = tuple(name for name, _ in load)
    groups: dict[Condition, Members] = {}
    for member in members:
        if load_of(member[0], names) == load:
            groups.setdefault(member[0].parameters, []).append(member)
    return groups


def _values(members: Members) -> list[float]:
    return [c.values[s.index] for s, c in members]


def _residual(
    book: FactBook, subject: Subject, metric: str, unit: str, members: Members
) -> Fact | None:
    fit, _ = fit_of(members)
    if fit is None or fit.sd == 0:
        return None
    return book.add(
        subject,
        metric,
        "residual sd",
        fit.sd,
        unit,
        scope="sweep",
        n=len(members),
        origins=origins_of(members),
        ci_why="not computed",
        expression="standard deviation of what an additive fit of the settings leaves over",
        flags=("derived",),
    )


def _gap_sd(book: FactBook, about: Subject, gap: Fact, residual: Fact) -> Fact:
    assert isinstance(gap.value, float)
    assert isinstance(residual.value, float)
    return book.add(
        about,
        gap.metric,
        "gap in residual sd",
        gap.value / residual.value,
        "ratio",
        scope=_SCOPE,
        n=residual.n,
        operands=(gap, residual),
        expression="gap / residual sd",
        flags=("derived",),
    )


def _config_names(members: Members) -> dict[Condition, str]:
    """The files' own names of configurations, where each names one only."""
    names: dict[Condition, dict[str, None]] = {}
    for sample, _ in members:
        column = sample.batch.column("config", role="identity")
        if column is not None and column.values[sample.index]:
            names.setdefault(sample.parameters, {})[str(column.values[sample.index])] = None
    taken = Counter(name for found in names.values() for name in found)
    return {
        condition: next(iter(found))
        for condition, found in names.items()
        if len(found) == 1 and taken[next(iter(found))] == 1
    }
