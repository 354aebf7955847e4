"""The rows of a file of prompts: text, JSON Lines, JSON, CSV. Read as far as they are needed."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from chimera.errors import InputError
from chimera.measure.workloads.rows import Row, is_known, plain_name

# Beyond this a file is refused unless only its first prompts are wanted.
MOST_BYTES = 1 << 30
_LONGEST_LINE = 64 << 20
_SEPARATOR = "---"

RowsOf = Callable[[Path], Iterator[Row]]


def read_rows(path: Path, *, in_part: bool = False) -> Iterator[Row]:
    """The rows of the file, in order; ``in_part`` when only the first ones are wanted.

    Raises:
        InputError: no file, no known kind of file, or one that is broken; names the line.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise InputError(f"{str(path)!r} is {kind}; give the path of a file of prompts")
        rows_of = _KINDS.get(path.suffix.lower())
        if rows_of is None:
            kinds = ", ".join(_KINDS)
            raise InputError(f"{path.name!r} is no kind of file that holds prompts; use {kinds}")
        whole = rows_of not in (_json_line_rows, _csv_rows)
        if found.st_size > MOST_BYTES and (whole or not in_part):
            advice = "split it" if whole else f"take a part of it with {path.name}:first=1000"
            raise InputError(f"{path.name} has {found.st_size:,} bytes, too many; {advice}")
        yield from rows_of(path)
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def json_line_rows(lines: Iterator[bytes], file: str) -> Iterator[Row]:
    """A row for each line that is not blank; a line that is only text is a prompt."""
    for number, line in enumerate(lines, start=1):
        data = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if data.strip():
            place = f"{file}, line {number}"
            yield _row(_json(data, place), place, f"line-{number}")


def _json_line_rows(path: Path) -> Iterator[Row]:
    yield from json_line_rows(_lines(path), path.name)


def _json_rows(path: Path) -> Iterator[Row]:
    items = _json(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), path.name)
    if not isinstance(items, list):
        raise InputError(f"{path.name} holds no list of prompts; one object a line is .jsonl")
    for number, item in enumerate(items, start=1):
        yield _row(item, f"{path.name}, item {number}", f"item-{number}")


def _text_rows(path: Path) -> Iterator[Row]:
    text = _text(path.read_bytes().removeprefix(b"\xef\xbb\xbf"), path.name)
    if "\0" in text:
        raise InputError(f"{path.name} is no text: it holds a zero byte")
    # The same prompt whatever system the file was saved on.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    starts = [n for n, line in enumerate(lines) if line.rstrip() == _SEPARATOR]
    pieces = list(zip([-1, *starts], [*starts, len(lines)], strict=True))
    if len(pieces) > 1 and not "".join(lines[starts[-1] + 1 :]).strip():
        pieces.pop()  # a separator behind the last prompt as well
    for number, (before, end) in enumerate(pieces, start=1):
        prompt = "\n".join(lines[before + 1 : end]).strip("\n")
        stem = path.stem if path.stem.isprintable() else "text"
        name = stem if len(pieces) == 1 else f"{stem}-{number}"
        yield Row(f"{path.name}, line {before + 2}", "", {"prompt": prompt, "id": name})


def _csv_rows(path: Path) -> Iterator[Row]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in _lines(path):
            read += 1
            clean = line.removeprefix(b"\xef\xbb\xbf") if read == 1 else line
            yield _text(clean, f"{path.name}, line {read}")

    csv.field_size_limit(_LONGEST_LINE)  # the module's own limit is that of short cells
    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        if not any(is_known(name) for name in header):
            raise InputError(
                f"{path.name}, line 1: no column prompt among {', '.join(header)!r:.200}; "
                "the first line names the columns"
            )
        begun = read + 1
        for cells in reader:
            place, name = f"{path.name}, line {begun}", f"line-{begun}"
            begun = read + 1
            if not cells:
                continue
            if len(set(header)) < len(header):
                raise InputError(f"{path.name}, line 1: two columns have one name; rename one")
            if len(cells) > len(header):
                raise InputError(f"{place}: {len(cells)} cells, but {len(header)} columns")
            # An empty cell is a value that is missing; only a prompt must not be.
            pairs = [(k, c) for k, c in zip(header, cells, strict=False) if c or _is_prompt(k)]
            yield Row(place, name, dict(pairs))
    except csv.Error as error:
        raise InputError(f"{path.name}, line {read}: not CSV: {error}") from error


_KINDS: dict[str, RowsOf] = {
    ".txt": _text_rows,
    ".jsonl": _json_line_rows,
    ".ndjson": _json_line_rows,
    ".json": _json_rows,
    ".csv": _csv_rows,
    ".tsv": _csv_rows,
}


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            if len(line) == _LONGEST_LINE:
                raise InputError(f"{path.name}, line {number}: longer than {_LONGEST_LINE:,} bytes")
            yield line


def _is_prompt(column: str) -> bool:
    return plain_name(column) == "prompt"


def _row(value: Any, place: str, name: str) -> Row:
    if isinstance(value, str):
        return Row(place, name, {"prompt": value})
    if not isinstance(value, dict):
        raise InputError(f"{place}: a prompt is an object or text, not {value!r:.60}")
    return Row(place, name, value)


def _json(data: bytes, place: str) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        _text(data, place)  # says so where the reason is the encoding
        where = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else ""
        where = where or f"column {error.colno}"
        raise InputError(f"{place}: not JSON: {error.msg} at {where}") from error


def _text(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f" in line {line}" if line > 1 else ""
        raise InputError(
            f"{place}: byte 0x{data[error.start]:02x}{where} is not UTF-8; save the file as UTF-8"
        ) from error
