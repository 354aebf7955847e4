"""Tables that stand in code blocks, as programs print them: cells between bars or in columns."""

from __future__ import annotations

import re
from itertools import pairwise

from chimera.audit.document import Cell, Table

_RULE = re.compile(r"^[\s|:+=-]+$")
_COLUMN = re.compile(r"\S+(?: \S+)*")  # words with one blank between them
_LEAST = 3  # rows, the header's among them


def printed_tables(text: str, start: int, headings: tuple[str, ...], before: str) -> list[Table]:
    """The tables of a code block's text, which begins at ``start`` of the report."""
    found: list[Table] = []
    rows: list[tuple[Cell, ...]] = []
    at = start
    for line in [*text.splitlines(keepends=True), ""]:
        cells = () if _RULE.match(line) else _cells(line, at)
        if cells and rows and len(cells) != len(rows[0]):
            found += _table(rows, headings, before)
            rows = []
        if len(cells) > 1:
            rows.append(cells)
        elif not _RULE.match(line) or not line.strip():
            found += _table(rows, headings, before)
            rows = []
        at += len(line)
    return found


def _table(rows: list[tuple[Cell, ...]], headings: tuple[str, ...], before: str) -> list[Table]:
    """The rows as a table, where there are enough and the first is a header."""
    if len(rows) < _LEAST or any(c.text[:1].isdigit() for c in rows[0][1:]):
        return []
    return [Table(rows[0][0].start, rows[0], tuple(rows[1:]), headings, before)]


def _cells(line: str, at: int) -> tuple[Cell, ...]:
    text = line.rstrip()
    if text.count("|") < 2:
        return tuple(Cell(at + m.start(), m[0].rstrip()) for m in _COLUMN.finditer(text))
    lead = len(text) - len(text.lstrip())
    bars = [i for i, c in enumerate(text) if c == "|"]
    edges = bars if text[lead] == "|" else [lead - 1, *bars]
    if not text.endswith("|"):
        edges = [*edges, len(text)]
    cells = []
    for low, high in pairwise(edges):
        piece = text[low + 1 : high]
        skip = len(piece) - len(piece.lstrip())
        cells.append(Cell(at + low + 1 + skip, piece.strip()))
    return tuple(cells)
