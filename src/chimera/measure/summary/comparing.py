"""Which configuration is best, and of which that is certain."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from chimera.measure.summary.types import Comparison, ConfigurationSummary
from chimera.measure.until import records_of
from chimera.record.metrics.registry import HIGHER_IS_BETTER
from chimera.record.request import Request
from chimera.stats.describe import mean
from chimera.stats.repeats import Measured, difference, leaders_of, level_for, pairs_of

COMPARED = ("ttft_s", "decode_tokens_per_s")
_Records = dict[int, list[Measured]]


def compare(
    configurations: Sequence[ConfigurationSummary], requests: Sequence[Request]
) -> tuple[Comparison, ...]:
    """For each load with several configurations and each metric, the best and the next best.

    Where these cannot be told apart, also the best and the nearest that it is certainly ahead of.
    What is certain comes first.
    """
    loads: dict[tuple[object, ...], list[int]] = {}
    for one in configurations:
        loads.setdefault((one.arrival, one.concurrency, one.request_rate), []).append(one.index)
    found: list[Comparison] = []
    for metric in COMPARED:
        records = records_of(requests, metric)
        groups = [{i: records[i] for i in group if i in records} for group in loads.values()]
        found.extend(_leads(metric, [group for group in groups if len(group) > 1]))
    return tuple(sorted(found, key=lambda one: not one.certain))


def _leads(metric: str, groups: list[_Records]) -> list[Comparison]:
    sign = -1.0 if metric in HIGHER_IS_BETTER else 1.0
    sizes = [len(group) for group in groups]
    leading, any_pair = level_for(leaders_of(sizes)), level_for(sum(map(pairs_of, sizes)))
    found = []
    for group in groups:
        best, *others = sorted(group, key=lambda i: sign * mean([r.value for r in group[i]]))
        first = _compared(metric, group, best, others[0], leading)
        found.append(first)
        if not first.certain:
            behind = (_compared(metric, group, best, other, any_pair) for other in others[1:])
            found.extend(islice((one for one in behind if one.certain), 1))
    return found


def _compared(metric: str, group: _Records, best: int, other: int, level: float) -> Comparison:
    test, _ = difference(group[best], group[other], level)
    higher = metric in HIGHER_IS_BETTER
    return Comparison(
        metric=metric,
        best=best,
        next=other,
        difference=test.value if test else None,
        ci95=(test.low, test.high) if test else None,
        certain=test is not None and (test.low > 0 if higher else test.high < 0),
    )
