"""What each parameter does, and what cannot be told: sweeps of settings, one table at a time.

Effects are contrasts of an additive least-squares fit on warm records, with intervals widened
for the number of contrasts looked at (Bonferroni). A parameter whose cold starts all fall on
one level is confounded with them; parameters that change together are not separated at all.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Condition, Dataset, Sample, Subject, condition_label
from chimera.facts.fact import Fact
from chimera.facts.measures import Members, configured, members_of
from chimera.facts.stats.compare import Additive, fit_additive, welch
from chimera.facts.stats.describe import mean
from chimera.record.vocabulary import metric_better

RESPONSES = ("decode_throughput", "token_rate", "output_throughput", "ttft")
_MAX_LEVELS = 12
_LEVEL = 0.95


class Effect(msgspec.Struct, frozen=True):
    """The largest contrast of one parameter on one metric, on warm records.

    ``certain`` when its interval excludes zero. ``difference`` is ``high`` minus ``low`` level.
    """

    parameter: str
    metric: str
    certain: bool
    low: str
    high: str
    difference: Fact
    levels: Fact


class ColdByLevel(msgspec.Struct, frozen=True):
    """How the cold starts of a sweep fall on one parameter.

    ``all_on`` is the level that holds them all, if one does; ``warm_there`` counts the warm
    records that this level has left.
    """

    parameter: str
    total: Fact
    all_on: str
    at_level: Fact
    warm_there: Fact


class Best(msgspec.Struct, frozen=True):
    """The highest configuration and its runner-up. ``gap_sd`` is their gap in residual sd."""

    metric: str
    first: Fact
    second: Fact
    gap: Fact
    gap_sd: Fact | None
    residual: Fact | None
    certain: bool
    first_label: str
    second_label: str


class Sweep(msgspec.Struct, frozen=True):
    """One subject in several configurations of one table or several."""

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
    """Every subject that some table measured in at least three configurations."""
    sweeps = []
    for subject in data.by_subject:
        tables: dict[int, list[Sample]] = {}
        for sample in data.by_subject[subject]:
            if sample.phase != "warm-up":
                tables.setdefault(id(sample.batch), []).append(sample)
        swept = [
            s
            for members in tables.values()
            if len({x.parameters for x in members}) >= 3
            for s in members
        ]
        if swept:
            sweep = _sweep(book, subject, swept)
            if sweep:
                sweeps.append(sweep)
    return sweeps


def _levels(samples: list[Sample]) -> dict[str, list[Any]]:
    """For each parameter that varies, its level in every sample (None where not set)."""
    names = list(dict.fromkeys(k for s in samples for k, _ in s.parameters))
    found = {}
    for name in names:
        levels = [dict(s.parameters).get(name) for s in samples]
        if 2 <= len(set(levels)) <= _MAX_LEVELS:
            found[name] = levels
    return found


def _sweep(book: FactBook, subject: Subject, samples: list[Sample]) -> Sweep | None:
    levels = _levels(samples)
    if not levels:
        return None
    groups: dict[Condition, int] = {}
    for sample in samples:
        groups[sample.parameters] = groups.get(sample.parameters, 0) + 1
    members = _key_members(samples)
    configurations = book.add(
        subject,
        "configurations",
        "count",
        len(groups),
        "1",
        scope="sweep",
        n=len(samples),
        origins=origins_of(members),
        expression="count(distinct settings of " + ", ".join(levels) + ")",
    )
    records = book.add(
        subject,
        "records in the sweep",
        "count",
        len(samples),
        "1",
        scope="sweep",
        n=len(samples),
        origins=origins_of(members),
        expression="count(records of the sweep, failed ones too)",
    )
    good = [s for s in samples if not s.failure]
    together = _changing_together(levels)
    measured = members_of(good)
    effects: list[Effect] = []
    best: list[Best] = []
    for (metric, unit), values in measured.items():
        if metric not in RESPONSES or not unit:
            continue
        warm = [(s, c) for s, c in values if s.phase != "cold"]
        effects.extend(_effects(book, subject, metric, unit, warm, len(levels)))
        if metric_better(metric) == "higher":
            top = _best(book, subject, metric, unit, values)
            if top:
                best.append(top)
    return Sweep(
        subject,
        tuple(levels),
        configurations,
        records,
        max(groups.values()) == 1,
        _fixed_order(samples, levels),
        tuple(effects),
        tuple(_cold_by_level(book, subject, good, levels)),
        tuple(best),
        together,
    )


def _key_members(samples: list[Sample]) -> Members:
    """Each sample with one column of its table, to say where it stands."""
    return [(s, s.batch.metrics()[0]) for s in samples if s.batch.metrics()]


def _changing_together(levels: dict[str, list[Any]]) -> tuple[tuple[str, str], ...]:
    """Pairs of parameters of which each level of one goes with one level of the other."""
    return tuple(
        (a, b)
        for a, b in combinations(levels, 2)
        if len(set(zip(levels[a], levels[b], strict=True)))
        == len(set(levels[a]))
        == len(set(levels[b]))
    )


def _fixed_order(samples: list[Sample], levels: dict[str, list[Any]]) -> tuple[str, ...]:
    """Parameters that were run in one block a level: drift cannot be told from them."""
    fixed = []
    for name, values in levels.items():
        changes = sum(1 for a, b in zip(values, values[1:], strict=False) if a != b)
        if changes == len(set(values)) - 1 and len(values) > 2 * len(set(values)):
            fixed.append(name)
    return tuple(fixed)


def _fit(members: Members) -> tuple[Additive | None, dict[str, list[Any]]]:
    """The fit and the parameters' levels; prompts that differ are a factor of their own."""
    samples = [s for s, _ in members]
    levels = _levels(samples)
    factors: dict[str, list[Any]] = dict(levels)
    prompts = [s.prompt for s in samples]
    if 2 <= len(set(prompts)) <= _MAX_LEVELS:
        factors["prompt"] = prompts
    return fit_additive([c.values[s.index] for s, c in members], factors), levels


