"""Key findings and recommendations."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.findings import Finding
from chimera.facts.text import Name, Sentence, spans
from chimera.report.document import Block, Bullets, Details, Paragraph
from chimera.report.sections.common import sentence, term

_SHOWN = 3
_SEVERITY = {"high": "High", "medium": "Medium", "low": "Low"}


def findings(work: Work) -> tuple[Block, ...]:
    """Every finding by severity, with its claims; the low ones and long lists folded away."""
    if not work.facts.findings:
        return (Paragraph((sentence("Nothing in the data supports a finding."),)),)
    blocks: list[Block] = []
    for severity in ("high", "medium", "low"):
        members = [f for f in work.facts.findings if f.severity == severity]
        if not members:
            continue
        listed = Bullets(tuple(_item(work, f) for f in members))
        folded = [_one_by_one(work, f) for f in members if len(f.says) > _SHOWN]
        if severity == "low":
            blocks.append(Details(spans("Findings of low severity"), (listed, *folded)))
        else:
            blocks.extend((listed, *folded))
    return tuple(blocks)


def _item(work: Work, finding: Finding) -> tuple[Sentence, ...]:
    severity = Name(_SEVERITY[finding.severity], code=False)
    head = Sentence((severity, *spans(": "), *finding.title, *spans(".")))
    says = work.wording.says(finding)
    return (head, *(says if len(says) <= _SHOWN else says[:1]))


def _one_by_one(work: Work, finding: Finding) -> Details:
    """The claims of a finding about several subjects, each on a line of its own."""
    claims = Bullets(tuple((s,) for s in work.wording.says(finding)[1:]))
    return Details((*finding.title, *spans(": one by one")), (claims,))


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
