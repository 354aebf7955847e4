"""Prompts of the grade cite fit the context, whoever counts; what does not fit is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.agents.agent import Agent
from chimera.agents.asking import Caller
from chimera.agents.calls import Call
from chimera.agents.persona import load_persona
from chimera.agents.workflow import Work, work
from chimera.record.run import Options
from chimera.report.build import build_report
from chimera.report.ledger import verify
from chimera.testing.scripted_engine import ScriptedEngine
from tests.agents.folder import make_folder
from tests.agents.writers import good


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("results") / "folder")


class Uncounted(ScriptedEngine):
    """A server that has no page for counting tokens."""

    def count_tokens(self, text: str) -> int | None:
        return None


def run(folder: Path, engine: ScriptedEngine) -> Work:
    agent = Agent(load_persona("technical"), "scripted", engine.options, grade="cite")
    return work(str(folder), agent, engine)


@pytest.mark.parametrize("num_ctx", [1000, 1300, 1500, 8192])
def test_every_prompt_and_its_answer_fit_the_context(folder: Path, num_ctx: int) -> None:
    engine = ScriptedEngine(good, options=Options(num_ctx=num_ctx))
    done = run(folder, engine)
    assert engine.requests
    for request in engine.requests:
        assert len(request.prompt) // 4 + (request.max_tokens or 0) <= num_ctx
    assert done.cited is not None
    assert done.cited.count("accepted") >= 1
    verify(build_report(done)[0])


def test_fewer_points_and_facts_are_offered_where_room_is_short(folder: Path) -> None:
    wide = run(folder, ScriptedEngine(good, options=Options(num_ctx=8192)))
    engine = ScriptedEngine(good, options=Options(num_ctx=1200))
    narrow = run(folder, engine)
    assert wide.cited is not None
    assert narrow.cited is not None
    assert 0 < len(narrow.cited.drafts) < len(wide.cited.drafts)


def test_where_nothing_fits_the_report_is_codes_and_says_so(folder: Path) -> None:
    engine = ScriptedEngine(good, options=Options(num_ctx=300))
    done = run(folder, engine)
    assert not engine.requests
    assert done.cited is not None
    assert "larger num_ctx" in done.cited.why
    report, _, _ = build_report(done)
    verify(report)
    section = next(s for s in report.sections if s.key == "writer")
    assert "larger num_ctx" in str(section)


def test_without_a_tokenizer_a_safe_length_is_assumed(folder: Path) -> None:
    engine = Uncounted(good, options=Options(num_ctx=3000))
    done = run(folder, engine)
    assert engine.requests
    assert all(len(r.prompt) / 2.5 + (r.max_tokens or 0) <= 3000 for r in engine.requests)
    assert all(c.counted_tokens is None for c in done.calls)


def test_the_smaller_of_what_was_asked_and_what_the_server_has_is_the_context() -> None:
    engine = ScriptedEngine(good, options=Options(num_ctx=100_000))
    caller = Caller(engine, load=engine.start())  # this one has 8192
    assert caller.context == 8192
    assert caller.fits(Call(purpose="x", prompt="y" * 4 * 8000), 100)
    assert not caller.fits(Call(purpose="x", prompt="y" * 4 * 8150), 100)