def _without_prompt(groups: list[Members]) -> list[list[float]]:
    """The values of each group less the mean of their prompt over all groups."""
    by_prompt: dict[str, list[float]] = {}
    for members in groups:
        for s, c in members:
            by_prompt.setdefault(s.prompt, []).append(c.values[s.index])
    means = {prompt: mean(values) for prompt, values in by_prompt.items()}
    return [[c.values[s.index] - means[s.prompt] for s, c in members] for members in groups]


def _effects(
    book: FactBook, subject: Subject, metric: str, unit: str, warm: Members, parameters: int
) -> list[Effect]:
    if len(warm) < 4:
        return []
    fit, levels = _fit(warm)
    if fit is None or fit.df < 3 or fit.sd == 0:
        return []
    looked_at = sum(len(set(v)) * (len(set(v)) - 1) // 2 for v in levels.values())
    level = 1.0 - (1.0 - _LEVEL) / max(1, looked_at)
    effects = []
    origins = origins_of(warm)
    for name, values in levels.items():
        distinct = sorted(set(values), key=lambda v: (str(type(v)), v))
        contrasts = [
            (fit.contrast(name, a, b, level), a, b) for a, b in combinations(distinct, 2)
        ]
        widest = max(contrasts, key=lambda c: abs(c[0].value))
        certain = [c for c in contrasts if c[0].certain]
        chosen, a, b = max(certain, key=lambda c: abs(c[0].value)) if certain else widest
        count = book.add(
            (*subject, ("parameter", name)),
            f"levels in {metric}",
            "count",
            len(distinct),
            "1",
            scope="warm sweep",
            n=len(warm),
            origins=origins,
            expression=f"count(levels of {name} among warm records)",
        )
        difference = book.add(
            (*subject, ("parameter", name), ("from", str(a)), ("to", str(b))),
            metric,
            "difference",
            chosen.value,
            unit,
            scope="warm sweep",
            n=len(warm),
            ci95=(chosen.low, chosen.high),
            origins=origins,
            expression=f"additive fit of {metric} on {', '.join(levels)}: {name}={b} minus "
            f"{name}={a}; interval for {looked_at} contrasts together (Bonferroni)",
            flags=("derived",),
        )
        effects.append(Effect(name, metric, bool(certain), str(a), str(b), difference, count))
    return effects


def _cold_by_level(
    book: FactBook, subject: Subject, good: list[Sample], levels: dict[str, list[Any]]
) -> list[ColdByLevel]:
    cold = [s for s in good if s.phase == "cold"]
    if len(cold) < 2:
        return []
    found = []
    for name in levels:
        at = {str(dict(s.parameters).get(name)) for s in cold}
        if len(at) != 1:
            continue
        level = at.pop()
        there = [s for s in good if str(dict(s.parameters).get(name)) == level]
        warm = [s for s in there if s.phase != "cold"]

        def count(metric: str, members: list[Sample], name: str = name, level: str = level) -> Fact:
            return book.add(
                (*subject, ("parameter", name), ("level", level)),
                metric,
                "count",
                len(members),
                "1",
                scope="sweep",
                n=len(members),
                origins=origins_of(_key_members(members)),
                expression=f"count({metric})",
            )

        found.append(
            ColdByLevel(
                name,
                count("cold starts in the sweep", cold),
                level,
                count("records at that level", there),
                count("warm records at that level", warm),
            )
        )
    return found


def _best(
    book: FactBook, subject: Subject, metric: str, unit: str, members: Members
) -> Best | None:
    groups: dict[Condition, Members] = {}
    for sample, column in members:
        groups.setdefault(sample.parameters, []).append((sample, column))
    average = {c: mean([k.values[s.index] for s, k in m]) for c, m in groups.items()}
    ranked = sorted(groups, key=lambda c: -average[c])
    if len(ranked) < 2:
        return None
    first, second = (book.find(configured(subject, c), metric, "mean") for c in ranked[:2])
    if first is None or second is None:
        return None
    names = _config_names(members)
    labels = [names.get(c, condition_label(c)) for c in ranked[:2]]
    values = _without_prompt([groups[c] for c in ranked[:2]])
    test = welch(values[1], values[0])
    value = average[ranked[0]] - average[ranked[1]]
    gap = book.add(
        (*subject, ("first", labels[0]), ("second", labels[1])),
        metric,
        "difference",
        value,
        unit,
        scope="best and runner-up",
        n=len(values[0]) + len(values[1]),
        ci95=(test.low, test.high) if test else None,
        ci_why="" if test else "one run per configuration has no interval",
        operands=(first, second),
        expression="mean(first configuration) - mean(second configuration)",
        flags=("derived",),
    )
    fit, _ = _fit(members)
    residual = gap_sd = None
    if fit is not None and fit.sd > 0:
        residual = book.add(
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
        gap_sd = book.add(
            (*subject, ("first", labels[0]), ("second", labels[1])),
            metric,
            "gap in residual sd",
            value / fit.sd,
            "ratio",
            scope="best and runner-up",
            n=len(members),
            operands=(gap, residual),
            expression="gap / residual sd",
            flags=("derived",),
        )
    certain = test is not None and test.certain
    return Best(metric, first, second, gap, gap_sd, residual, certain, labels[0], labels[1])


def _config_names(members: Members) -> dict[Condition, str]:
    """The files' own names of configurations, where they have some."""
    names: dict[Condition, str] = {}
    for sample, _ in members:
        column = sample.batch.column("config", role="identity")
        if column is not None and column.values[sample.index]:
            names[sample.parameters] = str(column.values[sample.index])
    return names
