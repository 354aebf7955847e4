"""What others say: summaries of other tools, and documents that the records contradict."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.claims import Claim
from chimera.facts.summaries import SummaryRow
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
    alike = _said_by_all(work.facts.summaries)
    for row in work.facts.summaries:
        about = {k: v for k, v in row.subject if (k, v) not in alike[row.file]}
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
            if statistic == "p50" and (metric, "median") in row.facts:
                continue  # vLLM writes both
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


def _said_by_all(rows: list[SummaryRow]) -> dict[str, set[tuple[str, str]]]:
    """For each file what all of its rows say alike, which tells none of them apart.

    A model is always said, and so is everything where a file has one row.
    """
    alike: dict[str, set[tuple[str, str]]] = {}
    count: dict[str, int] = {}
    for row in rows:
        alike.setdefault(row.file, set(row.subject)).intersection_update(row.subject)
        count[row.file] = count.get(row.file, 0) + 1
    return {
        file: {(k, v) for k, v in said if k == "file" or (k != "model" and count[file] > 1)}
        for file, said in alike.items()
    }


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
