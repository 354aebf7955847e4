"""JSON, JSON Lines and concatenated JSON: text to values, with what strict JSON forbids named."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from chimera.ingest.readers.base import Content, Reader, Tables
from chimera.ingest.readers.delimited import read_delimited
from chimera.ingest.readers.json_tables import TooDeep, tables_of

_BETWEEN = re.compile(r"[\s,\ufeff]*")
_BEGINS = ("", "{", "[")
_LONGEST_INTEGER = 400  # digits; what is longer is beyond every float
_TOO_DEEP = "it is nested too deeply to be read"
Documents = list[tuple[Any, int]]  # each with the line on which it begins


def _is_json(content: Content) -> bool:
    """By its name, or by what stands at both ends of a file that is named otherwise."""
    if content.type == "JSON":
        return True
    text = content.text
    return text[:1] in ("{", "[") and text.rstrip()[-1:] in ("}", "]")


def _is_json_lines(content: Content) -> bool:
    return content.type == "JSONL"


def _read(content: Content) -> Tables:
    documents, reason = read_json(content)
    if not documents and content.text.lstrip()[:1] not in _BEGINS:
        tables, _ = read_delimited(content)  # a table under a wrong name
        if tables:
            return tables, ""
    return _tables(documents, reason)


def _read_lines(content: Content) -> Tables:
    return _tables(*read_json_lines(content))


JSON = Reader("JSON", _is_json, _read)
JSON_LINES = Reader("JSON Lines", _is_json_lines, _read_lines)


def _tables(documents: Documents, reason: str) -> Tables:
    if not documents:
        return [], reason
    try:
        tables = tables_of(documents)
    except (TooDeep, RecursionError):
        return [], _TOO_DEEP
    if tables:
        return tables, ""
    if documents[0][0] in ([], {}):
        return [], "the file is empty"
    return [], "it holds no object and no table"


def read_json(content: Content) -> tuple[Documents, str]:
    """(documents with the line each begins on, why there are none).

    One document as a rule; several where a file holds them one after the other.
    """
    text = content.text
    try:
        value = orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        if not text.strip():
            return [], "the file is empty"
        return _loose(content)
    if _has_repeated_keys(text, value):
        value = _with_repeats(content, value)
    return [(value, 1)], ""


def _has_repeated_keys(text: str, value: Any) -> bool:
    """Whether the text holds more quotation marks than what survived the parse."""
    # A quotation mark as nobody writes it: the counts would not compare.
    if "\\" in text and "\\u0022" in text:
        return True
    try:
        return text.count('"') > orjson.dumps(value).count(b'"')
    except (orjson.JSONEncodeError, RecursionError):
        return True


def _with_repeats(content: Content, parsed: Any) -> Any:
    """Parse again, naming keys that stand twice in one object with different values.

    The last one counts: RFC 8259 leaves it open, and this is what every common parser does.
    """
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in items:
            if key in result and result[key] != item:
                repeated.append(key)
            result[key] = item
        return result

    try:
        value = json.loads(content.text, object_pairs_hook=pairs, parse_int=_integer)
    except (ValueError, RecursionError):
        return parsed
    for key in dict.fromkeys(repeated):
        content.note("duplicate-key", column=key)
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


_DECODER = json.JSONDecoder(parse_int=_integer)


def _loose(content: Content) -> tuple[Documents, str]:
    """NaN and Infinity, several documents, or a broken file: whatever can still be read."""
    text = content.text
    documents: Documents = []
    position, counted, line = 0, 0, 1
    while True:
        blank = _BETWEEN.match(text, position)
        position = blank.end() if blank else position
        if position >= len(text):
            break
        line += text.count("\n", counted, position)
        counted = position
        try:
            value, position = _DECODER.raw_decode(text, position)
        except ValueError as error:
            reason = getattr(error, "msg", str(error))
            at = line + text.count("\n", counted, getattr(error, "pos", position))
            return _broken(content, documents, reason, at)
        except RecursionError:
            return [], _TOO_DEEP
        documents.append((value, line))
    if len(documents) > 1:
        content.note("several-documents")
    return documents, ""


def _broken(
    content: Content, documents: Documents, reason: str, line: int
) -> tuple[Documents, str]:
    """What a file holds that ends, or is interrupted by, what is no JSON."""
    if not documents:
        return [], f"it is no JSON: {reason} on line {line}"
    notes = len(content.notes)
    by_line, _ = read_json_lines(content) if documents[-1][1] > 1 else ([], "")
    if len(by_line) > len(documents):
        return by_line, ""
    del content.notes[notes:]
    content.note("truncated", (line,), detail=reason)
    if len(documents) > 1:
        content.note("several-documents")
    return documents, ""


def _whole(text: str) -> Any:
    """One JSON value over many lines, whatever the file is called; None when it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def read_json_lines(content: Content) -> tuple[Documents, str]:
    """(values with their lines, why there are none); broken lines are named and left out."""
    documents: Documents = []
    bad: list[int] = []
    lines = content.text.split("\n")
    last = 0
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped:
            continue
        last = number
        try:
            documents.append((orjson.loads(stripped), number))
        except (orjson.JSONDecodeError, UnicodeEncodeError):
            try:
                documents.append((_DECODER.decode(stripped), number))
            except (ValueError, RecursionError):
                if not documents and not bad and (whole := _whole(content.text)) is not None:
                    return [(whole, 1)], ""
                bad.append(number)
    if not documents and bad:
        return _loose(content)
    if bad == [last]:
        content.note("truncated", (last,), detail=lines[last - 1][:80])
    elif bad:
        content.note("bad-lines", tuple(bad), detail=lines[bad[0] - 1][:80])
    return documents, "" if documents else "the file is empty"
