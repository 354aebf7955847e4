"""NVIDIA's processors through NVML (package nvidia-ml-py, extra ``gpu``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chimera.measure.monitors.sources import Unavailable, Values


def open_gpus() -> list[Gpu]:
    """Every device.

    Raises:
        Unavailable: the package or the driver is missing, or there is no device.
    """
    try:
        import pynvml
    except ImportError:
        raise Unavailable("nvidia-ml-py is not installed; pip install 'chimera-lab[gpu]'") from None
    try:
        pynvml.nvmlInit()
        count = pynvml.nvmlDeviceGetCount()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
    except pynvml.NVMLError as error:
        raise Unavailable(f"NVML does not answer: {error}") from None
    if not handles:
        raise Unavailable("NVML knows no device")
    return [Gpu(pynvml, index, handle) for index, handle in enumerate(handles)]


class Gpu:
    """One device. Each value is there only where the device tells it."""

    def __init__(self, nvml: Any, index: int, handle: Any) -> None:
        self.name = f"gpu{index}"
        self._nvml = nvml
        self._handle = handle

    def read(self) -> Values:
        nvml, handle = self._nvml, self._handle
        values: Values = {}
        rates = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        if rates is not None:
            values["sm_percent"] = float(rates.gpu)
            values["memory_bus_percent"] = float(rates.memory)
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        if memory is not None:
            values["memory_used_bytes"] = float(memory.used)
        power = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        if power is not None:
            values["power_w"] = power / 1000
        degrees = self._ask(
            lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
        )
        if degrees is not None:
            values["temperature_c"] = float(degrees)
        clock = self._ask(lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM))
        if clock is not None:
            values["clock_hz"] = clock * 1e6
        reasons = self._ask(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle))
        if reasons is not None:
            values["throttled_by_heat"] = float(bool(reasons & _heat(nvml)))
            power_cap = getattr(nvml, "nvmlClocksThrottleReasonSwPowerCap", 0)
            values["throttled_by_power"] = float(bool(reasons & power_cap))
        return values

    def _ask(self, ask: Callable[[], Any]) -> Any:
        """What NVML says, None where this device does not tell it."""
        try:
            return ask()
        except self._nvml.NVMLError:
            return None


def _heat(nvml: Any) -> int:
    names = (
        "nvmlClocksThrottleReasonSwThermalSlowdown",
        "nvmlClocksThrottleReasonHwThermalSlowdown",
    )
    mask = 0
    for name in names:
        mask |= getattr(nvml, name, 0)
    return mask
