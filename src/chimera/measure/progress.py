"""How a run stands, for people who watch it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import msgspec

from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import Request

_WINDOW_NS = 5_000_000_000


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """A look at a run.

    ``planned`` is None where time or an interval decides. ``text`` says what is being done.
    Over the last seconds: ``output_tokens_per_s`` of all requests that ended, and their mean
    ``ttft_s``; None where none did. ``result`` is the last line of results that came before the
    end of the run, as a search has them.
    """

    done: int
    failed: int
    planned: int | None
    active: int
    elapsed_s: float
    left_s: float | None
    output_tokens_per_s: float | None
    ttft_s: float | None
    text: str
    last_error: str = ""
    result: str = ""


OnProgress = Callable[[Live], None]


class Tally:
    """Counts the requests of a run as they end."""

    def __init__(self) -> None:
        self.done = 0
        self.failed = 0
        self.last_error = ""
        self.result = ""
        self._begun_ns = time.monotonic_ns()
        self._recent: deque[tuple[int, int, float | None]] = deque()

    def add(self, request: Request) -> None:
        """Count one request that has just ended."""
        self.done += 1
        if request.error is not None:
            self.failed += 1
            self.last_error = f"{request.error.error_class.value}: {request.error.text}"
        tokens = request.output_tokens or 0
        self._recent.append((time.monotonic_ns(), tokens, ttft_s(request)))

    def live(self, planned: int | None, active: int, text: str) -> Live:
        """How it stands now."""
        now = time.monotonic_ns()
        recent = self._recent
        while recent and now - recent[0][0] > _WINDOW_NS:
            recent.popleft()
        firsts = [first for _, _, first in recent if first is not None]
        elapsed = (now - self._begun_ns) / 1e9
        span = min(elapsed, _WINDOW_NS / 1e9)
        left = None
        if planned and 0 < self.done <= planned:
            left = elapsed / self.done * (planned - self.done)
        return Live(
            done=self.done,
            failed=self.failed,
            planned=planned,
            active=active,
            elapsed_s=elapsed,
            left_s=left,
            output_tokens_per_s=sum(t for _, t, _ in recent) / span if recent and span else None,
            ttft_s=sum(firsts) / len(firsts) if firsts else None,
            text=text,
            last_error=self.last_error,
            result=self.result,
        )
