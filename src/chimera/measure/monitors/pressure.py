"""Linux's pressure stall information: the share of time in which a task had to wait."""

from __future__ import annotations

import re

from chimera.measure.monitors.source import KernelFile, Rates, Unavailable

_SOME = re.compile(r"^some .*\btotal=(\d+)", re.MULTILINE)


class Pressure:
    """cpu_some_percent, memory_some_percent, io_some_percent: of the interval since the last
    sample, the share in which at least one task waited for a CPU, for memory or for a disk.

    It is computed from the kernel's exact sums, not from its sliding averages.
    """

    name = "pressure"

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self._rates = Rates()
        self._files: dict[str, KernelFile] = {}
        for what in ("cpu", "memory", "io"):
            try:
                self._files[what] = KernelFile(f"/proc/pressure/{what}")
            except Unavailable as reason:
                self.missing[f"{what}_some_percent"] = str(reason)
        if not self._files:
            raise Unavailable(next(iter(self.missing.values())))

    def read(self) -> dict[str, float]:
        totals = {}
        for what, file in self._files.items():
            if match := _SOME.search(file.text()):
                totals[f"{what}_some_percent"] = int(match[1]) / 1e6 * 100
        # The last sum may be as fresh as the stamp is old: a full interval can read as 100.01.
        return {name: min(rate, 100.0) for name, rate in self._rates.since_last(totals).items()}
