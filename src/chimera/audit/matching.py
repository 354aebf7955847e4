"""Whether a printed number is a value, at the precision that it is printed with."""

from __future__ import annotations

from math import floor, isfinite, log10
from typing import Literal

from chimera.audit.numbers import Number
from chimera.facts.numbers import format_plain

Match = Literal["", "exact", "truncated"]
_LOOSE = 1.0000002  # what binary fractions add to half a unit
_SHOWN = {"s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))}


def tolerance(number: Number) -> float:
    """How far a value may be from the number, in canonical units.

    Half a unit of the last printed digit; with "about" a whole unit of the last digit that is no
    zero, at most a twentieth of the value, for small whole numbers half.
    """
    slack = number.slack * number.scale
    if number.worded and number.form == "plain":
        slack = max(slack, 0.5 * number.scale if number.unit else 0.0)
    if number.modifier == "about":
        size = abs(number.canonical)
        digits = number.digits
        unit = 10.0 ** (floor(log10(size)) - digits + 1) if size else 0.0
        slack = max(slack, min(unit, 0.1 * size), 0.02 * size)
    return slack * _LOOSE + 1e-12 * abs(number.canonical)


def matches(number: Number, value: float, *, end: str = "low") -> Match:
    """Whether ``number`` (or the high ``end`` of a range) is ``value`` as printed.

    A value cut off instead of rounded is "truncated".
    """
    if not isfinite(value):
        return ""
    if end == "high" and number.high is not None:
        claimed, slack = number.high * number.scale, number.high_slack * number.scale
    else:
        claimed, slack = number.canonical, tolerance(number)
    if number.modifier in ("over", "at least"):
        return "exact" if value >= claimed - slack else ""
    if number.modifier in ("under", "at most"):
        return "exact" if value <= claimed + slack else ""
    if abs(value - claimed) <= slack * _LOOSE + 1e-12 * abs(claimed):
        return "exact"
    step = 2.0 * (number.high_slack if end == "high" else number.slack) * number.scale
    if step and number.digits >= 3 and 0 <= abs(value) - abs(claimed) < step:
        return "truncated" if value * claimed > 0 else ""
    return ""


def shown(value: float, number: Number, unit: str) -> str:
    """A value in the number's own unit and, roughly, at its precision."""
    if number.form in ("percent", "points"):
        return f"{_rounded(value, number)}%"
    if number.form == "multiple":
        return f"{_rounded(value, number)} times"
    name = unit
    if number.unit == "s":
        _, name = next((s for s in _SHOWN["s"] if s[0] == number.scale), (1.0, "s"))
    text = _rounded(value / number.scale, number)
    return f"{text} {name}".strip() if name not in ("", "1") else text


def _rounded(value: float, number: Number) -> str:
    decimals = len(number.written.partition(".")[2].lower().partition("e")[0])
    if number.worded or abs(value) >= 1e15:
        return format_plain(value)
    text = f"{value:.{max(decimals, 0)}f}"
    if value and float(text) == 0.0:
        return format_plain(value)
    return text
