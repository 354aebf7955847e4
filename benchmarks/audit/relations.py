"""True statements of relations: who is higher, which of them all, what rises, what is where."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace

from benchmarks.audit import figures, tables, truth
from benchmarks.audit.figures import Writer, in_words, means, scoped
from benchmarks.audit.statement import Figure, Statement, decimals_for
from benchmarks.audit.world import Group

FEW = 8  # how often a random choice is tried again before the folder is said to have no case


def _clear_orders(writer: Writer) -> list[list[Group]]:
    """All models by one metric, each clearly above the next."""
    found = []
    for settings, key in scoped(writer):
        groups = means(writer, settings, key)
        if key == "tokens" or len(groups) < 2:
            continue
        if all(truth.clearly_above(a.values, b.values) for a, b in itertools.pairwise(groups)):
            found.append(groups)
    return found


def _related(writer: Writer, family: str, groups: list[Group], **fields: str) -> Statement:
    head = groups[0]
    words = {
        "metric": writer.phrasings.metric(writer.rng, head.metric.key),
        "config": writer.phrasings.settings(writer.rng, head.settings),
    }
    template = writer.phrasings.template(writer.rng, family)
    models = tuple(g.model for g in groups)
    return Statement(
        family,
        template,
        words | fields,
        {},
        models,
        head.metric,
        "mean",
        head.settings,
        models,
    )


def _kind(group: Group) -> str:
    return "s" if group.metric.unit == "s" else "rate"


def comparison(writer: Writer) -> Statement | None:
    orders = _clear_orders(writer)
    if not orders:
        return None
    groups = writer.rng.choice(orders)
    high, low = sorted(writer.rng.sample(range(len(groups)), 2))
    words = writer.phrasings.words
    upward = writer.rng.random() < 0.5
    word = writer.rng.choice((words.higher if upward else words.lower)[_kind(groups[0])])
    first, second = (high, low) if upward else (low, high)
    chosen = [groups[first], groups[second]]
    names = {"a": chosen[0].model, "b": chosen[1].model, "word": word}
    return _related(writer, "comparison", chosen, **names)


def speed(writer: Writer) -> Statement | None:
    orders = _clear_orders(writer)
    if not orders:
        return None
    groups = writer.rng.choice(orders)
    best_first = groups if groups[0].metric.better == "higher" else groups[::-1]
    first, second = sorted(writer.rng.sample(range(len(groups)), 2))
    faster = writer.rng.random() < 0.5
    if not faster:
        first, second = second, first
    chosen = [best_first[first], best_first[second]]
    word = "faster" if faster else "slower"
    names = {"a": chosen[0].model, "b": chosen[1].model, "word": word}
    return _related(writer, "speed", chosen, **names)


def superlative(writer: Writer) -> Statement | None:
    """Of all models, or of some that are named."""
    orders = [groups for groups in _clear_orders(writer) if len(groups) >= 2]
    if not orders:
        return None
    groups = writer.rng.choice(orders)
    words = writer.phrasings.words
    named = len(groups) >= 3 and writer.rng.random() < 0.6
    kept = sorted(writer.rng.sample(range(len(groups)), len(groups) - 1)) if named else None
    chosen = [groups[i] for i in kept] if kept else list(groups)
    top = writer.rng.random() < 0.5
    sup = writer.rng.choice((words.highest if top else words.lowest)[_kind(groups[0])])
    model = chosen[0 if top else -1].model
    names = [g.model for g in chosen]
    writer.rng.shuffle(names)
    scope = (
        ", ".join(names[:-1]) + " and " + names[-1]
        if named
        else writer.rng.choice(words.scopes).format(n=in_words(len(groups)))
    )
    statement = _related(writer, "superlative", groups, a=model, sup=sup, scope=scope)
    kind = "named" if named else "all"
    return replace(statement, statistic=f"{'top' if top else 'low'}-{kind}")


def ranking(writer: Writer) -> Statement | None:
    orders = [groups for groups in _clear_orders(writer) if len(groups) >= 2]
    if not orders:
        return None
    groups = writer.rng.choice(orders)
    words = writer.phrasings.words
    sup = writer.rng.choice(words.highest[_kind(groups[0])])
    inf = writer.rng.choice(words.lowest[_kind(groups[0])])
    if writer.rng.random() < 0.5:
        groups, sup, inf = groups[::-1], inf, sup
    names = [g.model for g in groups]
    return _related(writer, "ranking", groups, sup=sup, inf=inf, **orders_of(names))


def orders_of(names: list[str]) -> dict[str, str]:
    """A ranking in the ways that a template may ask for."""
    return {
        "order": ", ".join(names),
        "order_gt": " > ".join(names),
        "order_then": ", then ".join(names),
        "order_list": "\n".join(f"{i}. {name}" for i, name in enumerate(names, start=1)),
    }


def direction(writer: Writer) -> Statement | None:
    if not writer.world.directions:
        return None
    known = writer.rng.choice(writer.world.directions)
    words = writer.phrasings.words
    verb = writer.rng.choice(words.rises if known.rises else words.falls)
    group = next(
        g for g in writer.world.groups if (g.model, g.metric) == (known.model, known.metric)
    )
    statement = _related(writer, "direction", [group], verb=verb, setting=known.setting)
    fields = {**statement.fields, "model": known.model, "config": ""}
    return replace(statement, fields=fields, settings=())


def quantifier(writer: Writer) -> Statement | None:
    """A bound between two models' means, far from both."""
    for _ in range(FEW):
        options = scoped(writer)
        if not options:
            return None
        groups = means(writer, *writer.rng.choice(options))
        values = [g.statistics()["mean"] for g in groups]
        unit = writer.phrasings.unit(writer.rng, groups[0].metric.unit)
        cut = writer.rng.randrange(len(values) + 1)
        low = values[cut] if cut < len(values) else values[-1] / 1.5
        high = values[cut - 1] if cut else values[0] * 1.5
        bound = round((low * high) ** 0.5 * unit.factor, decimals_for(low * unit.factor, 2))
        gaps = [abs(bound / (value * unit.factor) - 1) for value in values]
        if groups[0].metric.key == "tokens" or min(gaps) < 0.06:
            continue
        above = writer.rng.random() < 0.5
        k = sum((value * unit.factor > bound) == above for value in values)
        words = writer.phrasings.words
        figure = Figure(bound / unit.factor, unit, decimals_for(low * unit.factor, 2), "bound")
        quant = quantity(writer, k, len(values))
        cmp = writer.rng.choice(words.above if above else words.below)
        stat = writer.spelled("mean")
        fields = {"quant": quant, "cmp": cmp, "bound": figure.text, "stat": stat}
        statement = _related(writer, "quantifier", groups, **fields)
        return replace(statement, statistic=f"{k}/{len(values)}")
    return None


