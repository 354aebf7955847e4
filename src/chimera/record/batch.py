"""Records in columns: what one table of one file, or one run, holds.

Columns rather than row objects, because a folder has few tables with many rows, and because a
metric is mostly read whole. ``rows`` says where each record stands in its file.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Role = Literal["metric", "parameter", "identity", "status", "label", "text", "unknown", "empty"]


class Column(msgspec.Struct, gc=False):
    """One column: the file's own name, what it means, and its values.

    ``values`` of a metric are floats in ``unit`` (canonical) or None; of any other role they
    are as in the file. ``raw`` are the file's own values. ``unit`` is "" when nothing says it,
    and ``unit_from`` says what does ("name", "cell", "values", "format").
    """

    name: str
    role: str
    key: str
    statistic: str
    unit: str
    scale: float
    values: list[Any]
    raw: list[Any]
    unit_from: str = ""


class Batch(msgspec.Struct):
    """Records that share their columns.

    ``kind``: a sample is a request, a summary sums up others, and a block is the requests of one
    configuration in one repeat together, with the throughputs that only they have.
    ``outcomes`` has one entry a record: "" when it succeeded, otherwise why it failed.
    ``phases``: "" (measured), "warm-up" (excluded by the file's own word) or "cold" (the file
    says so). ``duplicate_of``: None, or the place ("file:row") of the record that this repeats.
    ``rows`` are 1-based lines of text files and 0-based elements in JSON, where ``pointers``
    holds each record's own JSON pointer (None for text files).
    """

    file: str
    sha256: str
    pointer: str
    kind: Literal["sample", "summary", "block"]
    rows: list[int]
    columns: list[Column]
    constants: dict[str, str | float]
    outcomes: list[str]
    phases: list[str]
    duplicate_of: list[str | None]
    constants_from: dict[str, str] = {}
    derived_from: str = ""
    labels: dict[str, str] = {}
    pointers: list[str] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, key: str, statistic: str = "", role: str | None = None) -> Column | None:
        """The first column with that key and statistic, or None."""
        for column in self.columns:
            if column.key == key and column.statistic == statistic and role in (None, column.role):
                return column
        return None

    def metrics(self) -> list[Column]:
        """The columns that hold measurements."""
        return [c for c in self.columns if c.role == "metric"]

    def place(self, index: int) -> str:
        """Where record ``index`` stands, for people: "file:12" or "file#/results/3"."""
        if self.pointers:
            return f"{self.file}#{self.pointers[index]}"
        return f"{self.file}:{self.rows[index]}"
