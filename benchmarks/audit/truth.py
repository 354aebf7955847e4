"""Statistics in plain Python, apart from Chimera's own: neither hides an error of the other."""

from __future__ import annotations

import math
from collections.abc import Sequence

CLEAR_STANDARD_ERRORS = 6.0  # far beyond any Bonferroni correction for a handful of subjects
CLEAR_RECORDS = 10


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def quantile(values: Sequence[float], share: float) -> float:
    """Type 7: linear between the order statistics, as NumPy and spreadsheets do."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def deviation(values: Sequence[float]) -> float:
    """Of a sample (n - 1); 0 for one value."""
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return math.sqrt(math.fsum((v - centre) ** 2 for v in values) / (len(values) - 1))


def clearly_above(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether the mean of ``a`` lies above that of ``b`` beyond any reasonable doubt.

    Ten records on each side at least, a gap of six standard errors, and the same order in the
    medians, so that no other fair reading of "higher" says otherwise.
    """
    if min(len(a), len(b)) < CLEAR_RECORDS:
        return False
    error = math.sqrt(deviation(a) ** 2 / len(a) + deviation(b) ** 2 / len(b))
    gap = mean(a) - mean(b)
    return gap > CLEAR_STANDARD_ERRORS * error and quantile(a, 0.5) > quantile(b, 0.5)


def rounded(value: float, decimals: int) -> str:
    """Printed with ``decimals`` places, half away from zero as a person rounds."""
    scale = 10**decimals
    whole = math.floor(abs(value) * scale + 0.5 + 1e-9)
    text = f"{whole / scale:.{decimals}f}" if decimals else str(whole)
    return f"-{text}" if value < 0 and whole else text


def prints_as(value: float, text: str) -> bool:
    """Whether ``text`` could be ``value`` rounded or cut off at its own last place."""
    bare = text.replace(",", "").replace("−", "-")
    decimals = len(bare.partition(".")[2])
    step = 10.0**-decimals
    return abs(float(bare) - value) < step * (1 + 1e-9)


def prints_near(value: float, text: str, tolerance: float = 0.0) -> bool:
    """As ``prints_as``, and also within a relative ``tolerance``."""
    bare = float(text.replace(",", "").replace("−", "-"))
    return prints_as(value, text) or abs(bare - value) <= tolerance * abs(value)
