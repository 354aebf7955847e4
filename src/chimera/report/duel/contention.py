"""What working together cost each agent, phase by phase, with the monitors beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chimera.agents.duel.figures import (
    CPU,
    DURATION,
    PHASE_MEASURES,
    RUN,
    SCOPE,
    SETTINGS,
    Figures,
    certain,
)
from chimera.agents.duel.turn import Turn
from chimera.facts.fact import Fact, Origin
from chimera.facts.text import Num, Sentence, Span, Spans, spans
from chimera.report.document import Block, Paragraph, Section, Table
from chimera.report.duel.words import APART, bounds, header, points, value, with_interval
from chimera.report.sections.common import sentence, term
from chimera.report.walk import INTERVAL
from chimera.stats.describe import mean

_READINGS = (
    ("cpu", "cpu_percent", "CPU busy", "share of all processors' time that was spent working"),
    ("cpu", "busiest_core_percent", "busiest processor", "the same of the busiest one"),
    ("pressure", "cpu_some_percent", "CPU pressure",
     "share of the time in which a thread waited for a processor"),
    ("cpu", "steal_percent", "CPU taken away", "share that the machine's host gave to others"),
)  # fmt: skip
_PERCENT = "%"
_CLEARLY = 1.1  # an engine's own small threads keep a little more than its share busy
_BUSY = 0.1


def contention(figures: Figures) -> Section:
    """The table of losses, what the monitors saw, and what follows from both."""
    rows: list[tuple[Spans, ...]] = []
    for name in figures.names:
        for measure in (*PHASE_MEASURES, DURATION, CPU):
            lost = figures.lost(name, measure)
            alone, together = (figures.mean(name, s, measure) for s in SETTINGS)
            if alone.value is None and together.value is None:
                continue
            rows.append(
                (
                    spans(term(name)), spans(term(measure.metric)), value(alone), value(together),
                    value(lost, sign=True), bounds(lost), _times(figures.factor(name, measure)),
                    _verdict(lost),
                )
            )  # fmt: skip
    head = header("Agent", "Phase", "alone", "together", "lost", INTERVAL, "× alone", "In words")
    numeric = (False, False, True, True, True, False, True, False)
    notes = [
        sentence(
            "Lost is together minus alone. Load is the start of the engine, and what its server "
            "reports of loading within a call; queue the rest of the wait for a first token before "
            "the prefill that the server reports, the network included; wait is both in one where "
            "the server does not tell them apart; decode lasts from the first token to the end of "
            "an answer; other is what is left of the workflow."
        )
    ]
    table = Table(head, tuple(rows), (), numeric)
    blocks: list[Block] = [*explained(figures), table, Paragraph(tuple(notes)), *_watched(figures)]
    return Section("contention", spans("What working together cost"), tuple(blocks))


def _times(fact: Fact) -> Spans:
    return spans("—") if fact.value is None else (Num(fact),)


def _verdict(fact: Fact) -> Spans:
    if fact.value is None:
        return spans(term(f"not known: {fact.why_none}"))
    if fact.ci95 is None:
        return spans(term(f"no verdict: {fact.ci_why}"))
    if not certain(fact):
        return spans(term(f"{APART} from alone"))
    return spans("more than alone" if fact.ci95[0] > 0 else "less than alone")


# --- monitors


def groups(figures: Figures) -> list[tuple[str, list[Turn]]]:
    """Each agent alone, and all together, with the turns that these are."""
    alone = [(f"{n} alone", figures.good(n, "alone")) for n in figures.names]
    return [*alone, ("together", [t for n in figures.names for t in figures.good(n, "together")])]


def reading(figures: Figures, label: str, turns: Sequence[Turn], source: str, name: str) -> Fact:
    """The mean of a monitor's readings that were taken while some turns went on."""
    spans_s = [(t.start_s, t.end_s) for t in turns]
    seen = [
        values[name]
        for at, of, values in figures.duel.watched
        if of == source and name in values and any(low <= at <= high for low, high in spans_s)
    ]
    missing = figures.duel.not_watched
    why = missing.get(f"{source}.{name}") or missing.get(source) or missing.get("all")
    return figures.book.add(
        (("monitor", f"{source} {name}"), ("setting", label)), name, "mean",
        mean(seen) / 100 if seen else None, "ratio", scope=SCOPE, n=len(seen),
        origins=(Origin(RUN, "", tuple(t.number for t in turns), name, "/watched"),),
        expression=f"mean({source}.{name}) while {label}",
        ci_why="readings that follow each other are not independent",
        why_none="" if seen else why or "no reading fell into it",
    )  # fmt: skip


