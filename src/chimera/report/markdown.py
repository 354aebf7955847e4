"""The report as Markdown: plain CommonMark with GitHub's tables, good to read as it is."""

from __future__ import annotations

from collections.abc import Iterable

from chimera.facts.numbers import MISSING
from chimera.facts.text import Name, Num, Sentence, Span, Spans, Text
from chimera.report.document import (
    Block,
    Bullets,
    Chart,
    Details,
    Lane,
    Paragraph,
    Quotation,
    Report,
    Table,
    Timeline,
)
from chimera.report.ledger import verify
from chimera.report.markdown_text import code, fenced, line, plain
from chimera.report.places import place
from chimera.report.walk import INTERVAL, drawn_marks, mark_numbers

# Wider columns than this are not padded: the source would be wider than any screen.
_PADDED = 48
_BAR = 72  # letters of a timeline's longest bar


def to_markdown(report: Report) -> str:
    """The whole report. Raises UnboundNumber as ``verify`` does."""
    verify(report)
    parts = ["# " + inline(report.title)]
    if report.meta:
        parts.append("\n".join(f"- **{plain(k)}:** {inline(v)}" for k, v in report.meta))
    number = 0
    for section in report.sections:
        number += section.numbered
        heading = f"{number}. " if section.numbered else ""
        parts.append(f"## {heading}{inline(section.title)}")
        parts += _blocks(section.blocks, 3)
    return "\n\n".join(part for part in parts if part) + "\n"


def inline(some: Spans, in_table: bool = False, bold: bool = True) -> str:
    """Spans as one line of Markdown."""
    pieces = [_span(span, in_table) for span in some]
    for i in range(1, len(pieces)):
        if pieces[i - 1].endswith("`") and pieces[i].startswith("`"):
            pieces[i] = plain(some[i].text)  # two fences that touch would be read as one
    if bold:
        for i, span in enumerate(some):
            if isinstance(span, Num) and span.strong and _can_be_bold(pieces, i):
                pieces[i] = f"**{pieces[i]}**"
    return "".join(pieces).strip()


def _span(span: Span, in_table: bool) -> str:
    match span:
        case Name(text=text, code=True):
            return code(text, in_table)
        case Name(text=text) if "@" in text:  # the only way to keep it from being a link
            return code(text, in_table)
        case Num():
            return plain(span.text.strip())
        case _:
            return plain(span.text)


def _can_be_bold(pieces: list[str], i: int) -> bool:
    """Whether asterisks around piece ``i`` are read as emphasis: words must not touch them."""
    before = "".join(pieces[:i])[-1:]
    after = "".join(pieces[i + 1 :])[:1]
    apart = (before == "" or before in " (") and (after == "" or not after.isalnum())
    return apart and pieces[i] != "" and after not in ("*", "_")


def _sentences(some: Iterable[Sentence]) -> str:
    return line(" ".join(inline(s.spans) for s in some))


def _blocks(some: Iterable[Block], level: int) -> list[str]:
    return [part for block in some for part in _block(block, level) if part]


def _block(block: Block, level: int) -> list[str]:
    match block:
        case Paragraph():
            return [_sentences(block.sentences)]
        case Bullets():
            lead = (f"{i}. " if block.ordered else "- " for i in range(1, len(block.items) + 1))
            items = zip(lead, block.items, strict=True)
            return ["\n".join(mark + _sentences(item) for mark, item in items)]
        case Table():
            return [_caption(block.caption), _table(block)]
        case Chart():
            return _chart(block)
        case Timeline():
            return _timeline(block)
        case Quotation():
            return [_quotation_caption(block), fenced(block.text, block.language)]
        case Details():
            heading = f"{'#' * min(level, 6)} {inline(block.summary)}"
            return [heading, *_blocks(block.blocks, level + 1)]


def _caption(some: Spans) -> str:
    text = inline(some, bold=False)
    return f"*{text}*" if text else ""


def _quotation_caption(quotation: Quotation) -> str:
    caption = inline(quotation.caption)
    if quotation.origin is not None:
        caption = f"{caption} {code(place(quotation.origin))}".strip()
    return line(caption)


