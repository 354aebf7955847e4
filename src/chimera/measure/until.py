"""Repeating until an interval is narrow enough."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from chimera.measure.plan import BenchPlan
from chimera.record.metrics.registry import METRICS
from chimera.record.request import Request
from chimera.stats.describe import sample_sd
from chimera.stats.repeats import LEAST_REPEATS, Measured, by_repeat
from chimera.stats.student import mean_interval


def half_width_percent(values: list[float]) -> float | None:
    """Half the 95% interval (Student's t) of the mean of ``values``, in percent of it.

    None below three values, and where the mean is 0.
    """
    if len(values) < LEAST_REPEATS:
        return None
    centre, sd = fmean(values), sample_sd(values)
    if not centre or sd is None:
        return None
    interval = mean_interval(centre, sd, len(values))
    return 100 * (interval[1] - interval[0]) / 2 / abs(centre)


def records_of(requests: Iterable[Request], metric: str) -> dict[int, list[Measured]]:
    """The values of each configuration with their repeats and prompts, warm requests only."""
    compute = METRICS[metric]
    found: dict[int, list[Measured]] = {}
    for request in requests:
        if request.phase == "measured" and request.error is None:
            value = compute(request)
            if value is not None:
                record = Measured(value, request.repeat, request.prompt_id)
                found.setdefault(request.configuration, []).append(record)
    return found


def repeat_means(requests: Iterable[Request], metric: str) -> dict[int, list[float]]:
    """For each configuration the mean of each of its repeats."""
    records = records_of(requests, metric)
    return {index: [unit.value for unit in by_repeat(own)] for index, own in records.items()}


def is_narrow(plan: BenchPlan, requests: Iterable[Request], configurations: int) -> bool:
    """Whether the interval of every configuration that can be measured is narrow enough."""
    limit = plan.until_percent or 0.0
    means = repeat_means(requests, plan.until_metric)
    if not means:
        return False
    widths = [half_width_percent(means.get(index, [])) for index in range(configurations)]
    known = [width for index, width in enumerate(widths) if index in means]
    return all(width is not None and width <= limit for width in known)


def why_stopped(plan: BenchPlan, requests: list[Request], repeats: int) -> str:
    """One line on how the repeating ended, with the widest interval."""
    means = repeat_means(requests, plan.until_metric)
    widths = [w for values in means.values() if (w := half_width_percent(values)) is not None]
    if not widths:
        return f"after {repeats} repeats no interval could be computed: too little succeeded"
    widest = max(widths)
    asked = f"{plan.until_percent:g}%"
    if widest <= (plan.until_percent or 0.0):
        return f"after {repeats} repeats every interval is within {asked} of its mean"
    return (
        f"stopped after {repeats} repeats, the most allowed: the widest interval is "
        f"{widest:.2g}% of its mean, not {asked}; raise --most-repeats or measure on a "
        f"quieter machine"
    )
