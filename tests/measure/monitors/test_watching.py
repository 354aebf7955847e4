"""The watching process itself, on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from chimera.errors import InputError
from chimera.measure.monitors.monitors import Monitors
from chimera.measure.monitors.neighbours import neighbour_load
from chimera.measure.monitors.sample import Sample
from tests.measure.monitors.watching import collect, rounds, runs, wait_until, watcher_pid

ALWAYS = {"cpu", "memory", "client", "watcher"}

# A parent that starts watching, says the watcher's number, and waits to be killed. With "fork"
# a second process holds on to its pipes.
PARENT = """
import os, sys, time
from chimera.measure.monitors.monitors import Monitors
monitors = Monitors(interval_s=0.05)
monitors.start()
child = os.fork() if sys.argv[1] == "fork" else -1
if child != 0:
    print(monitors._process.pid, child, flush=True)
time.sleep(600)
"""
BUSY_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
print(child.pid, flush=True)
child.wait()
"""


@pytest.fixture
def server() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for its busy child, as Ollama waits for its runner."""
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY_CHILD], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_what_is_seen_is_plausible(server: subprocess.Popen[bytes]) -> None:
    with Monitors(interval_s=0.1, pid=server.pid) as monitors:
        samples = collect(
            monitors,
            lambda seen: len([v for v in rounds(seen, "process") if v.get("cpu_percent")]) > 2,
        )
    assert set(monitors.watched) >= ALWAYS | {"process"}
    for values in rounds(samples, "cpu")[1:]:
        assert 0 <= values["cpu_percent"] <= values["busiest_core_percent"] <= 100
        assert values["logical_cpus"] >= 1
    for values in rounds(samples, "memory"):
        assert 0 < values["used_bytes"] < values["total_bytes"]
        assert 0 < values["available_bytes"] <= values["total_bytes"]
    for values in rounds(samples, "process"):
        assert values["processes"] == 2
        assert values["threads"] >= 2
        assert values["rss_bytes"] > 1e6
    for source in ("disk", "network", "pressure"):
        assert all(v >= 0 for values in rounds(samples, source) for v in values.values())
    assert all(v <= 100 for values in rounds(samples, "pressure") for v in values.values())
    load = neighbour_load(samples)
    assert load is not None
    assert load.n > 0
    assert load.max_percent <= 100


def test_a_rate_needs_two_readings() -> None:
    with Monitors(interval_s=0.05) as monitors:
        samples = collect(monitors, lambda seen: len(rounds(seen, "cpu")) > 1)
    first = [sample for sample in samples if sample.t_ns == samples[0].t_ns]
    rates = [
        name for sample in first for name in sample.values if name.endswith(("_percent", "_per_s"))
    ]
    assert not rates
    assert "cpu_percent" in rounds(samples, "cpu")[1]


def test_stamps_are_of_this_machines_monotonic_clock() -> None:
    before = time.monotonic_ns()
    with Monitors(interval_s=0.05) as monitors:
        samples = collect(monitors, lambda seen: len(rounds(seen, "cpu")) > 2)
    stamps = [sample.t_ns for sample in samples]
    assert before < stamps[0]
    assert stamps == sorted(stamps)
    assert stamps[-1] < time.monotonic_ns()


def test_what_cannot_be_watched_has_a_reason() -> None:
    with Monitors(interval_s=0.05) as monitors:
        seen = collect(monitors, lambda seen: len(rounds(seen, "cpu")) > 1)
    assert monitors.not_watched["process"] == "no local server process is known"
    assert monitors.not_watched["server"] == "no metrics address was given"
    assert all(monitors.not_watched.values())
    assert not set(monitors.watched) & set(monitors.not_watched)
    absent = {"clock_hz", "temperature_c"} - set(rounds(seen, "cpu")[-1])
    assert {f"cpu.{name}" for name in absent} <= set(monitors.not_watched)


def test_a_process_that_is_not_there() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with Monitors(pid=gone.pid) as monitors:
        assert monitors.not_watched["process"] == f"there is no process {gone.pid}"


def test_a_process_that_ends_on_the_way() -> None:
    server = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with Monitors(interval_s=0.05, pid=server.pid) as monitors:
        collect(monitors, lambda seen: bool(rounds(seen, "process")))
        server.communicate(b"\n")
        collect(monitors, lambda seen: "process" in monitors.not_watched)
        assert monitors.not_watched["process"] == f"process {server.pid} has ended"
        collect(monitors, lambda seen: len(rounds(seen, "cpu")) > 1)  # the rest goes on


def test_the_cost_is_told() -> None:
    with Monitors(interval_s=0.05) as monitors:
        seen = collect(monitors, lambda seen: len(rounds(seen, "watcher")) > 2)
    cost = monitors.close()
    assert cost.cpu_s is not None
    assert cost.cpu_s > 0
    assert cost.wall_s > 0
    assert cost.samples == len(seen) + len(monitors.drain())
    assert monitors.close() is cost
    assert monitors.fileno() is None


@pytest.mark.parametrize("how", ["alone", "fork"])
def test_the_watcher_ends_with_its_parent(how: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, how], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    watcher, child = map(int, parent.stdout.readline().split())
    try:
        assert runs(watcher)
        parent.kill()
        parent.wait()
        wait_until(lambda: not runs(watcher))
    finally:
        if child > 0:
            os.kill(child, signal.SIGKILL)
        parent.stdout.close()


def test_a_killed_watcher_is_told_and_the_rest_goes_on() -> None:
    with Monitors(interval_s=0.05) as monitors:
        collect(monitors, lambda seen: bool(rounds(seen, "cpu")))
        os.kill(watcher_pid(monitors), signal.SIGKILL)
        while not monitors.ended:
            monitors.drain()
        assert monitors.not_watched["watcher"] == (
            "it ended early, by SIGKILL; nothing was watched from then on"
        )
        assert monitors.drain() == []
        assert monitors.fileno() is None
        assert monitors.close().cpu_s is not None


def test_an_orderly_end_is_no_loss() -> None:
    with Monitors(interval_s=0.05) as monitors:
        collect(monitors, lambda seen: bool(rounds(seen, "cpu")))
    assert "watcher" not in monitors.not_watched
    assert not runs(watcher_pid(monitors))


def test_a_watcher_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chimera.measure.monitors.monitors._GOODBYE_S", 0.1)
    with Monitors(interval_s=0.05) as monitors:
        os.kill(watcher_pid(monitors), signal.SIGSTOP)
    assert not runs(watcher_pid(monitors))


def test_samples_that_nobody_takes_make_the_watcher_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pipe of one page is full after a few rounds; then it is emptied, and it goes on."""
    monkeypatch.setattr("chimera.measure.monitors.monitors._PIPE_BYTES", 4096)
    with Monitors(interval_s=0.05) as monitors:
        wchan = Path(f"/proc/{watcher_pid(monitors)}/wchan")
        if not wchan.exists() or "pipe" not in _wait_for_text(wchan, "pipe"):
            pytest.skip("this system does not say what a process waits for")
        seen = monitors.drain()
        before = seen[-1].t_ns
        collect(monitors, lambda seen: any(sample.t_ns > before for sample in seen))


