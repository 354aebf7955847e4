"""Speedup, efficiency, and the formula that they replace."""

from __future__ import annotations

from chimera.agents.duel.figures import DURATION, Figures
from chimera.agents.duel.speedup import Speedup, wall_s, whole
from chimera.facts.fact import Fact
from chimera.facts.text import Num, Sentence, Span, Spans, spans
from chimera.report.document import Paragraph, Section, Table
from chimera.report.duel.words import APART, bounds, count_cell, header, value, with_interval
from chimera.report.sections.common import number, sentence, term
from chimera.report.walk import INTERVAL


def verdict(speedup: Fact) -> str:
    """What a speedup says, in words; no verdict without an interval."""
    if speedup.value is None:
        return f"no verdict: {speedup.why_none}"
    if speedup.ci95 is None:
        return f"no verdict: {speedup.ci_why}"
    if speedup.ci95[0] > 1:
        return "together takes less time than one after the other"
    if speedup.ci95[1] < 1:
        return "together takes more time than one after the other"
    return f"together and one after the other {APART}"


def lead(found: Speedup) -> list[Sentence]:
    """The sentences that open the report."""
    if found.speedup.value is None:
        return [sentence(term(f"There is no speedup to report: {found.speedup.why_none}."))]
    parts: list[str | Span] = ["Together the agents took ", *with_interval(found.wall)]
    parts += [" of wall time; alone, one after the other, ", *with_interval(found.alone), "."]
    return [
        sentence(*parts),
        sentence(
            "That is a speedup of ", *with_interval(found.speedup), " and an efficiency of ",
            *with_interval(found.efficiency), ": ", term(verdict(found.speedup)), ".",
        ),
    ]  # fmt: skip


def gain(found: Speedup) -> Section:
    """The figures of working together, and what each is."""
    rows: list[tuple[Spans, ...]] = []
    for fact, what in (
        (found.alone, "the agents' durations alone, added up"),
        (found.wall, "from the common start to the last end, together"),
        (found.speedup, "time one after the other / wall time"),
        (found.efficiency, "speedup / number of agents"),
        (found.earlier, "the earlier formula; see below"),
    ):
        rows.append(
            (spans(term(fact.metric)), value(fact), bounds(fact), count_cell(fact),
             spans(term(what)))
        )  # fmt: skip
    head = header("Figure", "Value", INTERVAL, "n", "What it is")
    table = Table(head, tuple(rows), (), (False, True, False, True, False))
    notes = [
        sentence(
            "The interval of the speedup is Welch's of the logarithms of the rounds alone and of "
            "the phases together, so that a ratio and its inverse say the same."
        )
    ]
    if found.earlier.value is not None:
        notes += [
            sentence(
                "The earlier formula adds up the durations while together and divides them by the "
                "wall time: ", Num(found.earlier), " for ", Num(found.agents), " agents. It comes "
                "out close to the number of agents whatever happens: agents that begin together "
                "and end at nearly the same time each last about as long as the wall time, however "
                "much they slow each other down. How long they take alone does not enter it, so it "
                "says nothing of a gain.",
            ),
        ]  # fmt: skip
    if found.first_round is not None and found.last_round is not None:
        notes.append(
            sentence(
                "The first round alone took ", Num(found.first_round), ", the last ",
                Num(found.last_round), ": what the machine changed by meanwhile is between them.",
            )
        )  # fmt: skip
    return Section("gain", spans("Speedup and efficiency"), (table, Paragraph(tuple(notes))))


def repeats(figures: Figures) -> Section:
    """Every repeat: each agent before, together and after, and the wall time."""
    rows: list[tuple[Spans, ...]] = []
    phases = {turns[0].repeat: turns for turns in whole(figures, "together")}
    for repeat, turns in sorted(phases.items()):
        about = (("repeat", str(repeat)),)
        which = figures.count(about, "repeat", repeat, "position in the order of the duel")
        wall = figures.single((*about, ("setting", "together")), "wall time", wall_s(turns), "s",
                              turns, DURATION.field)  # fmt: skip
        cells: list[Spans] = [(Num(which),), value(wall)]
        for name in figures.names:
            for when, kind, at in (
                ("alone before", "alone", repeat - 1),
                ("together", "together", repeat),
                ("alone after", "alone", repeat),
            ):
                turn = next((t for t in figures.duel.of(name, kind) if t.repeat == at), None)
                own = (*about, ("agent", name), ("setting", when))
                fact = turn and not turn.error and figures.single(
                    own, DURATION.metric, turn.total_s, "s", [turn], DURATION.field
                )  # fmt: skip
                cells.append(number(fact or None))
        rows.append(tuple(cells))
    columns = [f"{n} {w}" for n in figures.names for w in ("alone before", "together", "after")]
    head = header("Repeat", "wall time", *columns)
    note = sentence(
        "Durations of the workflow. A round alone stands between the phases together, so that of "
        "after a repeat is that of before the next."
    )
    if not rows:
        return Section("repeats", spans("Repeats"), (Paragraph((sentence("No phase together was "
                       "whole."),)),))  # fmt: skip
    table = Table(head, tuple(rows), (), (True,) * len(head))
    return Section("repeats", spans("Repeats"), (table, Paragraph((note,))))
