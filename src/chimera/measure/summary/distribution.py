"""From values to what may be said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chimera.measure.summary.types import Distribution, Interval
from chimera.stats.describe import mean, quantile, quantile_interval, sample_sd
from chimera.stats.student import mean_interval

LEAST_FOR_P95 = 20
LEAST_FOR_P99 = 100
LEAST_FOR_INTERVAL = 3


def interval(values: Iterable[float | None]) -> Interval | None:
    """The mean of what is known and its interval; None where nothing is."""
    known = [value for value in values if value is not None]
    return Interval(len(known), mean(known), mean_ci95(known)) if known else None


def mean_ci95(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95% interval of a mean (Student's t); None below three values."""
    if len(values) < LEAST_FOR_INTERVAL:
        return None
    sd = sample_sd(values)
    return None if sd is None else mean_interval(mean(values), sd, len(values))


def distribution(by_repeat: Mapping[int, Sequence[float]]) -> Distribution | None:
    """A metric's values, by repeat; None where there are none."""
    values = sorted(value for part in by_repeat.values() for value in part)
    if not values:
        return None
    means = [mean(part) for part in by_repeat.values() if part]
    n = len(values)
    return Distribution(
        n=n,
        mean=mean(values),
        median=quantile(values, 0.5),
        p95=quantile(values, 0.95) if n >= LEAST_FOR_P95 else None,
        p95_ci95=quantile_interval(values, 0.95),
        p99=quantile(values, 0.99) if n >= LEAST_FOR_P99 else None,
        p99_ci95=quantile_interval(values, 0.99),
        ci95_requests=mean_ci95(values),
        repeats=len(means),
        ci95_repeats=mean_ci95(means),
    )
