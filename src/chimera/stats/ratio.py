"""A ratio of two means, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite, log

import msgspec

from chimera.stats.compare import centred, welch
from chimera.stats.describe import mean
from chimera.stats.repeats import LEAST_REPEATS


class Ratio(msgspec.Struct, frozen=True):
    """mean(a) / mean(b). ``ci95`` is None where there is none; ``why`` then says why."""

    value: float
    ci95: tuple[float, float] | None
    why: str = ""


def ratio_of_means(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Ratio | None:
    """The ratio of the means of independent samples of values above zero.

    Its interval is Welch's of the difference of their logarithms, laid around the ratio: a ratio
    and its inverse then say the same. No interval below three values in each, or without any
    spread. None where a sample is empty or holds a value that is not above zero.

    >>> ratio_of_means([4.0], [2.0])
    Ratio(value=2.0, ci95=None, why='fewer than three values on a side have no interval')
    """
    if not a or not b or not all(v > 0 and isfinite(v) for v in (*a, *b)):
        return None
    value = mean(a) / mean(b)
    if min(len(a), len(b)) < LEAST_REPEATS:
        return Ratio(value, None, "fewer than three values on a side have no interval")
    spread = welch([log(v) for v in b], [log(v) for v in a], level)
    if spread is None:
        return Ratio(value, None, "the values have no spread")
    around = centred(spread, log(value))
    return Ratio(value, (exp(around.low), exp(around.high)))
