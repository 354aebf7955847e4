"""Whether two samples, or the levels of a factor, can be told apart."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, sqrt

import msgspec

from chimera.facts.stats.describe import mean, sample_sd
from chimera.facts.stats.student import t_quantile, two_sided_p


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


def _difference(value: float, error: float, df: float, level: float) -> Difference:
    if error == 0.0:
        return Difference(value, value, value, df, 0.0 if value else 1.0)
    half = t_quantile(0.5 + level / 2.0, df) * error
    return Difference(value, value - half, value + half, df, two_sided_p(value / error, df))


def welch(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Difference | None:
    """Difference of means of independent samples with unequal variances (Welch 1947).

    None unless both have two values or more.
    """
    sd_a, sd_b = sample_sd(a), sample_sd(b)
    if sd_a is None or sd_b is None:
        return None
    va, vb = sd_a**2 / len(a), sd_b**2 / len(b)
    error = sqrt(va + vb)
    if error == 0.0:
        return None  # values without any spread are no measurement of spread
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return _difference(mean(b) - mean(a), error, df, level)


def paired(differences: Sequence[float], level: float = 0.95) -> Difference | None:
    """Mean of paired differences; None below three pairs or without any spread."""
    if len(differences) < 3:
        return None
    sd = sample_sd(differences)
    if not sd:
        return None
    n = len(differences)
    return _difference(mean(differences), sd / sqrt(n), n - 1, level)


class Additive(msgspec.Struct, frozen=True):
    """Least-squares fit of a sum of effects, one for each level of each factor.

    ``sd`` is the residual standard deviation on ``df`` degrees of freedom. ``effect`` holds the
    fitted effect of (factor, level) against the factor's first level; ``spread`` the covariance
    factor of two levels' difference.
    """

    sd: float
    df: int
    effect: dict[tuple[str, object], float]
    columns: list[tuple[str, object]]
    inverse: list[list[float]]

    def contrast(self, factor: str, a: object, b: object, level: float) -> Difference:
        """Level ``b`` minus level ``a`` of a factor, the other factors held."""
        weights = [0.0] * (len(self.columns) + 1)
        for sign, value in ((-1.0, a), (1.0, b)):
            if (factor, value) in self.columns:
                weights[self.columns.index((factor, value)) + 1] += sign
        variance = fsum(
            weights[i] * self.inverse[i][j] * weights[j]
            for i in range(len(weights))
            for j in range(len(weights))
            if weights[i] and weights[j]
        )
        value = self.effect.get((factor, b), 0.0) - self.effect.get((factor, a), 0.0)
        return _difference(value, self.sd * sqrt(max(variance, 0.0)), self.df, level)


def fit_additive(values: Sequence[float], factors: dict[str, Sequence[object]]) -> Additive | None:
    """Fit ``values`` by main effects of ``factors`` (one level a value).

    None when the levels of the factors cannot be told apart (they change together), or when no
    degree of freedom is left.
    """
    columns = [
        (name, level)
        for name, levels in factors.items()
        for level in list(dict.fromkeys(levels))[1:]
    ]
    n, k = len(values), len(columns) + 1
    if n <= k:
        return None
    rows = [
        [1.0] + [1.0 if factors[name][i] == level else 0.0 for name, level in columns]
        for i in range(n)
    ]
    gram = [[fsum(r[i] * r[j] for r in rows) for j in range(k)] for i in range(k)]
    inverse = _inverse(gram)
    if inverse is None:
        return None
    right = [fsum(r[i] * v for r, v in zip(rows, values, strict=True)) for i in range(k)]
    beta = [fsum(inverse[i][j] * right[j] for j in range(k)) for i in range(k)]
    residual = fsum(
        (v - fsum(b * x for b, x in zip(beta, r, strict=True))) ** 2
        for r, v in zip(rows, values, strict=True)
    )
    effect = dict(zip(columns, beta[1:], strict=True))
    return Additive(sqrt(residual / (n - k)), n - k, effect, columns, inverse)


def _inverse(matrix: list[list[float]]) -> list[list[float]] | None:
    """Gauss-Jordan with partial pivoting; None when the matrix is singular."""
    k = len(matrix)
    work = [row[:] + [1.0 if i == j else 0.0 for j in range(k)] for i, row in enumerate(matrix)]
    for i in range(k):
        pivot = max(range(i, k), key=lambda r: abs(work[r][i]))
        if abs(work[pivot][i]) < 1e-9:
            return None
        work[i], work[pivot] = work[pivot], work[i]
        head = work[i][i]
        work[i] = [x / head for x in work[i]]
        for r in range(k):
            if r != i and work[r][i]:
                factor = work[r][i]
                work[r] = [x - factor * y for x, y in zip(work[r], work[i], strict=True)]
    return [row[k:] for row in work]
