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
    at, ruled = start, False  # ``ruled``: a rule stands below the first row

    def close() -> None:
        if _is_table(rows, ruled):
            found.append(Table(rows[0][0].start, rows[0], tuple(rows[1:]), headings, before))

    for line in [*text.splitlines(keepends=True), ""]:
        rule = bool(line.strip()) and bool(_RULE.match(line))
        cells = () if rule else _cells(line, at)
        ruled = ruled or (rule and len(rows) == 1)
        if not rule and (len(cells) < 2 or (rows and len(cells) != len(rows[0]))):
            close()
            rows, ruled = [], False
        if len(cells) > 1:
            rows.append(cells)
        at += len(line)
    return found


def _is_table(rows: list[tuple[Cell, ...]], ruled: bool) -> bool:
    """Whether there are enough rows, and the first is a header."""
    if ruled:
        return len(rows) > 1
    return len(rows) >= _LEAST and not any(c.text[:1].isdigit() for c in rows[0][1:])


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