def _watched(figures: Figures) -> Iterator[Block]:
    rows: list[tuple[Spans, ...]] = []
    about = groups(figures)
    for source, name, label, what in _READINGS:
        facts = [reading(figures, group, turns, source, name) for group, turns in about]
        if all(f.value is None for f in facts):
            rows.append((spans(term(label)), *[spans("—") for _ in facts],
                         spans(term(facts[0].why_none))))  # fmt: skip
            continue
        cells = [(Num(f, unit=_PERCENT),) if f.value is not None else spans("—") for f in facts]
        rows.append((spans(term(label)), *cells, spans(term(what))))
    head = header("Monitor", *[label for label, _ in about], "What it is")
    yield Table(head, tuple(rows), spans("Means of what the monitors saw, of the whole machine"),
                (False, *[True] * len(about), False))  # fmt: skip


# --- in words


def explained(figures: Figures) -> Iterator[Block]:
    """What the agents did to each other, from the facts above."""
    said = [*worst(figures), *_demand(figures), *_neighbours(figures)]
    if said:
        yield points(said)


def worst(figures: Figures) -> Iterator[Sentence]:
    """What each agent's workflow lost, and in which phase most of it."""
    for name in figures.names:
        whole = figures.lost(name, DURATION)
        if whole.ci95 is None:
            continue
        if not certain(whole):
            yield sentence(term(f"Agent {name}'s workflow {APART} from alone."))
            continue
        parts = [(figures.lost(name, m), m) for m in PHASE_MEASURES]
        known = [(f, m) for f, m in parts if isinstance(f.value, int | float)]
        largest, phase = max(known, key=lambda pair: abs(float(pair[0].value or 0)))
        times = figures.factor(name, DURATION)
        yield sentence(
            term(f"Agent {name}'s workflow"), " took ", Num(times), " times as long as alone, ",
            *with_interval(whole, sign=True), "; of the phases ", term(phase.metric),
            " changed by most, ", Num(largest, sign=True), ".",
        )  # fmt: skip


def _neighbours(figures: Figures) -> Iterator[Sentence]:
    """That other programs were at work, where a lone agent had to wait for a processor."""
    for label, turns in groups(figures)[:-1]:
        fact = reading(figures, label, turns, "pressure", "cpu_some_percent")
        if isinstance(fact.value, float) and fact.value > _BUSY:
            yield sentence(
                term(f"With {label}"), ", a thread had to wait for a processor in ",
                Num(fact, unit=_PERCENT), " of the time: other programs were at work as well, or "
                "its own threads are more than the processors.",
            )  # fmt: skip


def _demand(figures: Figures) -> Iterator[Sentence]:
    """Whether what the engines take alone fits the machine together; nothing where unknown."""
    cores = figures.duel.environment.usable_cpus
    alone = {name: figures.cores(name, "alone") for name in figures.names}
    total = demand(figures)
    if total is None or cores is None:
        return
    machine = figures.count((), "processors", cores, "that this program may run on")
    shares: list[str | Span] = []
    for name, fact in alone.items():
        shares += [", " if shares else "", term(f"{name}'s engine "), Num(fact)]
    yield sentence(
        "Of ", Num(machine), " processors the engines kept busy at most, each alone: ", *shares,
        "; added up ", Num(total), ".",
    )  # fmt: skip
    if crowded(figures):
        yield sentence(
            "That is more than there is, so together the engines share processors. The threads of "
            "an engine meet after each step of a token and turn in place until the last one is "
            "there; a thread whose processor is taken by the other engine holds up the rest, and "
            "what they burn meanwhile is CPU time without work."
        )
    else:
        yield sentence(
            "That fits: each engine can have processors of its own. What is lost together even so "
            "is lost to what processors share (memory, caches, their clock) or to other programs."
        )
    for name in figures.names:
        lost = figures.lost(name, CPU)
        if lost.ci95 is not None and certain(lost):
            both = [figures.mean(name, setting, CPU) for setting in SETTINGS]
            yield sentence(
                term(f"{name}'s engine"), " used ", Num(both[0]), " of CPU time for a workflow "
                "alone and ", Num(both[1]), " together, for the same work.",
            )  # fmt: skip


def demand(figures: Figures) -> Fact | None:
    """How many processors all engines together keep busy when each is alone; None if unknown."""
    facts = [figures.cores(name, "alone") for name in figures.names]
    values = [float(f.value) for f in facts if isinstance(f.value, int | float)]
    if len(values) < len(facts):
        return None
    return figures.book.add(
        (("setting", "alone, added up"),), "processors kept busy", "sum", sum(values), "ratio",
        scope=SCOPE, n=len(values), operands=facts,
        origins=tuple(o for f in facts for o in f.origins),
        expression=" + ".join(f.id for f in facts), ci_why="not computed for this statistic",
    )  # fmt: skip


def crowded(figures: Figures) -> bool:
    """Whether the engines, each alone, keep clearly more processors busy than there are."""
    total, cores = demand(figures), figures.duel.environment.usable_cpus
    return (
        total is not None
        and cores is not None
        and isinstance(total.value, float)
        and total.value > cores * _CLEARLY
    )
