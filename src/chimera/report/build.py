"""From the agent's work to a report: title, the persona's sections, the standing ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from chimera.agents.workflow import Work
from chimera.facts.fact import Origin
from chimera.facts.text import Name, Num, Sentence, Span, Spans, spans
from chimera.report.contract import check_contract, words_of
from chimera.report.document import Block, Bullets, Paragraph, Report, Section, Table
from chimera.report.sections import standing, writing
from chimera.report.sections.appendix import appendix
from chimera.report.sections.collector import coverage, gaps, inventory
from chimera.report.sections.common import term
from chimera.report.sections.findings import findings, recommendations
from chimera.report.sections.ingestion import ingestion
from chimera.report.sections.insight import risks, tradeoffs
from chimera.report.sections.performance import performance
from chimera.report.sections.summary import summary
from chimera.report.walk import sentences

Builder = Callable[[Work], tuple[Block, ...]]
SECTIONS: dict[str, tuple[str, Builder]] = {
    "summary": ("Executive summary", summary),
    "ingestion": ("Data ingestion summary", ingestion),
    "performance": ("Performance analysis", performance),
    "findings": ("Key findings", findings),
    "recommendations": ("Recommendations", recommendations),
    "tradeoffs": ("Recommendations", tradeoffs),
    "risks": ("Risks and mitigations", risks),
    "inventory": ("Inventory", inventory),
    "coverage": ("Coverage", coverage),
    "gaps": ("Gaps", gaps),
    "appendix": ("Appendix: records", appendix),
}


def build_report(work: Work) -> tuple[Report, list[tuple[str, bool, Sentence]], writing.Written]:
    """(report, contract results, who wrote what). Raises nothing that data could cause."""
    persona = work.agent.persona
    own = [_section(work, key) for key in persona.sections]
    own = _fill(work, own)
    if persona.bold_metrics:
        own = [_bold(s) for s in own]
    results = check_contract(persona, own)
    done = writing.written(own)
    tail = [
        standing.workflow_section(work),
        standing.calls_section(work),
        writing.writer_section(work, done),
        standing.contract_section(results),
        standing.persona_section(work),
    ]
    report = Report(
        spans(term(f"{persona.title}: "), Name(_folder_name(work.facts.ingest.folder))),
        tuple(_meta(work)),
        (*own, *tail),
        dict(work.facts.book.facts),
    )
    return report, results, done


def _folder_name(folder: str) -> str:
    return folder.rstrip("/").rpartition("/")[2] or folder


def _section(work: Work, key: str) -> Section:
    title, build = SECTIONS[key]
    return Section(key, spans(term(title)), build(work), work.agent.persona.numbered)


def _meta(work: Work) -> list[tuple[str, Spans]]:
    agent = work.agent
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    date = work.facts.book.add(
        (("agent", "this report"),), "date of this report", "value", now, "",
        scope="this report", origins=(Origin("(this run)", ""),), expression="now, in UTC",
    )  # fmt: skip
    meta: list[tuple[str, Spans]] = [
        ("Date", (Num(date),)),
        ("Agent", spans(term(f"{agent.name}, persona {agent.persona.name}"))),
    ]
    if agent.target is None:
        meta.append(("Model", spans(term("none (code's own wording)"))))
        return meta
    model = work.model
    if model is not None:
        shown = [model.name]
        if model.quantization and model.quantization.lower() not in model.name.lower():
            shown.append(model.quantization)
        meta.append(("Model", spans(Name(" ".join(shown)))))
        meta.append(("Engine", spans(term(f"{work.engine} {work.engine_version}".strip()))))
    elif work.engine_error:
        meta.append(("Model", spans(term("none was reached: "), Name(agent.target))))
    else:
        meta.append(("Model", spans(term("none was asked: this report has nothing to choose"))))
    options = ", ".join(f"{k}={v}" for k, v in agent.configuration())
    meta.append(("Configuration", spans(term(options))))
    return meta


def _fill(work: Work, sections: list[Section]) -> list[Section]:
    """Lengthen the summary with further findings until the contract's least length is reached,
    and shorten it where the greatest is passed.
    """
    contract = work.agent.persona.contract
    place = next((i for i, s in enumerate(sections) if s.key == "summary"), None)
    if place is None:
        return sections
    if contract.max_words is not None:
        while (
            words_of(sections) > contract.max_words
            and (shorter := _shorter(sections[place])) is not None
        ):
            sections[place] = shorter
    if contract.min_words is None:
        return sections
    said = {s.text for s in sentences(sections[place])}
    order = [*work.leading, *(f for f in work.facts.findings if f not in work.leading)]
    for finding in order:
        for extra in work.wording.says(finding):
            words = words_of(sections)
            if words >= contract.min_words:
                return sections
            room = contract.max_words is None or words + extra.words <= contract.max_words
            if extra.text not in said and room:
                said.add(extra.text)
                sections[place] = _longer(sections[place], extra)
    return sections


def _longer(section: Section, extra: Sentence) -> Section:
    *head, last = section.blocks
    if isinstance(last, Bullets):
        last = Bullets((*last.items, (extra,)), last.ordered)
    else:
        head, last = [*section.blocks], Bullets(((extra,),))
    return msgspec.structs.replace(section, blocks=(*head, last))


def _shorter(section: Section) -> Section | None:
    *head, last = section.blocks
    if not isinstance(last, Bullets) or len(last.items) < 2:
        return None
    return msgspec.structs.replace(section, blocks=(*head, Bullets(last.items[:-1], last.ordered)))


def _bold(section: Section) -> Section:
    """Every measured value of a section in bold."""

    def bold_span(span: Span) -> Span:
        if isinstance(span, Num) and span.field == "value" and span.fact.unit not in ("1", ""):
            return msgspec.structs.replace(span, strong=True)
        return span

    def bold_sentences(some: Sequence[Sentence]) -> tuple[Sentence, ...]:
        return tuple(msgspec.structs.replace(s, spans=tuple(map(bold_span, s.spans))) for s in some)

    def bold_block(block: Block) -> Block:
        if isinstance(block, Paragraph):
            return Paragraph(bold_sentences(block.sentences))
        if isinstance(block, Bullets):
            return Bullets(tuple(bold_sentences(i) for i in block.items), block.ordered)
        if isinstance(block, Table):
            rows = tuple(tuple(tuple(map(bold_span, c)) for c in r) for r in block.rows)
            return msgspec.structs.replace(block, rows=rows)
        return block

    title = tuple(map(bold_span, section.title))
    return msgspec.structs.replace(
        section, title=title, blocks=tuple(map(bold_block, section.blocks))
    )


__all__ = ["SECTIONS", "build_report"]
