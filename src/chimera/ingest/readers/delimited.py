"""CSV, TSV and their relatives: any of four delimiters, comment lines, unit rows, several tables.

Row numbers are physical lines, so that people can look them up.
"""

from __future__ import annotations

import csv
import io
import re

from chimera.ingest.cells import is_decimal_comma
from chimera.ingest.readers.base import Content, Reader, Tables
from chimera.ingest.readers.headers import (
    Rows,
    begins_at_once,
    further_lines,
    grouped,
    is_header,
    is_unit_row,
    joined,
    name_row,
)
from chimera.ingest.tables import RawTable, flat_header

_DELIMITERS = ",;\t|"
_FIELD_LIMIT = 16 * 1024 * 1024
_HEAD = 65536  # characters that are looked at for comments and the delimiter
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
csv.field_size_limit(_FIELD_LIMIT)


def _is_delimited(content: Content) -> bool:
    return content.type in ("CSV", "TSV")


def read_delimited(content: Content) -> Tables:
    """(tables, why there are none). The reason is "" when there are tables."""
    text = content.text
    plain = text[:1].strip() not in ("", "#")
    skipped, start = (0, 0) if plain else _comments(text)
    if start >= len(text):
        return [], "it holds only comments" if "#" in text else "the file is empty"
    if skipped and "#" in text[:start]:
        content.note("comment-lines", tuple(range(1, skipped + 1)))
    body = text[start:] if start else text
    delimiter = _delimiter(body)
    if delimiter is None:
        return [], "it has no columns: " + body.lstrip().splitlines()[0].strip()[:80]
    try:
        if '"' in body and _has_open_quote(body, delimiter):
            rows, numbers = _closed_rows(body, skipped, delimiter, content)
        else:
            rows, numbers = _rows(body, skipped, delimiter)
    except csv.Error as error:
        return [], f"it cannot be read as a table: {error}"
    tables = []
    for block, lines in _blocks(rows, numbers) if rows else []:
        table = _table(block, lines, content, delimiter)
        if table:
            tables.append(table)
    if tables:
        return tables, ""
    if len(rows) == 1:
        return [], "it has a header and no rows"
    return [], "it has no header row of names above numbers"


DELIMITED = Reader("delimited text", _is_delimited, read_delimited)


def _comments(text: str) -> tuple[int, int]:
    """(lines that are blank or comments before the first other line, where that line begins)."""
    count = position = 0
    while position < len(text):
        line = _LINE.match(text, position)
        if line is None or (line[0].strip() and line[0][:1] != "#"):
            break
        count, position = count + 1, line.end()
    return count, position


def _delimiter(body: str) -> str | None:
    """The delimiter that splits the first lines into the most columns of equal number."""
    lines = [line for line in body[:_HEAD].split("\n", 20)[:20] if line.strip()]
    there: list[str] = []
    for i, line in enumerate(lines):
        there = [delimiter for delimiter in _DELIMITERS if delimiter in line]
        if there:
            lines = lines[i:]  # what stands above is a title
            break
    if len(there) == 1 and all(there[0] in line for line in lines):
        return there[0]
    best, best_score = None, 0
    for delimiter in there:
        counts = [line.count(delimiter) for line in lines]
        usual = max(set(counts), key=counts.count)
        score = counts.count(usual) * 100 // len(counts) * 4 + min(usual, 50) + counts[0]
        if usual and score > best_score:
            best, best_score = delimiter, score
    return best


def _rows(body: str, skipped: int, delimiter: str) -> tuple[Rows, list[int]]:
    """(rows, the line on which each begins), blank rows kept as empty lists."""
    source = io.StringIO(body, newline="")
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    rows = list(reader)
    if reader.line_num == len(rows):  # no quoted line breaks: a row is a line
        return rows, list(range(skipped + 1, skipped + 1 + len(rows)))
    source.seek(0)
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    rows, numbers, last = [], [], skipped
    for row in reader:
        rows.append(row)
        numbers.append(last + 1)
        last = skipped + reader.line_num
    return rows, numbers


