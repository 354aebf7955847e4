"""Least-squares fit of a sum of effects, one for each level of each factor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from math import fsum, sqrt

import msgspec

from chimera.stats.compare import Difference, difference_of
from chimera.stats.describe import has_spread, mean

Level = tuple[str, object]
_SINGULAR = 1e-9


class Additive(msgspec.Struct, frozen=True):
    """The fit. ``sd`` is the residual standard deviation on ``df`` degrees of freedom.

    ``effect`` holds the fitted effect of (factor, level) against the factor's first level;
    ``place`` the row of ``inverse``, which is the inverse of the design's normal matrix. ``left``
    is what the fit leaves of each value, ``active`` the columns in which that value has a one;
    what is not above ``rounding`` is that of their last digits.
    """

    sd: float
    df: int
    effect: dict[Level, float]
    place: dict[Level, int]
    inverse: list[list[float]]
    active: list[list[int]]
    left: list[float]
    rounding: float

    def contrast(self, factor: str, a: object, b: object, level: float) -> Difference | None:
        """Level ``b`` minus level ``a`` of a factor, the other factors held.

        None for a level against itself, or when the fit leaves nothing over.
        """
        value = self.difference(factor, a, b)
        variance = 0.0
        ends = self._ends(factor, a, b)
        for weight, i in ends:
            for other, j in ends:
                variance += weight * other * self.inverse[i][j]
        return difference_of(value, self.sd * sqrt(max(variance, 0.0)), self.df, level)

    def _ends(self, factor: str, a: object, b: object) -> list[tuple[float, int]]:
        return [(w, p) for w, v in ((-1.0, a), (1.0, b)) if (p := self.place.get((factor, v)))]

    def scores(self, groups: Sequence[Hashable]) -> list[list[float]]:
        """For each of the groups that the values fall into, what ``between`` needs of it."""
        found: dict[Hashable, list[float]] = {}
        for group, own, left in zip(groups, self.active, self.left, strict=True):
            score = found.setdefault(group, [0.0] * len(self.inverse))
            for i in own:
                score[i] += left
        return list(found.values())

    def between(
        self, factor: str, a: object, b: object, scores: list[list[float]], level: float
    ) -> Difference | None:
        """As ``contrast``, with the interval between groups of values that are not independent.

        The variance that allows for clusters (Liang and Zeger 1986), with the groups less one as
        degrees of freedom. Where each group holds the whole design, this is Student's t on the
        contrasts of the groups.
        """
        ends, count = self._ends(factor, a, b), len(scores)
        if count < 2:
            return None
        shares = [
            fsum(w * fsum(x * s for x, s in zip(self.inverse[p], score, strict=True))
                 for w, p in ends)
            for score in scores
        ]  # fmt: skip
        far = max(map(abs, shares))
        if far * count <= self.rounding:
            return None  # without any spread nothing shows the noise
        error = far * sqrt(fsum((s / far) ** 2 for s in shares) * count / (count - 1))
        return difference_of(self.difference(factor, a, b), error, count - 1, level)

    def difference(self, factor: str, a: object, b: object) -> float:
        """Level ``b`` minus level ``a`` of a factor, the other factors held."""
        return self.effect.get((factor, b), 0.0) - self.effect.get((factor, a), 0.0)


def fit_additive(
    values: Sequence[float], factors: Mapping[str, Sequence[object]]
) -> Additive | None:
    """Fit ``values`` by main effects of ``factors`` (one level a value).

    None when the levels of the factors cannot be told apart (they change together), when no
    degree of freedom is left, or when the values have no spread.
    """
    columns = [
        (name, level)
        for name, levels in factors.items()
        for level in list(dict.fromkeys(levels))[1:]
    ]
    n, k = len(values), len(columns) + 1
    if n <= k or not has_spread(values):
        return None
    place = {column: i + 1 for i, column in enumerate(columns)}
    # Each record has a one in few columns: its own levels, and the constant.
    active = [
        [
            0,
            *(
                p
                for name, level in zip(factors, levels, strict=True)
                if (p := place.get((name, level)))
            ),
        ]
        for levels in zip(*factors.values(), strict=True)
    ] or [[0]] * n
    gram = [[0.0] * k for _ in range(k)]
    for own in active:
        for i in own:
            row = gram[i]
            for j in own:
                row[j] += 1.0
    inverse = _inverse(gram)
    if inverse is None:
        return None
    # Around their mean, the values lose no digits to a large constant.
    centre = mean(values)
    terms: list[list[float]] = [[] for _ in range(k)]
    for value, own in zip(values, active, strict=True):
        for i in own:
            terms[i].append(value - centre)
    right = [fsum(t) for t in terms]
    beta = [fsum(a * b for a, b in zip(row, right, strict=True)) for row in inverse]
    left = [
        v - centre - fsum([beta[i] for i in own]) for v, own in zip(values, active, strict=True)
    ]
    far = max(abs(v - centre) for v in values)
    sd = far * sqrt(fsum((r / far) ** 2 for r in left) / (n - k))
    rounding = 1e-12 * max(abs(v) for v in values)
    if sd <= rounding:
        sd = 0.0  # what is left over is rounding
    effect = dict(zip(columns, beta[1:], strict=True))
    return Additive(sd, n - k, effect, place, inverse, active, left, rounding)


def _inverse(matrix: list[list[float]]) -> list[list[float]] | None:
    """Gauss-Jordan with partial pivoting; None when the matrix is singular."""
    k = len(matrix)
    least = _SINGULAR * max(row[i] for i, row in enumerate(matrix))
    work = [row[:] + [1.0 if i == j else 0.0 for j in range(k)] for i, row in enumerate(matrix)]
    for i in range(k):
        pivot = max(range(i, k), key=lambda r: abs(work[r][i]))
        if abs(work[pivot][i]) < least:
            return None
        work[i], work[pivot] = work[pivot], work[i]
        head = work[i][i]
        work[i] = [x / head for x in work[i]]
        for r in range(k):
            if r != i and work[r][i]:
                factor = work[r][i]
                work[r] = [x - factor * y for x, y in zip(work[r], work[i], strict=True)]
    return [row[k:] for row in work]
