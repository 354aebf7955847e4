"""A table as a reader found it, before anything is understood."""

from __future__ import annotations

from typing import Any

import msgspec

SEPARATOR = "\x1f"  # joins nested keys; keys themselves may hold dots and slashes


class RawTable(msgspec.Struct):
    """Names, columns of cells, and where each row stands.

    Cells are text (CSV, Markdown) or JSON values. ``parents`` holds for each column the enclosing
    JSON key ("" where there is none), ``leaves`` its own key. ``constants`` are scalars of the enclosing objects, by
    their own names. ``beside_rows`` marks the scalars of an object that also holds the rows:
    they sum those rows up.
    """

    names: list[str]
    columns: list[list[Any]]
    rows: list[int]
    pointer: str = ""
    parents: list[str] | None = None
    constants: dict[str, Any] = {}
    decimal_comma: bool = False
    beside_rows: bool = False
    pointers: list[str] | None = None
    leaves: list[str] | None = None


class Note(msgspec.Struct, frozen=True):
    """Something that a reader of the report must know about the data.

    ``kind`` is from a closed list (see ``chimera.facts.findings``), ``file`` and ``rows`` say
    where, ``column`` which column, ``detail`` is text from the data (shown as a quotation).
    """

    kind: str
    file: str
    rows: tuple[int, ...] = ()
    column: str = ""
    detail: str = ""
    other: str = ""
