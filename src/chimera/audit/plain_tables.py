"""Tables that stand in code blocks, as programs print them: cells between bars."""

from __future__ import annotations

import re

from chimera.audit.document import Cell, Table

_RULE = re.compile(r"^[\s|:+=-]+$")
_LEAST = 3  # rows, the header's among them


def bar_tables(text: str, start: int, headings: tuple[str, ...], before: str) -> list[Table]:
    """The tables of a code block's text, which begins at ``start`` of the report."""
    found: list[Table] = []
    rows: list[tuple[Cell, ...]] = []
    at = start
    for line in [*text.splitlines(keepends=True), ""]:
        if line.count("|") >= 2:
            if not _RULE.match(line):
                rows.append(_cells(line, at))
        else:
            if len(rows) >= _LEAST and len({len(r) for r in rows}) == 1:
                found.append(Table(rows[0][0].start, rows[0], tuple(rows[1:]), headings, before))
            rows = []
        at += len(line)
    return found


def _cells(line: str, at: int) -> tuple[Cell, ...]:
    text = line.rstrip()
    lead = len(text) - len(text.lstrip())
    bars = [i for i, c in enumerate(text) if c == "|"]
    edges = bars if text[lead] == "|" else [lead - 1, *bars]
    if not text.endswith("|"):
        edges = [*edges, len(text)]
    cells = []
    for low, high in zip(edges, edges[1:], strict=False):
        piece = text[low + 1 : high]
        skip = len(piece) - len(piece.lstrip())
        cells.append(Cell(at + low + 1 + skip, piece.strip()))
    return tuple(cells)
