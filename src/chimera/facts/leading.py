"""The highest configuration of a sweep and its runner-up, and whether they can be told apart."""

from __future__ import annotations

from collections import Counter

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Condition, Members, Subject, condition_label
from chimera.facts.effects import blocks_of, fit_of
from chimera.facts.fact import Fact
from chimera.facts.measures import configured, headline_scope, warm_of
from chimera.facts.repeats import by_repeat, centred
from chimera.stats.additive import fit_additive
from chimera.stats.compare import Difference, welch
from chimera.stats.describe import mean


class Best(msgspec.Struct, frozen=True):
    """The highest configuration and its runner-up. ``gap_sd`` is their gap in residual sd.

    ``gap_sd`` and ``residual`` are None where no additive fit of the settings is possible.
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


def best_of(
    book: FactBook, subject: Subject, metric: str, unit: str, members: Members
) -> Best | None:
    """The two configurations with the highest means; None below two configurations."""
    if headline_scope(metric, members) == "warm":
        members = warm_of(members)
    groups: dict[Condition, Members] = {}
    for member in members:
        groups.setdefault(member[0].parameters, []).append(member)
    average = {c: mean(_values(m)) for c, m in groups.items()}
    ranked = sorted(groups, key=lambda c: -average[c])[:2]
    if len(ranked) < 2:
        return None
    first, second = (_mean_fact(book, configured(subject, c), metric, groups[c]) for c in ranked)
    if first is None or second is None:
        return None
    names = _config_names(members)
    labels = [names.get(c, condition_label(c)) for c in ranked]
    about: Subject = (*subject, ("first", labels[0]), ("second", labels[1]))
    blocks = dict(zip(map(id, (s for s, _ in members)), _blocks(members), strict=True))
    test, why = _test(groups[ranked[0]], groups[ranked[1]], blocks)
    gap = book.add(
        about,
        metric,
        "difference",
        average[ranked[0]] - average[ranked[1]],
        unit,
        scope="best and runner-up",
        n=len(groups[ranked[0]]) + len(groups[ranked[1]]),
        ci95=(test.low, test.high) if test else None,
        ci_why=why,
        operands=(first, second),
        expression="mean(first configuration) - mean(second configuration)",
        flags=("derived",),
    )
    residual = _residual(book, subject, metric, unit, members)
    gap_sd = None if residual is None else _gap_sd(book, about, gap, residual)
    certain = test is not None and test.certain
    return Best(metric, first, second, gap, gap_sd, residual, certain, labels[0], labels[1])


def _values(members: Members) -> list[float]:
    return [c.values[s.index] for s, c in members]


def _mean_fact(book: FactBook, about: Subject, metric: str, members: Members) -> Fact | None:
    """The mean of a configuration that is over exactly these members."""
    facts = (book.find(about, metric, "mean", scope) for scope in ("all", "warm"))
    return next((f for f in facts if f is not None and f.n == len(members)), None)


def _blocks(members: Members) -> list[tuple[object, ...]]:
    """What differs among the records beside the parameters, for each member."""
    blocks = blocks_of([s for s, _ in members])
    return list(zip(*blocks.values(), strict=True)) if blocks else [()] * len(members)


def _test(
    first: Members, second: Members, blocks: dict[int, tuple[object, ...]]
) -> tuple[Difference | None, str]:
    """The difference first - second, or None and why there is no interval.

    Welch's test where both saw one prompt. Where both saw the same ones equally often, the
    prompts are blocks of a least-squares fit, which takes their differences out of the noise.
    Where a repeat holds several records of a configuration, its mean stands for them.
    """
    means = by_repeat(first), by_repeat(second)
    if any(len(side) < 2 for side in means):
        return None, "one run per configuration has no interval"
    (x, a), (y, b) = (
        ([v for v, _ in side], [blocks[id(sample)] for _, sample in side]) for side in means
    )
    if Counter(a) != Counter(b):
        return None, "the two were not measured alike (prompts or other columns differ)"
    if len(set(a)) == 1:
        test = welch(y, x)
    else:
        sides = [1] * len(y) + [0] * len(x)
        fit = fit_additive(y + x, {"configuration": sides, "block": [*b, *a]})
        test = fit.contrast("configuration", 1, 0, 0.95) if fit else None
    if test is not None and len(x) + len(y) < len(first) + len(second):
        test = centred(test, mean(_values(first)) - mean(_values(second)))
    return test, "" if test else "the values have no spread"


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
        scope="best and runner-up",
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
