"""What each parameter of a sweep does: contrasts of an additive fit on warm records.

Prompts, parameters with many levels and columns that may be settings are blocks of the fit, so
that what they do is not taken for the effect of a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Members, Sample, Subject, in_order, level_label
from chimera.facts.fact import Fact
from chimera.facts.repeats import by_repeat, centred
from chimera.stats.additive import Additive, fit_additive
from chimera.stats.compare import Difference

MAX_LEVELS = 12
_MAX_BLOCKS = 60
_LEVEL = 0.95
_LEAST_DF = 3
Levels = dict[str, list[Any]]
Contrast = tuple[Difference, Any, Any]


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


def _noise(members: Members, fit: Additive | None) -> Additive | None:
    """The fit that intervals come from: of the means of repeats, where these hold several records.

    None where it cannot be made with the same levels.
    """
    means = by_repeat(members)
    if len(means) == len(members):
        return fit
    factors, _ = factors_of([sample for _, sample in means])
    return fit_additive([value for value, _ in means], factors)


def effects_of(
    book: FactBook, subject: Subject, metric: str, unit: str, warm: Members
) -> list[Effect]:
    """The largest contrast of each parameter; a certain one before a larger uncertain one.

    Empty where the fit leaves fewer than three degrees of freedom. The intervals allow for all
    contrasts of the metric together (Bonferroni), and are between repeats where these hold
    several records.
    """
    if len(warm) < _LEAST_DF + 1:
        return []
    fit, levels = fit_of(warm)
    noise = _noise(warm, fit)
    if fit is None or noise is None or noise.df < _LEAST_DF:
        return []
    looked_at = sum(len(set(v)) * (len(set(v)) - 1) // 2 for v in levels.values())
    level = 1.0 - (1.0 - _LEVEL) / max(1, looked_at)
    effects = []
    for name, values in levels.items():
        distinct = in_order(set(values))
        found: list[Contrast] = [
            (centred(spread, fit.difference(name, a, b)), a, b)
            for a, b in combinations(distinct, 2)
            if (spread := noise.contrast(name, a, b, level)) is not None
        ]
        if not found:
            continue
        certain = [c for c in found if c[0].certain]
        chosen = max(certain or found, key=lambda c: abs(c[0].value))
        how = f"additive fit of {metric} on {', '.join(levels)}"
        facts = _facts(book, (subject, metric, unit), warm, (name, len(distinct)), chosen, how)
        _, low, high = chosen
        effects.append(
            Effect(name, metric, bool(certain), level_label(low), level_label(high), *facts)
        )
    return effects


def _facts(
    book: FactBook,
    about: tuple[Subject, str, str],
    warm: Members,
    parameter: tuple[str, int],
    chosen: Contrast,
    how: str,
) -> tuple[Fact, Fact]:
    """(the difference, the number of levels)."""
    subject, metric, unit = about
    name, count = parameter
    difference, low, high = chosen
    origins = origins_of(warm)
    a, b = level_label(low), level_label(high)
    gap = book.add(
        (*subject, ("parameter", name), ("from", a), ("to", b)),
        metric,
        "difference",
        difference.value,
        unit,
        scope="warm sweep",
        n=len(warm),
        ci95=(difference.low, difference.high),
        origins=origins,
        expression=f"{how}: {name}={b} minus {name}={a}; interval for all contrasts together "
        "(Bonferroni)",
        flags=("derived",),
    )
    levels = book.add(
        (*subject, ("parameter", name)),
        f"levels in {metric}",
        "count",
        count,
        "1",
        scope="warm sweep",
        n=len(warm),
        origins=origins,
        expression=f"count(levels of {name} among warm records)",
    )
    return gap, levels
