"""One process, with or without those that it started."""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

from chimera.measure.monitors.source import Unavailable

# Finding children reads every process of the machine; a model's runner lives much longer.
_SEARCH_S = 2.0


class ProcessTree:
    """A process, and with ``children`` all that descend from it (Ollama's runner is a child).

    cpu_percent  CPU time since the last sample, 100 is one core; of the processes that were
                 there both times
    rss_bytes    resident memory, a mapped model file included; what processes share counts for
                 each of them
    threads, processes   how many
    """

    def __init__(self, name: str, pid: int, *, children: bool) -> None:
        self.name = name
        self.missing: dict[str, str] = {}
        self._children = children
        try:
            self._root = psutil.Process(pid)
        except psutil.NoSuchProcess:
            raise Unavailable(f"there is no process {pid}") from None
        except psutil.AccessDenied:
            raise Unavailable(f"not permitted to look at process {pid}") from None
        self._family: dict[int, psutil.Process] = {pid: self._root}
        self._searched_s: float | None = None
        self._before: dict[int, float] = {}
        self._before_ns = 0

    def read(self) -> dict[str, float]:
        self._search()
        cpu_s: dict[int, float] = {}
        rss = threads = 0
        now_ns = time.monotonic_ns()
        for pid, process in list(self._family.items()):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    cpu_s[pid] = times.user + times.system
                    rss += process.memory_info().rss
                    threads += process.num_threads()
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                cpu_s.pop(pid, None)
                del self._family[pid]
            except psutil.AccessDenied:
                raise Unavailable(f"not permitted to look at process {pid}") from None
        if self._root.pid not in cpu_s:
            raise Unavailable(f"process {self._root.pid} has ended")
        values = {
            "rss_bytes": float(rss),
            "threads": float(threads),
            "processes": float(len(cpu_s)),
        }
        if self._before:
            used_s = sum(cpu_s[pid] - self._before[pid] for pid in cpu_s if pid in self._before)
            values["cpu_percent"] = max(0.0, used_s) / (now_ns - self._before_ns) * 1e9 * 100
        self._before, self._before_ns = cpu_s, now_ns
        return values

    def _search(self) -> None:
        """Look for children now and then; and whether the number now is another process's."""
        now_s = time.monotonic()
        if self._searched_s is not None and now_s - self._searched_s < _SEARCH_S:
            return
        self._searched_s = now_s
        if not self._root.is_running():
            raise Unavailable(f"process {self._root.pid} has ended")
        if self._children:
            with suppress(psutil.Error):
                found = {child.pid: child for child in self._root.children(recursive=True)}
                self._family = {self._root.pid: self._root} | found
