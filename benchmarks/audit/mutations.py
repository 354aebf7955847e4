"""What can be wrong in a report: each kind makes one thing false, or gives None where it can't."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks.audit import misstatements as mis
from benchmarks.audit.figures import Writer
from benchmarks.audit.statement import Figure, Statement, Unit
from benchmarks.audit.truth import prints_near
from benchmarks.audit.world import Group

Change = Callable[[Writer, Statement], Statement | None]
SINGLE = ("value", "context", "pair", "table")
SWAPPED = ("value", "context", "table")


@dataclass(frozen=True)
class Mutation:
    """``families`` are the statements it is made from; ``weak``: not being supported is enough."""

    families: tuple[str, ...]
    change: Change
    group: str = "numbers"
    weak: bool = False


def is_false(figure: Figure, number: str, unit: Unit | None = None) -> bool:
    """Whether ``number`` is not the figure, however rounded, cut off or fairly read."""
    factor = (unit or figure.unit).factor
    readings = (figure.value, *figure.readings)
    return not any(prints_near(value * factor, number) for value in readings)


def chosen(writer: Writer, statement: Statement) -> tuple[str, Figure] | None:
    """A figure of the statement: what is derived first, else any."""
    names = [n for n, f in statement.figures.items() if f.kind == "derived"]
    names = names or list(statement.figures)
    if not names:
        return None
    name = writer.rng.choice(names)
    return name, statement.figures[name]


def put(statement: Statement, name: str, figure: Figure, number: str) -> Statement | None:
    """The statement with ``number`` for the figure, if that is false."""
    if number == figure.number or not is_false(figure, number):
        return None
    return statement.changed(name, **{name: _in_place(statement, name, figure, number)})


def _in_place(statement: Statement, name: str, figure: Figure, number: str) -> str:
    tail = figure.tail if statement.fields[name] == figure.text else ""
    return number + tail


def _on_number(edit: Callable[[Writer, str], str]) -> Change:
    def change(writer: Writer, statement: Statement) -> Statement | None:
        found = chosen(writer, statement)
        if found is None:
            return None
        number = edit(writer, found[1].number)
        return put(statement, *found, number)

    return change


def _digit(writer: Writer, number: str) -> str:
    places = [m.start() for m in re.finditer(r"\d", number)]
    place = writer.rng.choice(places)
    lowest = 1 if place == places[0] and number[place] != "0" else 0
    options = [str(d) for d in range(lowest, 10) if str(d) != number[place]]
    return number[:place] + writer.rng.choice(options) + number[place + 1 :]


def _transposed(writer: Writer, number: str) -> str:
    places = [m.start() for m in re.finditer(r"(?=\d\d)", number)]
    places = [p for p in places if number[p] != number[p + 1]]
    if not places:
        return number
    place = writer.rng.choice(places)
    return number[:place] + number[place + 1] + number[place] + number[place + 2 :]


def _scaled(factor: float) -> Change:
    def edit(writer: Writer, number: str) -> str:
        bare = number.replace(",", "")
        decimals = len(bare.partition(".")[2])
        value = float(bare) * factor
        if factor >= 10 and decimals:
            decimals = max(0, decimals - (1 if factor == 10 else 3))
        return f"{value:+.{decimals}f}" if bare[0] == "+" else f"{value:.{decimals}f}"

    return _on_number(edit)


def sign(writer: Writer, statement: Statement) -> Statement | None:
    figure = statement.figures["p"]
    number = figure.number
    if abs(figure.value) < 0.02:
        return None
    flipped = "-" + number[1:] if number[0] == "+" else "+" + number[1:]
    return put(statement, "p", figure, flipped)


def unit(writer: Writer, statement: Statement) -> Statement | None:
    """A unit of another dimension."""
    found = chosen(writer, statement)
    if found is None or found[1].cell is None:
        return None
    name, figure = found
    own = found[1].cell.metric.unit
    keys = [key for key in writer.phrasings.words.units if key != own]
    other = writer.phrasings.unit(writer.rng, writer.rng.choice(keys))
    return _with_unit(statement, name, figure, other)


def _with_unit(statement: Statement, name: str, figure: Figure, other: Unit) -> Statement | None:
    if statement.fields[name] != figure.text or statement.family == "table":
        return None
    return statement.changed(name, **{name: replace(figure, unit=other).text.replace(
        replace(figure, unit=other).number, figure.number, 1)})  # fmt: skip


def seconds(writer: Writer, statement: Statement) -> Statement | None:
    """Seconds for milliseconds, or the other way round, beside the same number."""
    found = chosen(writer, statement)
    if found is None or not found[1].cell or found[1].cell.metric.unit != "s":
        return None
    options = writer.phrasings.words.units["s"]
    others = [Unit(*o) for o in options if o[1] != found[1].unit.factor]
    return _with_unit(statement, *found, writer.rng.choice(others))


def _group_of(writer: Writer, figure: Figure) -> Group | None:
    cell = figure.cell
    return writer.world.group(cell.model, cell.metric, cell.settings) if cell else None


def _value_of(pick: Callable[[Writer, Group, str], list[float]]) -> Change:
    """The figure replaced by another real value, printed the same way."""

    def change(writer: Writer, statement: Statement) -> Statement | None:
        found = chosen(writer, statement)
        group = _group_of(writer, found[1]) if found else None
        if found is None or group is None or found[1].cell is None:
            return None
        values = pick(writer, group, found[1].cell.statistic)
        if not values:
            return None
        other = replace(found[1], value=writer.rng.choice(values), cell=None, readings=())
        return put(statement, *found, other.number) if other.value else None

    return change


def _of_model(writer: Writer, group: Group, statistic: str) -> list[float]:
    return [
        g.statistics()[statistic]
        for g in writer.world.groups
        if (g.metric, g.settings) == (group.metric, group.settings)
        and g.model != group.model
        and statistic in g.statistics()
    ]


def _of_configuration(writer: Writer, group: Group, statistic: str) -> list[float]:
    return [
        g.statistics()[statistic]
        for g in writer.world.groups
        if (g.metric, g.model) == (group.metric, group.model)
        and len(g.settings) == len(group.settings)
        and [n for n, _ in g.settings] == [n for n, _ in group.settings]
        and g.settings != group.settings
        and statistic in g.statistics()
    ]


_QUANTIZED = re.compile(r"[ :-](?:instruct-)?q\d_\w+(?: - \w+)?$", re.IGNORECASE)


def _of_quantization(writer: Writer, group: Group, statistic: str) -> list[float]:
    if dict(group.settings).get("quantization"):
        return _of_configuration(writer, group, statistic)
    stem = _QUANTIZED.sub("", group.model)
    return [
        g.statistics()[statistic]
        for g in writer.world.groups
        if (g.metric, g.settings) == (group.metric, group.settings)
        and group.model not in {g.model, stem}
        and _QUANTIZED.sub("", g.model) == stem
        and statistic in g.statistics()
    ]


def _of_metric(writer: Writer, group: Group, statistic: str) -> list[float]:
    """Under the same configuration, or under any where metrics have configurations of their own."""
    others = [
        g
        for g in writer.world.groups
        if g.model == group.model
        and g.metric is not group.metric
        and g.metric.unit == group.metric.unit
        and statistic in g.statistics()
    ]
    same = [g for g in others if g.settings == group.settings]
    return [g.statistics()[statistic] for g in same or others]


def _of_statistic(writer: Writer, group: Group, statistic: str) -> list[float]:
    return [v for s, v in group.statistics().items() if s not in {statistic, "deviation"}]


def _of_anything(writer: Writer, group: Group, statistic: str) -> list[float]:
    return [
        v
        for g in writer.world.groups
        for v in g.values
        if (g.model, g.metric) != (group.model, group.metric) and g.metric.unit == group.metric.unit
    ]


def _of_older(writer: Writer, group: Group, statistic: str) -> list[float]:
    return [
        g.statistics()[statistic]
        for g in writer.world.stale
        if (g.model, g.metric, g.settings) == (group.model, group.metric, group.settings)
        and statistic in g.statistics()
    ]


NUMBERS = (*SINGLE, "difference", "ratio", "change", "deviation")
MUTATIONS: dict[str, Mutation] = {
    "digit": Mutation(NUMBERS, _on_number(_digit)),
    "transposition": Mutation(NUMBERS, _on_number(_transposed)),
    "x10": Mutation(NUMBERS, _scaled(10)),
    "x1000": Mutation(NUMBERS, _scaled(1000)),
    "plus 5 %": Mutation(SINGLE, _scaled(1.05)),
    "minus 5 %": Mutation(SINGLE, _scaled(0.95)),
    "sign": Mutation(("change",), sign),
    "unit": Mutation(("value", "context", "pair"), unit),
    "s for ms": Mutation(("value", "context", "pair"), seconds),
    "model": Mutation(SINGLE, _value_of(_of_model)),
    "configuration": Mutation(SWAPPED, _value_of(_of_configuration)),
    "quantization": Mutation(SWAPPED, _value_of(_of_quantization)),
    "metric": Mutation(SWAPPED, _value_of(_of_metric)),
    "statistic": Mutation(SWAPPED, _value_of(_of_statistic)),
    "n": Mutation(("count", "failures", "rows"), mis.count),
    "interval": Mutation(("range",), mis.interval),
    "another real value": Mutation(SWAPPED, _value_of(_of_anything)),
    "stale": Mutation(SWAPPED, _value_of(_of_older)),
    "total": Mutation(("total",), mis.count),
    "rank": Mutation(("ranking",), mis.rank, "relations"),
    "direction": Mutation(("comparison", "speed", "direction"), mis.direction, "relations"),
    "scope": Mutation(("superlative",), mis.scope, "relations"),
    "superlative": Mutation(("superlative",), mis.superlative, "relations"),
    "quantifier": Mutation(("quantifier",), mis.quantifier, "relations"),
    "cause": Mutation(("comparison", "speed"), mis.cause, "words", weak=True),
    "adjective": Mutation(("value", "approx"), mis.adjective, "words", weak=True),
    "snippet": Mutation(("snippet",), mis.snippet, "others"),
    "date": Mutation(("date",), mis.date, "others"),
    "model that is not there": Mutation(("entity", "value", "count"), mis.entity, "others"),
    "file that is not there": Mutation(("rows", "date"), mis.file, "others"),
}
