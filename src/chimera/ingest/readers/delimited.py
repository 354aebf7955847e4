"""CSV, TSV and their relatives: any of four delimiters, comment lines, unit rows, several tables.

Row numbers are physical lines, so that people can look them up.
"""

from __future__ import annotations

import csv
import io

from chimera.ingest.batches import comma_of
from chimera.ingest.cells import parse_number
from chimera.ingest.tables import Note, RawTable
from chimera.record.units import unit_of

_DELIMITERS = ",;\t|"
_FIELD_LIMIT = 16 * 1024 * 1024


def read_delimited(text: str, file: str, notes: list[Note]) -> tuple[list[RawTable], str]:
    """(tables, why there are none). The reason is "" when there are tables."""
    lines = text.splitlines()
    start = next((i for i, x in enumerate(lines) if x.strip() and x[:1] != "#"), None)
    if start is None:
        return [], "the file is empty" if not text.strip() else "it holds only comments"
    comments = sum(1 for x in lines[:start] if x[:1] == "#")
    if comments:
        notes.append(Note("comment-lines", file, tuple(range(1, start + 1))))
    delimiter = _delimiter(lines[start : start + 20])
    if delimiter is None:
        return [], "it has no columns: " + lines[start].strip()[:80]
    csv.field_size_limit(_FIELD_LIMIT)
    try:
        rows, numbers = _rows(text, lines, start, delimiter)
    except csv.Error as error:
        return [], f"it cannot be read as a table: {error}"
    tables = []
    for block, block_numbers in _blocks(rows, numbers):
        table = _table(block, block_numbers, file, delimiter, notes)
        if table:
            tables.append(table)
    if tables:
        return tables, ""
    if len(rows) == 1:
        return [], "it has a header and no rows"
    return [], "it has no header row of names above numbers"


def _delimiter(lines: list[str]) -> str | None:
    """The delimiter that splits the first lines into the most columns of equal number."""
    best, best_score = None, 0
    for delimiter in _DELIMITERS:
        counts = [line.count(delimiter) for line in lines if line.strip()]
        if not counts or not counts[0]:
            continue
        usual = max(set(counts), key=counts.count)
        score = counts.count(usual) * 100 // len(counts) * 4 + min(usual, 50) + counts[0]
        if usual and score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(
    text: str, lines: list[str], start: int, delimiter: str
) -> tuple[list[list[str]], list[int]]:
    """(rows, the line on which each begins), blank rows kept as empty lists."""
    body = text if not start else "\n".join(lines[start:])
    reader = csv.reader(
        io.StringIO(body, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t"
    )
    if '"' not in body:  # no quoted line breaks: a row is a line
        rows = list(reader)
        if "\r" not in body.replace("\r\n", "\n"):
            return rows, list(range(start + 1, start + 1 + len(rows)))
    rows, numbers, last = [], [], 0
    reader = csv.reader(
        io.StringIO(body, newline=""), delimiter=delimiter, skipinitialspace=delimiter != "\t"
    )
    for row in reader:
        rows.append(row)
        numbers.append(start + last + 1)
        last = reader.line_num
    return rows, numbers


def _blocks(
    rows: list[list[str]], numbers: list[int]
) -> list[tuple[list[list[str]], list[int]]]:
    """The tables of a file: parts between blank rows; a part of one lone row is no table."""
    if [] not in rows and all(any(r) for r in rows[-1:]):
        return [(rows, numbers)]
    blocks: list[tuple[list[list[str]], list[int]]] = []
    block: list[list[str]] = []
    block_numbers: list[int] = []
    for row, number in zip(rows, numbers, strict=True):
        if any(cell.strip() for cell in row):
            block.append(row)
            block_numbers.append(number)
        elif block:
            blocks.append((block, block_numbers))
            block, block_numbers = [], []
    if block:
        blocks.append((block, block_numbers))
    if len(blocks) > 1 and _is_header(blocks[0][0][0]):
        # A later part without a header of its own goes on with the table before it.
        joined = [blocks[0]]
        for part, part_numbers in blocks[1:]:
            if _is_header(part[0]) or len(part[0]) != len(joined[-1][0][0]):
                joined.append((part, part_numbers))
            else:
                joined[-1] = (joined[-1][0] + part, joined[-1][1] + part_numbers)
        blocks = joined
    return blocks


def _is_header(row: list[str]) -> bool:
    """Names above numbers: most cells filled, none a number."""
    filled = [c for c in row if c.strip()]
    return bool(filled) and all(c.strip().endswith("%") or parse_number(c) is None for c in filled)


def _is_unit_row(row: list[str]) -> bool:
    """A second header line that holds units ("ms", "%") and blanks, no numbers."""
    filled = [c.strip() for c in row if c.strip()]
    if not filled or any(parse_number(c) for c in filled):
        return not filled and len(row) > 1
    known = sum(1 for c in filled if unit_of(c) or (len(c) <= 24 and " " not in c))
    return known == len(filled) and any(unit_of(c) for c in filled) and len(filled) < len(row)


def _table(
    rows: list[list[str]], numbers: list[int], file: str, delimiter: str, notes: list[Note]
) -> RawTable | None:
    header = 0
    while header < min(3, len(rows) - 1) and _is_header(rows[header + 1]) and (
        len([c for c in rows[header] if c.strip()]) < len(rows[header + 1]) // 2 + 1
    ):
        header += 1  # a title or a group row above the names
    if not _is_header(rows[header]):
        return None
    names = [c.strip() for c in rows[header]]
    body, lines = rows[header + 1 :], numbers[header + 1 :]
    if body and _is_unit_row(body[0]):
        units = body[0]
        names = [
            f"{name} ({units[i].strip()})" if i < len(units) and units[i].strip() else name
            for i, name in enumerate(names)
        ]
        notes.append(Note("unit-row", file, (lines[0],)))
        body, lines = body[1:], lines[1:]
    body, lines = _same_width(body, lines, len(names), file, notes)
    if not body:
        return None
    names = _unique(names, file, notes)
    columns = [list(column) for column in zip(*body, strict=True)]
    comma = comma_of(columns, delimiter)
    if comma:
        notes.append(Note("decimal-comma", file))
    return RawTable(names, columns, lines, decimal_comma=comma)


def _same_width(
    body: list[list[str]], lines: list[int], width: int, file: str, notes: list[Note]
) -> tuple[list[list[str]], list[int]]:
    """Rows that fit the header. Short last rows are truncated writes; both are named."""
    if all(len(row) == width for row in body):
        return body, lines
    kept, kept_lines, bad = [], [], []
    for row, line in zip(body, lines, strict=True):
        if len(row) > width and not any(c.strip() for c in row[width:]):
            row = row[:width]
        if len(row) == width:
            kept.append(row)
            kept_lines.append(line)
        elif any(c.strip() for c in row):
            bad.append(line)
    if bad:
        notes.append(Note("row-width", file, tuple(bad)))
    return kept, kept_lines


def _unique(names: list[str], file: str, notes: list[Note]) -> list[str]:
    """Names made distinct: a second "x" becomes "x (2)", and is noted."""
    seen: dict[str, int] = {}
    result = []
    for i, name in enumerate(names):
        name = name or f"column {i + 1}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    twice = [name for name, count in seen.items() if count > 1]
    if twice:
        notes.append(Note("duplicate-column", file, (), twice[0]))
    return result
