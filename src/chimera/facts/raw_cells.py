"""The rows behind a fact, read again from what the files say.

Nothing here uses the values that facts are made from: a value is the raw cell, read anew and
brought to its canonical unit by its column's scale or by the unit that the cell itself names.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec

from chimera.facts.dataset import Sample
from chimera.facts.fact import Origin
from chimera.facts.folder import Facts
from chimera.ingest import Document
from chimera.ingest.cells import is_decimal_comma, parse_number
from chimera.record.batch import Batch, Column
from chimera.record.units import unit_of

_Place = tuple[str, str | None, int]


class Row(msgspec.Struct, frozen=True):
    """One row, line or file behind a fact.

    ``place`` is "file:12" for a line of a text file, "file#/results/3" in JSON, the file's name
    for a file. ``raw`` is the column's cell as it stands there, ``value`` that cell as a number
    in ``unit`` (canonical; "" where it has none). ``column``, ``raw`` and ``value`` are None
    where the fact is about whole rows or files. ``phase`` and ``failure`` are those of a record.
    """

    place: str
    column: str | None = None
    raw: Any = None
    value: float | None = None
    unit: str = ""
    phase: str = ""
    failure: str = ""


class Found(msgspec.Struct):
    """A row with the record that it is, if it is one."""

    row: Row
    sample: Sample | None = None


class Missing(Exception):
    """An origin that is not in the folder as it was read."""


class RawCells:
    """Finds rows of a folder by their origins. Build it once for many facts."""

    def __init__(self, facts: Facts) -> None:
        self._files = {f.name for f in facts.ingest.files}
        self._documents: dict[str, Document] = {d.file: d for d in facts.ingest.documents}
        data = facts.data
        everything = chain(data.samples, *data.blocks.values())
        self._samples = {(id(s.batch), s.index): s for s in everything}
        self._at: dict[_Place, list[tuple[Batch, int]]] = {}
        for batch in facts.ingest.batches:
            pointer = batch.pointer if batch.pointers else None
            for i, row in enumerate(batch.rows):
                self._at.setdefault((batch.file, pointer, row), []).append((batch, i))
        self._commas: dict[int, bool] = {}

    def of(self, origin: Origin, any_line: bool = False) -> list[Found]:
        """The rows of one origin, in its order.

        Raises Missing for a row that is no record, unless ``any_line`` is wanted.
        """
        if origin.file not in self._files:
            raise Missing(f"{origin.file} is no file of this folder")
        if not origin.rows:
            return [Found(Row(origin.file, origin.column))]
        if origin.file in self._documents:
            return [Found(self._line(origin, line)) for line in origin.rows]
        return [self._record(origin, row, any_line) for row in origin.rows]

    def _record(self, origin: Origin, row: int, any_line: bool) -> Found:
        hits = self._at.get((origin.file, origin.pointer, row), [])
        for batch, index in hits:
            column = next((c for c in batch.columns if c.name == origin.column), None)
            if column is not None or origin.column is None:
                value, raw = None, None
                if column is not None:
                    raw, value = column.raw[index], self._value(column, index)
                shown = Row(
                    batch.place(index),
                    origin.column,
                    raw,
                    value,
                    column.unit if column else "",
                    batch.phases[index],
                    batch.outcomes[index],
                )
                sample = self._samples.get((id(batch), index))
                if sample is not None and sample.phase != shown.phase:
                    shown = msgspec.structs.replace(shown, phase=sample.phase)
                return Found(shown, sample)
        place = f"{origin.file}#{origin.pointer}" if origin.pointer else origin.file
        if any_line:
            return Found(Row(f"{place}:{row}", origin.column))
        raise Missing(f"{place} has no row {row} with the column {origin.column!r}")

    def _value(self, column: Column, index: int) -> float | None:
        raw = column.raw[index]
        if isinstance(raw, bool) or raw is None:
            return None
        if isinstance(raw, (int, float)):
            return float(raw) * column.scale
        if id(column) not in self._commas:
            cells = [c for c in column.raw if isinstance(c, str)]
            self._commas[id(column)] = is_decimal_comma(cells)
        comma = self._commas[id(column)]
        try:
            parsed = parse_number(str(raw), comma) if comma else (float(raw), "", column.scale)
        except (ValueError, TypeError):
            parsed = parse_number(str(raw))
        if parsed is None:
            return None
        value, unit, factor = parsed
        return value * (factor if unit else column.scale)

    def _line(self, origin: Origin, line: int) -> Row:
        """A cell of a document's table: the column's name is looked up in the header above."""
        lines = self._documents[origin.file].text.splitlines()
        place = f"{origin.file}:{line}"
        if not 1 <= line <= len(lines):
            raise Missing(f"{origin.file} has no line {line}")
        if origin.column is None:
            return Row(place, None, lines[line - 1])
        header = next(
            (i for i in range(line - 2, -1, -1) if origin.column in _cells(lines[i])), None
        )
        if header is None:
            raise Missing(f"{place}: no header above it names {origin.column!r}")
        raw = _cells(lines[line - 1])[_cells(lines[header]).index(origin.column)]
        parsed = parse_number(raw)
        if parsed is None:
            return Row(place, origin.column, raw)
        value, unit, factor = parsed
        if not unit:
            unit, factor = _unit_in_name(origin.column)
        return Row(place, origin.column, raw, value * factor, unit)


def _cells(line: str) -> list[str]:
    text = line.strip().removeprefix("|").replace("\\|", "\0")
    return [c.replace("\0", "\\|").strip() for c in text.removesuffix("|").split("|")]


def _unit_in_name(name: str) -> tuple[str, float]:
    """The unit that ends a column's name ("TTFT (ms)", "load_s"); ("", 1.0) without one."""
    words = name.replace("*", "").replace("`", "").rstrip(") ")
    for opening in ("(", "[", " ", "_"):
        found = unit_of(words.rpartition(opening)[2].rstrip("] "))
        if found:
            return found
    return "", 1.0
