"""Sentences whose every number is bound to a fact.

A sentence is a tuple of spans. ``Text`` is written by us and may hold no digit, so the only
way to print a number is ``Num``, which prints a field of a fact. ``Name`` repeats a name that
stands in the data (a model, a file, a column) or in the field's vocabulary (p95).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from chimera.errors import UnboundNumber
from chimera.facts.fact import Fact
from chimera.facts.numbers import display_unit, format_number

_DIGIT = re.compile(r"\d")
Field = Literal["value", "n", "n_failed", "n_excluded", "ci_low", "ci_high"]


class Text(msgspec.Struct, frozen=True, tag="text", gc=False):
    """Words of ours: no digit may stand in them."""

    text: str

    def __post_init__(self) -> None:
        text = self.text
        if _DIGIT.search(text) or (not text.isascii() and any(c.isnumeric() for c in text)):
            raise UnboundNumber(f"literal text holds a number: {self.text!r}; use Num or Name")


class Name(msgspec.Struct, frozen=True, tag="name", gc=False):
    """A name from the data or the vocabulary, printed as it is (escaped by the renderer)."""

    text: str
    code: bool = True


class Num(msgspec.Struct, frozen=True, tag="num", gc=False):
    """A field of a fact, formatted; ``text`` is what stands in the report.

    ``unit`` is the unit to print in; the value is converted from the fact's. None chooses the
    one that reads best (milliseconds below a second).
    ``with_unit`` False leaves the unit to the table's header.
    """

    fact: Fact
    field: Field = "value"
    unit: str | None = None
    with_unit: bool = True
    sign: bool = False
    strong: bool = False

    @property
    def text(self) -> str:
        measured = self.field in ("value", "ci_low", "ci_high")
        unit = self.fact.unit if measured else "1"
        to_unit = self.unit
        if measured and to_unit is None:
            to_unit = display_unit(self.fact.value, unit)  # one unit for a value and its interval
        return format_number(
            field_value(self.fact, self.field),
            unit,
            to_unit=to_unit,
            with_unit=self.with_unit,
            sign=self.sign,
        )


Span = Text | Name | Num
Spans = tuple[Span, ...]


def field_value(fact: Fact, field: Field) -> float | int | str | None:
    """The value of one field of a fact; None where the fact has none."""
    if field == "ci_low":
        return None if fact.ci95 is None else fact.ci95[0]
    if field == "ci_high":
        return None if fact.ci95 is None else fact.ci95[1]
    value: float | int | str | None = getattr(fact, field)
    return value


class Sentence(msgspec.Struct, frozen=True):
    """One sentence: its spans, and who chose its wording.

    ``writer`` is "bound" (code's default wording), "model" (the model chose the wording) or
    "refused" (the model's choice was not acceptable and the bound sentence stands in).
    """

    spans: Spans
    writer: Literal["bound", "model", "refused"] = "bound"
    finding: str = ""

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans)

    @property
    def words(self) -> int:
        return len(self.text.split())


def spans(*parts: str | Span) -> Spans:
    """Build spans from a mix of strings (checked literal text) and spans."""
    return tuple(Text(p) if isinstance(p, str) else p for p in parts if p != "")
