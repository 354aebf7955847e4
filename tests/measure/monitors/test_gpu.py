"""NVIDIA's processors, on a fake ``pynvml``: what real ones answer is not tested here."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from chimera.measure.monitors.gpu import open_gpus
from chimera.measure.monitors.sources import Unavailable


class NVMLError(Exception):
    """As in pynvml."""


class FakeNvml(ModuleType):
    """Two devices of invented values. ``silent`` names functions that a device does not know."""

    NVMLError = NVMLError
    NVML_TEMPERATURE_GPU = 0
    NVML_CLOCK_SM = 1
    nvmlClocksThrottleReasonSwPowerCap = 4
    nvmlClocksThrottleReasonSwThermalSlowdown = 32
    nvmlClocksThrottleReasonHwThermalSlowdown = 64

    def __init__(self, count: int = 2, silent: tuple[str, ...] = (), reasons: int = 0) -> None:
        super().__init__("pynvml")
        answers = {
            "nvmlInit": None,
            "nvmlDeviceGetCount": count,
            "nvmlDeviceGetUtilizationRates": SimpleNamespace(gpu=97, memory=41),
            "nvmlDeviceGetMemoryInfo": SimpleNamespace(used=5 << 30, total=8 << 30),
            "nvmlDeviceGetPowerUsage": 123_456,
            "nvmlDeviceGetTemperature": 71,
            "nvmlDeviceGetClockInfo": 1980,
            "nvmlDeviceGetCurrentClocksThrottleReasons": reasons,
        }
        for name, value in answers.items():
            setattr(self, name, self._answer(name in silent, value))
        self.nvmlDeviceGetHandleByIndex = str

    @staticmethod
    def _answer(silent: bool, value: Any) -> Any:
        def answer(*_: Any) -> Any:
            if silent:
                raise NVMLError("Not Supported")
            return value

        return answer


@pytest.fixture
def inject(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda fake: monkeypatch.setitem(sys.modules, "pynvml", fake)


def test_every_value_in_its_unit(inject: Any) -> None:
    inject(FakeNvml(reasons=4))
    first, second = open_gpus()
    assert (first.name, second.name) == ("gpu0", "gpu1")
    assert first.read() == {
        "sm_percent": 97.0,
        "memory_bus_percent": 41.0,
        "memory_used_bytes": 5 * 2**30,
        "power_w": 123.456,
        "temperature_c": 71.0,
        "clock_hz": 1.98e9,
        "throttled_by_heat": 0.0,
        "throttled_by_power": 1.0,
    }


@pytest.mark.parametrize(("reasons", "heat"), [(0, 0.0), (32, 1.0), (64, 1.0), (96, 1.0), (4, 0.0)])
def test_heat_is_told_from_power(inject: Any, reasons: int, heat: float) -> None:
    inject(FakeNvml(reasons=reasons))
    assert open_gpus()[0].read()["throttled_by_heat"] == heat


def test_what_a_device_does_not_tell_is_absent(inject: Any) -> None:
    inject(FakeNvml(silent=("nvmlDeviceGetPowerUsage", "nvmlDeviceGetUtilizationRates")))
    values = open_gpus()[0].read()
    assert not {"power_w", "sm_percent", "memory_bus_percent"} & values.keys()
    assert values["temperature_c"] == 71.0


@pytest.mark.parametrize(
    ("fake", "said"),
    [
        (None, "not installed"),
        (FakeNvml(silent=("nvmlInit",)), "does not answer: Not Supported"),
        (FakeNvml(count=0), "no device"),
    ],
)
def test_no_device_has_its_reason(inject: Any, fake: FakeNvml | None, said: str) -> None:
    inject(fake)
    with pytest.raises(Unavailable, match=said):
        open_gpus()
