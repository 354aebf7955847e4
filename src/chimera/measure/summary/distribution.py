"""From values to what may be said of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chimera.measure.summary.types import Distribution, Interval
from chimera.stats.describe import mean, quantile, quantile_interval
from chimera.stats.repeats import Measured, mean_of

LEAST_FOR_P95 = 20
LEAST_FOR_P99 = 100


def interval(values: Iterable[tuple[int, float | None]]) -> Interval | None:
    """The mean of what is known, each with its repeat, and its interval; None where nothing is."""
    records = [Measured(value, repeat) for repeat, value in values if value is not None]
    if not records:
        return None
    found = mean_of(records)
    return Interval(len(records), found.value, found.ci95)


def distribution(by_repeat: Mapping[int, Sequence[float]]) -> Distribution | None:
    """A metric's values, by repeat; None where there are none."""
    records = [Measured(value, repeat) for repeat, part in by_repeat.items() for value in part]
    values = sorted(record.value for record in records)
    if not values:
        return None
    between = mean_of(records)
    n = len(values)
    return Distribution(
        n=n,
        mean=mean(values),
        median=quantile(values, 0.5),
        p95=quantile(values, 0.95) if n >= LEAST_FOR_P95 else None,
        p95_ci95=quantile_interval(values, 0.95),
        p99=quantile(values, 0.99) if n >= LEAST_FOR_P99 else None,
        p99_ci95=quantile_interval(values, 0.99),
        ci95_requests=mean_of([Measured(value) for value in values]).ci95,
        repeats=between.units,
        ci95_repeats=between.ci95,
    )
