"""Student's t distribution: its distribution function and quantiles.

The distribution function comes from the regularised incomplete beta function, whose continued
fraction is DLMF 8.17.22, evaluated by Lentz's method. Quantiles are found by Newton's method
on the upper tail, kept inside a bracket.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, inf, lgamma, log, log1p, pi, sqrt
from statistics import NormalDist

_TINY = 1e-300
_STEPS = 10_000  # the fraction needs some sqrt(df) of them
_ACCURACY = 1e-13


def _continued_fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > _TINY else _TINY)
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        step = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            c = 1.0 + term / c
            d = 1.0 / (d if abs(d) > _TINY else _TINY)
            c = c if abs(c) > _TINY else _TINY
            step = c * d
            value *= step
        if abs(step - 1.0) < 1e-15:
            break
    return value


def incomplete_beta(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), for 0 <= x <= 1."""
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _continued_fraction(x, a, b) / a
    return 1.0 - front * _continued_fraction(1.0 - x, b, a) / b


def upper_tail(t: float, df: float) -> float:
    """P(T > t) for t >= 0 with ``df`` > 0 degrees of freedom, exact far out as well."""
    square = t * t
    if square < df:  # the complement keeps the digits that df / (df + t * t) would lose
        return 0.5 - 0.5 * incomplete_beta(square / (df + square), 0.5, df / 2.0)
    return 0.5 * incomplete_beta(df / (df + square), df / 2.0, 0.5)


def t_cdf(t: float, df: float) -> float:
    """P(T <= t) with ``df`` > 0 degrees of freedom."""
    return 1.0 - upper_tail(t, df) if t > 0 else upper_tail(-t, df)


def _density(t: float, df: float) -> float:
    head = lgamma((df + 1.0) / 2.0) - lgamma(df / 2.0) - 0.5 * log(df * pi)
    return exp(head - (df + 1.0) / 2.0 * log1p(t * t / df))


@lru_cache(maxsize=8192)
def t_quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = ``p``, for 0 < p < 1.

    >>> round(t_quantile(0.975, 4), 4)
    2.7764
    """
    if p < 0.5:
        return -t_quantile(1.0 - p, df)
    tail = 1.0 - p
    if p == 0.5:
        return 0.0
    z = NormalDist().inv_cdf(p)
    t = z + (z**3 + z) / (4.0 * df)  # the first terms of Fisher and Cornish's expansion
    low, high = 0.0, inf
    for _ in range(200):
        gap = upper_tail(t, df) - tail
        if gap > 0:
            low = t
        else:
            high = t
        density = _density(t, df)
        following = t + gap / density if density > 0.0 else inf
        if not low < following < high:
            following = 2.0 * t if high == inf else (low + high) / 2.0
        if abs(following - t) <= _ACCURACY * following:
            return following
        t = following
    return t


def two_sided_p(t: float, df: float) -> float:
    """The probability of a |T| at least as large as |t| by chance."""
    return 2.0 * upper_tail(abs(t), df)


def mean_interval(mean: float, sd: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a mean of ``n`` >= 2 values with sample standard deviation ``sd``."""
    half = t_quantile(0.5 + level / 2.0, n - 1) * sd / sqrt(n)
    return mean - half, mean + half
