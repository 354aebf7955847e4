"""What of the machine is watched, one class a source.

A source is made once and read some times a second; ``read`` gives values whose names end in
their unit. Rates need two readings and are absent in the first. What the system does not say is
absent, never 0. A source that is not there at all raises ``Unavailable`` when it is made.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

Values = dict[str, float]
T = TypeVar("T")


class Unavailable(Exception):
    """This source is not there; says why."""


class Cpu:
    """All cores: how busy, how fast, how warm."""

    name = "cpu"

    def __init__(self) -> None:
        psutil.cpu_percent(percpu=True)
        self._times = psutil.cpu_times()

    def read(self) -> Values:
        cores = psutil.cpu_percent(percpu=True)
        values = {"cpu_percent": sum(cores) / len(cores), "busiest_core_percent": max(cores)}
        now, before = psutil.cpu_times(), self._times
        self._times = now
        spent = sum(now) - sum(before)
        if spent > 0 and hasattr(now, "steal"):
            values["steal_percent"] = 100 * (now.steal - before.steal) / spent
        frequency = _quiet(psutil.cpu_freq)
        if frequency and frequency.current:
            values["frequency_hz"] = frequency.current * 1e6
        degrees = _warmest()
        if degrees is not None:
            values["temperature_c"] = degrees
        return values


class Memory:
    """Main memory and swap."""

    name = "memory"

    def read(self) -> Values:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return {
            "used_bytes": float(memory.total - memory.available),
            "available_bytes": float(memory.available),
            "swap_used_bytes": float(swap.used),
        }


class _Rates:
    """Counters that only grow, as rates."""

    def __init__(self, read: Callable[[], Values]) -> None:
        self._read = read
        self._before = read()
        self._at = time.monotonic()

    def read(self) -> Values:
        now, at = self._read(), time.monotonic()
        span, before = at - self._at, self._before
        self._before, self._at = now, at
        if span <= 0:
            return {}
        return {
            f"{name}_per_s": (value - before[name]) / span
            for name, value in now.items()
            if name in before and value >= before[name]
        }


class Disk(_Rates):
    """All disks together."""

    name = "disk"

    def __init__(self) -> None:
        if psutil.disk_io_counters() is None:
            raise Unavailable("the system has no counters of its disks")
        super().__init__(_disk)


class Network(_Rates):
    """All interfaces, loopback apart."""

    name = "network"

    def __init__(self) -> None:
        super().__init__(_network)


class Pressure:
    """Linux's pressure stall information: share of the time in which some task had to wait."""

    name = "pressure"
    _KINDS = ("cpu", "memory", "io")

    def __init__(self, folder: Path = Path("/proc/pressure")) -> None:
        self._folder = folder
        self._before = self._totals()
        self._at = time.monotonic()
        if not self._before:
            raise Unavailable(f"the system has no {folder}")

    def read(self) -> Values:
        now, at = self._totals(), time.monotonic()
        span, before = at - self._at, self._before
        self._before, self._at = now, at
        if span <= 0:
            return {}
        return {
            f"{kind}_percent": min(100.0, (total - before[kind]) / 1e4 / span)
            for kind, total in now.items()
            if kind in before
        }

    def _totals(self) -> Values:
        """Microseconds since the machine started."""
        found = {}
        for kind in self._KINDS:
            try:
                first = (self._folder / kind).read_text("ascii").splitlines()[0]
                found[kind] = float(first.rpartition("total=")[2])
            except (OSError, ValueError, IndexError):
                continue
        return found


class Process:
    """A local server with all of its children. 100 percent is one core."""

    name = "process"

    def __init__(self, pid: int) -> None:
        try:
            self._top = psutil.Process(pid)
        except psutil.Error as error:
            raise Unavailable(f"process {pid} cannot be watched: {error}") from None
        self._seconds: dict[int, float] = {}
        self._at = time.monotonic()
        self._cpu()

    def read(self) -> Values:
        at = time.monotonic()
        span, self._at = at - self._at, at
        used, memory, threads = self._cpu()
        values = {"rss_bytes": float(memory), "threads": float(threads)}
        if span > 0:
            values["cpu_percent"] = 100 * used / span
        return values

    def _cpu(self) -> tuple[float, int, int]:
        """(CPU seconds since the last look, resident bytes, threads)."""
        used, memory, threads = 0.0, 0, 0
        seen = {}
        for process in [self._top, *_quietly(lambda: self._top.children(recursive=True))]:
            try:
                times = process.cpu_times()
                seconds = times.user + times.system
                seen[process.pid] = seconds
                used += max(0.0, seconds - self._seconds.get(process.pid, seconds))
                memory += process.memory_info().rss
                threads += process.num_threads()
            except psutil.Error:
                continue
        if not seen:
            raise Unavailable("the server's process has ended")
        self._seconds = seen
        return used, memory, threads


def _disk() -> Values:
    found = psutil.disk_io_counters()
    if found is None:
        return {}
    return {"read_bytes": float(found.read_bytes), "write_bytes": float(found.write_bytes)}


def _network() -> Values:
    values = {"received_bytes": 0.0, "sent_bytes": 0.0}
    local = 0.0
    for name, found in psutil.net_io_counters(pernic=True).items():
        if name == "lo" or name.startswith("lo0"):
            local += found.bytes_recv
        else:
            values["received_bytes"] += found.bytes_recv
            values["sent_bytes"] += found.bytes_sent
    return values | {"loopback_bytes": local}


def _warmest() -> float | None:
    """Degrees of the warmest sensor of a processor; None where none says."""
    sensors = getattr(psutil, "sensors_temperatures", None)
    found = _quiet(sensors) if sensors else None
    known = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "acpitz")
    degrees = [s.current for name in known for s in (found or {}).get(name, ()) if s.current]
    return max(degrees) if degrees else None


def _quiet(ask: Callable[[], T]) -> T | None:
    """What is asked, None where the system refuses."""
    try:
        return ask()
    except (OSError, NotImplementedError, RuntimeError, psutil.Error):
        return None


def _quietly(ask: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    try:
        return ask()
    except psutil.Error:
        return []
