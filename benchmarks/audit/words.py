"""The parts of a way of writing: templates, names of metrics, units, layouts of tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Choice = Mapping[str, tuple[str, ...]]
Spellings = Mapping[str, tuple[tuple[str, float, str], ...]]  # spelling, factor, glue


@dataclass(frozen=True)
class TableStyle:
    """``layout``: rows are models ("models"), metrics ("metrics") or single figures ("long").

    ``header`` may use {metric}, {stat} and {unit}; ``cell`` {v}; with ``unit_in_cell`` the unit
    stands beside each number. ``caption`` may use {stat} and {config}.
    """

    layout: str
    header: str
    corner: str = "Model"
    rule: str = "---"
    cell: str = "{v}"
    row: str = "{model}"
    caption: str = ""
    unit_in_cell: bool = False


@dataclass(frozen=True)
class Words:
    """``higher`` and ``lower`` and the like map a unit ("s" or "rate") to words."""

    templates: Choice
    metrics: Choice
    statistics: Choice
    units: Spellings
    settings: Choice
    several: tuple[str, ...]
    higher: Choice
    lower: Choice
    highest: Choice
    lowest: Choice
    rises: tuple[str, ...]
    falls: tuple[str, ...]
    above: tuple[str, ...]
    below: tuple[str, ...]
    scopes: tuple[str, ...]
    quantifiers: Choice
    times: tuple[str, ...]
    percent: tuple[str, ...]
    dates: tuple[str, ...]
    things: Choice
    causes: tuple[str, ...]
    adjectives: tuple[str, ...]
    wrappers: tuple[str, ...]
    titles: tuple[str, ...]
    tables: tuple[TableStyle, ...]
    approximations: tuple[str, ...]
