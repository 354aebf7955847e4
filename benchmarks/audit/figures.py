"""True statements with figures: values, counts, shares and what is derived from two values."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from benchmarks.audit import truth
from benchmarks.audit.phrasing import Phrasings
from benchmarks.audit.statement import Figure, Statement, Unit, decimals_for
from benchmarks.audit.world import Cell, Group, Settings, World

PLAIN = Unit("")
NUMBER_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(number: int) -> str:
    """0 to 99, as it is written out.

    >>> in_words(41)
    'forty-one'
    """
    if number < 20:
        return NUMBER_WORDS[number]
    tail = f"-{NUMBER_WORDS[number % 10]}" if number % 10 else ""
    return TENS[number // 10 - 2] + tail


@dataclass(frozen=True)
class Writer:
    """Makes statements about one folder in one way of writing."""

    world: World
    phrasings: Phrasings
    rng: random.Random

    def some_group(self, statistic: str | None = None) -> Group | None:
        options = [g for g in self.world.groups if statistic is None or statistic in g.statistics()]
        return self.rng.choice(options) if options else None

    def figure(
        self, group: Group, statistic: str, unit: Unit, decimals: int | None = None, digits: int = 0
    ) -> Figure:
        value = group.statistics()[statistic]
        places = decimals
        if places is None:
            places = decimals_for(value * unit.factor, digits or self.rng.choice((3, 3, 4)))
        n = len(group.values)
        cell = Cell(group.model, group.metric, statistic, group.settings, value, n)
        readings = group.readings if statistic == "mean" else ()
        grouped = self.phrasings.name == "held-out" and self.rng.random() < 0.5
        return Figure(value, unit, places, "value", cell, readings, grouped=grouped)

    def subject(self, group: Group, statistic: str) -> dict[str, str]:
        return {
            "model": group.model,
            "metric": self.phrasings.metric(self.rng, group.metric.key),
            "stat": "" if statistic == "deviation" else self.spelled(statistic),
            "config": self.phrasings.settings(self.rng, group.settings),
        }

    def spelled(self, statistic: str) -> str:
        return self.phrasings.statistic(self.rng, statistic)

    def stated(self, family: str, group: Group, statistic: str, **figures: Figure) -> Statement:
        template = self.phrasings.template(self.rng, family)
        fields = self.subject(group, statistic)
        fields |= {name: figure.text for name, figure in figures.items()}
        return Statement(
            family,
            template,
            fields,
            figures,
            (group.model,),
            group.metric,
            statistic,
            group.settings,
        )


def value(writer: Writer, family: str = "value") -> Statement | None:
    group = writer.some_group()
    if group is None:
        return None
    statistic = writer.rng.choice([s for s in group.statistics() if s != "deviation"])
    unit = writer.phrasings.unit(writer.rng, group.metric.unit)
    return writer.stated(family, group, statistic, v=writer.figure(group, statistic, unit))


def context(writer: Writer) -> Statement | None:
    return value(writer, "context")


def approx(writer: Writer) -> Statement | None:
    group = writer.some_group("mean")
    if group is None:
        return None
    unit = writer.phrasings.unit(writer.rng, group.metric.unit)
    statement = writer.stated(
        "approx", group, "mean", v=writer.figure(group, "mean", unit, None, 2)
    )
    about = writer.rng.choice(writer.phrasings.words.approximations)
    return replace(statement, fields={**statement.fields, "about": about})


def spread(writer: Writer) -> Statement | None:
    group = writer.some_group("min")
    if group is None or len(group.values) < 3:
        return None
    unit = writer.phrasings.unit(writer.rng, group.metric.unit)
    low, high = (
        writer.figure(group, "min", unit, None, 4),
        writer.figure(group, "max", unit, None, 4),
    )
    return writer.stated("range", group, "max", lo=low, hi=high)


def deviation(writer: Writer) -> Statement | None:
    group = writer.some_group("deviation")
    if group is None:
        return None
    unit = writer.phrasings.unit(writer.rng, group.metric.unit)
    scatter = writer.figure(group, "deviation", unit, None, 3)
    centre = writer.figure(group, "mean", unit, scatter.decimals)
    return writer.stated("deviation", group, "deviation", v=centre, sd=scatter)


def two_groups(writer: Writer, statistic: str = "mean") -> tuple[Group, Group] | None:
    """Of two models under one configuration."""
    first = writer.some_group(statistic)
    if first is None:
        return None
    others = [
        g
        for g in writer.world.groups
        if (g.metric, g.settings) == (first.metric, first.settings)
        and g.model != first.model
        and statistic in g.statistics()
    ]
    return (first, writer.rng.choice(others)) if others else None


def pair(writer: Writer) -> Statement | None:
    statistic = writer.rng.choice(("mean", "mean", "median"))
    groups = two_groups(writer, statistic)
    if groups is None:
        return None
    unit = writer.phrasings.unit(writer.rng, groups[0].metric.unit)
    v, v2 = (writer.figure(group, statistic, unit) for group in groups)
    statement = writer.stated("pair", groups[0], statistic, v=v, v2=v2)
    return _of_two(statement, groups, {"model2": groups[1].model})


def _of_two(statement: Statement, groups: tuple[Group, Group], more: dict[str, str]) -> Statement:
    models = (groups[0].model, groups[1].model)
    return replace(statement, fields={**statement.fields, **more}, models=models)


def _derived(writer: Writer, family: str) -> Statement | None:
    groups = two_groups(writer)
    if groups is None:
        return None
    words = writer.phrasings.words
    unit = writer.phrasings.unit(writer.rng, groups[0].metric.unit)
    places = max(
        decimals_for(g.statistics()["mean"] * unit.factor, 4 if family != "difference" else 3)
        for g in groups
    )
    va, vb = (writer.figure(group, "mean", unit, places) for group in groups)
    kind = "s" if groups[0].metric.unit == "s" else "rate"
    choice = words.higher if va.value > vb.value else words.lower
    more = {"a": groups[0].model, "b": groups[1].model, "word": writer.rng.choice(choice[kind])}
    if va.text == vb.text or abs(va.value / vb.value - 1) < 0.05:
        return None
    if family == "difference":
        # Taken from the values as they are printed, so that every reader gets the same.
        printed = abs(_printed(va) - _printed(vb)) / unit.factor
        figure = Figure(printed, unit, places, "derived", readings=(abs(va.value - vb.value),))
        name = "d"
    elif family == "ratio":
        figure = _patterned(
            writer, words.times, va.value / vb.value, 1.0, decimals_for(va.value / vb.value, 3)
        )
        name = "r"
    else:
        figure = _patterned(writer, words.percent, va.value / vb.value - 1, 100.0, 1, signed=True)
        name = "p"
    statement = writer.stated(family, groups[0], "mean", va=va, vb=vb, **{name: figure})
    return _of_two(statement, groups, more)


def _printed(figure: Figure) -> float:
    return float(figure.number.replace(",", ""))


def _patterned(
    writer: Writer,
    patterns: tuple[str, ...],
    value: float,
    factor: float,
    decimals: int,
    *,
    signed: bool = False,
) -> Figure:
    tail = writer.rng.choice(patterns).removeprefix("{}")
    spelled = tail.lstrip(" -")
    unit = Unit(spelled, factor, tail[: len(tail) - len(spelled)])
    return Figure(value, unit, decimals, "derived", signed=signed)


def difference(writer: Writer) -> Statement | None:
    return _derived(writer, "difference")


def ratio(writer: Writer) -> Statement | None:
    return _derived(writer, "ratio")


def change(writer: Writer) -> Statement | None:
    return _derived(writer, "change")


def _counted(
    writer: Writer, family: str, model: str, fields: dict[str, str], **figures: Figure
) -> Statement:
    spelled = {name: figure.text for name, figure in figures.items()}
    things = writer.rng.choice(writer.phrasings.words.things[writer.world.counted])
    fields = {"model": model, "things": things, **spelled, **fields}
    template = writer.phrasings.template(writer.rng, family)
    return Statement(family, template, fields, figures, (model,) if model else ())


def count(writer: Writer) -> Statement | None:
    """Only of models without failures: otherwise "requests" may mean either number."""
    world = writer.world
    options = [m for m in world.attempts if not world.failures.get(m)]
    if not options:
        return None
    model = writer.rng.choice(options)
    number = world.attempts[model]
    fields = {"k": in_words(number)} if number < 100 and writer.rng.random() < 0.3 else {}
    return _counted(writer, "count", model, fields, k=Figure(number, PLAIN, 0, "count"))


def failures(writer: Writer) -> Statement | None:
    options = [model for model, k in writer.world.failures.items() if k]
    if not options:
        return None
    model = writer.rng.choice(options)
    k = Figure(writer.world.failures[model], PLAIN, 0, "count")
    n = Figure(writer.world.attempts[model], PLAIN, 0, "count")
    return _counted(writer, "failures", model, {}, k=k, n=n)


def share(writer: Writer) -> Statement | None:
    options = [model for model, k in writer.world.failures.items() if k]
    if not options:
        return None
    model = writer.rng.choice(options)
    part = writer.world.failures[model] / writer.world.attempts[model]
    figure = _patterned(writer, writer.phrasings.words.percent, part, 100.0, 1)
    return _counted(writer, "share", model, {}, p=figure)


def total(writer: Writer) -> Statement | None:
    world = writer.world
    if any(world.failures.values()) or len(world.attempts) < 2:
        return None
    parts = [f"{n} for {model}" for model, n in world.attempts.items()]
    listed = ", ".join(parts[:-1]) + " and " + parts[-1]
    t = Figure(sum(world.attempts.values()), PLAIN, 0, "derived")
    return _counted(writer, "total", "", {"parts": listed}, t=t)


def rows(writer: Writer) -> Statement | None:
    files = [f for f in writer.world.files if f.rows is not None and "/" not in f.name]
    if not files:
        return None
    file = writer.rng.choice(files)
    n = Figure(file.rows or 0, PLAIN, 0, "count")
    return _counted(writer, "rows", "", {"file": file.name}, n=n)


def scoped(writer: Writer, statistic: str = "mean") -> list[tuple[Settings, str]]:
    """Configurations and metrics for which every model has a value."""
    world = writer.world
    return [
        (settings, metric.key)
        for settings in world.scopes()
        for metric in world.metrics(settings)
        if all(
            (g := world.group(m, metric, settings)) and statistic in g.statistics()
            for m in world.models
        )
    ]


def means(writer: Writer, settings: Settings, key: str) -> list[Group]:
    """The groups of all models, highest mean first."""
    groups = [g for g in writer.world.groups if (g.settings, g.metric.key) == (settings, key)]
    return sorted(groups, key=lambda g: -truth.mean(g.values))
