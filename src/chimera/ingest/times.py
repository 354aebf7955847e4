"""How a file writes points in time: what is mixed in one column cannot be put in order."""

from __future__ import annotations

import re
from typing import Any

_OFFSET = re.compile(r"(?:[zZ]|[+-]\d{2}:?\d{2}|UTC|GMT)$")
_NUMBERS = {int, float}
_EPOCH = re.compile(r"\d{9,20}(?:\.\d+)?$")


def form_of(cell: Any) -> str:
    """The form of one timestamp: "epoch", "offset" (or Z) or "naive"; "" where there is none."""
    if cell is None or isinstance(cell, bool):
        return ""
    if isinstance(cell, (int, float)):
        return "epoch"
    text = str(cell).strip()
    if not text[:1].isdigit():
        return ""
    if _EPOCH.match(text):
        return "epoch"
    return "offset" if _OFFSET.search(text, 10) else "naive"


def are_mixed(cells: list[Any]) -> bool:
    """Whether a column of times holds more than one of these forms."""
    if set(map(type, cells)) <= _NUMBERS:
        return False
    forms = set(map(form_of, cells))
    forms.discard("")
    return len(forms) > 1
