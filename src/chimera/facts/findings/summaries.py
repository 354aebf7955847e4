"""Findings about summaries of other tools: the highest row of each, which nothing else tests."""

from __future__ import annotations

from chimera.facts.fact import Fact
from chimera.facts.findings.base import COUNTED, EXTREME, Finding, clause, label, name, value
from chimera.facts.summaries import SummaryRow
from chimera.facts.text import spans
from chimera.record.vocabulary import metric_label

_RATES = ("output_throughput", "request_throughput", "total_throughput", "decode_throughput",
          "token_rate", "goodput")  # fmt: skip
_MIN_ROWS = 3
_FILES = 5
_NOT_SETTINGS = frozenset({"file", "at", "row"})
_STATISTICS = ("mean", "value")


def summary_findings(rows: list[SummaryRow]) -> list[Finding]:
    """For each file with several rows of one rate: the highest row and the next."""
    by_file: dict[str, list[SummaryRow]] = {}
    for row in rows:
        by_file.setdefault(row.file, []).append(row)
    found = []
    for file, members in by_file.items():
        for metric in _RATES:
            ranked = _ranked(members, metric)
            rows_of = [row for row, _ in ranked]
            if len(ranked) >= _MIN_ROWS and _about(ranked[0][0], rows_of) != _about(
                ranked[1][0], rows_of
            ):
                found.append(_highest(file, metric, ranked))
                break
    return found[:_FILES]


def _ranked(rows: list[SummaryRow], metric: str) -> list[tuple[SummaryRow, Fact]]:
    found = []
    for row in rows:
        fact = next((f for s in _STATISTICS if (f := row.facts.get((metric, s)))), None)
        if fact is not None and isinstance(fact.value, float) and fact.unit:
            found.append((row, fact))
    return sorted(found, key=lambda rf: -float(rf[1].value or 0.0))


def _about(row: SummaryRow, rows: list[SummaryRow]) -> str:
    """What sets a row apart from the others of its file."""
    own = dict(row.subject)
    varying = [
        k for k in own if k not in _NOT_SETTINGS and len({dict(r.subject).get(k) for r in rows}) > 1
    ]
    return ", ".join(f"{k}={own[k]}" for k in varying) or own.get("row") or own.get("at", "")


def _highest(file: str, metric: str, ranked: list[tuple[SummaryRow, Fact]]) -> Finding:
    rows = [row for row, _ in ranked]
    (first, best), (second, next_one) = ranked[0], ranked[1]
    where, what = name(file), label(metric_label(metric))
    a, b = name(_about(first, rows)), name(_about(second, rows))
    evidence = EXTREME | COUNTED
    says = clause(
        evidence,
        ("In ", where, ", the highest ", what, " is ", value(best), " at ", a, ", the next ",
         value(next_one), " at ", b, "; a summary has no repeats, so they are not told apart."),
        (where, " has its highest ", what, ", ", value(best), ", at ", a, ", followed by ",
         value(next_one), " at ", b, "; without repeats this is no verdict."),
    )  # fmt: skip
    advice = clause(
        COUNTED,
        ("Before ", what, " decides, look at the latencies of the same rows, and repeat ", a,
         " and ", b, "."),
        ("Hold ", what, " against the latencies of the same rows, and repeat ", a, " and ", b,
         " before you choose."),
    )  # fmt: skip
    title = spans("The highest ", what, " in ", where, " is at ", a)
    return Finding(
        f"summary:{file}:{metric}", "summary", "medium", title, (says,), advice, evidence, 50.0
    )
