"""The disks: bytes read and written a second."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import psutil

from chimera.measure.monitors.source import KernelFile, Rates, Unavailable

_SECTOR = 512  # what /proc/diskstats counts in, whatever the disk's own sectors are


class Disk:
    """read_bytes_per_s, write_bytes_per_s of all physical disks together.

    On Linux only what has a device behind it: a loop, a mapping, a RAID or compressed memory
    would count the same bytes twice, or bytes that no disk saw.
    """

    name = "disk"

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self._rates = Rates()
        self._file = KernelFile("/proc/diskstats") if sys.platform == "linux" else None
        self._physical: dict[str, bool] = {}
        if self._totals() is None:
            raise Unavailable("no physical disk is visible here")

    def read(self) -> dict[str, float]:
        totals = self._totals()
        return {} if totals is None else self._rates.since_last(totals)

    def _totals(self) -> dict[str, float] | None:
        if self._file is not None:
            return diskstats_totals(self._file.text(), self._is_physical)
        counters = psutil.disk_io_counters()
        if counters is None:
            return None
        return _named(counters.read_bytes, counters.write_bytes)

    def _is_physical(self, name: str) -> bool:
        known = self._physical.get(name)
        if known is None:
            device = f"/sys/block/{name.replace('/', '!')}/device"
            known = self._physical[name] = os.path.exists(device)
        return known


def diskstats_totals(text: str, is_physical: Callable[[str], bool]) -> dict[str, float] | None:
    """The sums over /proc/diskstats; None if no line is a physical disk."""
    read = written = 0
    found = False
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 9 and is_physical(fields[2]):
            found = True
            read += int(fields[5])
            written += int(fields[9])
    return _named(read * _SECTOR, written * _SECTOR) if found else None


def _named(read: int, written: int) -> dict[str, float]:
    return {"read_bytes_per_s": float(read), "write_bytes_per_s": float(written)}
