"""Findings about documents: where they contradict the records beside them."""

from __future__ import annotations

from chimera.facts.claims import Claims
from chimera.facts.findings.base import (
    COUNTED,
    EMPTY,
    EXTREME,
    Clause,
    Finding,
    clause,
    count,
    label,
    name,
    value,
)
from chimera.facts.text import spans
from chimera.record.vocabulary import metric_label


def document_findings(claims: Claims) -> list[Finding]:
    """One finding for each document that the records contradict, the most contradicted first."""
    by_file: dict[str, list[int]] = {}
    for i, claim in enumerate(claims.contradictions):
        by_file.setdefault(claim.file, []).append(i)
    findings = []
    ranked = sorted(by_file.items(), key=lambda kv: -len(kv[1]))
    if not ranked:
        return _unchecked(claims)
    first = claims.contradictions[ranked[0][1][0]]
    what = label(metric_label(first.claimed.metric))
    files = [name(f) for f, _ in ranked[:3]]
    listed = [part for i, f in enumerate(files) for part in ((", ", f) if i else (f,))]
    says: tuple[Clause, ...] = (
        clause(
            EMPTY,
            (count(claims.contradicted), (" values in tables of documents are contradicted by the "
             "records that their rows name ("), count(claims.supported), " are supported): in ",
             *listed, "."),
            ("Of the values in documents that could be bound to records, ",
             count(claims.contradicted), " are contradicted and ", count(claims.supported),
             " supported; contradicted ones stand in ", *listed, "."),
        ),
        clause(
            EXTREME,
            (name(f"{first.file}:{first.line}"), " gives ", value(first.claimed), " of ", what,
             " for ", name(first.about), "; the closest record has ", value(first.actual), "."),
            ("For ", name(first.about), ", ", name(f"{first.file}:{first.line}"), " claims ",
             value(first.claimed), " of ", what, ", where the closest record has ",
             value(first.actual), "."),
        ),
    )  # fmt: skip
    if claims.unbound.value:
        says = (*says, _unbound(claims))
    advice = clause(
        COUNTED,
        ("Do not quote these documents; take the values from the records.",),
        ("Correct the documents from the records before anybody quotes them.",),
        ("Use the records, and mark these documents as out of date.",),
    )
    title = spans("Documents contradict the records")
    findings.append(Finding("documents", "documents", "high", title, says, advice, EXTREME, 65.0))
    return findings


def _unbound(claims: Claims) -> Clause:
    return clause(
        EMPTY,
        (count(claims.unbound), " further values in documents could not be held against any "
         "record and are neither right nor wrong here."),
        ("What else documents say in tables, ", count(claims.unbound), " values, could not be held "
         "against any record."),
    )  # fmt: skip


def _unchecked(claims: Claims) -> list[Finding]:
    """Documents whose values nothing here supports or contradicts."""
    if not claims.unbound.value:
        return []
    title = spans("Values in documents that could not be checked")
    return [Finding("unchecked", "unchecked", "low", title, (_unbound(claims),), None, EMPTY, 20.0)]
