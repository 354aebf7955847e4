"""JSON, JSON Lines and concatenated JSON: text to values, with what strict JSON forbids named."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from chimera.ingest.tables import Note

_KEY = re.compile(r'"\s*:')


def read_json(text: str, file: str, notes: list[Note]) -> tuple[list[tuple[Any, int]], str]:
    """(documents with the line each begins on, why there are none).

    One document as a rule; several where a file holds them one after the other.
    """
    if not text.strip():
        return [], "the file is empty"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _loose(text, file, notes)
    if _has_repeated_keys(text, value):
        value = _with_repeats(text, file, notes)
    return [(value, 1)], ""


def _count_keys(value: Any) -> int:
    """How many keys the objects of a value have in all (without recursion: depth is theirs)."""
    count, stack = 0, [value]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            count += len(node)
            stack.extend(v for v in node.values() if isinstance(v, (dict, list)))
        elif isinstance(node, list):
            stack.extend(v for v in node if isinstance(v, (dict, list)))
    return count


def _has_repeated_keys(text: str, value: Any) -> bool:
    """Cheap suspicion: more colons after quotes than keys that survived the parse."""
    return len(_KEY.findall(text)) > _count_keys(value)


def _with_repeats(text: str, file: str, notes: list[Note]) -> Any:
    """Parse again, naming keys that stand twice in one object; the last one counts (RFC 8259
    leaves it open, and this is what every common parser does)."""
    repeated: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in items:
            if key in result and result[key] != item:
                repeated.append(key)
            result[key] = item
        return result

    try:
        value = json.loads(text, object_pairs_hook=pairs)
    except (ValueError, RecursionError):
        return orjson.loads(text)
    for key in dict.fromkeys(repeated):
        notes.append(Note("duplicate-key", file, (), key))
    return value


def _loose(text: str, file: str, notes: list[Note]) -> tuple[list[tuple[Any, int]], str]:
    """NaN and Infinity, several documents, or a broken file: whatever can still be read."""
    decoder = json.JSONDecoder()
    documents: list[tuple[Any, int]] = []
    position, length = 0, len(text)
    while position < length:
        while position < length and text[position] in " \t\r\n,\ufeff":
            position += 1
        if position >= length:
            break
        line = text.count("\n", 0, position) + 1
        try:
            value, position = decoder.raw_decode(text, position)
        except ValueError as error:
            reason = getattr(error, "msg", str(error))
            at = text.count("\n", 0, getattr(error, "pos", position)) + 1
            if documents:
                notes.append(Note("truncated", file, (at,), detail=reason))
                break
            return [], f"it is no JSON: {reason} on line {at}"
        except RecursionError:
            return [], "it is nested too deeply to be read"
        documents.append((value, line))
    if len(documents) > 1:
        notes.append(Note("several-documents", file))
    return documents, ""


def read_json_lines(text: str, file: str, notes: list[Note]) -> tuple[list[tuple[Any, int]], str]:
    """(values with their lines, why there are none); broken lines are named and left out."""
    documents: list[tuple[Any, int]] = []
    bad: list[int] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        if not stripped:
            continue
        try:
            documents.append((orjson.loads(stripped), number))
        except orjson.JSONDecodeError:
            try:
                documents.append((json.loads(stripped), number))
            except (ValueError, RecursionError):
                bad.append(number)
    if not documents and bad:
        return read_json(text, file, notes)
    if bad == [len(lines)]:
        notes.append(Note("truncated", file, tuple(bad), detail=lines[-1][:80]))
    elif bad:
        notes.append(Note("bad-lines", file, tuple(bad), detail=lines[bad[0] - 1][:80]))
    return documents, "" if documents else "the file is empty"
