"""What the client itself costs and how late it is, over a whole run."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence

from chimera.engines.wire.lag import LagHistogram
from chimera.engines.wire.wire import Wire
from chimera.measure.crew import ProcessCrew
from chimera.record.request import ClientCost, Request


class ClientWatch:
    """Begins when it is made."""

    def __init__(self) -> None:
        self._cpu_s = _cpu_s()
        self._wall_ns = time.monotonic_ns()

    def cost(
        self,
        wire: Wire,
        requests: Sequence[Request],
        crew: ProcessCrew | None,
        watching_cpu_s: float | None,
    ) -> ClientCost:
        """The cost from the beginning until now, of the processes of a crew as well."""
        lag = LagHistogram()
        for part in (wire.lag, crew.lag if crew else LagHistogram()):
            lag.merge(part.bins, part.most)
        late = sorted(
            r.start_ns - r.intended_start_ns for r in requests if r.intended_start_ns is not None
        )
        return ClientCost(
            cpu_s=_cpu_s() - self._cpu_s + (crew.cpu_s if crew else 0.0),
            wall_s=(time.monotonic_ns() - self._wall_ns) / 1e9,
            processes=crew.size if crew else 1,
            reads=wire.reads + (crew.reads if crew else 0),
            lag_p50_ns=lag.quantile_ns(0.5),
            lag_p99_ns=lag.quantile_ns(0.99),
            lag_max_ns=lag.most if lag.count else None,
            dispatch_p99_ns=late[min(len(late) - 1, int(0.99 * len(late)))] if late else None,
            dispatch_max_ns=late[-1] if late else None,
            watching_cpu_s=watching_cpu_s,
        )


def _cpu_s() -> float:
    """CPU seconds of this process, in user and kernel mode."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
