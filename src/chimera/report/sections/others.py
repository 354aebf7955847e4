"""What others say: summaries of other tools, and documents that the records contradict."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.claims import Claim
from chimera.facts.text import Name, Spans, Text, spans
from chimera.record.vocabulary import metric_label
from chimera.report.document import Block, Details, Paragraph, Table
from chimera.report.sections.common import (
    EMPTY_CELL,
    interval_cell,
    n_cell,
    number,
    sentence,
    shown_unit,
    term,
)

_MAX_SUMMARIES = 60
_STATISTICS = ("mean", "value", "median", "p50", "p95", "p99")


def summary_table(work: Work) -> list[Block]:
    """Summaries of other tools whose rows are not here."""
    rows = []
    for row in work.facts.summaries:
        about = dict(row.subject)
        about.pop("file", None)
        said = [v if k == "row" else f"{k} {v}" for k, v in about.items() if k != "at"]
        label = ", ".join(said) or about.get("at", "")
        if row.failure:
            rows.append((spans(Name(row.file)), spans(Name(label)) if label else EMPTY_CELL,
                         spans("failed"), spans(Name(row.failure[:60], code=False)), EMPTY_CELL,
                         EMPTY_CELL, EMPTY_CELL))  # fmt: skip
            continue
        for (metric, statistic), fact in row.facts.items():
            if statistic not in _STATISTICS or fact.value is None:
                continue
            unit = shown_unit([fact])
            rows.append(
                (
                    spans(Name(row.file)),
                    spans(Name(label)) if label else EMPTY_CELL,
                    spans(term(f"{statistic} {metric_label(metric)}".removeprefix("value "))),
                    number(fact, unit),
                    interval_cell(fact, unit),
                    spans(term(unit or "not stated")),
                    n_cell(fact),
                )
            )
    if not rows:
        return []
    titles = ("File", "About", "Metric", "Value", "Interval", "Unit", "n")
    numeric = (False, False, False, True, True, False, True)
    table = Table(tuple(spans(t) for t in titles), tuple(rows[:_MAX_SUMMARIES]), (), numeric)
    hidden = len(rows) > _MAX_SUMMARIES
    note = Paragraph(
        (sentence("Only the first rows are shown; ", Name("chimera facts"), " lists the rest."),)
    )
    return [
        Details(
            spans("Summaries of other tools, as they stand in their files"),
            (table, note) if hidden else (table,),
        )
    ]


def _records_give(claim: Claim, unit: str) -> Spans:
    """The closest record; the range of all where the row names a model alone."""
    if claim.low is None or claim.high is None:
        return number(claim.actual, unit, strong=True)
    return (*number(claim.low, unit), Text(" to "), *number(claim.high, unit))


def claims_table(work: Work) -> Details | None:
    claims = work.facts.claims.contradictions
    if not claims:
        return None
    rows = []
    for c in claims[:_MAX_SUMMARIES]:
        unit = shown_unit([c.claimed, c.actual])
        rows.append(
            (
                spans(Name(f"{c.file}:{c.line}")),
                spans(Name(c.about)),
                spans(term(metric_label(c.claimed.metric))),
                number(c.claimed, unit),
                _records_give(c, unit),
                spans(term(unit)),
                number(c.matching),
            )
        )
    titles = ("Document", "About", "Metric", "Claimed", "Records give", "Unit", "Records")
    numeric = (False, False, False, True, True, False, True)
    table = Table(tuple(spans(t) for t in titles), tuple(rows), (), numeric)
    return Details(spans("Values in documents that the records contradict"), (table,))
