"""A sentence or a table as a template with named fields, rendered with exact positions.

In a template ``{name}`` is a field (``{Name}``: its first letter raised) and ``«name:...»`` marks
the span of a claim. A mark that states a figure has the name of the field that prints it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from benchmarks.audit.truth import rounded
from benchmarks.audit.world import Cell, Metric, Settings

_PIECE = re.compile(r"\{(\w+)\}|«(\w+):|»")


@dataclass(frozen=True)
class Unit:
    """``spelling`` with ``glue`` before it; a canonical value times ``factor`` is printed."""

    spelling: str
    factor: float = 1.0
    glue: str = " "


@dataclass(frozen=True)
class Figure:
    """A number of a statement: the true ``value`` in its canonical unit and how it is printed.

    ``readings`` are other fair values. ``cell`` is None for what is derived or counted.
    """

    value: float
    unit: Unit
    decimals: int
    kind: str = "value"
    cell: Cell | None = None
    readings: tuple[float, ...] = ()
    signed: bool = False
    grouped: bool = False

    @property
    def number(self) -> str:
        text = rounded(self.value * self.unit.factor, self.decimals)
        if self.grouped and len(text.partition(".")[0]) > 3:
            text = f"{float(text):,.{self.decimals}f}"
        return f"+{text}" if self.signed and self.value > 0 else text

    @property
    def tail(self) -> str:
        return f"{self.unit.glue}{self.unit.spelling}" if self.unit.spelling else ""

    @property
    def text(self) -> str:
        return self.number + self.tail


def decimals_for(value: float, figures: int) -> int:
    """The places that print ``value`` with ``figures`` digits that count, at most six."""
    if value == 0:
        return 0
    return min(6, max(0, figures - 1 - math.floor(math.log10(abs(value)))))


@dataclass(frozen=True)
class Statement:
    """``wrong`` names the fields and marks that a mutation made false; empty for the truth.

    ``models``, ``metric``, ``statistic`` and ``settings`` say what it is about, ``order`` how the
    models stand by it, highest first.
    """

    family: str
    template: str
    fields: Mapping[str, str]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    metric: Metric | None = None
    statistic: str = ""
    settings: Settings = ()
    order: tuple[str, ...] = ()
    wrong: frozenset[str] = frozenset()

    def changed(self, wrong: str | set[str], **fields: str) -> Statement:
        names = {wrong} if isinstance(wrong, str) else wrong
        return replace(self, fields={**self.fields, **fields}, wrong=frozenset(names))

    def with_suffix(self, suffix: str) -> Statement:
        """``suffix`` before the closing stop, as the one thing that is wrong."""
        body = self.template.rstrip(".!;")
        template = f"{body}{{suffix}}{self.template[len(body) :]}"
        return replace(self, template=template).changed("suffix", suffix=suffix)


@dataclass(frozen=True)
class Span:
    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Rendered:
    """``marks`` are the claims, ``fields`` every place where a field was put."""

    text: str
    marks: tuple[Span, ...]
    fields: tuple[Span, ...]


def render(template: str, fields: Mapping[str, str]) -> Rendered:
    """The text of a template; raises KeyError for a field that is not given."""
    text, last = "", 0
    marks: list[Span] = []
    places: list[Span] = []
    opened: list[tuple[str, int]] = []
    for match in _PIECE.finditer(template):
        text += template[last : match.start()]
        last = match.end()
        if match[1]:
            name = match[1]
            value = fields[name] if name in fields else raised(fields[name[0].lower() + name[1:]])
            places.append(Span(name[0].lower() + name[1:], len(text), len(text) + len(value)))
            text += value
        elif match[2]:
            opened.append((match[2], len(text)))
        else:
            name, start = opened.pop()
            marks.append(Span(name, start, len(text)))
    return Rendered(text + template[last:], tuple(marks), tuple(places))


def raised(text: str) -> str:
    return text[:1].upper() + text[1:]
