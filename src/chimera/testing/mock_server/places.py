"""Who is answered now, who queues, which models are loaded, and the totals for the metrics."""

from __future__ import annotations

from collections import deque

from chimera.testing.mock_server.behaviour import model_base
from chimera.testing.mock_server.gaps import ns
from chimera.testing.mock_server.loop import Loop, clock
from chimera.testing.mock_server.metrics import Totals
from chimera.testing.mock_server.script import at_once
from chimera.testing.mock_server.stream import Stream


class Places:
    """At most ``most`` answers at a time, the others in the order in which they came."""

    def __init__(self, most: int | None, loop: Loop) -> None:
        self._most = most
        self._loop = loop
        self._running: set[Stream] = set()
        self._waiting: deque[Stream] = deque()
        self._done = Totals()
        self._loaded_ns: dict[str, int] = {}

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def share(self) -> float:
        """Of the places taken, 0 to 1; without a limit, of 1024."""
        return min(1.0, self.running / (self._most or 1024))

    def loaded(self) -> list[str]:
        now = clock()
        return [model for model, at_ns in self._loaded_ns.items() if at_ns <= now]

    def totals(self) -> Totals:
        """Sums up to now, answers under way included."""
        totals = self._done.copy()
        for stream in self._running:
            _count(stream, totals)
        return totals

    def admit(self, stream: Stream) -> None:
        ask = stream.job.ask
        if ask.unloads:
            self._loaded_ns.pop(model_base(ask.model), None)
        if ask.unloads or at_once(ask.behaviour):
            stream.start(clock())
        elif self._most is not None and self.running >= self._most:
            self._waiting.append(stream)
        else:
            self._start(stream, stream.job.record.truth.arrival_ns)

    def release(self, stream: Stream) -> None:
        """The stream is over, or its client is gone."""
        if stream in self._running:
            self._running.remove(stream)
            _count(stream, self._done)
            # From the loop: answers that take no time would otherwise start each other in ever
            # deeper calls.
            self._loop.at(clock(), self._fill)
        elif stream in self._waiting:
            self._waiting.remove(stream)

    def _fill(self) -> None:
        while self._waiting and (self._most is None or self.running < self._most):
            self._start(self._waiting.popleft(), clock())

    def _start(self, stream: Stream, from_ns: int) -> None:
        self._running.add(stream)
        ask, truth = stream.job.ask, stream.job.record.truth
        ready_ns = from_ns + ns(ask.behaviour.load_ms)
        loaded_ns = self._loaded_ns.setdefault(model_base(ask.model), ready_ns)
        truth.queue_ns = from_ns - truth.arrival_ns
        truth.load_ns = max(0, loaded_ns - from_ns)
        stream.start(from_ns + truth.load_ns)


def _count(stream: Stream, totals: Totals) -> None:
    record = stream.job.record
    writes = record.write_ns
    ttft_ns = writes[0] - record.truth.arrival_ns if writes else None
    totals.add(record.truth, ttft_ns, stream.job.ask.finish_reason)
