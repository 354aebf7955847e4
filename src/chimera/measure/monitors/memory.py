"""The machine's memory."""

from __future__ import annotations

import psutil


class Memory:
    """used_bytes (what programs hold, without caches), available_bytes (what a program could
    get without swapping), total_bytes, swap_used_bytes; absent is swap where there is none.
    """

    name = "memory"

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}
        if psutil.swap_memory().total == 0:
            self.missing["swap_used_bytes"] = "this machine has no swap"

    def read(self) -> dict[str, float]:
        memory = psutil.virtual_memory()
        values = {
            "used_bytes": float(memory.used),
            "available_bytes": float(memory.available),
            "total_bytes": float(memory.total),
        }
        swap = psutil.swap_memory()
        if swap.total:
            values["swap_used_bytes"] = float(swap.used)
        return values