def _wait_for_text(file: Path, text: str) -> str:
    found = ""
    for _ in range(200):
        found = file.read_text()
        if text in found:
            break
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("#!/bin/sh\nexit 3\n", "it ended early, with status 3; nothing was watched from then on"),
        ("#!/bin/sh\necho hello\nread x\n", "it said something unexpected; nothing was watched"),
        (None, "it could not be started: "),
    ],
)
def test_a_watcher_that_does_not_start(
    script: str | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    if script is not None:
        python.write_text(script)
        python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    with Monitors() as monitors:
        assert monitors.not_watched["watcher"].startswith(reason)
        assert monitors.drain() == []
        assert monitors.fileno() is None
    assert monitors.close().cpu_s is None


@pytest.mark.parametrize("interval_s", [0.0, -1.0, 0.01, float("nan"), 1e9])
def test_an_interval_that_cannot_be(interval_s: float) -> None:
    with pytest.raises(InputError, match="cannot watch every"):
        Monitors(interval_s=interval_s)


def test_never_started_costs_nothing() -> None:
    monitors = Monitors()
    assert monitors.drain() == []
    assert monitors.close().samples == 0


def test_the_watcher_imports_nothing_heavy() -> None:
    """Neither the measuring side's packages in the watcher, nor psutil on the measuring side."""
    watcher = "import chimera.measure.monitors.watcher, sys; print(*sys.modules)"
    ours = "import chimera.measure.monitors.monitors, sys; print(*sys.modules)"
    loaded = [
        set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
        for code in (watcher, ours)
    ]
    assert not loaded[0] & {"msgspec", "click", "rich", "http", "numpy"}
    assert not loaded[1] & {"psutil", "pynvml"}


def test_a_sample_is_plain_data() -> None:
    sample = Sample(1, "cpu", {"cpu_percent": 1.5})
    assert msgspec.json.decode(msgspec.json.encode(sample), type=Sample) == sample
