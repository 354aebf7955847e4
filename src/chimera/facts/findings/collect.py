"""All findings of a folder, ordered by severity and weight."""

from __future__ import annotations

from chimera.facts.book import FactBook
from chimera.facts.claims import Claims
from chimera.facts.comparisons import Comparison
from chimera.facts.counts import Counts
from chimera.facts.dataset import Dataset
from chimera.facts.findings.base import SEVERITIES, Finding
from chimera.facts.findings.documents import document_findings
from chimera.facts.findings.quality import (
    cold_findings,
    copy_findings,
    failure_findings,
    missing_findings,
    percentile_findings,
)
from chimera.facts.findings.settings import settings_findings
from chimera.facts.findings.speed import speed_findings
from chimera.facts.notes import NoteGroup
from chimera.facts.summaries import SummaryRow
from chimera.facts.sweeps import Sweep
from chimera.facts.text import spans

_TITLES = {
    "best-untold": "The leading configurations of several models cannot be told apart",
    "confounded": "Cold starts are confounded with settings",
    "cold": "What cold starts cost",
    "no-effect": "Settings without an effect that can be told from chance",
}


def merged(findings: list[Finding]) -> list[Finding]:
    """Findings of one kind about several subjects become one, with a claim for each."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        key = finding.kind if finding.kind in _TITLES else finding.key
        groups.setdefault(key, []).append(finding)
    result = []
    for key, members in groups.items():
        first = members[0]
        if len(members) > 1 and key in _TITLES:
            first = Finding(
                key,
                first.kind,
                first.severity,
                spans(_TITLES[key]),
                tuple(c for f in members for c in f.says),
                first.advice,
                first.evidence,
                first.weight,
            )
        result.append(first)
    return result


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
    found = [
        *speed_findings(book, data, comparisons),
        *settings_findings(sweeps),
        *cold_findings(book, data),
        *failure_findings(counts),
        *document_findings(claims),
        *percentile_findings(summaries, book),
        *missing_findings(book, data, counts),
        *copy_findings(counts, notes),
    ]
    return sorted(merged(found), key=lambda f: (SEVERITIES.index(f.severity), -f.weight, f.key))
