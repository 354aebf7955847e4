"""Whether a request was good."""

from __future__ import annotations

from chimera.record.metrics.registry import METRICS
from chimera.record.request import Request


def meets(request: Request, slo: dict[str, float]) -> bool:
    """Whether a request succeeded within every limit of ``slo``: metric to most, in its unit.

    A request that failed, or for which a limited metric is not known, is not good.
    """
    if request.error is not None:
        return False
    values = ((METRICS[name](request), limit) for name, limit in slo.items())
    return all(value is not None and value <= limit for value, limit in values)
