"""Duels carried out: on real servers, and with engines that fail on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.agents.duel.contest import Done, Duel, Progress, run_duel
from chimera.agents.duel.keeping import Keeper
from chimera.agents.duel.plan import AS_GIVEN, Side
from chimera.agents.duel.turn import Turn
from chimera.engines.base import CompletionRequest, Engine, ErrorClass, RequestFailed
from chimera.errors import EngineError, InputError
from chimera.measure.environment import capture_environment
from chimera.record.runfile import RunFile
from chimera.store.opening import open_store
from chimera.testing.mock_server import MockServer
from chimera.testing.scripted_engine import ScriptedEngine
from tests.agents.duel.turns import plan, sides
from tests.agents.folder import make_folder


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(make_folder(tmp_path / "results"))


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(defaults="ttft_ms=20&itl_ms=1&tokens=6", max_streams=1) as server:
        yield server


def overlap(a: Turn, b: Turn) -> bool:
    return a.start_s < b.end_s and b.start_s < a.end_s


def good(_: CompletionRequest) -> str:
    return "a b a b a"


def scripted(side: Side) -> Engine:
    return ScriptedEngine(good)


def test_agents_alone_have_the_server_for_themselves_and_together_they_meet(
    folder: str, server: MockServer
) -> None:
    target = f"openai:mock@{server.url}/v1"
    given = tuple(sides(target, target))
    duel = run_duel(plan(folder=folder, sides=given, scenario=AS_GIVEN, repeats=2))
    kinds = [(t.kind, t.repeat, t.agent) for t in duel.turns]
    assert len(kinds) == len(set(kinds)) == 1 + 6 + 4  # warm-up, rounds alone, phases together
    for t in duel.turns:
        met = {o.agent for o in duel.turns if o is not t and overlap(t, o)}
        assert met == ({"B" if t.agent == "A" else "A"} if t.kind == "together" else set())
        assert not t.error
        assert t.calls == 2
        assert t.ttft_s is not None
    assert set(duel.works) == {t.number for t in duel.turns if t.kind == "together"}
    assert duel.watched


def test_no_prompt_of_a_server_that_stays_begins_like_an_earlier_one(folder: str) -> None:
    asked: list[str] = []

    def opened(_: Side) -> Engine:
        def part(request: CompletionRequest) -> str:
            asked.append(request.prompt.partition("\n")[0])
            return good(request)

        return ScriptedEngine(part)

    remote = tuple(sides("openai:m@http://127.0.0.1:1/v1", "openai:m@http://127.0.0.1:1/v1"))
    duel = run_duel(plan(folder=folder, sides=remote, repeats=1, watch=False), open_engine=opened)
    assert len(set(asked)) == len(duel.turns)  # the calls of one workflow share their front
    asked.clear()
    run_duel(plan(folder=folder, repeats=1, watch=False), open_engine=opened)
    assert len(set(asked)) == 1  # an embedded engine starts afresh, with nothing in its cache


def test_ctrl_c_keeps_what_was_whole(folder: str) -> None:
    def stop(progress: Progress) -> None:
        if progress.step.kind == "together" and progress.step.repeat == 2:
            raise KeyboardInterrupt

    duel = run_duel(
        plan(folder=folder, repeats=5, watch=False), open_engine=scripted, on_progress=stop
    )
    assert duel.interrupted
    assert [t.repeat for t in duel.turns if t.kind == "together"] == [1, 1]
    assert {t.repeat for t in duel.turns if t.kind == "alone"} == {0, 1}


def test_a_model_that_dies_on_the_way_spoils_its_turns_and_no_other(folder: str) -> None:
    calls = {"A": 0, "B": 0}

    def opened(side: Side) -> Engine:
        def part(request: CompletionRequest) -> str:
            calls[side.name] += 1
            if side.name == "B" and calls["B"] > 6:
                raise RequestFailed(ErrorClass.ENGINE_DIED, "the engine ended")
            return good(request)

        return ScriptedEngine(part)

    duel = run_duel(plan(folder=folder, repeats=2, watch=False), open_engine=opened)
    assert not any(t.error for t in duel.turns if t.agent == "A")
    errors = [t.error for t in duel.of("B", "alone")]
    assert not errors[0]
    assert "ended" in errors[-1]


def test_an_engine_that_cannot_start_ends_the_duel_before_anything_is_measured(
    folder: str,
) -> None:
    def opened(side: Side) -> Engine:
        error = EngineError("nobody listens") if side.name == "B" else None
        return ScriptedEngine(good, start_error=error)

    apart = (*sides("llamacpp"), *sides("llamacpp", "llamacpp", num_thread=1)[1:])
    done: list[Done] = []
    with pytest.raises(EngineError, match=r"agent B.*nobody listens"):
        run_duel(
            plan(folder=folder, sides=apart, watch=False), open_engine=opened, on_turn=done.append
        )
    assert all(d.turn.kind == "warm-up" for d in done)


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no record"):
        run_duel(plan(folder=str(tmp_path / "empty"), watch=False), open_engine=scripted)


def kept(
    folder: str, store: Path, **changes: object
) -> tuple[Duel, dict[tuple[str, str], RunFile]]:
    given = plan(folder=folder, experiment="duel-1", watch=False, **changes)
    with open_store(str(store)) as opened:
        keeper = Keeper(
            given, "chimera duel", capture_environment(),
            lambda run, tags: opened.begin(run, tags=tags),
        )  # fmt: skip
        duel = run_duel(given, open_engine=scripted, on_turn=keeper.keep)
        keeper.finish(duel)
        listed = opened.runs(experiment="duel-1", tag="duel")
        assert {r.id for r in listed} == set(keeper.run_ids.values())
        return duel, {key: opened.read(run_id) for key, run_id in keeper.run_ids.items()}


def test_each_agent_has_a_run_alone_and_one_together_in_the_store(
    folder: str, tmp_path: Path
) -> None:
    duel, files = kept(folder, tmp_path / "s.db", repeats=2)
    assert set(files) == {(a, k) for a in "AB" for k in ("alone", "together")}
    for (agent, kind), file in files.items():
        turns = [t for t in duel.of(agent, kind) if not t.error]
        measured = [r for r in file.requests if r.phase != "warmup"]
        assert len(measured) == sum(t.calls for t in turns)
        assert [r.index for r in file.requests] == list(range(len(file.requests)))
        assert agent in file.run.workload.name
        assert kind in file.run.workload.name
        assert file.end is not None
        assert file.end.stopped == "complete"
        # The first call after a start is the cold one, and belongs to no repeat.
        assert {r.repeat for r in measured if r.phase == "cold"} == {0}
        assert len({r.repeat for r in measured if r.phase == "measured"}) == len(turns)
