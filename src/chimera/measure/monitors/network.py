"""The network: bytes received and sent a second, loopback apart."""

from __future__ import annotations

import os
import re

import psutil

from chimera.measure.monitors.source import Rates, Unavailable

_LOOPBACK = re.compile(r"lo\d*|Loopback .*")


class Network:
    """rx_bytes_per_s, tx_bytes_per_s; loopback_rx_bytes_per_s, loopback_tx_bytes_per_s.

    Where there are real cards, only those count: a bridge or a tunnel passes on the same bytes.
    In a container there are none; then all interfaces but loopback count.
    """

    name = "network"

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        self._rates = Rates()
        if not psutil.net_io_counters(pernic=True):
            raise Unavailable("no network interface is visible here")

    def read(self) -> dict[str, float]:
        counters = psutil.net_io_counters(pernic=True)
        others = [name for name in counters if not _LOOPBACK.fullmatch(name)]
        cards = [name for name in others if os.path.exists(f"/sys/class/net/{name}/device")]
        loopback = [name for name in counters if name not in others]
        totals: dict[str, float] = {}
        for prefix, names in (("", cards or others), ("loopback_", loopback)):
            if names:
                received = sum(counters[name].bytes_recv for name in names)
                totals[f"{prefix}rx_bytes_per_s"] = float(received)
                totals[f"{prefix}tx_bytes_per_s"] = float(
                    sum(counters[name].bytes_sent for name in names)
                )
        return self._rates.since_last(totals)
