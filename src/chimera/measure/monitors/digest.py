"""A summary of samples: what each value was like over a time window."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import msgspec

from chimera.measure.monitors.sample import Sample

_SUMS = ("_total", "_sum", "_count")


class ValueDigest(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one source over the window; ``n`` samples held it.

    A value that is a sum since some start has no ``mean``, ``min`` and ``max``, but an
    ``increase`` from its first to its last sample: None below two samples, and where it fell,
    because what counts began anew. The mean is over samples; each rate stands for its interval.
    """

    source: str
    name: str
    n: int
    mean: float | None = None
    min: float | None = None
    max: float | None = None
    increase: float | None = None


def digest(
    samples: Iterable[Sample], from_ns: int | None = None, until_ns: int | None = None
) -> tuple[ValueDigest, ...]:
    """Every value that was sampled in the window (both ends belong to it), by source and name."""
    series: dict[tuple[str, str], list[float]] = {}
    for sample in sorted(within(samples, from_ns, until_ns), key=lambda one: one.t_ns):
        for name, value in sample.values.items():
            series.setdefault((sample.source, name), []).append(value)
    return tuple(_digest(source, name, values) for (source, name), values in sorted(series.items()))


def within(
    samples: Iterable[Sample], from_ns: int | None, until_ns: int | None
) -> Iterable[Sample]:
    """The samples of a time window; None leaves an end open."""
    for sample in samples:
        if (from_ns is None or sample.t_ns >= from_ns) and (
            until_ns is None or sample.t_ns <= until_ns
        ):
            yield sample


def _digest(source: str, name: str, values: list[float]) -> ValueDigest:
    n = len(values)
    if name.endswith(_SUMS):
        rising = n > 1 and all(before <= after for before, after in pairwise(values))
        increase = values[-1] - values[0] if rising else None
        return ValueDigest(source=source, name=name, n=n, increase=increase)
    return ValueDigest(
        source=source, name=name, n=n, mean=sum(values) / n, min=min(values), max=max(values)
    )
