"""What the tests of the watching process share."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable

import psutil

from chimera.measure.monitors.monitors import Monitors
from chimera.measure.monitors.sample import Sample

PATIENCE_S = 30.0


def collect(monitors: Monitors, enough: Callable[[list[Sample]], bool]) -> list[Sample]:
    """Wait as an event loop does until what came is enough; fails if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    samples = monitors.drain()
    while not enough(samples):
        assert time.monotonic() < deadline, f"only {samples}, {monitors.not_watched}"
        fd = monitors.fileno()
        assert fd is not None, monitors.not_watched
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            selector.select(1.0)
        samples += monitors.drain()
    return samples


def rounds(samples: list[Sample], source: str) -> list[dict[str, float]]:
    return [sample.values for sample in samples if sample.source == source]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def runs(pid: int) -> bool:
    """Whether it runs; a process that nobody has buried yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def watcher_pid(monitors: Monitors) -> int:
    assert monitors._process is not None
    return monitors._process.pid
