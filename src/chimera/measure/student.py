"""The interval of a mean by Student's t, without SciPy."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, lgamma, log, sqrt
from statistics import fmean, stdev

_ROUNDS = 300
_CLOSE = 1e-14
_TINY = 1e-300


def mean_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float] | None:
    """The confidence interval of the mean: mean ± t · s / sqrt(n).

    None below two values: one value has no spread that could be known. Assumes independent
    values of about normal spread, as repeats in random order are meant to be.

    Source: Student (1908), "The probable error of a mean".
    """
    if len(values) < 2:
        return None
    half = t_quantile(0.5 + level / 2, len(values) - 1) * stdev(values) / sqrt(len(values))
    centre = fmean(values)
    return centre - half, centre + half


def t_quantile(p: float, degrees: int) -> float:
    """The value below which Student's t with ``degrees`` of freedom falls with probability p.

    Raises:
        ValueError: p is not within (0, 1) or there is no degree of freedom.
    """
    if not 0 < p < 1 or degrees < 1:
        raise ValueError(f"no t quantile for p={p}, degrees={degrees}")
    if p < 0.5:
        return -t_quantile(1 - p, degrees)
    low, high = 0.0, 1.0
    while _t_cdf(high, degrees) < p and high < inf:
        high *= 2
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _t_cdf(middle, degrees) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _t_cdf(t: float, degrees: int) -> float:
    """P(T <= t) for t >= 0."""
    x = degrees / (degrees + t * t)
    return 1 - _incomplete_beta(degrees / 2, 0.5, x) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b).

    Source: Numerical Recipes, 3rd edition, section 6.4; continued fraction by Lentz.
    """
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(1 - x))
    if x > (a + 1) / (a + b + 2):
        return 1 - front * _fraction(b, a, 1 - x) / b
    return front * _fraction(a, b, x) / a


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _ROUNDS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for step in (even, odd):
            d = 1 / _away_from_zero(1 + step * d)
            c = _away_from_zero(1 + step / c)
            result *= c * d
        if abs(c * d - 1) < _CLOSE:
            break
    return result


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
