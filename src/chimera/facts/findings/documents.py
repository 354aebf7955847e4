"""Findings about documents: where they contradict the records beside them."""

from __future__ import annotations

from chimera.facts.claims import Claim, Claims
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
    plural,
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
    files = [name(f) for f, _ in ranked[:3]]
    listed = [part for i, f in enumerate(files) for part in ((", ", f) if i else (f,))]
    wrong = claims.contradicted
    tally = clause(
        EMPTY,
        (count(wrong), plural(wrong, " value", " values"), " in tables of documents ",
         plural(wrong, "is", "are"), " contradicted by the records (", count(claims.supported),
         plural(claims.supported, " is", " are"), " supported): in ", *listed, "."),
        ("Of the values in documents that could be bound to records, ", count(wrong),
         plural(wrong, " is", " are"), " contradicted and ", count(claims.supported),
         " supported; what is contradicted stands in ", *listed, "."),
    )  # fmt: skip
    says = (tally, _example(first), *_unproven(claims))
    advice = clause(
        COUNTED,
        ("Do not quote these documents; take the values from the records.",),
        ("Correct the documents from the records before anybody quotes them.",),
        ("Use the records, and mark these documents as out of date.",),
    )
    title = spans("Documents contradict the records")
    findings.append(Finding("documents", "documents", "high", title, says, advice, EXTREME, 65.0))
    return findings


def _example(first: Claim) -> Clause:
    """One contradicted value: the closest record, or the range where it names a model alone."""
    what = label(metric_label(first.claimed.metric))
    place, about, claimed = name(f"{first.file}:{first.line}"), name(first.about), first.claimed
    if first.low is not None and first.high is not None:
        low, high = value(first.low), value(first.high)
        return clause(
            EMPTY,
            (place, " gives ", value(claimed), " of ", what, " for ", about, (" without a setting "
             "or a statistic; its records lie between "), low, " and ", high, "."),
            ("For ", about, ", ", place, " claims ", value(claimed), " of ", what, (", which lies "
             "outside the range of its records, "), low, " to ", high, "."),
        )  # fmt: skip
    return clause(
        EXTREME,
        (place, " gives ", value(claimed), " of ", what, " for ", about,
         "; the closest record has ", value(first.actual), "."),
        ("For ", about, ", ", place, " claims ", value(claimed), " of ", what,
         ", where the closest record has ", value(first.actual), "."),
    )  # fmt: skip


def _unproven(claims: Claims) -> list[Clause]:
    """What documents say that nothing here supports or contradicts."""
    says = [_unbound(claims)] if claims.unbound.value else []
    if claims.within.value:
        many = plural(claims.within, " value names", " values name")
        lies = plural(claims.within, "it lies", "they lie")
        says.append(
            clause(
                EMPTY,
                (count(claims.within), many, " a model but neither a setting nor a statistic; ",
                 lies, " within the range of its records, which proves nothing."),
                ("Within the range of the records of their model, but without a setting or a "
                 "statistic that could be checked: ", count(claims.within), "."),
            )
        )  # fmt: skip
    return says


def _unbound(claims: Claims) -> Clause:
    one = claims.unbound.value == 1
    return clause(
        EMPTY,
        (count(claims.unbound), (" value in documents could not be held against any record and is "
         "neither right nor wrong here." if one else " values in documents could not be held "
         "against any record and are neither right nor wrong here.")),
        ("What could not be held against any record, of what documents say in tables: ",
         count(claims.unbound), "."),
    )  # fmt: skip


def _unchecked(claims: Claims) -> list[Finding]:
    """Documents whose values nothing here supports or contradicts."""
    says = tuple(_unproven(claims))
    if not says:
        return []
    title = spans("Values in documents that could not be checked")
    return [Finding("unchecked", "unchecked", "low", title, says, None, EMPTY, 20.0)]
