"""Several scenarios side by side: what the agents do to each other under each."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.agents.duel.figures import DURATION
from chimera.facts.fact import Fact
from chimera.facts.text import Name, Sentence, Span, Spans, spans
from chimera.report.document import Chart, Mark, Report, Section, Table
from chimera.report.duel.combined import Combined, folder_name, in_words
from chimera.report.duel.contention import crowded, demand
from chimera.report.duel.gain import verdict
from chimera.report.duel.words import APART, bounds, header, points, value, with_interval
from chimera.report.sections.common import sentence, term
from chimera.report.walk import INTERVAL


def overview(done: Sequence[Combined], interrupted: bool = False) -> Report:
    """The report over several scenarios of one duel, at least one."""
    facts: dict[str, Fact] = {}
    sections = (
        Section("summary", spans("What came out"), (points(_said(done)),)),
        Section("scenarios", spans("The scenarios"), (_table(done), *_charts(done))),
        Section("losses", spans("What each agent lost together"), (_losses(done),)),
    )
    for one in done:
        facts.update(one.figures.book.facts)
    duel = done[0].figures.duel
    title = spans("Duel on ", Name(folder_name(duel.plan.folder)))
    meta = list(done[0].report.meta)
    shown = [(k, v) for k, v in meta if k in ("Date", "Agents", "Repeats", "Processors", "Machine")]
    if interrupted:
        shown.append(("Stopped", spans("before all scenarios were done")))
    return Report(title, tuple(shown), sections, facts)


def _scenario(one: Combined) -> str:
    return in_words(one.figures.duel.plan.scenario)


def _said(done: Sequence[Combined]) -> list[Sentence]:
    said = []
    for one in done:
        found = one.speedup
        plan = one.figures.duel.plan
        if found.speedup.value is None:
            said.append(sentence(term(f"{_scenario(one)}: {one.verdict}.")))
            continue
        said.append(
            sentence(
                term(f"{_scenario(one)} ({plan.title}): speedup "), *with_interval(found.speedup),
                term(f"; {verdict(found.speedup)}."),
            )
        )  # fmt: skip
    sharing, free = _by_demand(done)
    if sharing and free:
        said.append(
            sentence(
                term(f"In {_names(sharing)} the engines ask together for more processor time than "
                     f"the machine has; in {_names(free)} each has processors of its own. ")
            )
        )  # fmt: skip
        said.append(_compared(sharing, free))
    return said


def _names(some: Sequence[Combined]) -> str:
    return " and ".join(_scenario(one) for one in some)


def _by_demand(done: Sequence[Combined]) -> tuple[list[Combined], list[Combined]]:
    """The scenarios whose engines ask for more processors than there are, and those that fit."""
    known = [one for one in done if demand(one.figures) is not None]
    return [o for o in known if crowded(o.figures)], [o for o in known if not crowded(o.figures)]


def _compared(sharing: Sequence[Combined], free: Sequence[Combined]) -> Sentence:
    """The speedups of both kinds, and whether their intervals are apart."""
    parts: list[str | Span] = ["Speedups with shared processors: "]
    for kind, some in (("", sharing), ("; with processors of their own: ", free)):
        parts.append(kind)
        for i, one in enumerate(some):
            parts += [", " if i else "", *with_interval(one.speedup.speedup)]
    bounds_of = [[one.speedup.speedup.ci95 for one in some] for some in (sharing, free)]
    if any(ci is None for some in bounds_of for ci in some):
        return sentence(*parts, "; without intervals of all of them there is no verdict.")
    highest = max(ci[1] for ci in bounds_of[0] if ci)
    lowest = min(ci[0] for ci in bounds_of[1] if ci)
    apart = highest < lowest
    return sentence(
        *parts, "; their intervals lie apart, so sharing costs." if apart
        else term(f"; their intervals overlap, so the two {APART}."),
    )  # fmt: skip


def _table(done: Sequence[Combined]) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for one in done:
        found = one.speedup
        rows.append(
            (
                spans(term(_scenario(one))), value(found.alone), value(found.wall),
                value(found.speedup), bounds(found.speedup), value(found.efficiency),
                value(found.earlier), spans(term(one.verdict)),
            )
        )  # fmt: skip
    head = header("Scenario", "one after the other", "wall time", "speedup", INTERVAL, "efficiency",
                  "earlier formula", "In words")  # fmt: skip
    return Table(head, tuple(rows), (), (False, True, True, True, False, True, True, False))


def _charts(done: Sequence[Combined]) -> list[Chart]:
    marks = [
        Mark(_scenario(one), one.speedup.speedup)
        for one in done
        if one.speedup.speedup.value is not None
    ]
    if not marks:
        return []
    return [Chart(spans("Speedup by scenario"), "ratio", tuple(marks), "higher")]


def _losses(done: Sequence[Combined]) -> Table:
    rows: list[tuple[Spans, ...]] = []
    for one in done:
        for name in one.figures.names:
            lost = one.figures.lost(name, DURATION)
            alone, together = (
                one.figures.mean(name, "alone", DURATION),
                one.figures.mean(name, "together", DURATION),
            )
            factor = one.figures.factor(name, DURATION)
            rows.append(
                (
                    spans(term(_scenario(one))), spans(term(name)), value(alone), value(together),
                    value(lost, sign=True), bounds(lost), value(factor),
                )
            )  # fmt: skip
    head = header("Scenario", "Agent", "alone", "together", "lost", INTERVAL, "× alone")
    return Table(head, tuple(rows), spans("Duration of the workflow"),
                 (False, False, True, True, True, False, True))  # fmt: skip
