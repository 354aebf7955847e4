"""Ctrl-C during a run: what was measured is kept, and nothing is half written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class InterruptGate:
    """Lets Ctrl-C through only where nothing can be broken by it.

    While requests are measured it is noted in ``stopped``; inside ``waiting()`` it raises
    KeyboardInterrupt, so that a long start of an engine need not be waited for.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        """``wake`` is called by Ctrl-C: it must end a wait that looks at ``stopped``."""
        self.stopped = False
        self._waiting = False
        self._wake = wake

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Take over SIGINT; outside the main thread, where that is not allowed, do nothing."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """While this is open, Ctrl-C interrupts at once."""
        self._waiting = True
        try:
            if self.stopped:
                raise KeyboardInterrupt
            yield
        finally:
            self._waiting = False

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopped = True
        self._wake()
        if self._waiting:
            raise KeyboardInterrupt
