"""The clock of one run: monotonic nanoseconds since its zero, and the zero's wall time."""

from __future__ import annotations

import time

from chimera.measure.environment import utc_now


class RunClock:
    """Starts at zero when it is made. ``zero_utc`` is that moment in UTC, ISO 8601.

    The wall clock is read once: if it is set during the run, no duration changes.
    """

    def __init__(self) -> None:
        self.zero_utc = utc_now()
        self._zero_ns = time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since zero."""
        return time.monotonic_ns() - self._zero_ns

    def since_zero(self, monotonic_ns: int) -> int:
        """A stamp of this process's monotonic clock on the run's clock."""
        return monotonic_ns - self._zero_ns

    def optional(self, monotonic_ns: int | None) -> int | None:
        """As ``since_zero``; None stays None."""
        return None if monotonic_ns is None else monotonic_ns - self._zero_ns
