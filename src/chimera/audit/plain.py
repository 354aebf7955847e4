"""Values of cells and settings in one plain form."""

from __future__ import annotations

import re
from typing import Any

from chimera.ingest.cells import parse_number
from chimera.ingest.columns import parameter_value

_ALIKE = (("num_batch", "batch_size"),)


def field_name(name: str) -> str:
    """The last part of a column's name, in lower case words joined by "_"."""
    last = re.split(r"[./\[\]]+", name.strip("`*] "))[-1]
    return re.sub(r"[^a-z0-9]+", "_", last.lower()).strip("_")


def as_number(raw: Any) -> float | None:
    """A cell as a number, None where it is none."""
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, (int, float)):
        return float(raw)
    parsed = parse_number(raw) if isinstance(raw, str) else None
    return parsed[0] if parsed else None


def plain_level(value: Any) -> str:
    """A setting's level in one form: 0.80 and "0.8" are the same."""
    value = parameter_value(value) if isinstance(value, str) else value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{round(value, 6):g}" if abs(value) < 1e15 else str(value)
    return str(value).lower()


def with_alike(levels: dict[str, str]) -> dict[str, str]:
    """Levels with what prose calls by one name: "batch 8" may be either batch."""
    for one, other in _ALIKE:
        if one in levels and other not in levels:
            levels[other] = levels[one]
        elif other in levels and one not in levels:
            levels[one] = levels[other]
    return levels
