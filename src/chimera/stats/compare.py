"""Whether two samples can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, isfinite, sqrt

import msgspec

from chimera.stats.describe import has_spread, mean, sample_sd
from chimera.stats.student import t_quantile, two_sided_p


class Difference(msgspec.Struct, frozen=True):
    """b - a with its interval. ``p`` is two-sided; ``df`` are the degrees of freedom."""

    value: float
    low: float
    high: float
    df: float
    p: float

    @property
    def certain(self) -> bool:
        """The interval excludes zero."""
        return self.low > 0 or self.high < 0


def difference_of(value: float, error: float, df: float, level: float) -> Difference | None:
    """A difference with its t interval; None where its standard error is nothing, or no number.

    A standard error of zero is no certainty: it says that nothing showed the noise.
    """
    if not (error > 0.0 and isfinite(error) and isfinite(value) and df > 0):
        return None
    half = t_quantile(0.5 + level / 2.0, df) * error
    return Difference(value, value - half, value + half, df, two_sided_p(value / error, df))


def centred(spread: Difference, value: float) -> Difference:
    """The interval of ``spread`` around ``value``, where both estimate the same difference.

    The value over all records is shown, and between repeats is how far it can be trusted.
    """
    shift = value - spread.value
    return Difference(value, spread.low + shift, spread.high + shift, spread.df, spread.p)


def welch(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Difference | None:
    """Difference of means of independent samples with unequal variances (Welch 1947).

    None unless both have two values or more and any spread.
    """
    return stratified([a], [b], level)


def stratified(
    a: Sequence[Sequence[float]], b: Sequence[Sequence[float]], level: float = 0.95
) -> Difference | None:
    """Mean over strata of the difference of means, each stratum a sample of ``a`` and of ``b``.

    Each stratum weighs the same; variances may differ, and the degrees of freedom are
    Satterthwaite's (1946). With one stratum this is Welch's test. None unless each sample has
    two values or more, and some of them any spread.
    """
    count = len(a)
    gaps: list[float] = []
    parts: list[tuple[float, int]] = []
    for left, right in zip(a, b, strict=True):
        for values in (left, right):
            sd = sample_sd(values)
            if sd is None:
                return None
            parts.append((sd / count * (sd / count / len(values)), len(values) - 1))
        gaps.append(mean(right) - mean(left))
    if not any(has_spread(values) for values in (*a, *b)):
        return None  # values without any spread are no measurement of spread
    variance = fsum(v for v, _ in parts)
    if not 0.0 < variance < float("inf"):
        return None
    df = 1.0 / fsum((v / variance) ** 2 / free for v, free in parts)
    return difference_of(mean(gaps), sqrt(variance), df, level)


def paired(differences: Sequence[float], level: float = 0.95) -> Difference | None:
    """Mean of paired differences; None below three pairs or without any spread."""
    n = len(differences)
    if n < 3 or not has_spread(differences):
        return None
    sd = sample_sd(differences)
    if sd is None:
        return None
    return difference_of(mean(differences), sd / sqrt(n), n - 1, level)
