"""The model is asked about as many findings as are wanted, and the report holds all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.agents.agent import Agent
from chimera.agents.persona import load_persona
from chimera.agents.wording import named
from chimera.agents.workflow import work
from chimera.report.build import build_report
from chimera.report.walk import sentences
from chimera.testing.scripted_engine import ScriptedEngine
from tests.agents.folder import make_folder


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_other_finding_is_in_a_prompt(tmp_path: Path, most: int) -> None:
    engine = ScriptedEngine(lambda _: "a b a b a b")
    agent = Agent(load_persona("technical"), "llamacpp")
    done = work(str(make_folder(tmp_path / "r")), agent, engine, most_findings=most)
    prompts = [r.prompt for r in engine.requests]
    assert prompts
    leads = [named(f.says[0].variants[0])[:60] for f in done.facts.findings]
    assert all(lead in prompts[0] for lead in leads[:most])
    assert not any(lead in prompt for lead in leads[most:] for prompt in prompts)
    asked = {key.partition("#")[0] for key in done.wording.chosen}
    assert asked <= {f.key for f in done.facts.findings[:most]}
    report, _, _ = build_report(done)
    said = {s.finding for section in report.sections for s in sentences(section)}
    assert {f.key for f in done.facts.findings} <= said
