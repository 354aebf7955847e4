"""How a report was written: what the terminal says of it, and what report.json holds."""

from __future__ import annotations

from typing import Any

import msgspec

from chimera.agents.workflow import Work
from chimera.cli.words import visible


def told_of(done: Work) -> list[str]:
    """Lines for the terminal; none where no model was asked."""
    lines = []
    if done.trial is not None:
        t = done.trial
        cost = f"{t.output_tokens} tokens, {t.seconds:.1f} s"
        lines.append(
            f"trial     {t.accepted} of {t.asked} sentences accepted ({cost}): grade {t.grade}"
        )
    if done.cited is not None:
        c = done.cited
        lines.append(
            f"written   {len(c.drafts)} sentences asked for: {c.count('accepted')} accepted, "
            f"{c.count('repaired')} repaired, {c.count('replaced')} replaced by code's own"
        )
        if c.why:
            lines.append(f"written   {visible(c.why)}")
    if done.over_budget:
        lines.append(f"budget    {done.over_budget}; code's own wording stands in for the rest")
    if done.engine_error:
        lines.append(f"model     {visible(done.engine_error)}; code's own wording stands in")
    return lines


def writing_of(done: Work) -> dict[str, Any]:
    """The grade, the trial, the budget, and every sentence with each refusal and its reason."""
    agent, cited = done.agent, done.cited
    return {
        "grade": done.grade if done.calls else None,
        "grade_asked": agent.grade,
        "trial": None if done.trial is None else msgspec.structs.asdict(done.trial),
        "budget": msgspec.structs.asdict(agent.budget),
        "over_budget": done.over_budget,
        "why": "" if cited is None else cited.why,
        "questions": [] if cited is None else [
            {**msgspec.structs.asdict(a.question), "facts": [c.fact.id for c in a.cards],
             "why": a.why}
            for a in cited.analysis.asked
        ],
        "drafts": [] if cited is None else [
            {
                "finding": d.point.finding.key if d.point.finding else None,
                "outcome": d.outcome,
                "written": d.text,
                "printed": d.sentence.text,
                "refused": [{"written": w, "because": r} for w, r in d.tries],
            }
            for d in cited.drafts
        ],
    }  # fmt: skip
