"""How exactly a value was written: its digits, and what rounding may have hidden."""

from __future__ import annotations


def digits(raw: object) -> int:
    """Significant digits of a value as written."""
    text = str(raw).lower().partition("e")[0]
    return len(text.replace(".", "").replace("-", "").replace(",", "").strip("0 "))


def half_unit(raw: object, scale: float) -> float:
    """Half a unit of the last written digit of ``raw``, times ``scale``."""
    mantissa, _, exponent = str(raw).lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    try:
        power = int(exponent) if exponent else 0
    except ValueError:
        power = 0
    return 0.5 * 10.0 ** (power - decimals) * scale
