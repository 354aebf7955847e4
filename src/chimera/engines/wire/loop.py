"""The event loop of the measured path: one thread, no busy waiting, nothing in between.

A loop of our own rather than asyncio, because here a piece of an answer costs one system call,
one stamp and one append, and because the kernel's stamps come with the data only from
``recvmsg``. Work that can wait does, until nothing else is to be done. Garbage collection is
kept out while it runs.
"""

from __future__ import annotations

import gc
import heapq
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

_MOST_WAITING = 256  # so many pieces of work may wait for a quiet moment


class Loop:
    """Calls back when a socket is ready, at a time, every so often, or when it is quiet."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def listen(self, sock: Any, mask: int, action: Callable[[int], None]) -> None:
        """Call ``action`` with what ``sock`` is ready for; a second call changes both."""
        try:
            self._selector.modify(sock, mask, action)
        except KeyError:
            self._selector.register(sock, mask, action)

    def ignore(self, sock: Any) -> None:
        """End a ``listen``; one that is not there is no error."""
        with suppress(KeyError, ValueError):
            self._selector.unregister(sock)

    def at(self, when_ns: int, action: Callable[[], None]) -> None:
        """Do something at a time of the monotonic clock, at most a millisecond late."""
        self._count += 1
        heapq.heappush(self._timers, (when_ns, self._count, action))

    def later(self, action: Callable[[], None]) -> None:
        """Do something when nothing else waits, or when too much has gathered."""
        self._waiting.append(action)

    def settle(self) -> None:
        """Do all that waits for a quiet moment."""
        while self._waiting:
            self._waiting.popleft()()

    def run(self, done: Callable[[], bool]) -> None:
        """Work until ``done()``, which is asked after each turn."""
        collecting = gc.isenabled()
        gc.disable()
        try:
            while not done():
                self._turn()
        finally:
            if collecting:
                gc.enable()

    def close(self) -> None:
        self._selector.close()

    def _turn(self) -> None:
        ready = self._selector.select(self._patience())
        for key, mask in ready:
            key.data(mask)
        now = time.monotonic_ns()
        timers = self._timers
        while timers and timers[0][0] <= now:
            heapq.heappop(timers)[2]()
        if self._waiting and (not ready or len(self._waiting) > _MOST_WAITING):
            self._waiting.popleft()()

    def _patience(self) -> float | None:
        """Seconds to sleep at most, None for as long as it takes."""
        if self._waiting:
            return 0.0
        if self._timers:
            return max(0.0, (self._timers[0][0] - time.monotonic_ns()) / 1e9)
        return None
