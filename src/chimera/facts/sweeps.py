"""What each parameter does, and what cannot be told: sweeps of settings, one table at a time.

Effects are contrasts of an additive least-squares fit on warm records, with intervals widened
for the number of contrasts looked at (Bonferroni). A parameter whose cold starts all fall on
one level is confounded with them; parameters that change together are not separated at all.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import msgspec

from chimera.facts.book import FactBook, row_origins
from chimera.facts.dataset import Condition, Dataset, Sample, Subject, level_label
from chimera.facts.effects import Effect, Levels, effects_of, levels_of
from chimera.facts.fact import Fact
from chimera.facts.leading import Best, best_of
from chimera.facts.measures import members_of, warm_of
from chimera.record.vocabulary import metric_better

__all__ = ["RESPONSES", "Best", "ColdByLevel", "Effect", "Sweep", "sweeps_of"]

RESPONSES = ("decode_throughput", "token_rate", "output_throughput", "ttft")


class ColdByLevel(msgspec.Struct, frozen=True):
    """How the cold starts of a sweep fall on one parameter.

    ``all_on`` is the level that holds them all; ``warm_there`` counts the warm records that
    this level has left.
    """

    parameter: str
    total: Fact
    all_on: str
    at_level: Fact
    warm_there: Fact


class Sweep(msgspec.Struct, frozen=True):
    """One subject in several configurations of one table or several.

    ``fixed_order`` are the parameters that were run one level after the other, ``together`` the
    pairs that always change at once.
    """

    subject: Subject
    parameters: tuple[str, ...]
    configurations: Fact
    records: Fact
    one_run_each: bool
    fixed_order: tuple[str, ...]
    effects: tuple[Effect, ...]
    cold: tuple[ColdByLevel, ...]
    best: tuple[Best, ...]
    together: tuple[tuple[str, str], ...]


def sweeps_of(book: FactBook, data: Dataset) -> list[Sweep]:
    """Every subject that some table measured in two configurations or more."""
    sweeps = []
    for subject in data.by_subject:
        tables: dict[int, list[Sample]] = {}
        for sample in data.by_subject[subject]:
            if sample.phase != "warm-up":
                tables.setdefault(id(sample.batch), []).append(sample)
        swept = [
            s
            for members in tables.values()
            if len({x.parameters for x in members}) >= 2
            for s in members
        ]
        sweep = _sweep(book, data.populations(subject), subject, swept) if swept else None
        if sweep:
            sweeps.append(sweep)
    return sweeps


def _count(book: FactBook, about: Subject, metric: str, samples: list[Sample], how: str) -> Fact:
    return book.add(
        about,
        metric,
        "count",
        len(samples),
        "1",
        scope="sweep",
        n=len(samples),
        origins=row_origins(samples),
        expression=how,
    )


def _sweep(
    book: FactBook, populations: list[Subject], subject: Subject, samples: list[Sample]
) -> Sweep | None:
    levels = levels_of(samples)
    if not levels:
        return None
    groups: dict[Condition, int] = {}
    for sample in samples:
        groups[sample.parameters] = groups.get(sample.parameters, 0) + 1
    how = "count(records of the sweep, failed ones too)"
    records = _count(book, subject, "records in the sweep", samples, how)
    configurations = book.add(
        subject,
        "configurations",
        "count",
        len(groups),
        "1",
        scope="sweep",
        n=len(samples),
        origins=records.origins,
        expression="count(distinct settings of " + ", ".join(levels) + ")",
    )
    good = [s for s in samples if not s.failure]
    effects: list[Effect] = []
    best: list[Best] = []
    for (metric, unit), members in members_of(good).items():
        if metric in RESPONSES and unit:
            what = (subject, metric, unit)
            higher = metric_better(metric) == "higher"
            tops = best_of(book, populations, what, members) if higher else []
            best.extend(tops)
            effects.extend(effects_of(book, what, warm_of(members), [top.gap for top in tops]))
    return Sweep(
        subject,
        tuple(levels),
        configurations,
        records,
        max(groups.values()) == 1,
        _fixed_order(levels),
        tuple(effects),
        tuple(_cold_by_level(book, subject, good, levels)),
        tuple(best),
        _changing_together(levels),
    )


def _changing_together(levels: Levels) -> tuple[tuple[str, str], ...]:
    """Pairs of parameters of which each level of one goes with one level of the other."""
    return tuple(
        (a, b)
        for a, b in combinations(levels, 2)
        if len(set(zip(levels[a], levels[b], strict=True)))
        == len(set(levels[a]))
        == len(set(levels[b]))
    )


def _fixed_order(levels: Levels) -> tuple[str, ...]:
    """Parameters that were run in one block a level: drift cannot be told from them."""
    fixed = []
    for name, values in levels.items():
        changes = sum(1 for a, b in pairwise(values) if a != b)
        if changes == len(set(values)) - 1 and len(values) > 2 * len(set(values)):
            fixed.append(name)
    return tuple(fixed)


def _cold_by_level(
    book: FactBook, subject: Subject, good: list[Sample], levels: Levels
) -> list[ColdByLevel]:
    """The parameters of which one level holds all cold starts, two or more of them."""
    cold = [s for s in good if s.phase == "cold"]
    if len(cold) < 2:
        return []
    found = []
    for name in levels:
        at = {dict(s.parameters).get(name) for s in cold}
        if len(at) != 1:
            continue
        level = at.pop()
        there = [s for s in good if dict(s.parameters).get(name) == level]
        warm = [s for s in there if s.phase != "cold"]
        about = (*subject, ("parameter", name), ("level", level_label(level)))
        counts = [
            _count(book, about, metric, members, f"count({metric})")
            for metric, members in (
                ("cold starts in the sweep", cold),
                ("records at that level", there),
                ("warm records at that level", warm),
            )
        ]
        found.append(ColdByLevel(name, counts[0], level_label(level), counts[1], counts[2]))
    return found
