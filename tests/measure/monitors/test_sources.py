"""Single sources, where this machine cannot show the trap."""

from __future__ import annotations

import glob
import os.path
import time
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import psutil
import pytest

from chimera.measure.monitors import cpu as cpu_module
from chimera.measure.monitors.cpu import Cpu
from chimera.measure.monitors.disk import diskstats_totals
from chimera.measure.monitors.network import Network
from chimera.measure.monitors.source import KernelFile, Rates, Unavailable


class CpuTimes(NamedTuple):
    """As psutil reads a line of /proc/stat."""

    user: float
    nice: float
    system: float
    idle: float
    iowait: float
    irq: float
    softirq: float
    steal: float
    guest: float
    guest_nice: float


def test_rates_are_per_second_and_counters_that_fell_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([1_000_000_000, 3_000_000_000, 4_000_000_000])
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(clock))
    rates = Rates()
    assert rates.since_last({"a": 10.0, "b": 5.0}) == {}
    assert rates.since_last({"a": 30.0, "b": 1.0, "c": 7.0}) == {"a": 10.0}
    assert rates.since_last({"a": 30.0, "b": 2.0, "c": 9.0}) == {"a": 0.0, "b": 1.0, "c": 2.0}


def test_a_kernel_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        KernelFile(str(tmp_path / "none"))


def test_a_kernel_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "temp"
    path.write_text("45000\n")
    file = KernelFile(str(path))
    assert file.number() == 45000
    path.write_text("no number")
    assert file.number() is None


def test_busy_is_neither_idle_nor_waiting_nor_stolen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hand: of 10 s on two CPUs, the first was busy for 6 (of them 2 as a guest's host, which
    Linux counts twice), waited 1, lost 1 and idled 2; the second idled. 6/20, 6/10, 1/20.
    """
    before = [CpuTimes(0, 0, 0, 0, 5, 0, 0, 0, 0, 0), CpuTimes(0, 0, 0, 0, 5, 0, 0, 0, 0, 0)]
    after = [CpuTimes(4, 0, 1, 2, 6, 0, 1, 1, 2, 0), CpuTimes(0, 0, 0, 10, 4, 0, 0, 0, 0, 0)]
    readings = iter([before, after])
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: next(readings))
    cpu = Cpu()
    assert cpu.read()["logical_cpus"] == 2
    values = cpu.read()
    assert values["cpu_percent"] == pytest.approx(30)
    assert values["busiest_core_percent"] == pytest.approx(60)
    assert values["steal_percent"] == pytest.approx(5)


def test_a_cpu_that_comes_or_goes_leaves_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    one = CpuTimes(1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    readings = iter([[one], [one, one]])
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: next(readings))
    cpu = Cpu()
    cpu.read()
    assert cpu.read() == {"logical_cpus": 2}


def test_heat_clock_and_throttling_come_from_sys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder laid out as /sys: two clocks, two packages that share their counts, one sensor."""

    def put(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    for policy, khz in enumerate(("3000000", "1000000")):
        put(f"cpufreq/policy{policy}/scaling_cur_freq", khz)
    for core in range(4):
        put(f"cpu{core}/topology/physical_package_id", str(core // 2))
        put(f"cpu{core}/thermal_throttle/package_throttle_count", "5")
    hot = put("hwmon/hwmon0/temp1_input", "71000")
    put("hwmon/hwmon0/name", "coretemp\n")
    monkeypatch.setattr(cpu_module, "_SYS_CPU", str(tmp_path))
    monkeypatch.setattr(
        glob,
        "glob",
        lambda pattern, real=glob.glob: real(pattern.replace("/sys/class", str(tmp_path))),
    )
    cpu = Cpu()
    assert cpu.missing == {}
    first = cpu.read()
    assert first["clock_hz"] == 2e9
    assert first["temperature_c"] == 71
    assert "thermal_throttle_flag" not in first
    assert cpu.read()["thermal_throttle_flag"] == 0
    (tmp_path / "cpu2/thermal_throttle/package_throttle_count").write_text("6")
    hot.write_text("92500")
    values = cpu.read()
    assert values["thermal_throttle_flag"] == 1
    assert values["temperature_c"] == 92.5


def test_only_physical_disks_count() -> None:
    """Sectors of 512 bytes; the mapping on the disk and the memory disk are not counted again."""
    text = (
        " 259 0 nvme0n1 100 0 2000 9 50 0 4000 9 0 9 9 0 0 0 0 0 0\n"
        " 259 1 nvme0n1p1 90 0 1900 9 50 0 4000 9 0 9 9 0 0 0 0 0 0\n"
        " 253 0 dm-0 100 0 2000 9 50 0 4000 9 0 9 9 0 0 0 0 0 0\n"
        " 7 0 loop0 1 0 8 0 0 0 0 0 0 0 0\n"
    )
    assert diskstats_totals(text, lambda name: name == "nvme0n1") == {
        "read_bytes_per_s": 2000 * 512,
        "write_bytes_per_s": 4000 * 512,
    }
    assert diskstats_totals(text, lambda name: False) is None


def test_bridges_do_not_count_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def counters(step: int) -> dict[str, SimpleNamespace]:
        return {
            name: SimpleNamespace(bytes_recv=step * rx, bytes_sent=step * tx)
            for name, rx, tx in (("lo", 7, 7), ("eth0", 100, 10), ("docker0", 100, 10))
        }

    readings = iter([counters(0), counters(0), counters(1)])
    monkeypatch.setattr(psutil, "net_io_counters", lambda pernic: next(readings))
    monkeypatch.setattr(os.path, "exists", lambda path: "/eth0/" in path)
    clock = iter([1_000_000_000, 2_000_000_000])
    monkeypatch.setattr(time, "monotonic_ns", lambda: next(clock))
    network = Network()
    assert network.read() == {}
    assert network.read() == {
        "rx_bytes_per_s": 100,
        "tx_bytes_per_s": 10,
        "loopback_rx_bytes_per_s": 7,
        "loopback_tx_bytes_per_s": 7,
    }
