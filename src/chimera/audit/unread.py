"""What ingestion leaves out and a report may speak of all the same.

Tables without a metric that the field knows ("quant, ppl, mmlu_pct"), and the numbers that stand
deep in JSON files beside the records. Both become summaries under their own names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chimera.audit.own_metrics import as_metric
from chimera.ingest import Ingest
from chimera.ingest.columns import parameter_value
from chimera.ingest.folder import NO_DATA
from chimera.ingest.names import read_name
from chimera.ingest.readers import read_tables
from chimera.ingest.readers.base import Content
from chimera.ingest.tables import RawTable
from chimera.ingest.text import decode
from chimera.record.batch import Batch, Column

_TABLES = frozenset({"CSV", "TSV"})
_JSON = frozenset({"JSON", "JSONL"})
_MOST_BYTES = 8_000_000
_MOST_ROWS = 5_000
_MOST_LEAVES = 3_000  # of a file
_MANY = 60  # elements: a list of so many holds samples
_DEEPEST = 12


def tables_without_metric(ingest: Ingest) -> list[Batch]:
    """The tables of CSV files that hold no metric by the field's names."""
    found = []
    for file in ingest.files:
        if file.outcome != NO_DATA or file.type not in _TABLES:
            continue
        text = _text(Path(ingest.folder) / file.name)
        if text is None:
            continue
        tables, _ = read_tables(Content(file.name, file.type, text, []))
        found += [b for t in tables if (b := _batch(t, file.name, file.sha256)) is not None]
    return found


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        return decode(path.read_bytes())[0]
    except OSError:
        return None


def _batch(table: RawTable, file: str, sha256: str) -> Batch | None:
    size = len(table.rows)
    if not 0 < size <= _MOST_ROWS:
        return None
    columns = []
    for name, raw in zip(table.header.names, table.columns, strict=True):
        reading = read_name(name)
        role = reading.role if reading.role in ("parameter", "identity") else "unknown"
        key = reading.key if role != "unknown" else name
        values = [parameter_value(v) if isinstance(v, str) else v for v in raw]
        column = Column(name, role, key, "", "", 1.0, values, list(raw))
        columns.append(column if role != "unknown" else as_metric(column))
    if not any(c.role == "metric" for c in columns):
        return None
    return _made(file, sha256, table.pointer, list(table.rows), columns, {})


def _made(
    file: str,
    sha256: str,
    pointer: str,
    rows: list[int],
    columns: list[Column],
    constants: dict[str, str | float],
) -> Batch:
    size = len(rows)
    return Batch(
        file=file, sha256=sha256, pointer=pointer, kind="summary", rows=rows, columns=columns,
        constants=constants, outcomes=[""] * size, phases=[""] * size, duplicate_of=[None] * size,
    )  # fmt: skip


def leaves(ingest: Ingest) -> list[Batch]:
    """The numbers of JSON files of which no summary was read, those of each element of a list
    together as one row.
    """
    known: dict[str, list[Batch]] = {}
    for batch in ingest.batches:
        known.setdefault(batch.file, []).append(batch)
    found = []
    for file in ingest.files:
        told = any(b.kind == "summary" for b in known.get(file.name, []))
        if told or file.type not in _JSON or file.size > _MOST_BYTES:
            continue
        text = _text(Path(ingest.folder) / file.name)
        try:
            content = json.loads(text or "")
        except (ValueError, RecursionError):
            continue
        groups: dict[str, list[tuple[str, float]]] = {}
        for count, (group, name, value) in enumerate(_walk(content, "", "", 0)):
            if count >= _MOST_LEAVES:
                break
            groups.setdefault(group, []).append((name, value))
        for group, named in groups.items():
            columns = [
                as_metric(Column(name, "unknown", name, "", "", 1.0, [value], [value]))
                for name, value in named
            ]
            constants = _constants(group, known.get(file.name, []))
            found.append(_made(file.name, file.sha256, group, [0], columns, constants))
    return found


def _walk(content: Any, group: str, name: str, depth: int) -> Iterator[tuple[str, str, float]]:
    """(the list's element that holds it, its name below that, the number)."""
    if depth > _DEEPEST:
        return
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _walk(value, group, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(content, list) and len(content) <= _MANY:
        for i, value in enumerate(content):
            if isinstance(value, dict):
                yield from _walk(value, f"{group}/{name}/{i}", "", depth + 1)
    elif isinstance(content, (int, float)) and not isinstance(content, bool):
        yield group, name, float(content)


def _constants(group: str, batches: list[Batch]) -> dict[str, str | float]:
    """What is known of the records that stand below the same element."""
    for batch in batches:
        if group and batch.pointer.startswith(_pointer(group)):
            return dict(batch.constants)
    return dict(batches[0].constants) if len(batches) == 1 else {}


def _pointer(group: str) -> str:
    return group.replace(".", "/") + "/"
