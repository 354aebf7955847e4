"""Where a value stands: rows as ranges, origins as one short name."""

from __future__ import annotations

from collections.abc import Iterable

from chimera.facts.fact import Origin


def row_ranges(rows: Iterable[int]) -> str:
    """Rows as compact ranges, sorted and without repeats; "" for none.

    >>> row_ranges((2, 3, 4, 9, 11, 12))
    '2-4, 9, 11-12'
    """
    parts: list[tuple[int, int]] = []
    for row in sorted(set(rows)):
        if parts and row == parts[-1][1] + 1:
            parts[-1] = (parts[-1][0], row)
        else:
            parts.append((row, row))
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def place(origin: Origin) -> str:
    """An origin as one name: ``runs.csv:2-37 [tps]`` or ``run.json#/results 0-3 [ttft]``."""
    text = origin.file
    if origin.pointer is not None:
        text += "#" + origin.pointer
    if origin.rows:
        text += (" " if origin.pointer is not None else ":") + row_ranges(origin.rows)
    if origin.column is not None:
        text += f" [{origin.column}]"
    return text
