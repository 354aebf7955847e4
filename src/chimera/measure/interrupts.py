"""Ctrl-C during a run: what was measured is kept, and nothing is half written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class InterruptGate:
    """Lets Ctrl-C through only where nothing can be broken by it.

    Between requests it is noted in ``stopped``; inside ``waiting()`` it raises
    KeyboardInterrupt, so that a long request need not be waited for.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._waiting = False

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
        if self._waiting:
            raise KeyboardInterrupt
