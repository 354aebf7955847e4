"""The process that watches: ``python -m chimera.measure.monitors.watcher``.

The first line of stdin is its task as JSON (what to watch, how often, the headers for a
server's metrics: never on a command line, which everyone can read). The first line of stdout
says what is watched and what is not; then comes one line for each round of samples, stamped
with CLOCK_MONOTONIC, with the CPU time that watching has cost so far. It ends when stdin
closes or its parent dies.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chimera.measure.monitors.server import ServerMetrics
    from chimera.measure.monitors.source import Source


def main() -> None:
    """Watch until nobody listens any more."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    task = json.loads(line)
    # What is measured goes first: on a busy machine a sample may come late, its stamp is right.
    with suppress(OSError, AttributeError):
        os.nice(10)
    ended = threading.Event()
    threading.Thread(target=_until_stdin_closes, args=(ended,), daemon=True).start()
    lines = _Lines()
    try:
        sources, server, missing = _open_sources(task)
        lines.say(watched=[source.name for source in (*sources, server) if source], missing=missing)
        if server is not None:
            _start_server(server, task["interval_s"], lines)
        _watch(sources, task, ended, lines)
        lines.say()
    except BrokenPipeError:
        os._exit(0)  # the parent is gone, and flushing at exit would only fail again
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear it
        lines.say(missing={"watcher": _where(error)})


def _where(error: Exception) -> str:
    """The kind and the place of a failure only: a message may hold what was in the task."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        file = os.path.basename(trace.tb_frame.f_code.co_filename)
        place = f" in {file}, line {trace.tb_lineno}"
    return f"it failed with {type(error).__name__}{place}"


class _Lines:
    """Says one JSON line at a time; the server's thread speaks too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out = sys.stdout.buffer

    def say(self, **message: Any) -> None:
        line = json.dumps(message | {"cpu_s": time.process_time()}).encode() + b"\n"
        with self._lock:
            self._out.write(line)
            self._out.flush()


def _until_stdin_closes(ended: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    ended.set()


def _open_sources(
    task: dict[str, Any],
) -> tuple[list[Source], ServerMetrics | None, dict[str, str]]:
    from chimera.measure.monitors.cpu import Cpu
    from chimera.measure.monitors.disk import Disk
    from chimera.measure.monitors.gpu import open_gpus
    from chimera.measure.monitors.memory import Memory
    from chimera.measure.monitors.network import Network
    from chimera.measure.monitors.pressure import Pressure
    from chimera.measure.monitors.process import ProcessTree
    from chimera.measure.monitors.source import Unavailable

    sources: list[Source] = []
    missing: dict[str, str] = {}
    openers: list[tuple[str, Callable[[], Source]]] = [
        ("cpu", Cpu),
        ("memory", Memory),
        ("disk", Disk),
        ("network", Network),
        ("pressure", Pressure),
        ("client", lambda: ProcessTree("client", task["parent"], children=False)),
        ("watcher", lambda: ProcessTree("watcher", os.getpid(), children=False)),
    ]
    if task["pid"] is None:
        missing["process"] = "no local server process is known"
    else:
        openers.append(("process", lambda: ProcessTree("process", task["pid"], children=True)))
    for name, opener in openers:
        try:
            source = opener()
        except Unavailable as reason:
            missing[name] = str(reason)
            continue
        except (OSError, RuntimeError, NotImplementedError) as error:  # psutil, on odd systems
            missing[name] = f"this system does not tell it ({type(error).__name__})"
            continue
        sources.append(source)
    try:
        gpus, lost = open_gpus()
        sources += gpus
        missing |= lost
    except Unavailable as reason:
        missing["gpu"] = str(reason)
    for source in sources:
        missing |= {f"{source.name}.{value}": why for value, why in source.missing.items()}
    return sources, _open_server(task, missing), missing


def _open_server(task: dict[str, Any], missing: dict[str, str]) -> ServerMetrics | None:
    if task["metrics_url"] is None:
        missing["server"] = "no metrics address was given"
        return None
    from chimera.measure.monitors.server import ServerMetrics
    from chimera.measure.monitors.source import Unavailable

    try:
        return ServerMetrics(task["metrics_url"], task["metrics_headers"])
    except Unavailable as reason:
        missing["server"] = str(reason)
        return None


def _start_server(server: ServerMetrics, interval_s: float, lines: _Lines) -> None:
    from chimera.measure.monitors.server import watch_server

    def say(t_ns: int, values: dict[str, float] | None, reason: str | None) -> None:
        try:
            if values is None:
                lines.say(missing={"server": reason})
            else:
                lines.say(t_ns=t_ns, values={"server": values})
        except OSError:
            os._exit(0)  # the parent is gone

    threading.Thread(target=watch_server, args=(server, interval_s, say), daemon=True).start()


def _watch(
    sources: list[Source], task: dict[str, Any], ended: threading.Event, lines: _Lines
) -> None:
    from chimera.measure.monitors.source import Unavailable

    due_s = time.monotonic()
    # A pipe that another process inherited stays open after the parent's death: so look twice.
    while not ended.is_set() and os.getppid() == task["parent"]:
        t_ns = time.monotonic_ns()
        values: dict[str, dict[str, float]] = {}
        missing: dict[str, str] = {}
        for source in list(sources):
            try:
                if read := source.read():
                    values[source.name] = read
            except Unavailable as reason:
                sources.remove(source)
                missing[source.name] = str(reason)
        lines.say(t_ns=t_ns, values=values, missing=missing)
        # What was missed is not made up for: a late round counts for the time that it covers.
        due_s = max(due_s + task["interval_s"], time.monotonic())
        ended.wait(due_s - time.monotonic())


if __name__ == "__main__":
    main()
