"""Runs ``chimera`` in this process with a clock around every call of the embedded engine.

python -m benchmarks.engine_clock CLOCK_FILE report FOLDER ... writes what it timed as JSON to
CLOCK_FILE. It does not ask the report, whose own figures are what a benchmark must not trust.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

METHODS = ("start", "model", "count_tokens", "complete", "close")


class Clock:
    """Wall time during which at least one engine call ran, and each method's own sum."""

    def __init__(self) -> None:
        self.busy_s = 0.0
        self.calls: dict[str, dict[str, float]] = {}
        self._running = 0
        self._since = 0.0
        self._lock = threading.Lock()

    def around(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """``method`` with this clock around it; calls inside calls count once."""

        @wraps(method)
        def timed(*arguments: Any, **named: Any) -> Any:
            start = self._enter()
            try:
                return method(*arguments, **named)
            finally:
                self._leave(name, start)

        return timed

    def _enter(self) -> float:
        now = perf_counter()
        with self._lock:
            if self._running == 0:
                self._since = now
            self._running += 1
        return now

    def _leave(self, name: str, start: float) -> None:
        now = perf_counter()
        with self._lock:
            self._running -= 1
            if self._running == 0:
                self.busy_s += now - self._since
            entry = self.calls.setdefault(name, {"n": 0, "sum_s": 0.0})
            entry["n"] += 1
            entry["sum_s"] += now - start


def main() -> int:
    """Run the command in ``sys.argv[2:]`` under the clock; return its exit code."""
    target, *arguments = sys.argv[1:]
    clock = Clock()
    from chimera.cli.main import main as chimera
    from chimera.engines import llamacpp

    for name in METHODS:
        setattr(llamacpp.LlamaCpp, name, clock.around(name, getattr(llamacpp.LlamaCpp, name)))
    code = chimera(arguments)
    timed = {"busy_s": clock.busy_s, "calls": clock.calls, "own_cpu_s": process_time()}
    Path(target).write_text(json.dumps(timed), "utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
