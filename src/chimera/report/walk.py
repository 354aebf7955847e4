"""The report in reading order: blocks, spans, and the facts behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from chimera.facts.fact import Fact
from chimera.facts.text import Name, Num, Sentence, Spans, Text
from chimera.report.document import (
    Block,
    Bullets,
    Chart,
    Details,
    Mark,
    Paragraph,
    Quotation,
    Report,
    Section,
    Table,
    Timeline,
)

INTERVAL = Name("95% interval", code=False)


class MarkNumbers(NamedTuple):
    """What a chart prints about one mark; None where its fact has no interval or no count."""

    value: Num
    interval: tuple[Num, Num] | None
    n: Num | None


def mark_numbers(mark: Mark, unit: str) -> MarkNumbers:
    """The numbers of ``mark`` in the chart's ``unit``, which the chart's title names."""
    fact = mark.fact
    low_high = None
    if fact.ci95 is not None:
        low_high = (
            Num(fact, "ci_low", unit=unit, with_unit=False),
            Num(fact, "ci_high", unit=unit, with_unit=False),
        )
    return MarkNumbers(
        Num(fact, unit=unit, with_unit=False),
        low_high,
        None if fact.n is None else Num(fact, "n"),
    )


def drawn_marks(chart: Chart) -> list[Mark]:
    """The marks that have a value to draw, in order."""
    return [
        m
        for m in chart.marks
        if isinstance(m.fact.value, int | float) and m.fact.value - m.fact.value == 0
    ]


def blocks(report: Report) -> Iterator[tuple[str, Block]]:
    """Every block with its section's key, folded ones included, in reading order."""
    for section in report.sections:
        yield from ((section.key, b) for b in unfold(section.blocks))


def unfold(some: tuple[Block, ...]) -> Iterator[Block]:
    for block in some:
        yield block
        if isinstance(block, Details):
            yield from unfold(block.blocks)


def block_spans(block: Block) -> Iterator[Spans]:
    """The span sequences that a block prints itself (not those of blocks folded in it)."""
    match block:
        case Paragraph():
            yield from (s.spans for s in block.sentences)
        case Bullets():
            yield from (s.spans for item in block.items for s in item)
        case Table():
            yield block.caption
            yield from block.header
            for row in block.rows:
                yield from row
        case Chart():
            yield from _chart_spans(block)
        case Timeline():
            yield from _timeline_spans(block)
        case Quotation():
            yield block.caption
        case Details():
            yield block.summary


def _chart_spans(chart: Chart) -> Iterator[Spans]:
    yield chart.title
    for mark in drawn_marks(chart):
        yield (Name(mark.label, code=False),)
        numbers = mark_numbers(mark, chart.unit)
        yield (numbers.value,)
        if numbers.interval:
            yield numbers.interval
        if numbers.n:
            yield (numbers.n,)
    yield chart.note


def _timeline_spans(timeline: Timeline) -> Iterator[Spans]:
    yield timeline.title
    for lane in timeline.lanes:
        yield (Name(lane.label, code=False),)
        if lane.fact is not None:
            yield (Num(lane.fact),)
    yield timeline.note


def printed_spans(report: Report) -> Iterator[tuple[str, Spans]]:
    """Every span sequence with the key of its section ("" for title and meta lines)."""
    yield "", report.title
    for label, value in report.meta:
        yield "", (Text(label),)
        yield "", value
    for section in report.sections:
        yield section.key, section.title
        for block in unfold(section.blocks):
            yield from ((section.key, s) for s in block_spans(block))


def numbered_names(report: Report) -> list[str]:
    """The names from the data that hold a digit, in order, as they are printed; after them the
    numbers of headings, which are layout and claim nothing.
    """
    found: dict[str, None] = {}
    for _, some in printed_spans(report):
        for span in some:
            if isinstance(span, Name) and any(c.isdigit() for c in span.text):
                found[span.text] = None
    numbered = sum(section.numbered for section in report.sections)
    return [*found, *(f"{number}." for number in range(1, numbered + 1))]


def used_facts(report: Report) -> dict[str, Fact]:
    """The facts behind what is printed, in reading order, then their operands.

    Operands are followed as far as ``report.facts`` has them; ids it lacks are left out.
    """
    used: dict[str, Fact] = {}
    for _, some in printed_spans(report):
        for span in some:
            if isinstance(span, Num):
                used.setdefault(span.fact.id, span.fact)
    waiting = list(used.values())
    while waiting:
        for operand in waiting.pop(0).operands:
            if operand not in used and operand in report.facts:
                used[operand] = report.facts[operand]
                waiting.append(used[operand])
    return used


def sentences(section: Section) -> Iterator[Sentence]:
    """Every sentence of a section, folded ones included, in reading order."""
    for block in unfold(section.blocks):
        if isinstance(block, Paragraph):
            yield from block.sentences
        elif isinstance(block, Bullets):
            for item in block.items:
                yield from item
