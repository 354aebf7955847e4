"""What watching yields: samples, and what they cost."""

from __future__ import annotations

import msgspec


class Sample(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one source said at one moment.

    ``t_ns`` is CLOCK_MONOTONIC, which all processes of a machine share: subtract the run's
    zero. All sources of one round carry the same stamp. ``source`` is "cpu", "memory", "disk",
    "network", "pressure", "process" (the server with its children), "client" (who measures),
    "watcher" (who watches), "gpu0" ... or "server" (what it reports about itself). A value's
    name ends in its unit; ``_total``, ``_sum`` and ``_count`` mark sums since some start. What
    could not be measured is absent.
    """

    t_ns: int
    source: str
    values: dict[str, float]


class Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What watching cost. ``cpu_s`` is the watcher's CPU time, start-up included, as far as it
    told: None if it never did. ``wall_s`` is how long it watched, ``samples`` how many came.
    """

    cpu_s: float | None
    wall_s: float
    samples: int
