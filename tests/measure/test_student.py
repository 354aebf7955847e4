"""Student's t against printed tables."""

from __future__ import annotations

import pytest

from chimera.measure.student import mean_interval, t_quantile

# Two-sided 95% and 99%: p = 0.975 and 0.995.
TABLE = [
    (1, 12.7062047, 63.6567412),
    (2, 4.3026527, 9.9248432),
    (4, 2.7764451, 4.6040949),
    (5, 2.5705818, 4.0321430),
    (9, 2.2621572, 3.2498355),
    (30, 2.0422725, 2.7499957),
    (120, 1.9799304, 2.6174211),
    (100_000, 1.9599877, 2.5758775),
]


@pytest.mark.parametrize(("degrees", "p975", "p995"), TABLE)
def test_quantiles(degrees: int, p975: float, p995: float) -> None:
    assert t_quantile(0.975, degrees) == pytest.approx(p975, rel=1e-6)
    assert t_quantile(0.995, degrees) == pytest.approx(p995, rel=1e-6)
    assert t_quantile(0.025, degrees) == pytest.approx(-p975, rel=1e-6)
    assert t_quantile(0.5, degrees) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("p", "degrees"), [(0.0, 5), (1.0, 5), (0.9, 0)])
def test_there_is_no_such_quantile(p: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="no t quantile"):
        t_quantile(p, degrees)


def test_interval_of_a_mean() -> None:
    # mean 3, s = sqrt(2.5), n = 5: half = 2.7764451 * 1.5811388 / 2.2360680
    assert mean_interval([1, 2, 3, 4, 5]) == pytest.approx((1.0367568, 4.9632432))
    assert mean_interval([2.0, 2.0]) == (2.0, 2.0)


@pytest.mark.parametrize("values", [[], [1.0]])
def test_one_value_has_no_interval(values: list[float]) -> None:
    assert mean_interval(values) is None
