"""Reading one cell: numbers as people and programs write them.

"1,234.5", "1.234,5" (where the file uses decimal commas), "12.5 ms", "45%", "**77.6**",
"1.2k". What is no number is None; infinities and NaN are no measurements.
"""

from __future__ import annotations

import re
from math import isfinite

from chimera.record.units import unit_of

BLANKS = frozenset({"", "-", "--", "—", "–", "n/a", "na", "none", "null", "nan", "?", "unknown"})
NOT_FINITE = frozenset({"inf", "-inf", "+inf", "infinity", "-infinity", "nan"})
_NUMBER = re.compile(
    r"(?P<sign>[-+−]?)\s*(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?|\.\d+)"
    r"(?P<exp>[eE][-+]?\d+)?\s*(?P<rest>.*)$",
    re.DOTALL,
)
_COMMA = re.compile(r"^[-+]?(?:\d{1,3}(?:[. ]\d{3})+|\d+),\d+$|^[-+]?\d{1,3}(?:[. ]\d{3})+$")
_GO_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(\d+(?:\.\d*)?)s$")  # "1h3m4.5s"
_SI = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9}
_DECORATION = str.maketrans("", "", "*_`~$")


def parse_number(text: str, decimal_comma: bool = False) -> tuple[float, str, float] | None:
    """(value, canonical unit, factor to it) of a cell, or None when it is no finite number.

    The unit is "" where the cell names none; the value is as written, before the factor.
    """
    text = text.strip()
    if text[:1].isalpha():
        return None  # most cells that are no number end here
    if text[:1] in "*_`~$":
        text = text.translate(_DECORATION).strip()
    if decimal_comma and _COMMA.match(text):
        text = text.replace(".", "").replace(" ", "").replace(",", ".")
    match = _NUMBER.match(text)
    if not match:
        return None
    try:
        value = float(match["digits"].replace(",", "") + (match["exp"] or ""))
    except (ValueError, OverflowError):
        return None
    if match["sign"] in ("-", "−"):
        value = -value
    if not isfinite(value):
        return None
    if text[-1] == "s" and match["rest"][:1] in ("h", "m"):
        go = _GO_DURATION.match(text)
        if go:
            return int(go[1] or 0) * 3600.0 + int(go[2] or 0) * 60.0 + float(go[3]), "s", 1.0
    rest = match["rest"].strip().rstrip("*_`~").strip()
    if not rest:
        return value, "", 1.0
    if not rest[0].isalpha() and rest[0] not in "%_":
        return None  # a date, a version: no unit begins like that
    unit = unit_of(rest)
    if unit:
        return value, unit[0], unit[1]
    if rest in _SI:
        return value * _SI[rest], "", 1.0
    return None


def is_decimal_comma(cells: list[str]) -> bool:
    """Whether these cells write decimals with a comma (and no cell speaks against it)."""
    seen = False
    for cell in cells:
        if "," in cell and cell[:1].isdigit():
            if not _COMMA.match(cell):
                return False
            seen = True
    return seen
