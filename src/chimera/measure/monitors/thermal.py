"""Did the machine get hot and slow down while it was measured?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from chimera.measure.monitors.sample import Sample

# Sensors read whole degrees and wander by two or three under an even load: a drift is more.
RISE_C = 5.0
# Clocks move in steps of about 1 % (15 MHz of 1500) without any cause: three are a slow-down.
CLOCK_FALL_SHARE = 0.03
# The first quarter is compared with the last: fewer than two samples in each say nothing.
LEAST_SAMPLES = 8
_FLAG = "thermal_throttle_flag"


class ThermalDrift(msgspec.Struct, frozen=True, kw_only=True):
    """What one source ("cpu", "gpu0" ...) says of heat.

    ``rise_c`` and ``clock_fall_share`` compare the means of the first and the last quarter of
    the samples; both None below LEAST_SAMPLES samples that hold the two. ``throttled_share``
    is the share of samples that say it was slowed down for its heat, None if none says
    anything. ``drifted``: it rose by RISE_C or more while the clock fell by CLOCK_FALL_SHARE
    or more, or it was slowed down at all.
    """

    source: str
    n: int
    rise_c: float | None
    clock_fall_share: float | None
    throttled_share: float | None
    drifted: bool


def thermal_drift(samples: Iterable[Sample]) -> tuple[ThermalDrift, ...] | None:
    """One verdict for each source that knows its heat; None if none does."""
    by_source: dict[str, list[dict[str, float]]] = {}
    for sample in sorted(samples, key=lambda one: one.t_ns):
        by_source.setdefault(sample.source, []).append(sample.values)
    found = [_verdict(source, values) for source, values in sorted(by_source.items())]
    return tuple(one for one in found if one is not None) or None


def _verdict(source: str, values: Sequence[dict[str, float]]) -> ThermalDrift | None:
    both = [
        (one["temperature_c"], one["clock_hz"])
        for one in values
        if "temperature_c" in one and "clock_hz" in one
    ]
    flags = [one[_FLAG] for one in values if _FLAG in one]
    rise = fall = None
    if len(both) >= LEAST_SAMPLES:
        quarter = len(both) // 4
        first, last = both[:quarter], both[-quarter:]
        rise = _mean(c for c, _ in last) - _mean(c for c, _ in first)
        before = _mean(hz for _, hz in first)
        fall = 1 - _mean(hz for _, hz in last) / before if before > 0 else None
    if rise is None and not flags:
        return None
    throttled = _mean(flags) if flags else None
    hot = rise is not None and rise >= RISE_C and fall is not None and fall >= CLOCK_FALL_SHARE
    return ThermalDrift(
        source=source,
        n=max(len(both), len(flags)),
        rise_c=rise,
        clock_fall_share=fall,
        throttled_share=throttled,
        drifted=hot or bool(throttled),
    )


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return sum(known) / len(known)