def _has_open_quote(body: str, delimiter: str) -> bool:
    """Whether the last cell of a file begins with a quotation mark that nothing closes."""
    if body.count('"') % 2 == 0:
        return False
    strict = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    try:
        for _ in strict:
            pass
    except csv.Error:
        return True
    return False


def _closed_rows(
    body: str, skipped: int, delimiter: str, content: Content
) -> tuple[Rows, list[int]]:
    """The rows line by line; a line with a quotation mark too many would swallow all others."""
    rows: Rows = []
    numbers: list[int] = []
    bad: list[int] = []
    for number, line in enumerate(io.StringIO(body), skipped + 1):
        if line.count('"') % 2:
            bad.append(number)
            continue
        reader = csv.reader([line], delimiter=delimiter, skipinitialspace=delimiter != "\t")
        rows.append(next(reader, []))
        numbers.append(number)
    content.note("open-quote", tuple(bad))
    return rows, numbers


def _blocks(rows: Rows, numbers: list[int]) -> list[tuple[Rows, list[int]]]:
    """The tables of a file: parts between blank rows; a part of one lone row is no table."""
    width = len(rows[0])
    if {width}.issuperset(map(len, rows)) and all(map(any, rows)):
        return [(rows, numbers)]
    blocks: list[tuple[Rows, list[int]]] = []
    block: Rows = []
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
    if len(blocks) > 1 and is_header(blocks[0][0][0]):
        # A later part without a header of its own goes on with the table before it.
        joined = [blocks[0]]
        for part, part_numbers in blocks[1:]:
            if is_header(part[0]) or len(part[0]) != len(joined[-1][0][0]):
                joined.append((part, part_numbers))
            else:
                joined[-1] = (joined[-1][0] + part, joined[-1][1] + part_numbers)
        blocks = joined
    return blocks


def _table(rows: Rows, lines: list[int], content: Content, delimiter: str) -> RawTable | None:
    plain = begins_at_once(rows)
    header = 0 if plain else name_row(rows)
    if not plain and not is_header(rows[header]):
        return None
    names = [c.strip() for c in rows[header]]
    if header:
        names = grouped(names, rows[header - 1])
    body, lines = rows[header + 1 :], lines[header + 1 :]
    if plain:
        pass
    elif body and is_unit_row(body[0]):
        names = joined(names, body[:1])
        content.note("unit-row", (lines[0],))
        body, lines = body[1:], lines[1:]
    elif more := further_lines(names, body):
        names = joined(names, body[:more])
        content.note("header-lines", tuple(lines[:more]))
        body, lines = body[more:], lines[more:]
    body, lines = _same_width(body, lines, len(names), content)
    if not body:
        return None
    if "" in names or len(set(names)) != len(names):
        names = _unique(names, content)
    columns = [list(column) for column in zip(*body, strict=True)]
    comma = delimiter != "," and _has_decimal_comma(columns)
    if comma:
        content.note("decimal-comma")
    return RawTable(flat_header(tuple(names)), columns, lines, decimal_comma=comma)


def _has_decimal_comma(columns: list[list[str]]) -> bool:
    """Whether a file that is not split at commas writes decimals with one."""
    return any(
        is_decimal_comma([c for c in cells if c])
        for cells in columns
        if any("," in c for c in cells)
    )


def _same_width(
    body: Rows, lines: list[int], width: int, content: Content
) -> tuple[Rows, list[int]]:
    """Rows that fit the header. Short last rows are truncated writes; both are named."""
    if {width}.issuperset(map(len, body)):
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
        content.note("row-width", tuple(bad))
    return kept, kept_lines


def _unique(names: list[str], content: Content) -> list[str]:
    """Names made distinct: a second "x" becomes "x (2)", and is noted."""
    seen: dict[str, int] = {}
    result = []
    for i, name in enumerate(names):
        name = name or f"column {i + 1}"
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    twice = [name for name, count in seen.items() if count > 1]
    if twice:
        content.note("duplicate-column", column=twice[0])
    return result
