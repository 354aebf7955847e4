"""What every source has in common: it opens or says why not, and is read again and again."""

from __future__ import annotations

import os
import time
from typing import Protocol


class Unavailable(Exception):
    """A source cannot be watched, or no longer; the message is the reason."""


class Source(Protocol):
    """One thing to watch. Making it raises ``Unavailable`` where it cannot be watched.

    ``missing`` names the values that this machine does not offer, each with the reason.
    """

    name: str
    missing: dict[str, str]

    def read(self) -> dict[str, float]:
        """The values now. A rate is absent until there are two readings.

        Raises:
            Unavailable: the source is gone for good.
        """
        ...


class Rates:
    """Turns counters into rates: what was added since the last reading, per second."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}
        self._before_ns = 0

    def since_last(self, totals: dict[str, float]) -> dict[str, float]:
        """Empty at first; a counter that is new or fell (a device came back) is left out."""
        now_ns = time.monotonic_ns()
        passed_s = (now_ns - self._before_ns) / 1e9
        before, self._before, self._before_ns = self._before, dict(totals), now_ns
        if passed_s <= 0:
            return {}
        return {
            name: (total - before[name]) / passed_s
            for name, total in totals.items()
            if name in before and total >= before[name]
        }


class KernelFile:
    """A file of /proc or /sys that stays open: reading it again costs one system call."""

    def __init__(self, path: str) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            os.pread(self._fd, 1, 0)
        except (OSError, AttributeError) as error:
            why = getattr(error, "strerror", None) or "not on this system"
            raise Unavailable(f"{path}: {why}") from None
        self._path = path

    def text(self) -> str:
        """What stands in it now.

        Raises:
            Unavailable: it cannot be read any more.
        """
        parts: list[bytes] = []
        try:
            while part := os.pread(self._fd, 65536, sum(map(len, parts))):
                parts.append(part)
        except OSError as error:
            raise Unavailable(f"{self._path}: {error.strerror}") from None
        return b"".join(parts).decode("utf-8", "replace")

    def number(self) -> float | None:
        """The one number in it; None if there is none now."""
        try:
            return float(self.text())
        except (Unavailable, ValueError):
            return None
