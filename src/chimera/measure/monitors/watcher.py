"""The process that watches: ``python -m chimera.measure.monitors.watcher``.

One JSON line on standard input says what to watch; then one line for each reading goes to
standard output: ``{"t_ns", "source", "values", "cpu_s"}``, or ``{"source", "missing"}`` for a
source that is not there. ``t_ns`` is on the machine's monotonic clock; ``cpu_s`` is what this
process has cost so far. It ends when standard input does.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import psutil

from chimera.measure.monitors.sources import (
    Cpu,
    Disk,
    Memory,
    Network,
    Pressure,
    Process,
    Unavailable,
    Values,
)

# A source that a system refuses ends alone, and not the watcher with all others.
_GONE = (Unavailable, OSError, RuntimeError, psutil.Error)


class Source(Protocol):
    """Something that can be read again and again."""

    @property
    def name(self) -> str: ...

    def read(self) -> Values: ...


def main() -> None:
    """Watch until standard input ends."""
    asked = json.loads(sys.stdin.readline() or "null")
    if asked is None:
        return
    sources = list(_opened(asked))
    while _wait(asked["interval_s"]):
        for source in list(sources):
            try:
                values = source.read()
            except _GONE as error:
                sources.remove(source)
                _say({"source": source.name, "missing": str(error)})
                continue
            if values:
                cost = time.process_time()
                now = time.monotonic_ns()
                _say({"t_ns": now, "source": source.name, "values": values, "cpu_s": cost})


def _opened(asked: dict[str, Any]) -> list[Source]:
    makers: dict[str, Callable[[], list[Source]]] = {
        "cpu": lambda: [Cpu()],
        "memory": lambda: [Memory()],
        "disk": lambda: [Disk()],
        "network": lambda: [Network()],
        "pressure": lambda: [Pressure()],
        "gpu": _gpus,
    }
    if asked.get("pid"):
        makers["process"] = lambda: [Process(asked["pid"])]
    else:
        _say({"source": "process", "missing": "no process of this machine serves the target"})
    if asked.get("metrics_url"):
        makers["server"] = lambda: [_server(asked)]
    found: list[Source] = []
    for name, make in makers.items():
        try:
            found += make()
        except _GONE as error:
            _say({"source": name, "missing": str(error)})
    return found


def _gpus() -> list[Source]:
    from chimera.measure.monitors.gpu import open_gpus

    return list(open_gpus())


def _server(asked: dict[str, Any]) -> Source:
    from chimera.measure.monitors.prometheus import ServerMetrics

    return ServerMetrics(asked["metrics_url"], asked.get("headers"))


def _wait(seconds: float) -> bool:
    """Sleep; False as soon as standard input has ended."""
    ready, _, _ = select.select([0], [], [], seconds)
    return not (ready and not os.read(0, 4096))


def _say(message: dict[str, Any]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
