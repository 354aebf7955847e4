"""Axes with round ticks. Ticks are scale, not claims."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, isclose, log10
from typing import NamedTuple

# Room at both ends of an axis, in percent, so that marks and labels are not cut.
_MARGIN = 2.0
# Mantissas of ticks on a logarithmic axis, from few ticks to many.
_LOG_STEPS = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))


class Axis(NamedTuple):
    """An axis from ``low`` to ``high`` with ticks between; ``log`` when it is logarithmic."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool

    def percent(self, value: float) -> float:
        """Where ``value`` stands, in percent of the width; values outside go to the edge."""
        if self.log:
            value = max(value, self.low)
            share = log10(value / self.low) / log10(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return _MARGIN + (100 - 2 * _MARGIN) * min(1.0, max(0.0, share))


def axis_for(values: Sequence[float], log: bool = False) -> Axis:
    """An axis with four to six ticks that holds all ``values``.

    Logarithmic only when asked and when all values are above zero. No values give 0 to 1.
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if log and low > 0:
        return _log_axis(low, high)
    if 0 <= low < 0.4 * high:
        low = 0.0  # so near to zero that leaving it out would exaggerate
    if isclose(low, high, rel_tol=1e-9):
        spread = abs(low) * 0.05 or 1.0
        low, high = low - spread, high + spread
    return _linear_axis(low, high)


def _linear_axis(low: float, high: float) -> Axis:
    decade = floor(log10(high - low))
    best: tuple[float, ...] = ()
    for power in (decade - 1, decade, decade + 1):
        for factor in (1.0, 2.0, 2.5, 5.0):
            step = factor * 10.0**power
            first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
            # The least empty room wins, among four to six ticks.
            if 4 <= last - first + 1 <= 6 and (
                not best or (last - first) * step < (best[-1] - best[0]) * (1 - 1e-9)
            ):
                best = tuple(round(i * step, 12 - power) for i in range(first, last + 1))
    if not best:
        best = tuple(low + (high - low) * i / 4 for i in range(5))
    return Axis(best[0], best[-1], best, False)


def _log_axis(low: float, high: float) -> Axis:
    bottom, top = floor(log10(low)), ceil(log10(high) + 1e-12)
    if top - bottom > 5:
        stride = ceil((top - bottom) / 5)
        top = bottom + stride * ceil((top - bottom) / stride)
        ticks = tuple(10.0**p for p in range(bottom, top + 1, stride))
        return Axis(ticks[0], ticks[-1], ticks, True)
    best: tuple[float, ...] = ()
    for mantissas in _LOG_STEPS:
        every = [m * 10.0**p for p in range(bottom - 1, top + 2) for m in mantissas]
        first = max(i for i, tick in enumerate(every) if tick <= low * (1 + 1e-9))
        last = min(i for i, tick in enumerate(every) if tick >= high * (1 - 1e-9))
        last = max(last, first + 1)
        ticks = tuple(every[first : last + 1])
        # The least empty room wins, among four to six ticks.
        if not best or (4 <= len(ticks) <= 6 and _tighter(ticks, best)):
            best = ticks
    return Axis(best[0], best[-1], best, True)


def _tighter(ticks: tuple[float, ...], best: tuple[float, ...]) -> bool:
    spans = [t[-1] / t[0] for t in (ticks, best)]
    return not 4 <= len(best) <= 6 or spans[0] < spans[1] * (1 - 1e-9)
