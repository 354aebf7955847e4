"""Sending the requests of one block under its load, and handing on what comes back.

Closed loop: each client sends its next request as soon as its last one has ended. Open loop:
requests start by the clock, whatever became of those before. What comes back is decoded when
nothing else waits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

import msgspec

from chimera.engines.base import RequestFailed
from chimera.engines.wire.call import Call, Exchange
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.measure.workloads import WorkloadPrompt
from chimera.record.request import ErrorClass

_AHEAD = 256  # so many requests at least are serialised before a block begins


class Ended(msgspec.Struct, frozen=True):
    """A request that has ended: its exchange, or why it was never sent.

    ``begun_ns`` and ``intended_ns`` are monotonic ns; the latter None in a closed loop.
    """

    prompt: WorkloadPrompt
    exchange: Exchange | None
    refused: RequestFailed | None
    begun_ns: int
    intended_ns: int | None


Prepare = Callable[[WorkloadPrompt], Call]
Take = Callable[[Ended], None]


class _Supply:
    """Requests in their order, serialised before they are due: ``ahead`` at first, and one more
    with each ``add``.
    """

    def __init__(
        self,
        prompts: Iterator[WorkloadPrompt],
        prepared: Callable[[WorkloadPrompt], Call | RequestFailed],
        ahead: int,
    ) -> None:
        self._prompts = prompts
        self._prepared = prepared
        self._ready = deque((prompt, prepared(prompt)) for prompt in islice(prompts, ahead))

    def add(self) -> None:
        for prompt in islice(self._prompts, 1):
            self._ready.append((prompt, self._prepared(prompt)))

    def take(self) -> tuple[WorkloadPrompt, Call | RequestFailed] | None:
        """The next one; None when there are no more."""
        if not self._ready:
            self.add()
        return self._ready.popleft() if self._ready else None


class Sender:
    """Sends one block. ``prepare`` makes a request; ``take`` gets each one that has ended.

    ``stop()`` is asked before each request; once it gives a reason, what is in flight is
    abandoned with it and nothing more is sent. ``ended`` is told of each request at its end,
    before another is sent for it and long before ``take`` gets it.
    """

    def __init__(
        self, loop: Loop, wire: Wire, prepare: Prepare, take: Take, stop: Callable[[], str]
    ) -> None:
        self._loop = loop
        self._wire = wire
        self._prepare = prepare
        self._take = take
        self._stop = stop
        self.ended: Callable[[Ended], None] | None = None
        self._open = 0  # sent or refused, and not yet taken
        self._sent_all = False

    def closed(
        self, prompts: Iterator[WorkloadPrompt], clients: int, until_ns: int | None = None
    ) -> None:
        """``clients`` requests at a time, until there are no more or the time is up."""
        self._sent_all = clients == 0
        supply = _Supply(prompts, self._prepared, max(_AHEAD, clients))

        def following() -> None:
            if self._stop() or (until_ns is not None and time.monotonic_ns() >= until_ns):
                self._sent_all = True
                return
            found = supply.take()
            if found is None:
                self._sent_all = True
            else:
                self._send(*found, None, following)
                self._loop.later(supply.add)

        with self._wire.together():
            for _ in range(clients):
                following()
        self._wait()

    def open(self, prompts: Sequence[WorkloadPrompt], starts_ns: Sequence[int], zero: int) -> None:
        """Each request at its own time: ``starts_ns`` after ``zero`` of the monotonic clock."""
        supply = _Supply(iter(prompts), self._prepared, _AHEAD)
        schedule = iter(starts_ns)
        due = next(schedule, None)

        def send_due() -> None:
            nonlocal due
            while due is not None and zero + due <= time.monotonic_ns() and not self._stop():
                found = supply.take()
                if found is None:
                    due = None
                    break
                self._send(*found, zero + due, _nothing)
                self._loop.later(supply.add)
                due = next(schedule, None)
            if due is None or self._stop():
                self._sent_all = True
            else:
                self._loop.at(zero + due, send_due)

        send_due()
        self._wait()

    def _prepared(self, prompt: WorkloadPrompt) -> Call | RequestFailed:
        try:
            return self._prepare(prompt)
        except RequestFailed as error:
            return error

    def _send(
        self,
        prompt: WorkloadPrompt,
        call: Call | RequestFailed,
        intended_ns: int | None,
        then: Callable[[], None],
    ) -> None:
        self._open += 1
        if isinstance(call, RequestFailed):
            ended = Ended(prompt, None, call, time.monotonic_ns(), intended_ns)
            self._loop.later(partial(self._taken, ended))
            self._loop.at(0, then)
            return

        def done(exchange: Exchange) -> None:
            ended = Ended(prompt, exchange, None, exchange.start_ns, intended_ns)
            if self.ended is not None:
                self.ended(ended)
            then()
            self._loop.later(partial(self._taken, ended))

        self._wire.send(call, done, intended_ns)

    def _taken(self, ended: Ended) -> None:
        self._open -= 1
        self._take(ended)

    def _wait(self) -> None:
        self._loop.run(lambda: bool(self._stop()) or (self._sent_all and self._open == 0))
        if self._wire.active:
            self._wire.abandon(ErrorClass.CANCELLED, self._stop())
        self._loop.settle()


def _nothing() -> None:
    """In an open loop nothing follows from the end of a request."""
