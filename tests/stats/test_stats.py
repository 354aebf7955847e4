"""The statistics against SciPy and NumPy, and at the edges of what a float holds."""

from __future__ import annotations

import random
import warnings
from math import isfinite
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.stats.additive import fit_additive
from chimera.stats.compare import paired, stratified, welch
from chimera.stats.describe import (
    has_spread,
    mean,
    quantile,
    quantile_interval,
    sample_sd,
)
from chimera.stats.student import mean_interval, t_cdf, t_quantile, two_sided_p

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)


@pytest.fixture(scope="module")
def scipy_stats() -> Any:
    return pytest.importorskip("scipy.stats")


@pytest.fixture(scope="module")
def numpy() -> Any:
    return pytest.importorskip("numpy")


@pytest.mark.parametrize("df", [0.7, 1, 2, 3.5, 9, 46, 1e3, 1e5, 1e7])
def test_the_t_distribution_is_that_of_scipy(scipy_stats: Any, df: float) -> None:
    for t in (1e-3, 0.1, 0.7, 1.0, 2.0, 5.0, 12.0):
        assert t_cdf(t, df) == pytest.approx(scipy_stats.t.cdf(t, df), abs=1e-8)
        assert t_cdf(-t, df) == pytest.approx(scipy_stats.t.cdf(-t, df), rel=1e-6, abs=1e-14)
        assert two_sided_p(t, df) == pytest.approx(2 * scipy_stats.t.sf(t, df), rel=1e-6)
    for p in (0.5, 0.6, 0.9, 0.975, 0.999, 1 - 1e-6, 0.025):
        assert t_quantile(p, df) == pytest.approx(scipy_stats.t.ppf(p, df), rel=1e-7, abs=1e-12)


def test_a_tiny_probability_is_not_rounded_to_nothing(scipy_stats: Any) -> None:
    assert two_sided_p(60.0, 40) == pytest.approx(2 * scipy_stats.t.sf(60.0, 40), rel=1e-6)
    assert two_sided_p(60.0, 40) > 0


@given(VALUES)
def test_describing_is_that_of_numpy(values: list[float]) -> None:
    numpy = pytest.importorskip("numpy")
    assert mean(values) == pytest.approx(numpy.mean(values), rel=1e-9, abs=1e-9)
    assert sample_sd(values) == pytest.approx(numpy.std(values, ddof=1), rel=1e-7, abs=1e-7)
    for p in (0.0, 0.5, 0.9, 0.95, 1.0):
        ours, theirs = quantile(sorted(values), p), numpy.quantile(values, p)
        assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)


@given(VALUES, VALUES)
def test_welch_is_that_of_scipy(a: list[float], b: list[float]) -> None:
    scipy_stats = pytest.importorskip("scipy.stats")
    ours = welch(a, b)
    scale = max(map(abs, (*a, *b)))
    spread = max(max(a) - min(a), max(b) - min(b))
    if spread <= 1e-7 * scale or min(spread, scale) < 1e-100:
        return  # SciPy has lost its digits here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that one sample has no spread
        theirs = scipy_stats.ttest_ind(b, a, equal_var=False)
    assert ours is not None
    assert ours.df == pytest.approx(theirs.df, rel=1e-5)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-4, abs=1e-9)
    low, high = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-5, abs=1e-6 * scale)


def test_pairs_are_those_of_scipy(scipy_stats: Any) -> None:
    gaps = [0.3, -0.1, 0.25, 0.4, 0.05]
    ours = paired(gaps)
    assert ours is not None
    assert ours.p == pytest.approx(scipy_stats.ttest_1samp(gaps, 0.0).pvalue, rel=1e-9)
    assert paired(gaps[:2]) is None
    assert paired([0.2, 0.2, 0.2]) is None


def test_strata_of_other_sizes_do_not_move_the_difference() -> None:
    a = [[10.0, 10.2, 9.8], [20.0, 20.1]]
    b = [[11.0, 11.1], [21.0, 21.2, 20.8, 21.0]]
    test = stratified(a, b)
    assert test is not None
    assert test.value == pytest.approx((11.05 - 10.0 + 21.0 - 20.05) / 2)
    assert test.low < test.value < test.high
    assert stratified([[1.0], [2.0, 3.0]], [[1.0, 2.0], [2.0, 3.0]]) is None


