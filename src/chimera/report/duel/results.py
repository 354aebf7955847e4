"""Who took part, what each took alone and together, and how they differ."""

from __future__ import annotations

from chimera.agents.duel.figures import COMPARED, MEASURES, SETTINGS, Figures, Measure, Setting
from chimera.agents.duel.plan import Side
from chimera.facts.fact import Fact
from chimera.facts.numbers import display_unit
from chimera.facts.text import Name, Num, Sentence, Spans, spans
from chimera.measure.names import without_folder
from chimera.report.document import Block, Chart, Mark, Paragraph, Section, Table
from chimera.report.duel.quality import COUNTED, Counted, Qualities
from chimera.report.duel.words import (
    bounds,
    count_cell,
    header,
    sign_in_words,
    value,
)
from chimera.report.sections.common import sentence, term
from chimera.report.walk import INTERVAL

_BETTER = {"workflow duration": "lower", "TTFT": "lower", "decode throughput": "higher"}


def people(figures: Figures) -> Section:
    """The configuration of every agent, unset options as "default"."""
    sides = figures.duel.plan.sides
    works = {figures.duel.turns[n].agent: work for n, work in figures.duel.works.items()}
    rows: list[tuple[Spans, ...]] = [
        _row("target", [Name(without_folder(s.target)) for s in sides]),
        _row("persona", [term(s.agent.persona.name) for s in sides]),
        _row("model", [_model(works[s.name]) if s.name in works else term("—") for s in sides]),
        _row("engine", [
            term(f"{works[s.name].engine} {works[s.name].engine_version}".strip() or "—")
            if s.name in works else term("—") for s in sides
        ]),
    ]  # fmt: skip
    shown = [dict(_configuration(s)) for s in sides]
    rows += [
        _row(option, [term(own.get(option, "default")) for own in shown])
        for option in dict.fromkeys(key for own in shown for key in own)
    ]
    table = Table(header("", *[f"Agent {s.name}" for s in sides]), tuple(rows))
    return Section("agents", spans("Who took part"), (table,))


def _row(label: str, cells: list[Name]) -> tuple[Spans, ...]:
    return (spans(term(label)), *((cell,) for cell in cells))


def _model(work: object) -> Name:
    model = getattr(work, "model", None)
    return term("none was reached") if model is None else Name(model.name)


def _configuration(side: Side) -> list[tuple[str, str]]:
    shown = side.agent.configuration()
    known = {key for key, _ in shown}
    more = side.agent.options.as_set()
    return shown + [(key, str(v)) for key, v in more.items() if key not in known]


def measured(figures: Figures) -> Section:
    """Every agent's figures, alone and together."""
    rows: list[tuple[Spans, ...]] = []
    for measure in MEASURES:
        for name in figures.names:
            cells: list[Spans] = []
            for setting in SETTINGS:
                fact = figures.mean(name, setting, measure)
                cells += [value(fact), bounds(fact) if measure in COMPARED else spans("—"),
                          count_cell(fact)]  # fmt: skip
            rows.append((spans(term(measure.metric)), spans(term(name)), *cells))
    table = Table(
        header("Figure", "Agent", "alone", INTERVAL, "n", "together", INTERVAL, "n"),
        tuple(rows), (), (False, False, True, False, True, True, False, True),
    )  # fmt: skip
    note = sentence(
        "Means over the repeats, by this client's clock. TTFT is the mean over the calls of a "
        "workflow; decode throughput is the output tokens after each call's first over the time "
        "from its first to its last token. An interval is in the unit of its value."
    )
    failed = {n: sum(figures.failed(n, s) for s in SETTINGS) for n in figures.names}
    notes = [note]
    for name, number in failed.items():
        if number:
            fact = figures.count((("agent", name),), "workflows without a model", number)
            notes.append(
                sentence("In ", Num(fact), f" workflows of agent {name} the model did not do its "
                         "part; they are left out.")
            )  # fmt: skip
    return Section("measured", spans("Alone and together"), (table, Paragraph(tuple(notes))))


