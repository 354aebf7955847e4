"""What watching a benchmark costs: the watcher's start, and its CPU time at several rates.

python -m benchmarks.bench_monitors [--seconds N] [--json]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks.timing import interleaved, show, summary
from chimera.measure.monitors.monitors import Monitors

BASE = "python -c pass"
RATES_HZ = (1, 2, 10)


def start_and_stop() -> None:
    """One watcher, from its start to its first word."""
    monitors = Monitors()
    monitors.start()
    monitors.close()


def watching(rate_hz: float, seconds: float) -> str:
    """A line on what one rate costs, without the start."""
    monitors = Monitors(interval_s=1 / rate_hz, pid=os.getpid())
    monitors.start()
    spent: list[float] = []
    ours_s = time.process_time()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(0.25)
        spent += [
            sample.values["cpu_percent"]
            for sample in monitors.drain()
            if sample.source == "watcher" and "cpu_percent" in sample.values
        ]
    ours = (time.process_time() - ours_s) / seconds
    monitors.close()
    watcher = statistics.fmean(spent)
    return (
        f"{rate_hz:g} Hz for {seconds:g} s: the watcher {watcher:.2f} % of a core, "
        f"the measuring process {100 * ours:.2f} %"
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    work: dict[str, Callable[[], object]] = {
        BASE: lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        "start and stop a watcher": start_and_stop,
    }
    rows = summary(interleaved(work, options.rounds), BASE)
    notes = [watching(rate, options.seconds) for rate in RATES_HZ]
    show("Watching", rows, notes, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
