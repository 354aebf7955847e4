"""The clock of one run: monotonic nanoseconds since its zero, and the zero's wall time."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from chimera.measure.environment import utc_now


class RunClock:
    """Starts at zero when it is made. ``zero_utc`` is that moment in UTC, ISO 8601.

    The wall clock is read once: if it is set during the run, no duration changes.
    """

    def __init__(self, zero_utc: str | None = None, zero_ns: int | None = None) -> None:
        """Zero is now; or the moment ``zero_utc`` of a run that goes on, found by the wall
        clock; or exactly ``zero_ns`` of this machine's monotonic clock.
        """
        now = time.monotonic_ns()
        self.zero_utc = zero_utc or utc_now()
        if zero_ns is not None:
            self.zero_ns = zero_ns
        elif zero_utc is not None:
            ago = datetime.now(UTC) - datetime.fromisoformat(zero_utc)
            self.zero_ns = now - round(ago.total_seconds() * 1e9)
        else:
            self.zero_ns = now

    def now(self) -> int:
        """Nanoseconds since zero."""
        return time.monotonic_ns() - self.zero_ns

    def since_zero(self, monotonic_ns: int) -> int:
        """A stamp of this process's monotonic clock on the run's clock."""
        return monotonic_ns - self.zero_ns

    def optional(self, monotonic_ns: int | None) -> int | None:
        """As ``since_zero``; None stays None."""
        return None if monotonic_ns is None else monotonic_ns - self.zero_ns