def _chart(chart: Chart) -> list[str]:
    title = f"**{inline(chart.title, bold=False)}**"
    if chart.better:
        title += f" ({chart.better} is better)"
    marks = drawn_marks(chart)
    grouped = any(m.group for m in marks)
    rows: list[tuple[Spans, ...]] = []
    for mark in marks:
        numbers = mark_numbers(mark, chart.unit)
        between: Spans = (Text(MISSING),)
        if numbers.interval:
            between = (numbers.interval[0], Text(" to "), numbers.interval[1])
        rows.append(
            (
                *([(Name(mark.group, code=False),)] if grouped else []),
                (Name(mark.label, code=False),),
                (numbers.value,),
                between,
                (numbers.n or Text(MISSING),),
            )
        )
    unit = "" if chart.unit in ("", "1", "ratio") else chart.unit
    header: list[Spans] = [(Text(""),)] * (1 + grouped)
    header += [(Name(unit or "value", code=False),), (INTERVAL,), (Text("n"),)]
    numeric = (False,) * (1 + grouped) + (True, True, True)
    table = _table(Table(tuple(header), tuple(rows), numeric=numeric)) if rows else ""
    return [title, table, line(inline(chart.note))]


def _timeline(timeline: Timeline) -> list[str]:
    """A bar of letters for each lane, the first of each phase's name."""
    end = max((e for lane in timeline.lanes for _, _, e in lane.stretches), default=0.0)
    drawn = {phase for lane in timeline.lanes for phase, _, _ in lane.stretches}
    legend = ", ".join(f"{phase[0]} {phase}" for phase in timeline.phases if phase in drawn)
    rows: list[tuple[Spans, ...]] = []
    for lane in timeline.lanes:
        name = f"{lane.group}, {lane.label}" if lane.group else lane.label
        value: Spans = (Text(MISSING),) if lane.fact is None else (Num(lane.fact),)
        rows.append(((Name(name, code=False),), (Name(bar_of(lane, end)),), value))
    header: tuple[Spans, ...] = ((Text(""),), (Name(legend, code=False),), (Text("took"),))
    title = f"**{inline(timeline.title, bold=False)}**"
    table = _table(Table(header, tuple(rows), numeric=(False, False, True))) if rows else ""
    return [title, table, line(inline(timeline.note))]


def bar_of(lane: Lane, end: float) -> str:
    """A lane as a line of letters; a point is time in which nothing of the legend went on."""
    cells = ["."] * _BAR
    for phase, start, stop in lane.stretches:
        first, last = (min(_BAR, round(at / end * _BAR)) if end > 0 else 0 for at in (start, stop))
        cells[first:last] = phase[0] * (last - first)
    return "".join(cells).rstrip(".") or "."


def numeric_columns(table: Table) -> list[bool]:
    """Which columns are set to the right: as given, else those that hold numbers only."""
    width = max([len(table.header), *(len(row) for row in table.rows)], default=0)
    given = list(table.numeric[:width])
    return given + [_all_numbers(table, i) for i in range(len(given), width)]


def _all_numbers(table: Table, column: int) -> bool:
    cells = [row[column] for row in table.rows if column < len(row)]
    filled = [cell for cell in cells if "".join(s.text for s in cell).strip(f" {MISSING}")]
    return bool(filled) and all(
        any(isinstance(s, Num) and not isinstance(s.fact.value, str) for s in cell)
        and all(isinstance(s, Num) or len(s.text) < 5 for s in cell)
        for cell in filled
    )


def _table(table: Table) -> str:
    numeric = numeric_columns(table)
    if not numeric:
        return ""
    lines = [_cells(table.header, len(numeric)), *(_cells(r, len(numeric)) for r in table.rows)]
    widths = [max(3, *(len(cells[i]) for cells in lines)) for i in range(len(numeric))]
    widths = [w if w <= _PADDED else 3 for w in widths]
    rule = ["-" * (w - 1) + (":" if r else "-") for w, r in zip(widths, numeric, strict=True)]
    padded = [
        [c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, numeric, strict=True)]
        for cells in lines
    ]
    padded.insert(1, rule)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in padded)


def _cells(row: tuple[Spans, ...], width: int) -> list[str]:
    return [inline(cell, in_table=True) for cell in row] + [""] * (width - len(row))
