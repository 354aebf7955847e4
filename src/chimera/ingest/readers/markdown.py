"""Tables of a Markdown document, each with the lines it stands on and the headings above it.

What stands in a document is a claim about data, never data.
"""

from __future__ import annotations

import re

import msgspec

_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_PIPE = re.compile(r"(?<!\\)\|")


class DocumentTable(msgspec.Struct, frozen=True):
    """A pipe table: names, rows of cells, the 1-based line of each row, headings above it."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    headings: tuple[str, ...]
    before: str = ""


def _cells(line: str) -> tuple[str, ...]:
    text = line.strip().removeprefix("|")
    if text.endswith("|") and not text.endswith("\\|"):
        text = text[:-1]
    return tuple(cell.strip() for cell in _PIPE.split(text))


def document_tables(text: str) -> list[DocumentTable]:
    """All pipe tables outside code fences, in order."""
    if "|" not in text:
        return []
    tables: list[DocumentTable] = []
    headings: list[tuple[int, str]] = []
    lines = text.splitlines()
    fenced, before, i = False, "", 0
    while i < len(lines):
        line = lines[i]
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        heading = None if fenced else _HEADING.match(line)
        if heading:
            level = len(line) - len(line.lstrip("# "))
            headings = [h for h in headings if h[0] < level]
            headings.append((level, heading[1]))
            before = ""
        elif not fenced and "|" in line and i + 1 < len(lines) and _RULE.match(lines[i + 1]):
            names = _cells(line)
            start = i + 2
            i = start
            while i < len(lines) and "|" in lines[i] and lines[i].strip():
                i += 1
            rows = [(n + 1, _cells(lines[n])) for n in range(start, i)]
            kept = [(n, r) for n, r in rows if len(r) == len(names)]
            tables.append(
                DocumentTable(
                    names,
                    tuple(r for _, r in kept),
                    tuple(n for n, _ in kept),
                    tuple(h[1] for h in reversed(headings)),
                    before,
                )
            )
            continue
        elif line.strip():
            before = line.strip()
        i += 1
    return tables
