"""Findings about failures: how many, why, and what they do to the means of the others."""

from __future__ import annotations

from chimera.facts.book import FactBook
from chimera.facts.counts import Counts
from chimera.facts.fact import Fact
from chimera.facts.findings.base import (
    COUNTED,
    Clause,
    Finding,
    clause,
    count,
    name,
    plural,
)
from chimera.facts.text import Span, spans

_LISTED = 3
_SHORT = 60
_SLOW = ("timeout", "timed out", "timed_out", "deadline", "zeitüberschreitung")
_UNREACHED = ("connect", "refused", "unreachable", "protocol", "address", "resolve", "host")


def failure_findings(book: FactBook, counts: Counts) -> list[Finding]:
    """How many records failed and why; they are left out of every mean."""
    if not counts.failed.value:
        return []
    reasons = sorted(counts.failures.items(), key=lambda kv: -int(kv[1].value or 0))
    says = [_claim(counts, reasons)]
    slow = [fact for reason, fact in reasons if _is(reason, _SLOW)]
    if slow:
        says.append(_survivors(_sum(book, slow)))
    failed = plural(counts.failed, " record failed", " records failed")
    return [
        Finding(
            "failures",
            "failures",
            "high",
            spans(count(counts.failed), failed),
            tuple(says),
            _advice(reasons[0][0]),
            COUNTED,
            75.0,
        )
    ]


def _is(reason: str, words: tuple[str, ...]) -> bool:
    return any(word in reason.lower() for word in words)


def _claim(counts: Counts, reasons: list[tuple[str, Fact]]) -> Clause:
    listed: list[str | Span] = []
    for i, (reason, fact) in enumerate(reasons[:_LISTED]):
        short = reason if len(reason) <= _SHORT else reason[: _SHORT - 3] + "..."
        listed += ["; " if i else "", name(short), " (", count(fact), ")"]
    failed = count(counts.failed)
    return clause(
        COUNTED,
        (failed, " of ", count(counts.records), " records failed and no mean holds them; the "
         "reasons named most often: ", *listed, "."),
        ("Of ", count(counts.records), " records, ", failed, " failed, most often with ", *listed,
         "; no mean here holds them."),
        ("No mean here counts what failed, ", failed, " of ", count(counts.records), " records; "
         "the reasons most often: ", *listed, "."),
    )  # fmt: skip


def _sum(book: FactBook, facts: list[Fact]) -> Fact:
    total = sum(int(f.value or 0) for f in facts)
    return book.add(
        (("reason", "time limit"),),
        "failures",
        "count",
        total,
        "1",
        n=total,
        origins=tuple(o for f in facts for o in f.origins),
        operands=facts,
        expression="count(records that ran into a time limit)",
    )


def _survivors(slow: Fact) -> Clause:
    return clause(
        COUNTED,
        (count(slow), " of them ran into a time limit: the "
         "slow requests are missing, so means of times are of the survivors and too low."),
        ("Of these, ", count(slow), " ran into a time limit; times are then those of the "
         "survivors, and their means are too low."),
    )  # fmt: skip


def _advice(reason: str) -> Clause:
    """What follows from the commonest reason."""
    if _is(reason, _SLOW):
        return clause(
            COUNTED,
            ("Raise the time limit or ease the load until requests finish, and read times "
             "together with the share that failed.",),
            ("Give requests more time, or send fewer at once, before you compare times.",),
        )  # fmt: skip
    if _is(reason, _UNREACHED):
        return clause(
            COUNTED,
            ("Check that the server is reachable before a run starts, stop a run whose first "
             "requests fail, and leave values of failed requests empty.",),
            ("Test the connection first, let a run stop when its first requests fail, and write "
             "no zeros for what failed.",),
        )  # fmt: skip
    return clause(
        COUNTED,
        ("Find out why these records failed before you rely on the ones that did not.",),
        ("Look into the failures first: what failed may differ from what did not.",),
    )