def quantity(writer: Writer, k: int, n: int) -> str:
    """For example all four models, or two of the four models."""
    key = "all" if k == n else "none" if k == 0 else "some"
    if key == "some" and n >= 3 and 2 * k > n and writer.rng.random() < 0.4:
        key = "most"
    pattern = writer.rng.choice(writer.phrasings.words.quantifiers[key])
    return pattern.format(n=in_words(n), k=in_words(k))


def date(writer: Writer) -> Statement | None:
    file = writer.rng.choice([f for f in writer.world.files if "/" not in f.name])
    printed = file.date.strftime(writer.rng.choice(writer.phrasings.words.dates))
    template = writer.phrasings.template(writer.rng, "date")
    return Statement("date", template, {"file": file.name, "date": printed})


def entity(writer: Writer) -> Statement | None:
    names = list(writer.world.models)
    writer.rng.shuffle(names)
    listed = ", ".join(names[:-1]) + " and " + names[-1]
    template = writer.phrasings.template(writer.rng, "entity")
    return Statement("entity", template, {"names": listed}, models=tuple(names))


def snippet(writer: Writer) -> Statement | None:
    record = json.dumps(writer.rng.choice(writer.world.records))
    return Statement(
        "snippet", writer.phrasings.template(writer.rng, "snippet"), {"record": record}
    )


Make = Callable[[Writer], Statement | None]
FAMILIES: dict[str, Make] = {
    "value": figures.value,
    "context": figures.context,
    "approx": figures.approx,
    "pair": figures.pair,
    "range": figures.spread,
    "deviation": figures.deviation,
    "difference": figures.difference,
    "ratio": figures.ratio,
    "change": figures.change,
    "count": figures.count,
    "failures": figures.failures,
    "share": figures.share,
    "total": figures.total,
    "rows": figures.rows,
    "comparison": comparison,
    "speed": speed,
    "superlative": superlative,
    "ranking": ranking,
    "direction": direction,
    "quantifier": quantifier,
    "date": date,
    "entity": entity,
    "snippet": snippet,
    "table": tables.table,
}