def differences(figures: Figures) -> Section:
    """Every other agent minus the first, paired by repeat, with the sign in words."""
    a, *others = figures.names
    blocks: list[Block] = []
    rows: list[tuple[Spans, ...]] = []
    for b in others:
        for measure in COMPARED:
            for setting in SETTINGS:
                fact = figures.between(a, b, setting, measure)
                rows.append(
                    (
                        spans(term(measure.metric)),
                        spans(term(f"{b} − {a}, {setting}")),
                        value(fact, sign=True),
                        bounds(fact),
                        count_cell(fact),
                        sign_in_words(fact, b, measure, a),
                    )
                )
    head = header("Figure", "Difference", "Value", INTERVAL, "pairs", "In words")
    blocks.append(Table(head, tuple(rows), (), (False, False, True, False, True, False)))
    blocks.append(
        Paragraph(
            (
                sentence(
                    "A difference above zero of a time says that the agent named first took "
                    "longer, one of a throughput that it was the faster. Differences are paired "
                    "by repeat; where the interval includes zero, the agents cannot be told apart."
                ),
            )
        )
    )
    for measure in COMPARED:
        chart = _chart(figures, measure)
        if chart is not None:
            blocks.append(chart)
    return Section("differences", spans("Differences"), tuple(blocks))


def _chart(figures: Figures, measure: Measure) -> Chart | None:
    """The paired differences of one figure."""
    a, *others = figures.names
    marks = []
    facts: list[tuple[str, Setting, Fact]] = [
        (b, s, figures.between(a, b, s, measure)) for b in others for s in SETTINGS
    ]
    largest = max(
        (abs(f.value) for _, _, f in facts if isinstance(f.value, int | float)), default=0
    )
    unit = display_unit(largest, measure.unit)
    factor = 1000.0 if unit == "ms" else 1e6 if unit == "us" else 1.0
    for b, setting, fact in facts:
        if isinstance(fact.value, int | float):
            samples = tuple(
                ((right - left) * factor, f"repeat {turn.repeat}", "")
                for turn, left, right in figures.pairs(a, b, setting, measure)
            )
            marks.append(Mark(f"{b} − {a}, {setting}", fact, samples))
    if not marks:
        return None
    title = spans(term(measure.metric), ": paired differences")
    note = spans("A dot is the difference of one repeat. ", term(
        f"Above zero agent {others[0]} has the larger value." if len(others) == 1
        else "Above zero the agent named first has the larger value."
    ))  # fmt: skip
    return Chart(title, unit, tuple(marks), "", False, note)


def reports(figures: Figures, qualities: Qualities) -> Section:
    """What can be counted of the reports that the agents wrote while together."""
    a, *others = figures.names
    rows: list[tuple[Spans, ...]] = []
    for counted in COUNTED:
        for b in others:
            first, second = qualities.mean(a, counted), qualities.mean(b, counted)
            fact = qualities.between(a, b, counted)
            rows.append(
                (
                    spans(term(counted.metric)),
                    spans(term(f"{a}, {b}")),
                    value(first),
                    value(second),
                    value(fact, sign=True),
                    _verdict(fact, counted, a, b),
                )
            )
    head = header("What is counted", "Agents", "the first", "the second", "second − first",
                  "In words")  # fmt: skip
    note = sentence(
        "Counted of the reports written while together, means over the repeats. No model judged "
        "them. What stands in a report is bound to facts whoever words it, so these counts tell "
        "how much of the wording was the model's and how complete the report is."
    )
    table = Table(head, tuple(rows), (), (False, False, True, True, True, False))
    said = Paragraph((_conclusion(qualities, a, others), note))
    return Section("reports", spans("Which report is the better one"), (table, said))


def _conclusion(qualities: Qualities, a: str, others: list[str]) -> Sentence:
    """In what the reports differ, if in anything; which of it matters is for the reader."""
    parts = [
        f"{b} and {a} in {counted.metric}"
        for b in others
        for counted in COUNTED
        if qualities.between(a, b, counted).value not in (0, None)
    ]
    if not parts:
        return sentence("By these counts neither report is ahead.")
    return sentence(term("The reports differ: " + "; ".join(parts) + "."))


def _verdict(fact: Fact, counted: Counted, a: str, b: str) -> Spans:
    if not isinstance(fact.value, int | float):
        return spans(term(f"not known: {fact.why_none}"))
    if fact.value == 0:
        return spans("no difference")
    if fact.ci95 is not None and fact.ci95[0] <= 0 <= fact.ci95[1]:
        return spans(term(f"{a} and {b} cannot be told apart"))
    said = f"of {b if fact.value > 0 else a}'s report, {counted.more}"
    if fact.ci95 is None:
        said += f" in these repeats; no interval: {fact.ci_why}"
    return spans(term(said))
