"""What stands at the end of every report: the workflow, the agent's own calls, who wrote what,
the persona's prompt and its contract.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chimera.agents.calls import call_metrics
from chimera.agents.choose import follows_the_alphabet
from chimera.agents.workflow import Work
from chimera.facts.fact import Fact, Origin
from chimera.facts.text import Name, Num, Sentence, Span, spans
from chimera.report.document import Block, Bullets, Details, Paragraph, Quotation, Section, Table
from chimera.report.sections.common import number, sentence, term
from chimera.report.walk import sentences


class Written(msgspec.Struct, frozen=True):
    """Who chose the wording of the persona's sentences."""

    total: int
    model: int
    refused: int


def written(sections: Sequence[Section]) -> Written:
    """Count the sentences of the persona's sections by writer."""
    all_of_them = [s for section in sections for s in sentences(section)]
    return Written(
        len(all_of_them),
        sum(1 for s in all_of_them if s.writer == "model"),
        sum(1 for s in all_of_them if s.writer == "refused"),
    )


def _own(work: Work, metric: str, value: float | int | None, unit: str, how: str) -> Fact:
    return work.facts.book.add(
        (("agent", "this report"),),
        metric,
        "count" if unit == "1" else "value",
        value,
        unit,
        scope="this report",
        origins=(Origin("(this run)", ""),),
        expression=how,
        why_none="" if value is not None else "not measured",
    )


def workflow_section(work: Work) -> Section:
    """Files analysed and how long each phase took."""
    t = work.times
    clock = "wall time on this process's clock"
    times = [
        _own(work, "ingest", round(t.ingest_s, 4), "s", clock),
        _own(work, "analysis", round(t.analysis_s, 4), "s", clock),
        _own(work, "report", round(t.report_s, 4), "s", f"{clock}, rendering not included"),
        _own(
            work,
            "waiting for the model",
            round(t.engine_s, 4),
            "s",
            "loading and calls, a part of these",
        ),
        _own(
            work,
            "execution time",
            round(t.ingest_s, 4) + round(t.analysis_s, 4) + round(t.report_s, 4),
            "s",
            "ingest + analysis + report",
        ),
    ]
    items = (
        (sentence("Files analysed: ", Num(work.facts.counts.files)),),
        (
            sentence(
                "Execution time: ", Num(times[4]), " (ingest ", Num(times[0]), " | analysis ",
                Num(times[1]), " | report ", Num(times[2]), "; rendering not included)",
            ),
        ),
        (sentence("Of this, waiting for the model: ", Num(times[3])),),
    )  # fmt: skip
    return Section("workflow", spans("Workflow summary"), (Bullets(items),))


def calls_section(work: Work) -> Section:
    """The agent's own figures over its calls, each with what it is."""
    if not work.calls:
        why = work.engine_error
        parts: list[str | Span] = ["No model was called for this report"]
        parts += [": ", Name(why)] if why else ["; code's own wording stands throughout"]
        return Section(
            "calls", spans("Metrics of the agent's own calls"),
            (Paragraph((sentence(*parts, "."),)),),
        )  # fmt: skip
    metrics = call_metrics(work.facts.book, work.calls, work.load)
    rows = tuple(
        (
            spans(term(label)),
            number(fact),
            spans(term(how)),
            (Num(fact, "n"),) if label != "load" else spans("—"),
        )
        for label, how, fact in metrics.rows
    )
    header = (spans("Figure"), spans("Value"), spans("What it is"), spans("Calls"))
    notes = [sentence("The calls are recorded whole in a file beside this report.")]
    if work.engine_error:
        notes.append(
            sentence("The model could not do its part: ", Name(work.engine_error), "; code's own "
                     "wording stands in.")
        )  # fmt: skip
    if any(c.shortened for c in work.calls):
        notes.append(sentence("A prompt was shortened on purpose to fit the context."))
    if any(c.token_counts_differ for c in work.calls):
        notes.append(sentence("The server counted other prompt tokens than we did; see the calls."))
    elif any(c.prompt_tokens is not None for c in work.calls):
        notes.append(sentence("The server's count of prompt tokens agrees with ours."))
    blocks: tuple[Block, ...] = (
        Table(header, rows, (), (False, True, False, True)),
        Paragraph(tuple(notes)),
    )
    return Section("calls", spans("Metrics of the agent's own calls"), blocks)


def writer_section(work: Work, done: Written) -> Section:
    """How many sentences the model wrote, and how many were refused."""
    total = _own(work, "sentences", done.total, "1", "count(sentences of the persona's sections)")
    model = _own(work, "sentences worded by the model", done.model, "1",
                 "count(sentences whose wording the model chose)")  # fmt: skip
    refused = _own(work, "choices refused", done.refused, "1",
                   "count(sentences for which the model's choice was not acceptable)")  # fmt: skip
    first = sentence(
        "Of ", Num(total), " sentences, the model chose the wording of ", Num(model), "; for ",
        Num(refused), " its choice was refused and code's own wording stands in.",
    )  # fmt: skip
    second = sentence(
        "The model chooses among wordings that code has bound to facts (the grade ",
        term("choose"),
        "); it writes neither a number nor a name.",
    )
    said = [first, second]
    if any(follows_the_alphabet(c.reply) for c in work.calls):
        said.append(
            sentence("Its choices follow the order of the letters, so they show no preference of "
                     "the model; a larger one may have some.")
        )  # fmt: skip
    return Section("writer", spans("Who wrote this"), (Paragraph(tuple(said)),))


def persona_section(work: Work) -> Section:
    """The persona's prompt, which was really sent when a model was used."""
    persona = work.agent.persona
    sent = "sent to the model" if work.calls else "not sent, as no model was called"
    summary = spans("The prompt of ", Name(persona.name), " (", sent, ")")
    quotation = Quotation(persona.prompt, "", None, ())
    return Section("persona", spans("Persona prompt"), (Details(summary, (quotation,)),))


def contract_section(results: Sequence[tuple[str, bool, Sentence]]) -> Section:
    """Each demand of the persona's contract and whether it is met."""
    if not results:
        return Section(
            "contract", spans("Contract"),
            (Paragraph((sentence("This persona demands nothing that code could check."),)),),
        )  # fmt: skip
    rows = tuple(
        (spans(term(demand)), spans("met" if met else "not met"), found.spans)
        for demand, met, found in results
    )
    header = (spans("Demand"), spans("Result"), spans("Found"))
    return Section("contract", spans("Contract"), (Table(header, rows, ()),))
