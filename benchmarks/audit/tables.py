"""True tables: models by metrics, metrics by models, or one figure a row."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.audit.figures import Writer, scoped
from benchmarks.audit.statement import Figure, Statement, Unit, decimals_for
from benchmarks.audit.words import TableStyle
from benchmarks.audit.world import Group, Settings


@dataclass(frozen=True)
class Column:
    """One metric of all models; ``groups`` stand in the order of the models."""

    metric: str
    stat: str
    statistic: str
    unit: Unit
    groups: tuple[Group, ...]

    def header(self, style: TableStyle) -> str:
        return style.header.format(metric=self.metric, stat=self.stat, unit=self.unit.spelling)


def table(writer: Writer) -> Statement | None:
    chosen = _columns(writer)
    if chosen is None:
        return None
    settings, columns = chosen
    style = writer.rng.choice(writer.phrasings.words.tables)
    cells = {
        (row, col): _figure(writer, column, row)
        for col, column in enumerate(columns)
        for row in range(len(writer.world.models))
    }
    grid = {"models": _by_models, "metrics": _by_metrics, "long": _long}[style.layout]
    lines = grid(writer, style, columns)
    config = writer.phrasings.settings(writer.rng, settings)
    stat = columns[0].stat
    caption = style.caption.format(stat=stat[:1].upper() + stat[1:], config=config)
    if config and "{config}" not in style.caption:
        caption = f"Figures{config}:"
    text = (f"{caption}\n\n" if caption else "") + "\n".join(lines)
    named = {f"r{row}c{col}": figure for (row, col), figure in cells.items()}
    fields = {
        name: figure.number if not style.unit_in_cell else figure.text
        for name, figure in named.items()
    }
    models = tuple(writer.world.models)
    return Statement("table", text, fields, named, models, None, "", settings)


def _columns(writer: Writer) -> tuple[Settings, list[Column]] | None:
    options = scoped(writer)
    if not options:
        return None
    settings = writer.rng.choice(options)[0]
    keys = [key for found, key in options if found == settings]
    keys = writer.rng.sample(keys, min(len(keys), writer.rng.randint(1, 3)))
    columns = []
    for key in keys:
        groups = [
            next(
                g
                for g in writer.world.groups
                if (g.model, g.settings, g.metric.key) == (model, settings, key)
            )
            for model in writer.world.models
        ]
        shared = set.intersection(*(set(g.statistics()) for g in groups)) - {"deviation"}
        statistic = writer.rng.choice(["mean", "mean", *sorted(shared)])
        unit = writer.phrasings.unit(writer.rng, groups[0].metric.unit)
        metric = writer.phrasings.metric(writer.rng, key)
        columns.append(Column(metric, writer.spelled(statistic), statistic, unit, tuple(groups)))
    return settings, _one_statistic(columns)


def _one_statistic(columns: list[Column]) -> list[Column]:
    """A caption names one statistic for all columns."""
    first = columns[0]
    return [
        Column(c.metric, first.stat, first.statistic, c.unit, c.groups)
        for c in columns
        if all(first.statistic in g.statistics() for g in c.groups)
    ]


def _figure(writer: Writer, column: Column, row: int) -> Figure:
    smallest = min(g.statistics()[column.statistic] for g in column.groups)
    places = decimals_for(smallest * column.unit.factor, 3)
    return writer.figure(column.groups[row], column.statistic, column.unit, places)


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _by_models(writer: Writer, style: TableStyle, columns: list[Column]) -> list[str]:
    head = [style.corner, *(column.header(style) for column in columns)]
    lines = [_line(head), _line(["---"] + [style.rule] * len(columns))]
    for row, model in enumerate(writer.world.models):
        cells = [style.cell.format(v=f"{{r{row}c{col}}}") for col in range(len(columns))]
        lines.append(_line([style.row.format(model=model), *cells]))
    return lines


def _by_metrics(writer: Writer, style: TableStyle, columns: list[Column]) -> list[str]:
    head = [style.corner, *(style.row.format(model=model) for model in writer.world.models)]
    lines = [_line(head), _line(["---"] + [style.rule] * len(writer.world.models))]
    for col, column in enumerate(columns):
        rows = range(len(writer.world.models))
        cells = [style.cell.format(v=f"{{r{row}c{col}}}") for row in rows]
        lines.append(_line([column.header(style), *cells]))
    return lines


def _long(writer: Writer, style: TableStyle, columns: list[Column]) -> list[str]:
    lines = [
        _line([style.corner, "Metric", "Value", "Unit"]),
        _line(["---", "---", style.rule, "---"]),
    ]
    for row, model in enumerate(writer.world.models):
        for col, column in enumerate(columns):
            cell = style.cell.format(v=f"{{r{row}c{col}}}")
            name = style.row.format(model=model)
            lines.append(_line([name, column.header(style), cell, column.unit.spelling]))
    return lines
