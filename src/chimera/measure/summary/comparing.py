"""Which configuration is best, and whether that is certain."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.measure.summary.types import Comparison, ConfigurationSummary
from chimera.measure.until import repeat_means
from chimera.record.metrics.registry import HIGHER_IS_BETTER
from chimera.record.request import Request
from chimera.stats.compare import paired, welch
from chimera.stats.describe import mean

COMPARED = ("ttft_s", "decode_tokens_per_s")


def compare(
    configurations: Sequence[ConfigurationSummary], requests: Sequence[Request]
) -> tuple[Comparison, ...]:
    """For each load with several configurations and each metric, the best and the next best.

    Repeats that both have are compared in pairs, as a drift of the machine meets both alike.
    """
    loads: dict[tuple[object, ...], list[ConfigurationSummary]] = {}
    for one in configurations:
        loads.setdefault((one.arrival, one.concurrency, one.request_rate), []).append(one)
    found = []
    for metric in COMPARED:
        means = repeat_means(requests, metric)
        for alike in loads.values():
            # Widened for the number of comparisons (Bonferroni).
            known = {one.index: means[one.index] for one in alike if means.get(one.index)}
            if len(known) > 1:
                found.append(_best(metric, known, 1 - 0.05 / (len(COMPARED) * len(loads))))
    return tuple(found)


def _best(metric: str, known: dict[int, list[float]], level: float) -> Comparison:
    higher = metric in HIGHER_IS_BETTER
    order = sorted(known, key=lambda index: mean(known[index]), reverse=higher)
    best, second = order[0], order[1]
    a, b = known[best], known[second]
    if len(a) == len(b):
        difference = paired([x - y for x, y in zip(a, b, strict=True)], level)
    else:
        difference = welch(b, a, level) if min(len(a), len(b)) > 2 else None
    return Comparison(
        metric=metric,
        best=best,
        next=second,
        difference=difference.value if difference else None,
        ci95=(difference.low, difference.high) if difference else None,
        certain=bool(difference and difference.certain),
    )
