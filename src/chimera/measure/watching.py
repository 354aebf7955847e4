"""Monitors beside a run: their readings become records of it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from chimera.engines.base import Measurable
from chimera.engines.wire.address import parse_address
from chimera.engines.wire.loop import READ, Loop
from chimera.measure.clock import RunClock
from chimera.measure.keeper import Keeper
from chimera.measure.monitors.listening import local_server_pid
from chimera.measure.monitors.monitors import Monitors
from chimera.record.request import Watched


class Watching:
    """Watches the machine, and the server of ``engine``, until it is closed."""

    def __init__(self, engine: Measurable, loop: Loop, keeper: Keeper, clock: RunClock) -> None:
        pid = engine.pid
        if pid is None and engine.address:
            address = parse_address(engine.address)
            pid = local_server_pid(address.host, address.port)
        self.monitors = Monitors(pid=pid, metrics_url=engine.metrics_url)
        self.monitors.start()
        self.cpu_s: float | None = None
        self._loop = loop
        self._keeper = keeper
        self._clock = clock
        self._fileno = self.monitors.fileno()
        if self._fileno is not None:
            loop.listen(self._fileno, READ, self._take)

    def _take(self, _mask: int) -> None:
        for seen in self.monitors.drain():
            at = self._clock.since_zero(seen.t_ns)
            self._keeper.add(Watched(t_ns=at, source=seen.source, values=seen.values))
        if self.monitors.ended:
            self._let_go()

    def _let_go(self) -> None:
        if self._fileno is not None:
            self._loop.ignore(self._fileno)
            self._fileno = None

    def close(self) -> None:
        """End the monitors; what they have cost and missed stays known."""
        self._let_go()
        self.cpu_s = self.monitors.close().cpu_s

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