def test_a_fit_is_that_of_least_squares(numpy: Any) -> None:
    rng = random.Random(3)
    factors: dict[str, list[Any]] = {
        "x": [rng.choice([1, 2, "auto", None]) for _ in range(60)],
        "y": [rng.choice([0.2, 0.4]) for _ in range(60)],
    }
    values = [5.0 + rng.gauss(0, 1) + (2.0 if x == "auto" else 0.0) for x in factors["x"]]
    fit = fit_additive(values, factors)
    assert fit is not None
    names = list(fit.effect)
    design = numpy.array([[1.0, *(float(factors[n][i] == v) for n, v in names)] for i in range(60)])
    beta, rest, _, _ = numpy.linalg.lstsq(design, numpy.array(values), rcond=None)
    assert [fit.effect[n] for n in names] == pytest.approx(list(beta[1:]), rel=1e-9)
    assert fit.sd == pytest.approx((rest[0] / (60 - len(beta))) ** 0.5, rel=1e-9)
    inverse = numpy.linalg.inv(design.T @ design)
    i, j = names.index(("x", "auto")) + 1, names.index(("y", names[-1][1])) + 1
    assert fit.inverse[i][j] == pytest.approx(inverse[i][j], rel=1e-7, abs=1e-12)


def test_factors_that_change_together_are_not_fitted() -> None:
    assert fit_additive([1.0, 2.0, 3.0, 4.5], {"a": [1, 1, 2, 2], "b": [5, 5, 6, 6]}) is None
    assert fit_additive([1.0, 2.0], {"a": [1, 2]}) is None
    assert fit_additive([3.0] * 6, {"a": [1, 2] * 3}) is None


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e-9, 1.0, 1e9, 1e160, 8e307])
def test_no_size_of_numbers_overflows(scale: float) -> None:
    values = [1.0 * scale, 1.5 * scale, 2.0 * scale]
    assert mean(values) == pytest.approx(1.5 * scale)
    assert sample_sd(values) == pytest.approx(0.5 * scale)
    test = welch(values, [v * 1.1 for v in values])
    assert test is None or isfinite(test.value)
    fit_additive([*values, *values], {"a": [1, 2] * 3})


def test_equal_values_have_no_spread_whatever_their_rounding() -> None:
    for value in (0.1, 1 / 3, 1e-9, 123.456, -0.7):
        for n in (2, 3, 7, 49, 1000):
            values = [value] * n
            assert mean(values) == value
            assert sample_sd(values) == 0.0
            assert not has_spread(values)
            assert welch(values, [value * 2] * n) is None


@pytest.mark.parametrize(("p", "least"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368)])
def test_below_its_least_n_a_quantile_has_no_interval(p: float, least: int) -> None:
    assert quantile_interval([float(i) for i in range(least - 1)], p) is None
    assert quantile_interval([float(i) for i in range(least)], p) is not None


@pytest.mark.parametrize("n", [6, 10, 25, 72, 100, 400])
@pytest.mark.parametrize("p", [0.5, 0.9, 0.95])
def test_the_order_statistics_have_the_binomial_chance(scipy_stats: Any, n: int, p: float) -> None:
    interval = quantile_interval([float(i) for i in range(1, n + 1)], p)
    if interval is None:
        return
    low, high = map(int, interval)
    binomial = scipy_stats.binom(n, p)
    assert binomial.cdf(low - 1) <= 0.025 < binomial.cdf(low)
    assert binomial.sf(high - 1) <= 0.025 < binomial.sf(high - 2)


def test_one_value_has_no_deviation() -> None:
    assert sample_sd([3.0]) is None
    low, high = mean_interval(10.0, 1.0, 2)
    assert high - low == pytest.approx(2 * 12.7062 / 2**0.5, rel=1e-5)
