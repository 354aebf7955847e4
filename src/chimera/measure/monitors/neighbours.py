"""Did something else use the machine while it was measured?"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chimera.measure.monitors.sample import Sample

# An idle system's own services take 1 to 2 % of a small machine and less of a large one. A
# server on all cores loses about the share that a neighbour takes, and runs of one setting
# differ by 1 to 3 % anyway: from 5 % on the neighbour is what is being measured.
NEIGHBOUR_PERCENT = 5.0
_OURS = ("client", "watcher", "process")


class NeighbourLoad(msgspec.Struct, frozen=True, kw_only=True):
    """The share of the machine's CPUs (percent of all) that neither the client nor the server
    nor the watcher used, over ``n`` samples; and what the hypervisor gave to other machines.

    Processes are counted in steps of 10 ms, so one sample may be off by a few percent of a
    core, also below zero; the mean is not. ``disturbed``: mean and stolen share together reach
    NEIGHBOUR_PERCENT.
    """

    n: int
    mean_percent: float
    max_percent: float
    steal_percent: float | None
    disturbed: bool


def neighbour_load(
    samples: Iterable[Sample], *, server_elsewhere: bool = False
) -> NeighbourLoad | None:
    """What the machine did beside the measurement; None where that cannot be told.

    Only rounds that hold the machine, the client, the watcher and the server count. A server
    whose process is not known would pass for a neighbour: then the answer is None, unless
    ``server_elsewhere`` says that it does not run on this machine.
    """
    rounds: dict[int, dict[str, dict[str, float]]] = {}
    for sample in samples:
        rounds.setdefault(sample.t_ns, {})[sample.source] = sample.values
    wanted = _OURS[:2] if server_elsewhere else _OURS
    shares, stolen = [], []
    for sources in rounds.values():
        cpu = sources.get("cpu", {})
        ours = [sources.get(name, {}).get("cpu_percent") for name in wanted]
        known = [percent for percent in ours if percent is not None]
        if "cpu_percent" not in cpu or "logical_cpus" not in cpu or len(known) < len(ours):
            continue
        shares.append(cpu["cpu_percent"] - sum(known) / cpu["logical_cpus"])
        if "steal_percent" in cpu:
            stolen.append(cpu["steal_percent"])
    if not shares:
        return None
    mean = sum(shares) / len(shares)
    steal = sum(stolen) / len(stolen) if stolen else None
    return NeighbourLoad(
        n=len(shares),
        mean_percent=mean,
        max_percent=max(shares),
        steal_percent=steal,
        disturbed=mean + (steal or 0.0) >= NEIGHBOUR_PERCENT,
    )
