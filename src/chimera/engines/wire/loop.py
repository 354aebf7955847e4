"""The event loop of the measured path: one thread, no busy waiting, nothing in between.

A loop of our own rather than asyncio, because here a piece of an answer costs one system call,
one stamp and one append, and because the kernel's stamps come with the data only from
``recvmsg``. Work that can wait does, until nothing else is to be done. Garbage collection is
kept out while it runs.
"""

from __future__ import annotations

import gc
import heapq
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

READ, WRITE = 1, 4  # as epoll and poll name them

_MOST_WAITING = 32  # so many pieces of work may wait for a quiet moment,
_LONGEST_WAIT_NS = 50_000_000  # and the first of them so long


class Loop:
    """Calls back when a socket is ready, at a time, every so often, or when it is quiet."""

    def __init__(self) -> None:
        # Both have the same methods; `selectors` around them costs a third of a microsecond for
        # every piece that arrives.
        self._epoll = hasattr(select, "epoll")
        self._poll: Any = select.epoll() if self._epoll else select.poll()
        self._actions: dict[int, Callable[[int], None]] = {}
        self._wakes, self._woken = socket.socketpair()
        for end in (self._wakes, self._woken):
            end.setblocking(False)
        self.listen(self._woken, READ, self._awake)
        self._late_ns = 0  # from then on the waiting work has waited long enough
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def listen(self, sock: Any, mask: int, action: Callable[[int], None]) -> None:
        """Call ``action`` with what ``sock`` is ready for; a second call changes both.

        What is broken or at its end is ready for more than WRITE alone.
        """
        fd = sock if isinstance(sock, int) else sock.fileno()
        if fd in self._actions:
            self._poll.modify(fd, mask)
        else:
            self._poll.register(fd, mask)
        self._actions[fd] = action

    def ignore(self, sock: Any) -> None:
        """End a ``listen``; one that is not there is no error."""
        fd = sock if isinstance(sock, int) else sock.fileno()
        if self._actions.pop(fd, None) is not None:
            with suppress(OSError):
                self._poll.unregister(fd)

    def at(self, when_ns: int, action: Callable[[], None]) -> None:
        """Do something at a time of the monotonic clock, at most a millisecond late."""
        self._count += 1
        heapq.heappush(self._timers, (when_ns, self._count, action))

    def later(self, action: Callable[[], None]) -> None:
        """Do something when nothing else waits, or when too much has gathered."""
        if not self._waiting:
            self._late_ns = time.monotonic_ns() + _LONGEST_WAIT_NS
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

    def wake(self) -> None:
        """Let ``run`` ask ``done()`` again soon; for signal handlers and other threads."""
        with suppress(OSError):
            self._wakes.send(b"!")

    def close(self) -> None:
        if self._epoll:
            self._poll.close()
        self._wakes.close()
        self._woken.close()

    def _turn(self) -> None:
        patience = self._patience()
        if patience is not None and not self._epoll:
            patience *= 1000  # poll's unit
        actions = self._actions
        # Looked up before the first is called: it may close a socket whose number the next reuses.
        ready = [(actions[fd], mask) for fd, mask in self._poll.poll(patience)]
        for heard, mask in ready:
            heard(mask)
        now = time.monotonic_ns()
        timers, due = self._timers, []
        while timers and timers[0][0] <= now:
            due.append(heapq.heappop(timers)[2])
        for action in due:  # what they set to be done at once is for the next turn
            action()
        waiting = self._waiting
        if waiting and (not ready or len(waiting) > _MOST_WAITING or now > self._late_ns):
            waiting.popleft()()

    def _awake(self, _mask: int) -> None:
        with suppress(OSError):
            self._woken.recv(64)

    def _patience(self) -> float | None:
        """Seconds to sleep at most, None for as long as it takes."""
        if self._waiting:
            return 0.0
        if self._timers:
            return max(0.0, (self._timers[0][0] - time.monotonic_ns()) / 1e9)
        return None
