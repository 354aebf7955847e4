"""What is counted of an agent's report."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.agents.agent import Agent
from chimera.agents.persona import load_persona
from chimera.agents.workflow import Work, work
from chimera.facts.text import Sentence, spans
from chimera.report.document import Paragraph, Section
from chimera.report.duel.quality import made_of, repetition
from chimera.testing.scripted_engine import ScriptedEngine
from tests.agents.folder import make_folder


def section(*texts: str) -> Section:
    return Section("s", spans("S"), (Paragraph(tuple(Sentence(spans(t)) for t in texts)),))


def done(folder: Path, persona: str, engine: ScriptedEngine | None = None) -> Work:
    return work(str(make_folder(folder)), Agent(load_persona(persona), None), engine)


@pytest.mark.parametrize(
    ("texts", "share"),
    [
        (("alpha beta gamma delta",), 0.0),  # abc, bcd
        (("alpha beta gamma", "alpha beta gamma"), 0.25),  # abc, bca, cab, abc again
        (("alpha beta",), None),
    ],
)
def test_repetition_is_the_share_of_runs_of_words_that_stood_before(
    texts: tuple[str, ...], share: float | None
) -> None:
    assert repetition([section(*texts)]) == share


def test_a_longer_report_mentions_more_of_what_is_important(tmp_path: Path) -> None:
    brief = made_of(done(tmp_path / "r", "collector")).quality
    whole = made_of(done(tmp_path / "r", "technical")).quality
    assert brief.important == whole.important > 0
    assert brief.mentioned == 0  # an inventory says nothing of findings
    assert whole.mentioned == whole.important
    assert whole.words > brief.words
    assert whole.met == whole.demands


def test_what_the_model_worded_and_what_was_refused_are_told_apart(tmp_path: Path) -> None:
    good = made_of(done(tmp_path / "r", "insight", ScriptedEngine(lambda _: "a " * 25))).quality
    bad = made_of(done(tmp_path / "r", "insight", ScriptedEngine(lambda _: "I refuse"))).quality
    assert good.worded > 0
    assert good.refused == 0
    assert bad.worded == 0
    assert bad.refused > 0
