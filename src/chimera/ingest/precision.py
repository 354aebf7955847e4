"""How exactly a value was written: its digits, and what rounding may have hidden."""

from __future__ import annotations

import re
from math import floor, log10

from chimera.ingest.cells import parse_number
from chimera.record.batch import Column

_GO_PREFIX = re.compile(r"^(?:\d+h)?(?:\d+m)?(?=[\d.]+s$)")
_HALVES: list[float] = [0.5 * 10.0**-n for n in range(20)]  # half a unit of the n-th decimal
_LEADING = re.compile(r"[^\d]*([\d.,]*)(?:[eE]([-+]?\d+))?")


def digits(raw: object) -> int:
    """Significant digits of a value as written; a unit behind it does not count."""
    text = str(raw)
    plain = text.replace(".", "")
    if plain.isdecimal():  # as most are written
        return len(plain.strip("0"))
    if text[-1:].isalpha():
        text = _mantissa(text)[0]
    text = text.lower().partition("e")[0]
    return len(text.replace(".", "").replace("-", "").replace(",", "").strip("0 "))


def half_unit(raw: object, scale: float) -> float:
    """Half a unit of the last written digit of ``raw``, in canonical units.

    ``scale`` is the column's factor; a cell that names its own unit ("12.5 ms") has its own.
    """
    text = str(raw)
    fraction = text.partition(".")[2]
    if fraction.isdecimal() and len(fraction) < len(_HALVES):  # as most are written
        return _HALVES[len(fraction)] * scale
    if text[-1:].isalpha():
        mantissa, exponent = _mantissa(text)
        parsed = parse_number(text)
        if parsed is not None and parsed[1]:
            scale = parsed[2]
    else:
        mantissa, _, exponent = text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    try:
        power = int(exponent) if exponent else 0
    except ValueError:
        power = 0
    return 0.5 * 10.0 ** (power - decimals) * scale


def _mantissa(text: str) -> tuple[str, str]:
    """(digits with their point, exponent) at the beginning of a cell."""
    found = _LEADING.match(_GO_PREFIX.sub("", text))
    return (found[1], found[2] or "") if found else ("", "")


class Precisions:
    """How exactly each column was written, worked out when it is first asked for.

    A single value says little about that: 0.1 may be 0.100000 whose zeros nobody wrote.
    """

    def __init__(self) -> None:
        self._of: dict[int, tuple[int, float]] = {}

    def _written(self, column: Column) -> tuple[int, float]:
        """(most significant digits of any value, half a unit of the finest last digit)."""
        found = self._of.get(id(column))
        if found is None:
            raw = [r for r, v in zip(column.raw, column.values, strict=True) if v is not None]
            most = max(map(digits, raw), default=0)
            finest = min((half_unit(r, column.scale) for r in raw), default=0.0)
            found = self._of[id(column)] = most, finest
        return found

    def slack(self, column: Column, row: int) -> float:
        """How far a value may be from what was measured, by its rounding alone."""
        most, finest = self._written(column)
        value = abs(column.values[row] or 0.0)
        by_digits = 0.5 * 10.0 ** (floor(log10(value)) - most + 1) if value else 0.0
        return min(half_unit(column.raw[row], column.scale), max(finest, by_digits))
