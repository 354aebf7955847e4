"""NVIDIA's GPUs, as the driver's management library (NVML) tells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chimera.measure.monitors.source import Unavailable

# Bits of the mask of reasons for a lower clock, as nvml.h numbers them.
_REASONS = {
    "power_throttle_flag": 0x04 | 0x80,  # the power limit, or a brake from outside
    "thermal_throttle_flag": 0x20 | 0x40,
    "hardware_slowdown_flag": 0x08,  # heat or power, the hardware does not say which
}


class Gpu:
    """One GPU; what its driver does not tell is absent.

    sm_percent                 share of time in which any kernel ran; says nothing of how full
                               the processors were
    memory_controller_percent  share of time in which memory was read or written
    memory_used_bytes, memory_total_bytes
    power_w                    the whole board; the driver averages over a second on most cards
    energy_j_total             what it drew since the driver was loaded
    temperature_c, clock_hz (of the processors), memory_clock_hz
    power_throttle_flag, thermal_throttle_flag, hardware_slowdown_flag   1 while it holds
    """

    def __init__(self, nvml: Any, index: int) -> None:
        self.name = f"gpu{index}"
        self.missing: dict[str, str] = {}
        self._nvml = nvml
        try:
            self._handle = nvml.nvmlDeviceGetHandleByIndex(index)
        except nvml.NVMLError as error:
            raise Unavailable(str(error)) from None
        self._readers = [read for read in self._all_readers() if self._works(read)]
        if not self._readers:
            raise Unavailable("the driver tells nothing of it")

    def read(self) -> dict[str, float]:
        values: dict[str, float] = {}
        for reader in self._readers:
            try:
                values |= reader()
            except self._nvml.NVMLError as error:
                if type(error).__name__ == "NVMLError_GpuIsLost":
                    raise Unavailable(str(error)) from None
        return values

    def _works(self, reader: Callable[[], dict[str, float]]) -> bool:
        """Ask once: what the card does not support is not asked for again."""
        try:
            reader()
        except (self._nvml.NVMLError, AttributeError) as error:
            # AttributeError: bindings of another age, without this function
            self.missing[reader.__name__.strip("_")] = str(error)
            return False
        return True

    def _all_readers(self) -> list[Callable[[], dict[str, float]]]:
        return [
            self._utilisation,
            self._memory,
            self._power,
            self._energy,
            self._temperature,
            self._clock,
            self._memory_clock,
            self._throttling,
        ]

    def _utilisation(self) -> dict[str, float]:
        rates = self._nvml.nvmlDeviceGetUtilizationRates(self._handle)
        return {
            "sm_percent": float(rates.gpu),
            "memory_controller_percent": float(rates.memory),
        }

    def _memory(self) -> dict[str, float]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(self._handle)
        return {
            "memory_used_bytes": float(memory.used),
            "memory_total_bytes": float(memory.total),
        }

    def _power(self) -> dict[str, float]:
        return {"power_w": self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1e3}

    def _energy(self) -> dict[str, float]:
        return {
            "energy_j_total": self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle) / 1e3
        }

    def _temperature(self) -> dict[str, float]:
        sensor = self._nvml.NVML_TEMPERATURE_GPU
        return {"temperature_c": float(self._nvml.nvmlDeviceGetTemperature(self._handle, sensor))}

    def _clock(self) -> dict[str, float]:
        mhz = self._nvml.nvmlDeviceGetClockInfo(self._handle, self._nvml.NVML_CLOCK_SM)
        return {"clock_hz": mhz * 1e6}

    def _memory_clock(self) -> dict[str, float]:
        mhz = self._nvml.nvmlDeviceGetClockInfo(self._handle, self._nvml.NVML_CLOCK_MEM)
        return {"memory_clock_hz": mhz * 1e6}

    def _throttling(self) -> dict[str, float]:
        # The function was renamed; drivers and bindings know one name or both.
        try:
            mask = int(self._nvml.nvmlDeviceGetCurrentClocksEventReasons(self._handle))
        except (self._nvml.NVMLError, AttributeError):
            mask = int(self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons(self._handle))
        return {name: float(bool(mask & bits)) for name, bits in _REASONS.items()}


def open_gpus(nvml: Any = None) -> tuple[list[Gpu], dict[str, str]]:
    """Every GPU that can be watched, and why one cannot be. ``nvml`` stands in for the package.

    Raises:
        Unavailable: no package, no driver or no GPU.
    """
    if nvml is None:
        try:
            import pynvml
        except ImportError:
            raise Unavailable("the package nvidia-ml-py is not installed (extra gpu)") from None
        nvml = pynvml
    try:
        nvml.nvmlInit()
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        raise Unavailable(f"NVML does not start: {error}") from None
    gpus, missing = [], {}
    for index in range(count):
        try:
            gpus.append(Gpu(nvml, index))
        except Unavailable as reason:
            missing[f"gpu{index}"] = str(reason)
    if not gpus:
        raise Unavailable(next(iter(missing.values()), "the driver sees no GPU"))
    return gpus, missing
