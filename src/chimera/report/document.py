"""The report before it is rendered: sections of blocks of bound spans.

Renderers (Markdown, HTML, JSON) only print what stands here. Nothing in a block is a bare
string that could carry a number: it is a span, a name, or a quotation with its origin.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from chimera.facts.fact import Fact, Origin
from chimera.facts.text import Sentence, Span, Spans


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    sentences: tuple[Sentence, ...]


class Bullets(msgspec.Struct, frozen=True, tag="bullets"):
    """A list; ``ordered`` numbers it (the numbers of a list are layout, not claims)."""

    items: tuple[tuple[Sentence, ...], ...]
    ordered: bool = False


class Table(msgspec.Struct, frozen=True, tag="table"):
    """A table. Cells are spans; a column whose cells are all numbers is set to the right."""

    header: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    caption: Spans = ()
    numeric: tuple[bool, ...] = ()


class Mark(msgspec.Struct, frozen=True):
    """One line of a chart: its label, its fact (value and interval), and the samples behind it.

    ``samples`` are (value in the chart's unit, place as "file:row", kind) with kind "" for an
    ordinary sample and "cold" for one that paid a model load.
    """

    label: str
    fact: Fact
    samples: tuple[tuple[float, str, str], ...] = ()
    group: str = ""


class Chart(msgspec.Struct, frozen=True, tag="chart"):
    """Horizontal dot plot: a row per mark, the samples, the mean and its interval.

    ``log`` asks for a logarithmic axis (cold starts beside warm requests).
    """

    title: Spans
    unit: str
    marks: tuple[Mark, ...]
    better: Literal["higher", "lower", ""] = ""
    log: bool = False
    note: Spans = ()


class Lane(msgspec.Struct, frozen=True):
    """One line of a timeline: what it is of, and its stretches as (phase, start, end) in seconds.

    ``fact`` is a number to print beside it, None for none.
    """

    label: str
    stretches: tuple[tuple[str, float, float], ...]
    fact: Fact | None = None
    group: str = ""


class Timeline(msgspec.Struct, frozen=True, tag="timeline"):
    """What was going on when: a bar for each lane, in seconds. ``phases`` is the legend's order."""

    title: Spans
    phases: tuple[str, ...]
    lanes: tuple[Lane, ...]
    note: Spans = ()


class Quotation(msgspec.Struct, frozen=True, tag="quotation"):
    """Text repeated as it stands somewhere, in a code block; never a statement of ours.

    ``origin`` is None for texts that are part of the program (a persona prompt).
    """

    text: str
    language: str = ""
    origin: Origin | None = None
    caption: Spans = ()


class Details(msgspec.Struct, frozen=True, tag="details"):
    """Blocks that are folded away at first."""

    summary: Spans
    blocks: tuple[Block, ...]


Block = Paragraph | Bullets | Table | Chart | Timeline | Quotation | Details


class Section(msgspec.Struct, frozen=True):
    """A headed part of the report. ``key`` is the persona's name for it ("findings")."""

    key: str
    title: Spans
    blocks: tuple[Block, ...]
    numbered: bool = False


class Report(msgspec.Struct, frozen=True):
    """A whole report. ``meta`` are label/value lines under the title (configuration, date)."""

    title: Spans
    meta: tuple[tuple[str, Spans], ...]
    sections: tuple[Section, ...]
    facts: dict[str, Fact] = {}


__all__ = [
    "Block",
    "Bullets",
    "Chart",
    "Details",
    "Lane",
    "Mark",
    "Paragraph",
    "Quotation",
    "Report",
    "Section",
    "Span",
    "Table",
    "Timeline",
]
