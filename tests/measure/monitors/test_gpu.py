"""NVIDIA's GPUs. No machine of this project has one at hand, so a small stand-in for the module
``pynvml`` says what the real one would: its functions, names and units, in made-up values.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chimera.measure.monitors.gpu import open_gpus
from chimera.measure.monitors.source import Unavailable


class NVMLError(Exception):
    pass


class NVMLError_NotSupported(NVMLError):  # noqa: N801 - the real name
    pass


class NVMLError_GpuIsLost(NVMLError):  # noqa: N801 - the real name
    pass


def fail(kind: type[NVMLError]) -> Any:
    def function(*_: object) -> None:
        raise kind(kind.__name__)

    return function


def fake_nvml(**changed: Any) -> Any:
    functions: dict[str, Any] = {
        "NVMLError": NVMLError,
        "NVML_TEMPERATURE_GPU": 0,
        "NVML_CLOCK_SM": 1,
        "NVML_CLOCK_MEM": 2,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetUtilizationRates": lambda h: SimpleNamespace(gpu=90 + h, memory=40),
        "nvmlDeviceGetMemoryInfo": lambda h: SimpleNamespace(used=5 << 30, total=80 << 30),
        "nvmlDeviceGetPowerUsage": lambda h: 350_500,  # mW
        "nvmlDeviceGetTotalEnergyConsumption": lambda h: 1_234_000,  # mJ
        "nvmlDeviceGetTemperature": lambda h, sensor: 61,
        "nvmlDeviceGetClockInfo": lambda h, kind: {1: 1980, 2: 2619}[kind],  # MHz
        "nvmlDeviceGetCurrentClocksEventReasons": lambda h: 0x24,  # power cap, software thermal
    }
    return SimpleNamespace(**(functions | changed))


def test_every_gpu_is_a_source() -> None:
    gpus, missing = open_gpus(fake_nvml())
    assert missing == {}
    assert [gpu.name for gpu in gpus] == ["gpu0", "gpu1"]
    assert gpus[1].read() == {
        "sm_percent": 91,
        "memory_controller_percent": 40,
        "memory_used_bytes": 5 << 30,
        "memory_total_bytes": 80 << 30,
        "power_w": 350.5,
        "energy_j_total": 1234,
        "temperature_c": 61,
        "clock_hz": 1.98e9,
        "memory_clock_hz": 2.619e9,
        "power_throttle_flag": 1,
        "thermal_throttle_flag": 1,
        "hardware_slowdown_flag": 0,
    }


def test_what_the_card_does_not_tell_is_absent() -> None:
    unsupported = fail(NVMLError_NotSupported)
    gpus, _ = open_gpus(
        fake_nvml(nvmlDeviceGetPowerUsage=unsupported, nvmlDeviceGetMemoryInfo=unsupported)
    )
    values = gpus[0].read()
    assert not {"power_w", "memory_used_bytes"} & set(values)
    assert values["sm_percent"] == 90
    assert gpus[0].missing == {
        "power": "NVMLError_NotSupported",
        "memory": "NVMLError_NotSupported",
    }


def test_an_older_driver_names_the_reasons_otherwise() -> None:
    gpus, _ = open_gpus(
        fake_nvml(
            nvmlDeviceGetCurrentClocksEventReasons=fail(NVMLError),
            nvmlDeviceGetCurrentClocksThrottleReasons=lambda h: 0x08,
        )
    )
    assert gpus[0].read()["hardware_slowdown_flag"] == 1


def test_a_reading_that_fails_once_is_absent_once() -> None:
    nvml = fake_nvml()
    gpus, _ = open_gpus(nvml)
    nvml.nvmlDeviceGetTemperature, before = fail(NVMLError), nvml.nvmlDeviceGetTemperature
    assert "temperature_c" not in gpus[0].read()
    nvml.nvmlDeviceGetTemperature = before
    assert gpus[0].read()["temperature_c"] == 61


def test_a_gpu_that_is_lost_is_gone() -> None:
    nvml = fake_nvml()
    gpus, _ = open_gpus(nvml)
    nvml.nvmlDeviceGetPowerUsage = fail(NVMLError_GpuIsLost)
    with pytest.raises(Unavailable, match="GpuIsLost"):
        gpus[0].read()


def test_one_gpu_that_is_not_ours_to_see() -> None:
    def handle(index: int) -> int:
        if index == 0:
            raise NVMLError("no permission")
        return index

    gpus, missing = open_gpus(fake_nvml(nvmlDeviceGetHandleByIndex=handle))
    assert [gpu.name for gpu in gpus] == ["gpu1"]
    assert missing == {"gpu0": "no permission"}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"nvmlInit": fail(NVMLError)}, "NVML does not start: NVMLError"),
        ({"nvmlDeviceGetCount": lambda: 0}, "the driver sees no GPU"),
        ({"nvmlDeviceGetHandleByIndex": fail(NVMLError)}, "NVMLError"),
    ],
)
def test_no_gpu_has_a_reason(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        open_gpus(fake_nvml(**changed))


def test_no_package_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    with pytest.raises(Unavailable, match="nvidia-ml-py is not installed"):
        open_gpus()
