"""The real watcher on this machine: what it says, and how it and the run outlive each other."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import psutil
import pytest

from chimera.engines.wire.address import parse_address
from chimera.measure.monitors import watcher
from chimera.measure.monitors.local_server import local_server_pid
from chimera.measure.monitors.monitors import Monitors
from chimera.measure.monitors.sources import Pressure, Process, Unavailable
from chimera.record.request import Watched
from chimera.testing.mock_server import MockServer
from tests.measure.lab import QUICK, Lab


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(model=QUICK) as server:
        yield server


def gathered(monitors: Monitors, enough: Callable[[list[Watched]], bool]) -> list[Watched]:
    found: list[Watched] = []
    until = time.monotonic() + 30
    while not enough(found) and monitors.fileno is not None:
        assert time.monotonic() < until, found
        found += monitors.drain()
    return found


def test_readings_are_plausible(server: MockServer) -> None:
    pid = os.getpid()
    begun = time.monotonic_ns()
    with closing(Monitors(interval_s=0.1, pid=pid, metrics_url=f"{server.url}/metrics")) as found:
        seen = gathered(found, lambda s: sum(one.source == "process" for one in s) >= 4)
        ended = time.monotonic_ns()
        missing = dict(found.not_watched)
        assert 0 < found.cpu_s < 30
    by_source: dict[str, list[dict[str, float]]] = defaultdict(list)
    for one in seen:
        assert begun <= one.t_ns <= ended
        by_source[one.source].append(one.values)
    every = {"cpu", "memory", "disk", "network", "pressure", "process", "server"}
    assert every <= by_source.keys() | missing.keys()
    cpu, memory, process = (by_source[name][-1] for name in ("cpu", "memory", "process"))
    assert 0 <= cpu["cpu_percent"] <= cpu["busiest_core_percent"] <= 100
    assert 0 < memory["used_bytes"] < psutil.virtual_memory().total
    assert process["rss_bytes"] > 10**6
    assert process["threads"] >= 1
    assert 0 <= process["cpu_percent"] <= 100 * (os.cpu_count() or 1) * 1.5
    for source, listed in by_source.items():
        for values in listed:
            assert values
            for name, value in values.items():
                assert value >= 0, (source, name)
    assert all(missing.values())


def test_what_is_not_there_has_its_reason() -> None:
    with closing(Monitors(interval_s=0.05, metrics_url="http://127.0.0.1:9/metrics")) as found:
        gathered(found, lambda seen: len(seen) > 5)
        assert "no process" in found.not_watched["process"]
        assert "cannot be read" in found.not_watched["server"]
        assert "all" not in found.not_watched


def test_a_watched_process_that_ends_is_missing_from_then_on() -> None:
    command = [sys.executable, "-c", "input()"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE) as child,
        closing(Monitors(interval_s=0.05, pid=child.pid)) as found,
    ):
        gathered(found, lambda seen: any(one.source == "process" for one in seen))
        child.kill()
        child.wait()
        seen = 0
        while "process" not in found.not_watched:
            seen += len(found.drain())
            assert seen < 10_000
        assert gathered(found, lambda seen: any(one.source == "cpu" for one in seen))


def test_a_killed_watcher_is_said_and_no_error() -> None:
    with closing(Monitors(interval_s=0.05)) as found:
        gathered(found, lambda seen: len(seen) > 2)
        assert found._process is not None
        found._process.kill()
        gathered(found, lambda _: False)
        assert "ended by itself" in found.not_watched["all"]
        assert (found.fileno, found.drain()) == (None, [])


def test_a_run_goes_on_without_its_watcher(
    tmp_path: Path, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Monitors] = []
    real = Monitors.__init__

    def init(self: Monitors, **options: Any) -> None:
        real(self, **options)
        made.append(self)
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)

    monkeypatch.setattr(Monitors, "__init__", init)
    lab = Lab(tmp_path, server)
    file = lab.run(lab.plan(watch=True, repeats=3, requests=20))
    assert len(made) == 1
    assert len([r for r in file.requests if r.phase == "measured" and r.error is None]) == 60
    assert file.end is not None
    assert file.end.stopped == "complete"
    assert "ended by itself" in file.end.not_watched["all"]


def test_a_run_goes_on_where_no_watcher_can_be_started(
    tmp_path: Path, server: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    lab = Lab(tmp_path, server)
    file = lab.run(lab.plan(watch=True, repeats=1))
    assert file.end is not None
    assert "could not be started" in file.end.not_watched["all"]


def test_lines_that_cannot_be_read_are_passed_over() -> None:
    with closing(Monitors(interval_s=60)) as found:
        handle = found.fileno
        assert handle is not None
        ours, theirs = os.pipe()
        os.dup2(ours, handle)
        bad = b'{"source": "x", "values": {"a": Infinity}}\nhello\n'
        good = json.dumps({"source": "cpu", "t_ns": 1, "values": {"a_percent": 1.0}})
        os.write(theirs, bad + good.encode() + b"\n")
        assert [one.source for one in found.drain()] == ["cpu"]
        os.close(ours)
        os.close(theirs)


def test_the_watcher_ends_with_whoever_started_it() -> None:
    program = (
        "import time; from chimera.measure.monitors.monitors import Monitors; "
        "m = Monitors(interval_s=0.05); print(m._process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        parent.wait()
    # It has no parent that could collect it here, so an ended one may stay as a zombie.
    until = time.monotonic() + 10
    while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_source_that_the_system_refuses_ends_alone(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(psutil, "virtual_memory", refused)
    monkeypatch.setattr(psutil, "net_io_counters", refused)
    turns = iter([True, True, False])
    monkeypatch.setattr(watcher, "_wait", lambda _: next(turns))
    monkeypatch.setattr(sys, "stdin", StringIO('{"interval_s": 0}'))
    watcher.main()
    said = [json.loads(raw) for raw in capfdbinary.readouterr().out.splitlines()]
    missing = {one["source"] for one in said if "missing" in one}
    assert {"memory", "network"} <= missing
    assert any(one["source"] == "cpu" and "values" in one for one in said)


def test_pressure_is_the_share_of_time(tmp_path: Path) -> None:
    def write(total: int) -> None:
        for kind in ("cpu", "io"):
            (tmp_path / kind).write_text(f"some avg10=0.00 total={total}\nfull total=9\n")

    write(1000)
    source = Pressure(tmp_path)
    write(10**12)
    assert source.read() == {"cpu_percent": 100.0, "io_percent": 100.0}  # never more than all
    assert set(source.read().values()) == {0.0}
    with pytest.raises(Unavailable):
        Pressure(tmp_path / "none")


def test_a_process_that_is_not_there() -> None:
    with pytest.raises(Unavailable):
        Process(2**22 - 1)


def test_whose_process_serves_an_address(server: MockServer) -> None:
    assert local_server_pid(parse_address(server.url)) == server.pid
    assert local_server_pid(parse_address("http://192.0.2.1:80")) is None
    assert local_server_pid(parse_address("http://127.0.0.1:1")) is None
