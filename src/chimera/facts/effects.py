"""What each parameter of a sweep does: contrasts of an additive fit on warm records.

Prompts, parameters with many levels and columns that may be settings are blocks of the fit, so
that what they do is not taken for the effect of a parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import combinations
from math import isclose
from typing import Any

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Members, Sample, Subject, in_order, level_label
from chimera.facts.fact import Fact
from chimera.facts.gaps import Gap, Seen, gap_facts, gap_of
from chimera.facts.repeats import measured
from chimera.stats.additive import Additive, fit_additive
from chimera.stats.compare import Difference, centred
from chimera.stats.describe import mean
from chimera.stats.repeats import LEAST_REPEATS, Measured, level_for, names_repeats, pairs_of

MAX_LEVELS = 12
_MAX_BLOCKS = 60
_LEAST_DF = 3
Levels = dict[str, list[Any]]


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


def levels_of(samples: Sequence[Sample]) -> Levels:
    """For each parameter with 2 to 12 levels, its level in every sample (None where not set)."""
    return {k: v for k, v in _all_levels(samples).items() if 2 <= len(set(v)) <= MAX_LEVELS}


def _all_levels(samples: Sequence[Sample]) -> Levels:
    settings = [dict(s.parameters) for s in samples]
    names = dict.fromkeys(k for s in settings for k in s)
    return {name: [s.get(name) for s in settings] for name in names}


def _is_given_by(inner: Sequence[object], outer: Sequence[object]) -> bool:
    """Whether each value of ``outer`` goes with one value of ``inner`` only."""
    return len(set(zip(outer, inner, strict=True))) == len(set(outer))


def blocks_of(samples: Sequence[Sample]) -> Levels:
    """What else differs among samples: prompts, and columns that may be settings.

    A column that follows from the parameters is only another name of them and is left out.
    """
    blocks: Levels = {"prompt": [s.prompt for s in samples]}
    settings = [s.parameters for s in samples]
    others = [dict(s.other) for s in samples]
    for name in dict.fromkeys(k for o in others for k in o):
        values = [o.get(name) for o in others]
        if not _is_given_by(values, settings):
            blocks[f"column {name}"] = values
    return {k: v for k, v in blocks.items() if len(set(v)) > 1}


def factors_of(samples: Sequence[Sample]) -> tuple[Levels, Levels]:
    """(the factors of a fit, those parameters among them that it can speak of).

    A parameter that follows from a block with too many levels for the fit (more than 60, or
    than half the records) cannot be told from it, and is only fitted.
    """
    every = _all_levels(samples)
    levels = {k: v for k, v in every.items() if 2 <= len(set(v)) <= MAX_LEVELS}
    blocks = blocks_of(samples)
    # A seed of its own for each run is chance itself, not something that was set.
    blocks.update(
        (f"many {k}", v) for k, v in every.items() if len(set(v)) > MAX_LEVELS and k != "seed"
    )
    factors = dict(levels)
    room = min(_MAX_BLOCKS, len(samples) // 2)
    for name, values in sorted(blocks.items(), key=lambda kv: len(set(kv[1]))):
        if len(set(values)) <= room:
            factors[name] = values
            room -= len(set(values)) - 1
        else:
            levels = {k: v for k, v in levels.items() if not _is_given_by(v, values)}
    return factors, levels


def fit_of(members: Members) -> tuple[Additive | None, Levels]:
    """The additive fit of a metric, and the levels of the parameters that it can speak of.

    The fit is None where the records do not allow one.
    """
    factors, levels = factors_of([s for s, _ in members])
    return fit_additive([c.values[s.index] for s, c in members], factors), levels


def seen_by(samples: Sequence[Sample]) -> Seen:
    """What differs among the samples beside the parameters, for each by its identity."""
    blocks = blocks_of(samples)
    rows = zip(*blocks.values(), strict=True) if blocks else ((),) * len(samples)
    return dict(zip(map(id, samples), rows, strict=True))


def effects_of(
    book: FactBook, what: tuple[Subject, str, str], warm: Members, leads: list[Fact]
) -> list[Effect]:
    """The largest contrast of each parameter; a certain one before a larger uncertain one.

    ``what`` is (subject, metric, unit). A difference that is one of ``leads``, those of the leading
    configurations, has the interval that it has there. Empty where the fit leaves fewer than three
    degrees of freedom. The intervals allow for all contrasts of the metric together (Bonferroni),
    and are those of ``chimera.stats.repeats``.
    """
    if len(warm) < _LEAST_DF + 1:
        return []
    subject, metric, unit = what
    fit, levels = fit_of(warm)
    if fit is None or fit.df < _LEAST_DF:
        return []
    level = level_for(sum(pairs_of(len(set(v))) for v in levels.values()))
    settings = {s.parameters for s, _ in warm}
    if len(levels) == 1 and [len(set(v)) for v in levels.values()] == [len(settings)]:
        return _of_one(book, what, warm, levels, level, leads)
    contrast = _contrast(warm, fit, levels)
    effects = []
    for name, values in levels.items():
        distinct = in_order(set(values))
        found: list[tuple[Difference, Any, Any]] = [
            (_known(test, leads), a, b)
            for a, b in combinations(distinct, 2)
            if (test := contrast(name, a, b, level)) is not None
        ]
        if not found:
            continue
        certain = [c for c in found if c[0].certain]
        test, low, high = max(certain or found, key=lambda c: abs(c[0].value))
        a, b = level_label(low), level_label(high)
        about = (*subject, ("parameter", name), ("from", a), ("to", b))
        gap = book.add(
            about,
            metric,
            "difference",
            test.value,
            unit,
            scope="warm sweep",
            n=len(warm),
            ci95=(test.low, test.high),
            origins=origins_of(warm),
            expression=f"additive fit of {metric} on {', '.join(levels)}: {name}={b} "
            f"minus {name}={a}; interval for all contrasts together (Bonferroni)",
            flags=("derived",),
        )
        count = _count(book, (subject, metric), warm, name, len(distinct))
        effects.append(Effect(name, metric, bool(certain), a, b, gap, count))
    return effects


def _known(test: Difference, leads: list[Fact]) -> Difference:
    """``test`` with the interval of the same difference among ``leads``, if it is there."""
    for lead in leads:
        value, bounds = lead.value, lead.ci95
        if isinstance(value, float) and bounds and isclose(abs(value), abs(test.value)):
            low, high = bounds if (value > 0) == (test.value > 0) else (-bounds[1], -bounds[0])
            return Difference(test.value, low, high, test.df, test.p)
    return test


def _contrast(
    warm: Members, fit: Additive, levels: Levels
) -> Callable[[str, Any, Any, float], Difference | None]:
    """What gives the interval of a contrast: the fit of the records where no repeats are named.

    Otherwise the repeats: those that hold all levels, or a fit of their means.
    """
    records = measured(warm, [s.prompt for s, _ in warm])
    if not names_repeats(records):
        return fit.contrast
    held: dict[Hashable, set[tuple[str, Any]]] = {}
    for i, record in enumerate(records):
        held.setdefault(record.repeat, set()).update((n, v[i]) for n, v in levels.items())
    every = set().union(*held.values())
    if None not in held and sum(found == every for found in held.values()) >= LEAST_REPEATS:
        scores = fit.scores([record.repeat for record in records])
        return lambda name, a, b, level: fit.between(name, a, b, scores, level)
    noise = _of_means(records, levels) if len(held) >= LEAST_REPEATS else None

    def contrast(name: str, a: Any, b: Any, level: float) -> Difference | None:
        test = noise.contrast(name, a, b, level) if noise else None
        return test and centred(test, fit.difference(name, a, b))

    return contrast


def _of_means(records: list[Measured], levels: Levels) -> Additive | None:
    """The fit of the mean of each setting in each repeat; what it was asked are blocks."""
    cells: dict[Hashable, list[int]] = {}
    for i, record in enumerate(records):
        key = i if record.repeat is None else (record.repeat, *(v[i] for v in levels.values()))
        cells.setdefault(key, []).append(i)
    means = [mean([records[i].value for i in cell]) for cell in cells.values()]
    factors: dict[str, list[Any]] = {
        name: [values[cell[0]] for cell in cells.values()] for name, values in levels.items()
    }
    asked = [frozenset(records[i].condition for i in cell) for cell in cells.values()]
    if len(set(asked)) > 1:
        factors["asked"] = asked
    noise = fit_additive(means, factors)
    return noise if noise and noise.df >= _LEAST_DF else None


def _of_one(
    book: FactBook,
    what: tuple[Subject, str, str],
    warm: Members,
    levels: Levels,
    level: float,
    leads: list[Fact],
) -> list[Effect]:
    """The effect of the only parameter: two of its levels are two configurations."""
    ((name, values),) = levels.items()
    seen = seen_by([s for s, _ in warm])
    groups: dict[Any, Members] = {}
    for member, own in zip(warm, values, strict=True):
        groups.setdefault(own, []).append(member)
    found: list[tuple[Difference, Gap, Any, Any]] = []
    for a, b in combinations(in_order(set(values)), 2):
        gap = gap_of(groups[b], groups[a], seen, level)
        if gap.test is not None:
            gap.test = _known(gap.test, leads)
            found.append((gap.test, gap, a, b))
    if not found:
        return []
    certain = [f for f in found if f[0].certain]
    _, gap, low, high = max(certain or found, key=lambda f: abs(f[0].value))
    subject, metric, _ = what
    about = (*subject, ("parameter", name), ("from", level_label(low)), ("to", level_label(high)))
    conditions = [groups[end][0][0].parameters for end in (high, low)]
    _, _, fact = gap_facts(book, about, what, conditions, gap, "one setting")
    count = _count(book, (subject, metric), warm, name, len(groups))
    return [Effect(name, metric, bool(certain), level_label(low), level_label(high), fact, count)]


def _count(
    book: FactBook, about: tuple[Subject, str], warm: Members, name: str, count: int
) -> Fact:
    """The number of levels of a parameter."""
    subject, metric = about
    return book.add(
        (*subject, ("parameter", name)),
        f"levels in {metric}",
        "count",
        count,
        "1",
        scope="warm sweep",
        n=len(warm),
        origins=origins_of(warm),
        expression=f"count(levels of {name} among warm records)",
    )
