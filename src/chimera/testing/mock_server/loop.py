"""One thread, one selector, one heap of timers: the whole machinery of the server.

asyncio costs three to five times the CPU of this for each timer and each write, and what the
server costs is taken from the client that is being measured on the same machine.
"""

from __future__ import annotations

import gc
import heapq
import select
import selectors
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

clock = time.monotonic_ns
_FOREVER_S = 3600.0


class Channel(Protocol):
    """Something with a file descriptor that wants to know when it is ready."""

    def fileno(self) -> int: ...

    def ready(self, events: int) -> None: ...


class Loop:
    """Runs timers at their time and channels when they are ready, until ``stop``.

    ``tick_ns`` is the shortest sleep: writes that fall closer together are sent in one waking.
    A wake-up costs some 20 µs of CPU in a virtual machine, ten times a write; without a
    shortest sleep, many streams with random phases would wake the server for each of them. A
    lone timer is not delayed by it.
    """

    def __init__(self, tick_ns: int) -> None:
        self._tick_ns = tick_ns
        self._selector = selectors.DefaultSelector()
        # Sleeping in select() on the selector's own descriptor: epoll_wait counts in whole
        # milliseconds, select in microseconds. Windows has no such descriptor.
        fileno = getattr(self._selector, "fileno", None)
        self._selector_fd: int | None = fileno() if fileno else None
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._running = True

    def at(self, due_ns: int, call: Callable[[], None]) -> None:
        """Call once at a monotonic time; among equal times the first asked is the first called."""
        self._count += 1
        heapq.heappush(self._timers, (due_ns, self._count, call))

    def watch(self, channel: Channel, events: int = selectors.EVENT_READ) -> None:
        self._selector.register(channel.fileno(), events, channel)

    def change(self, channel: Channel, events: int) -> None:
        self._selector.modify(channel.fileno(), events, channel)

    def forget(self, channel: Channel) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(channel.fileno())

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        # Nothing made so far becomes garbage; what a stream leaves behind has no cycles, so no
        # collection ever has to interrupt the schedule.
        gc.collect()
        gc.freeze()
        gc.disable()
        timers = self._timers
        while self._running:
            # What falls due while this round runs waits for the next one, so that streams
            # without pauses cannot keep the sockets from being looked at.
            now = clock()
            while timers and timers[0][0] <= now:
                heapq.heappop(timers)[2]()
            self._wait()

    def _wait(self) -> None:
        wait_s = _FOREVER_S
        if self._timers:
            wait_ns = self._timers[0][0] - clock()
            wait_s = max(wait_ns, self._tick_ns) / 1e9 if wait_ns > 0 else 0.0
        if self._selector_fd is not None:
            if not select.select([self._selector_fd], (), (), wait_s)[0]:
                return
            wait_s = 0.0
        for key, events in self._selector.select(wait_s):
            key.data.ready(events)
