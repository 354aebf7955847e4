"""What has ended and is not stored yet: it survives a kill, and stands nowhere afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.measure.clock import RunClock
from chimera.measure.plan import Load
from chimera.measure.recovery import recover
from chimera.measure.spool import Spool
from chimera.record.request import Request
from chimera.record.runfile import RunFile
from chimera.store.opening import open_store
from chimera.testing.killed_benches import kill_bench
from chimera.testing.mock_server import MockServer
from tests.engines.echo_server import WAYS, echoing
from tests.measure.lab import Lab, spoilt

GOOD = "mock?ttft_ms=2&itl_ms=1&tokens=4"
FOUR = (Load("closed", 4),)
KEY = "sk-Zq7wXhidden:Jv5!secret/Tail=="
# More than is kept undecoded of an answer while it goes on.
LONG = "mock?ttft_ms=1&flat=1&tokens=300"


def never_stored(
    folder: Path, lab: Lab, monkeypatch: pytest.MonkeyPatch, **how: Any
) -> tuple[RunFile, Path]:
    """A run as it was, and the folder as a kill before the first commit would have left it."""
    monkeypatch.setattr(Spool, "flushed", lambda _spool, _count=None: None)
    plan = lab.plan(loads=FOUR, repeats=1, requests=6, stall_s=0.3, **how.pop("plan", {}))
    file = lab.run(plan, unsaved=folder / "unsaved", **how)
    assert (folder / "unsaved" / file.run.id).is_dir()
    return file, folder / "unsaved"


def in_order(requests: Iterable[Request]) -> list[Request]:
    """Without their numbers: those that end together may be numbered in either order."""
    plain = [msgspec.structs.replace(request, index=0) for request in requests]
    return sorted(plain, key=lambda request: request.start_ns)


def check_recovered(folder: Path, file: RunFile, unsaved: Path, stored: int = 0) -> None:
    """What the store did not get of ``file``, it gets from ``unsaved``, unchanged and once."""
    with open_store(str(folder / "store.db")) as store:
        sink = store.begin(file.run)
        for request in file.requests[:stored]:
            sink.add(request)
        sink.close()
        missing = len(file.requests) - stored
        assert recover(store, unsaved) == ({file.run.id: missing} if missing else {})
        again = store.read(file.run.id).requests
        assert in_order(again) == in_order(file.requests)
        assert sorted(r.index for r in again) == list(range(len(again)))
        assert list(unsaved.iterdir()) == []
        assert recover(store, unsaved) == {}


@pytest.mark.parametrize("model", [GOOD, LONG, f"{GOOD}&reasoning=2", f"{GOOD}&usage=wrong"])
@pytest.mark.parametrize("kind", ["openai:{}@{}/v1", "ollama:{}@{}"])
def test_an_answer_is_recovered_as_it_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, kind: str
) -> None:
    with MockServer(model=model) as server:
        lab = Lab(tmp_path, server)
        plan = {"target": kind.format(model, server.url), "max_tokens": 300}
        file, unsaved = never_stored(tmp_path, lab, monkeypatch, plan=plan)
    assert any(request.error is None for request in file.requests)
    check_recovered(tmp_path, file, unsaved)


@pytest.mark.parametrize(
    "fault",
    [
        "cut",
        "status_429",
        "status_503&body=0",
        "redirect",
        "error_in_stream",
        "malformed_sse",
        "malformed_json",
        "not_http",
        "empty",
        "stall",
    ],
)
def test_a_failure_is_recovered_as_it_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    with MockServer(model=GOOD) as server:
        lab = Lab(tmp_path, server)
        file, unsaved = never_stored(tmp_path, lab, monkeypatch, open_engine=spoilt(fault))
    assert all(request.error for request in file.requests)
    check_recovered(tmp_path, file, unsaved)


@pytest.mark.parametrize("stored", [1, 4, 7])
def test_what_is_stored_already_is_not_stored_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: int
) -> None:
    with MockServer(model=GOOD) as server:
        file, unsaved = never_stored(tmp_path, Lab(tmp_path, server), monkeypatch)
    assert len(file.requests) == 7  # a cold one, and a block of 6
    check_recovered(tmp_path, file, unsaved, stored)


def test_an_entry_that_was_cut_off_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MockServer(model=GOOD) as server:
        file, unsaved = never_stored(tmp_path, Lab(tmp_path, server), monkeypatch)
    (path,) = (unsaved / file.run.id).iterdir()
    path.write_bytes(path.read_bytes()[:-30])
    with open_store(str(tmp_path / "store.db")) as store:
        store.begin(file.run).close()
        assert recover(store, unsaved) == {file.run.id: len(file.requests) - 1}


def test_a_run_that_goes_on_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer(model=GOOD) as server:
        file, unsaved = never_stored(tmp_path, Lab(tmp_path, server), monkeypatch)
    with open_store(str(tmp_path / "store.db")) as store:
        store.begin(file.run).close()
        writes = Spool(unsaved / file.run.id, RunClock())
        assert recover(store, unsaved) == {}
        writes.close()
        assert recover(store, unsaved) == {file.run.id: len(file.requests)}


def test_what_is_of_another_store_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with MockServer(model=GOOD) as server:
        file, unsaved = never_stored(tmp_path, Lab(tmp_path, server), monkeypatch)
    with open_store(str(tmp_path / "other.db")) as store:
        assert recover(store, unsaved) == {}
    check_recovered(tmp_path, file, unsaved)


@pytest.mark.parametrize("processes", [1, 2])
def test_nothing_is_left_of_a_run_that_ended(tmp_path: Path, processes: int) -> None:
    with MockServer(model=GOOD) as server:
        lab = Lab(tmp_path, server)
        plan = lab.plan(loads=FOUR, requests=20, processes=processes)
        lab.run(plan, unsaved=tmp_path / "unsaved")
    assert list((tmp_path / "unsaved").iterdir()) == []


@pytest.mark.parametrize("way", WAYS)
def test_a_key_that_a_server_quotes_is_kept_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with MockServer(model=GOOD) as server, echoing(way, good=2) as (port, _):
        if way in ("refused", "lists"):
            return  # no run begins
        lab = Lab(tmp_path, server)
        plan = {"target": f"openai@http://127.0.0.1:{port}/v1"}
        file, unsaved = never_stored(tmp_path, lab, monkeypatch, plan=plan)
    kept = b"".join(path.read_bytes() for path in (unsaved / file.run.id).iterdir())
    with open_store(str(tmp_path / "store.db")) as store:
        store.begin(file.run).close()
        recover(store, unsaved)
        found = repr(store.read(file.run.id))
    assert kept
    for part in (KEY[:8], "Jv5!secret"):
        assert part.encode() not in kept
        assert part not in found


@pytest.mark.parametrize("options", [(), ("--processes=2",)])
def test_a_killed_bench_loses_nothing_that_it_had_read(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    done = kill_bench(str(tmp_path / "store.db"), tmp_path, seed=1, options=options)
    assert done.seen > 0
    assert (done.lost, done.strange) == (0, 0)
