"""Key findings and recommendations."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.text import Name, Sentence, spans
from chimera.report.document import Block, Bullets, Details, Paragraph
from chimera.report.sections.common import sentence, term

_SEVERITY = {"high": "High", "medium": "Medium", "low": "Low"}


def findings(work: Work) -> tuple[Block, ...]:
    """Every finding by severity, with all its claims; the low ones folded away."""
    if not work.facts.findings:
        return (Paragraph((sentence("Nothing in the data supports a finding."),)),)
    blocks: list[Block] = []
    for severity in ("high", "medium", "low"):
        members = [f for f in work.facts.findings if f.severity == severity]
        if not members:
            continue
        items = []
        for finding in members:
            head = Sentence((Name(_SEVERITY[severity], code=False), *spans(": "), *finding.title,
                             *spans(".")))  # fmt: skip
            items.append((head, *work.wording.says(finding)))
        listed = Bullets(tuple(items))
        if severity == "low":
            blocks.append(Details(spans("Findings of low severity"), (listed,)))
        else:
            blocks.append(listed)
    return tuple(blocks)


def recommendations(work: Work) -> tuple[Block, ...]:
    """What follows from the findings, the leading ones first; each sentence once."""
    order = [*work.leading, *(f for f in work.facts.findings if f not in work.leading)]
    seen: set[str] = set()
    items = []
    for finding in order:
        advice = work.wording.advice(finding)
        if advice is not None and advice.text not in seen:
            seen.add(advice.text)
            why = sentence("(", term("from"), ": ", *finding.title, ")")
            items.append((advice, why))
    if not items:
        return (Paragraph((sentence("The findings call for nothing."),)),)
    return (Bullets(tuple(items), ordered=True),)
