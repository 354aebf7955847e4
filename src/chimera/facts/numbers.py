"""How a fact's value is printed: one rule for tables, sentences and charts."""

from __future__ import annotations

from math import floor, isfinite, log10

MISSING = "—"

# Canonical units and what they can be printed in.
_SCALE: dict[tuple[str, str], float] = {
    ("s", "ms"): 1e3,
    ("s", "us"): 1e6,
    ("bytes", "MB"): 1e-6,
    ("bytes", "GB"): 1e-9,
    ("ratio", "%"): 100.0,
    ("1", "%"): 100.0,
}


def convert(value: float, unit: str, to_unit: str) -> float:
    """``value`` in ``to_unit``. Raises KeyError for a conversion that is not known."""
    return value if unit == to_unit else value * _SCALE[unit, to_unit]


def format_plain(value: float | int) -> str:
    """Three decimals from one upwards, four significant digits below, grouped thousands.

    >>> format_plain(100.594321), format_plain(0.126845525), format_plain(28)
    ('100.594', '0.1268', '28')
    """
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if not isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    magnitude = floor(log10(abs(value)))
    if magnitude < -5:
        return f"{value:.3e}"
    if magnitude >= 15:  # beyond what a float counts one by one
        return f"{value:.6e}"
    decimals = 3 - magnitude if magnitude < 0 else min(3, max(0, 6 - magnitude))
    text = f"{value:,.{decimals}f}" if abs(value) >= 10_000 else f"{value:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def display_unit(value: float | int | str | None, unit: str) -> str:
    """The unit in which a value reads best: times below a second in milliseconds."""
    if unit == "s" and isinstance(value, (int, float)) and 0 < abs(value) < 1:
        return "ms" if abs(value) >= 1e-5 else "us"
    return unit


def format_number(
    value: float | int | str | None,
    unit: str,
    *,
    to_unit: str | None = None,
    with_unit: bool = True,
    sign: bool = False,
) -> str:
    """``value`` as printed, with its unit unless ``with_unit`` is False.

    None prints as an em dash, text as itself. ``to_unit`` converts first.
    """
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    shown_unit = unit
    if to_unit and to_unit != unit:
        value, shown_unit = convert(float(value), unit, to_unit), to_unit
    text = format_plain(value)
    if sign and value > 0:
        text = "+" + text
    if not with_unit or shown_unit in ("", "1", "ratio"):
        return text
    return text + ("%" if shown_unit == "%" else " " + shown_unit)
