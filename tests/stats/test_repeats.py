"""The method: where repeats are named, the repeat is the unit."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from chimera.stats.additive import fit_additive
from chimera.stats.compare import paired, welch
from chimera.stats.describe import mean, sample_sd
from chimera.stats.repeats import (
    FEW_REPEATS,
    UNLIKE,
    Measured,
    difference,
    leaders_of,
    level_for,
    mean_of,
    pairs_of,
)
from chimera.stats.student import mean_interval


def block(repeat: Any, *values: float, condition: str = "") -> list[Measured]:
    return [Measured(value, repeat, condition) for value in values]


A = [*block(1, 10.0, 11.0), *block(2, 12.0, 13.0), *block(3, 9.0, 10.0)]
B = [*block(1, 8.0, 8.5), *block(2, 10.0, 10.4), *block(3, 7.1, 7.7)]


def test_the_interval_of_a_mean_is_over_the_means_of_repeats() -> None:
    means = [10.5, 12.5, 9.5]
    found = mean_of(A)
    assert found.value == pytest.approx(mean([r.value for r in A]))
    assert found.ci95 == pytest.approx(mean_interval(mean(means), sample_sd(means) or 0.0, 3))
    assert found.units == 3


def test_without_repeats_each_record_is_a_unit() -> None:
    values = [10.0, 11.0, 12.5]
    found = mean_of([Measured(v) for v in values])
    assert found.ci95 == mean_interval(mean(values), sample_sd(values) or 0.0, 3)


def test_two_repeats_have_no_interval_however_many_records() -> None:
    found = mean_of(block(1, 1.0, 2.0, 3.0) + block(2, 1.5, 2.5))
    assert (found.ci95, found.why) == (None, FEW_REPEATS)
    assert difference(A[:4], B[:4], 0.95) == (None, FEW_REPEATS)
    assert difference(A, block("x", 1.0, 2.0) + block("y", 1.0), 0.95) == (None, FEW_REPEATS)


def test_the_same_repeats_are_paired() -> None:
    test, _ = difference(A, B, 0.9)
    assert test == paired([10.5 - 8.25, 12.5 - 10.2, 9.5 - 7.4], 0.9)


def test_other_repeats_are_compared_by_welch() -> None:
    others = [replace(r, repeat=f"another {r.repeat}") for r in B]
    test, _ = difference(A, others, 0.95)
    assert test is not None
    expected = welch([8.25, 10.2, 7.4], [10.5, 12.5, 9.5])
    assert expected is not None
    assert (test.low, test.high) == pytest.approx((expected.low, expected.high))


def test_a_prompt_that_failed_on_one_side_is_left_out_on_the_other() -> None:
    """The long prompt of ``b`` failed in the second repeat: that is no gain of ``b``."""
    a = [r for i in (1, 2, 3) for r in (*block(i, 1.0 + i / 99, condition="short"),
                                        *block(i, 9.0 + i / 98, condition="long"))]  # fmt: skip
    b = [replace(r, value=r.value + 0.01 * (i // 2)) for i, r in enumerate(a, start=2)]
    b = [r for r in b if (r.repeat, r.condition) != (2, "long")]
    test, _ = difference(a, b, 0.95)
    assert test is not None
    assert -0.03 < test.value < 0
    nothing, why = difference(block(1, 1, 2), block(1, 3, 4, condition="long"), 0.95)
    assert (nothing, why) == (None, UNLIKE)


def test_prompts_drawn_from_many_need_not_be_the_same() -> None:
    a = [Measured(10 + i / 9, i // 20, f"a{i}") for i in range(80)]
    b = [Measured(12 + i / 9, i // 20, f"b{i}") for i in range(80)]
    test, _ = difference(a, b[:-1], 0.95)
    assert test is not None
    assert test.high < 0


def test_pairs_that_are_allowed_for() -> None:
    assert (pairs_of(1), pairs_of(4), leaders_of([4, 1, 3])) == (0, 6, 5)
    assert level_for(0) == level_for(1) == 0.95
    assert level_for(5) == pytest.approx(0.99)


def test_clusters_that_hold_the_whole_design_are_students_t_on_their_contrasts() -> None:
    rng = random.Random(4)
    values: list[float] = []
    factors: dict[str, list[Any]] = {"x": [], "y": []}
    groups: list[int] = []
    gaps = []
    for group in range(5):
        cells = {(x, y): rng.gauss(x, 1) for x in (0, 1, 2) for y in (0, 1)}
        gaps.append(mean([cells[2, y] for y in (0, 1)]) - mean([cells[1, y] for y in (0, 1)]))
        for (x, y), value in cells.items():
            values.append(value)
            factors["x"].append(x)
            factors["y"].append(y)
            groups.append(group)
    fit = fit_additive(values, factors)
    assert fit is not None
    found, expected = fit.between("x", 1, 2, fit.scores(groups), 0.99), paired(gaps, 0.99)
    assert found is not None
    assert expected is not None
    assert found.df == expected.df
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_contrasts_that_never_differ_show_no_noise() -> None:
    fit = fit_additive([1.0, 2.0, 1.1, 2.1, 1.2, 2.2], {"x": [0, 1] * 3})
    assert fit is not None
    assert fit.between("x", 0, 1, fit.scores([1, 1, 2, 2, 3, 3]), 0.95) is None
