"""Mean, standard deviation and quantiles of a sample, and the interval of a quantile.

Standard deviation: sample (ddof = 1). Quantiles: linear interpolation, type 7 of Hyndman and
Fan (1996), as NumPy's default. The interval of a quantile comes from order statistics and the
exact binomial distribution; below 36 values for p90, 72 for p95 and 368 for p99 no interval of
95% exists, and none is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, fsum, isfinite, lgamma, log, sqrt

_ROUNDING = 1e-12  # a spread below this share of the values is that of their last digits


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value; between the smallest and the largest of them.

    >>> mean([0.1] * 49)
    0.1
    """
    n = len(values)
    if n == 1:
        return values[0]
    try:
        centre = fsum(values) / n
    except OverflowError:  # the sum is beyond a float, the mean is not
        centre = fsum(v / n for v in values)
    return min(max(centre, min(values)), max(values))


def sample_sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation (ddof = 1); 0.0 when all values are equal.

    None below two values, and where it is larger than a float can hold.
    """
    n = len(values)
    if n < 2:
        return None
    centre = mean(values)
    far = max(max(values) - centre, centre - min(values))
    if far == 0.0:
        return 0.0
    # Divided first: squares of very large or very small numbers leave the range of a float.
    sd = far * sqrt(fsum(((v - centre) / far) ** 2 for v in values) / (n - 1))
    return sd if isfinite(sd) else None


def has_spread(values: Sequence[float]) -> bool:
    """Whether values differ by more than the rounding of their last digits."""
    low, high = min(values), max(values)
    return high - low > _ROUNDING * max(abs(low), abs(high))


def quantile(ordered: Sequence[float], p: float) -> float:
    """The ``p`` quantile (0..1) of values in ascending order, at least one."""
    place = p * (len(ordered) - 1)
    low = floor(place)
    if low + 1 >= len(ordered):
        return ordered[-1]
    return ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])


def quantile_interval(
    ordered: Sequence[float], p: float, level: float = 0.95
) -> tuple[float, float] | None:
    """Distribution-free interval of the ``p`` quantile (0 < p < 1) from order statistics.

    The order statistics l and u with P(B < l) and P(B >= u) at most (1 - level) / 2 each, where
    B is binomial (n, p): David and Nagaraja, Order Statistics (2003), 7.1. None when the sample
    is too small to hold such a pair.
    """
    n = len(ordered)
    tail = (1.0 - level) / 2.0
    if (1.0 - p) ** n > tail or p**n > tail:
        return None
    # Far below the mean the binomial adds nothing that a float can hold.
    start = max(0, floor(n * p - 12.0 * sqrt(n * p * (1.0 - p))))
    chance = exp(
        lgamma(n + 1)
        - lgamma(start + 1)
        - lgamma(n - start + 1)
        + start * log(p)
        + (n - start) * log(1.0 - p)
    )
    low, total = -1, 0.0
    upper: int | None = None
    for k in range(start, n):
        total += chance
        if total <= tail:
            low = k
        if total >= 1.0 - tail:
            upper = k + 1
            break
        chance *= (n - k) / (k + 1) * p / (1.0 - p)
    if upper is None or upper > n:
        return None
    return ordered[max(low, 0)], ordered[upper - 1]
