"""Several processes, monitors beside a run, and runs that are resumed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.engines.base import Completion, Measurable
from chimera.engines.wire.call import Exchange
from chimera.errors import InputError
from chimera.measure.plan import Load
from chimera.record.runfile import RunFile, read_run
from chimera.testing.mock_server import MockServer
from tests.measure.lab import QUICK, Lab, wrapped


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(model=QUICK) as server:
        yield server


@pytest.fixture
def lab(tmp_path: Path, server: MockServer) -> Lab:
    return Lab(tmp_path, server)


def test_several_processes_share_one_run(lab: Lab) -> None:
    plan = lab.plan(loads=(Load("closed", 6),), requests=30, repeats=2, processes=2)
    file = lab.run(plan)
    assert read_run(lab.path) == file
    measured = [r for r in file.requests if r.phase == "measured"]
    assert (len(measured), {r.error for r in measured}) == (60, {None})
    assert sorted(r.index for r in file.requests) == list(range(61))
    for block in file.blocks:
        assert block.requests == 30
        assert all(
            block.start_ns <= r.start_ns < r.end_ns <= block.end_ns
            for r in measured
            if r.repeat == block.repeat
        )
    assert file.end is not None
    assert file.end.client is not None
    assert file.end.client.processes == 2
    assert file.end.client.reads > 0


def test_monitors_watch_the_run_and_their_cost_is_told(lab: Lab) -> None:
    file = lab.run(lab.plan(seconds=1.6, repeats=1, watch=True))
    sources = {seen.source for seen in file.watched}
    assert {"cpu", "memory", "process"} <= sources
    assert file.end is not None
    assert file.end.client is not None
    assert file.end.client.watching_cpu_s is not None
    assert "gpu" in file.end.not_watched or any(s.startswith("gpu") for s in sources)
    for seen in file.watched:
        assert 0 <= seen.t_ns <= file.end.end_ns


class TestResuming:
    """What an earlier part of a run has done is not done again."""

    def _stopped(self, lab: Lab, after: int) -> RunFile:
        """A run that is stopped at its ``after``-th request."""

        def stop_there(engine: Measurable) -> None:
            finish, count = engine.finish, iter(range(1000))

            def finish_or_stop(exchange: Exchange) -> Completion:
                if next(count) == after:
                    signal.raise_signal(signal.SIGINT)
                return finish(exchange)

            engine.finish = finish_or_stop  # type: ignore[method-assign]

        return lab.run(lab.plan(repeats=4, requests=10), open_engine=wrapped(stop_there))

    def test_only_what_is_missing_is_done(self, lab: Lab, tmp_path: Path) -> None:
        before = self._stopped(lab, 15)
        assert before.end is not None
        assert before.end.stopped == "interrupted"
        lab.path = tmp_path / "second.jsonl"
        whole = lab.run(lab.plan(repeats=4, requests=10), resume=before)
        good = [r for r in whole.requests if r.phase == "measured" and r.error is None]
        assert len(good) == 40
        assert {(r.repeat) for r in good} == {1, 2, 3, 4}
        assert whole.run == before.run
        assert len({r.index for r in whole.requests}) == len(whole.requests)
        assert whole.end is not None
        assert any("resumed at" in note for note in whole.end.notes)

    def test_blocks_of_another_size_are_another_plan(self, lab: Lab) -> None:
        before = self._stopped(lab, 3)
        with pytest.raises(InputError, match="its requests of a block differ"):
            lab.run(lab.plan(repeats=4, requests=5), resume=before)

    def test_a_run_can_be_resumed_again(self, lab: Lab, tmp_path: Path) -> None:
        before = self._stopped(lab, 15)
        lab.path = tmp_path / "second.jsonl"
        whole = lab.run(lab.plan(repeats=4, requests=10), resume=before)
        lab.path = tmp_path / "third.jsonl"
        again = lab.run(lab.plan(repeats=4, requests=10), resume=whole)
        measured = [r for r in again.requests if r.phase == "measured" and r.error is None]
        assert len(measured) == 40

    def test_another_plan_is_refused_by_name(self, lab: Lab) -> None:
        before = self._stopped(lab, 3)
        with pytest.raises(
            InputError, match=r"its configurations and seed and request differ.*chimera bench"
        ):
            lab.run(lab.plan(repeats=4, requests=10, seed=9, max_tokens=3), resume=before)
