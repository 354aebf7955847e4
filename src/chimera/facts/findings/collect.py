"""All findings of a folder, ordered by severity and weight."""

from __future__ import annotations

from collections.abc import Callable

from chimera.errors import UnboundNumber
from chimera.facts.book import FactBook
from chimera.facts.claims import Claims
from chimera.facts.comparisons import Comparison
from chimera.facts.counts import Counts
from chimera.facts.dataset import Dataset
from chimera.facts.findings.base import SEVERITIES, Finding, clause
from chimera.facts.findings.cold import cold_findings
from chimera.facts.findings.documents import document_findings
from chimera.facts.findings.failures import failure_findings
from chimera.facts.findings.quality import (
    copy_findings,
    missing_findings,
    percentile_findings,
)
from chimera.facts.findings.settings import settings_findings
from chimera.facts.findings.speed import speed_findings
from chimera.facts.findings.summaries import summary_findings
from chimera.facts.notes import NoteGroup
from chimera.facts.summaries import SummaryRow
from chimera.facts.sweeps import Sweep
from chimera.facts.text import Span, spans

_TITLES = {
    "best-untold": "The leading configurations in several sweeps cannot be told apart",
    "confounded": "Cold starts are confounded with settings",
    "cold": "What cold starts cost",
    "no-effect": "Settings without an effect that can be told from chance",
}
# The sentence that opens findings about several subjects, before and after the list of them.
_LEADS: dict[str, tuple[tuple[str, str], ...]] = {
    "best-untold": (
        (
            "The leaders of parameter sweeps cannot be told apart, by the gap to the runner-up: ",
            ".",
        ),
        (
            "Which configuration is ahead cannot be told in the parameter sweeps of ",
            " (gap to the runner-up).",
        ),
        ("By the gap to the runner-up, leaders of sweeps cannot be told from chance: ", "."),
    ),
    "confounded": (
        ("Cold starts fall on one level of a setting, so they are confounded with it: ", "."),
        ("Reloads sit on one level of a setting, which says nothing about that setting: ", "."),
        ("A difference in TTFT at these levels is one of reloads: ", "."),
    ),
    "cold": (
        ("Mean TTFT of a cold start against a warm record: ", "."),
        ("A cold start takes its time, here as mean TTFT against that of warm records: ", "."),
        ("What a cold start adds, as mean TTFT cold against warm: ", "."),
    ),
}


_UNWORDED = Finding(
    "unworded",
    "unworded",
    "medium",
    spans("A finding could not be worded"),
    (clause(frozenset(), ("A finding was left out: its words asked for proof that it lacks.",)),),
    None,
    frozenset(),
)


def merged(findings: list[Finding]) -> list[Finding]:
    """Findings of one kind about several subjects become one, with a claim for each."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        key = finding.kind if finding.kind in _TITLES else finding.key
        groups.setdefault(key, []).append(finding)
    return [
        _joined(key, members) if len(members) > 1 and key in _TITLES else members[0]
        for key, members in groups.items()
    ]


def _joined(key: str, members: list[Finding]) -> Finding:
    first = members[0]
    says = tuple(c for f in members for c in f.says)
    if key in _LEADS and all(f.brief for f in members):
        listed: list[str | Span] = []
        for i, finding in enumerate(members):
            listed += ["; " if i else "", *finding.brief]
        lead = clause(first.evidence, *((a, *listed, b) for a, b in _LEADS[key]))
        says = (lead, *says)
    title = spans(_TITLES[key])
    return Finding(
        key, first.kind, first.severity, title, says, first.advice, first.evidence, first.weight
    )


def findings_of(
    book: FactBook,
    data: Dataset,
    counts: Counts,
    comparisons: list[Comparison],
    sweeps: list[Sweep],
    summaries: list[SummaryRow],
    claims: Claims,
    notes: list[NoteGroup],
) -> list[Finding]:
    """Every finding, the most important first."""
    builders: tuple[Callable[[], list[Finding]], ...] = (
        lambda: speed_findings(comparisons),
        lambda: settings_findings(sweeps),
        lambda: cold_findings(book, data),
        lambda: failure_findings(book, counts),
        lambda: summary_findings(summaries),
        lambda: document_findings(claims),
        lambda: percentile_findings(summaries, book),
        lambda: missing_findings(book, data),
        lambda: copy_findings(counts, notes),
    )
    found: list[Finding] = []
    for build in builders:
        try:
            found.extend(build())
        except UnboundNumber:
            found.append(_UNWORDED)  # fails closed: said, and the rest goes on
    return sorted(merged(found), key=lambda f: (SEVERITIES.index(f.severity), -f.weight, f.key))
