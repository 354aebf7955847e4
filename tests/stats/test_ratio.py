"""A ratio of means: worked out by another library, and the same whichever way it is read."""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest

from chimera.stats.ratio import ratio_of_means

stats: Any = pytest.importorskip("scipy.stats")

A = [8.1, 8.4, 7.9, 8.6]
B = [4.4, 5.1, 4.7]


def test_the_interval_is_welchs_of_the_logarithms_around_the_ratio_of_the_means() -> None:
    found = ratio_of_means(A, B)
    assert found is not None
    assert found.ci95 is not None
    value = (sum(A) / 4) / (sum(B) / 3)
    theirs = stats.ttest_ind([log(v) for v in A], [log(v) for v in B], equal_var=False)
    low, high = theirs.confidence_interval(0.95)
    shift = log(value) - (sum(map(log, A)) / 4 - sum(map(log, B)) / 3)
    assert found.value == pytest.approx(value)
    assert found.ci95 == pytest.approx((exp(low + shift), exp(high + shift)))


def test_a_ratio_and_its_inverse_say_the_same() -> None:
    one, other = ratio_of_means(A, B), ratio_of_means(B, A)
    assert one is not None
    assert other is not None
    assert one.ci95 is not None
    assert other.ci95 == pytest.approx((1 / one.ci95[1], 1 / one.ci95[0]))


def test_below_three_values_or_without_spread_there_is_a_ratio_but_no_interval() -> None:
    few = ratio_of_means(A, B[:2])
    same = ratio_of_means([2.0] * 4, [1.0] * 3)
    assert few is not None
    assert same is not None
    assert few.value == pytest.approx(8.25 / 4.75)
    assert same.value == 2.0
    for found in (few, same):
        assert found.ci95 is None
        assert found.why


@pytest.mark.parametrize(("a", "b"), [([], [1.0]), ([1.0], []), ([0.0], [1.0]), ([1.0], [-1.0])])
def test_of_nothing_and_of_what_is_not_above_zero_there_is_none(
    a: list[float], b: list[float]
) -> None:
    assert ratio_of_means(a, b) is None
