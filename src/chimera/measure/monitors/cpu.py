"""The CPUs: how busy, how fast, how hot, and whether the hypervisor took some away."""

from __future__ import annotations

import glob
from contextlib import suppress
from typing import Any

import psutil

from chimera.measure.monitors.source import KernelFile, Unavailable

_SYS_CPU = "/sys/devices/system/cpu"
# Names of the sensor that stands for the whole CPU, by kind of machine.
_HWMON = ("coretemp", "k10temp", "zenpower", "cpu_thermal")
_ZONES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal")
# A clock is read from the core that it belongs to; 16 cores stand for the rest of a large machine.
_MOST_CLOCKS = 16
_IDLE = ("idle", "iowait")
_INSIDE_OTHERS = ("guest", "guest_nice")  # Linux counts them in user and nice as well


class Cpu:
    """All logical CPUs of the machine, also those that this process may not use.

    cpu_percent           busy share of all CPUs: neither idle nor waiting for a disk nor stolen
    busiest_core_percent  the same of the busiest one
    steal_percent         share that the hypervisor gave to others
    logical_cpus          how many there are
    clock_hz, temperature_c, thermal_throttle_flag   where /sys says; the flag is 1 if a package
                          slowed down for its heat since the last sample
    """

    name = "cpu"

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self._before: list[Any] = []
        self._clocks = _clocks()
        self._sensors = _temperatures()
        self._throttles = _throttle_counts()
        self._throttled_before: float | None = None
        for found, value, where in (
            (self._clocks, "clock_hz", f"{_SYS_CPU}/cpufreq"),
            (self._sensors, "temperature_c", "/sys/class/hwmon or /sys/class/thermal"),
            (self._throttles, "thermal_throttle_flag", f"{_SYS_CPU}/cpu*/thermal_throttle"),
        ):
            if not found:
                self.missing[value] = f"nothing in {where}"

    def read(self) -> dict[str, float]:
        values = self._shares()
        clocks = [hz for file in self._clocks if (hz := file.number()) is not None]
        if clocks:
            values["clock_hz"] = sum(clocks) / len(clocks) * 1e3  # the file has kHz
        degrees = [milli for file in self._sensors if (milli := file.number()) is not None]
        if degrees:
            values["temperature_c"] = max(degrees) / 1e3
        counts = [count for file in self._throttles if (count := file.number()) is not None]
        if counts:
            before, self._throttled_before = self._throttled_before, sum(counts)
            if before is not None:
                values["thermal_throttle_flag"] = float(sum(counts) > before)
        return values

    def _shares(self) -> dict[str, float]:
        now = psutil.cpu_times(percpu=True)
        before, self._before = self._before, now
        values = {"logical_cpus": float(len(now))}
        if len(before) != len(now):  # the first reading, or a CPU came or went
            return values
        passed = [_passed(old, new) for old, new in zip(before, now, strict=True)]
        total = sum(core["total"] for core in passed)
        if total <= 0:
            return values
        values["cpu_percent"] = 100 * sum(core["busy"] for core in passed) / total
        values["busiest_core_percent"] = max(
            100 * core["busy"] / core["total"] for core in passed if core["total"] > 0
        )
        if hasattr(now[0], "steal"):
            values["steal_percent"] = 100 * sum(core["steal"] for core in passed) / total
        return values


def _passed(old: Any, new: Any) -> dict[str, float]:
    """CPU time between two readings. The kernel's idle counters may run backwards: then 0."""
    spent = {
        name: max(0.0, getattr(new, name) - getattr(old, name))
        for name in new._fields
        if name not in _INSIDE_OTHERS
    }
    total = sum(spent.values())
    steal = spent.get("steal", 0.0)
    idle = sum(spent.get(name, 0.0) for name in _IDLE)
    return {"total": total, "busy": total - idle - steal, "steal": steal}


def _open(paths: list[str]) -> list[KernelFile]:
    files = []
    for path in sorted(paths):
        with suppress(Unavailable):
            files.append(KernelFile(path))
    return files


def _clocks() -> list[KernelFile]:
    """The real clock only: /proc/cpuinfo repeats a nominal one in virtual machines."""
    paths = sorted(glob.glob(f"{_SYS_CPU}/cpufreq/policy*/scaling_cur_freq"))
    return _open(paths[:: -(-len(paths) // _MOST_CLOCKS) or 1])


def _temperatures() -> list[KernelFile]:
    for names, pattern, label, reading in (
        (_HWMON, "/sys/class/hwmon/hwmon*", "name", "temp1_input"),
        (_ZONES, "/sys/class/thermal/thermal_zone*", "type", "temp"),
    ):
        found = [
            f"{folder}/{reading}" for folder in glob.glob(pattern) if _is(folder, label, names)
        ]
        if files := _open(found):
            return files
    return []


def _is(folder: str, label: str, names: tuple[str, ...]) -> bool:
    with suppress(Unavailable):
        return KernelFile(f"{folder}/{label}").text().strip() in names
    return False


def _throttle_counts() -> list[KernelFile]:
    """One counter for each package: its cores all repeat it."""
    packages: dict[str, str] = {}
    for path in sorted(glob.glob(f"{_SYS_CPU}/cpu[0-9]*/thermal_throttle/package_throttle_count")):
        core = path.removesuffix("/thermal_throttle/package_throttle_count")
        with suppress(Unavailable):
            packages.setdefault(KernelFile(f"{core}/topology/physical_package_id").text(), path)
    return _open(list(packages.values()))
