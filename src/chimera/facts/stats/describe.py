"""Mean, standard deviation and quantiles of a sample, and the interval of a quantile.

Standard deviation: sample (ddof = 1). Quantiles: linear interpolation, type 7 of Hyndman and
Fan (1996), as NumPy's default. The interval of a quantile comes from order statistics and the
exact binomial distribution; below 36 values for p90, 72 for p95 and 368 for p99 no interval of
95% exists, and none is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, floor, fsum, lgamma, log, sqrt


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value."""
    return fsum(values) / len(values)


def sample_sd(values: Sequence[float]) -> float | None:
    """Sample standard deviation; None below two values."""
    n = len(values)
    if n < 2:
        return None
    centre = fsum(values) / n
    return sqrt(fsum((v - centre) ** 2 for v in values) / (n - 1))


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
    """Distribution-free interval of the ``p`` quantile from order statistics.

    The pair of order statistics (l, u) with equal tails at most (1 - level) / 2 each; None when
    the sample is too small to hold one.
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
