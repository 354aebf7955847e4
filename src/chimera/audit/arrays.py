"""The samples behind a summary: a list of numbers in the same JSON record whose mean it states.

llama-bench writes ``avg_ts`` beside ``samples_ts``; what the list says of extremes is as good as
the mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chimera.record.batch import Batch, Column

_TOLERANCE = 2e-3
_LEAST = 2
_MAX_FILE = 64_000_000


class Arrays:
    """Reads the records of a folder's JSON files again, each file once."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)
        self._files: dict[str, Any] = {}

    def of(self, batch: Batch, row: int, column: Column) -> list[float]:
        """The samples of which a mean in ``column`` is the mean, in the column's canonical unit.

        Empty where the record holds no such list.
        """
        mean = column.values[row]
        if not mean or column.statistic not in ("", "mean"):
            return []
        record = self._record(batch, row)
        if not isinstance(record, dict):
            return []
        for value in record.values():
            if not isinstance(value, list) or len(value) < _LEAST:
                continue
            if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
                continue
            scaled = [float(v) * column.scale for v in value]
            if abs(sum(scaled) / len(scaled) - mean) <= _TOLERANCE * abs(mean):
                return scaled
        return []

    def _record(self, batch: Batch, row: int) -> Any:
        content = self._content(batch.file)
        if content is None:
            return None
        if batch.pointers:
            return _at(content, batch.pointers[row])
        lines = content if isinstance(content, list) else []
        place = batch.rows[row]
        return lines[place] if 0 <= place < len(lines) else None

    def _content(self, file: str) -> Any:
        if file not in self._files:
            self._files[file] = self._read(self._folder / file)
        return self._files[file]

    @staticmethod
    def _read(path: Path) -> Any:
        """A JSON document; JSON Lines as a list that begins with None: lines count from 1."""
        try:
            if path.suffix.lower() not in (".json", ".jsonl", ".ndjson"):
                return None
            if path.stat().st_size > _MAX_FILE:
                return None
            data = path.read_bytes()
            if path.suffix.lower() == ".json":
                return msgspec.json.decode(data)
            return [None, *map(_line, data.splitlines())]
        except (OSError, msgspec.MsgspecError, RecursionError):
            return None


def _line(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        return None


def _at(content: Any, pointer: str) -> Any:
    """What a JSON pointer (RFC 6901) points at, or None."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(content, list) and key.isdecimal() and int(key) < len(content):
            content = content[int(key)]
        elif isinstance(content, dict):
            content = content.get(key)
        else:
            return None
    return content
