"""What DataCollector writes: inventory, coverage and gaps."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.dataset import subject_label
from chimera.facts.text import Name, Num, Sentence, Span, spans
from chimera.report.document import Block, Bullets, Paragraph, Table
from chimera.report.sections.common import named_subjects, sentence, term
from chimera.report.sections.summary import inventory_sentence

_MODELS = 8
_GAPS = ("missing", "one-run", "failures", "documents", "percentiles", "summaries", "confounded")


def inventory(work: Work) -> tuple[Block, ...]:
    """Files by type with their newest change, and the count of records."""
    rows = tuple(
        (spans(term(k.type)), (Num(k.count),), (Num(k.newest),)) for k in work.facts.counts.types
    )
    header = (spans("Type"), spans("Files"), spans("Last modified"))
    table = Table(header, rows, (), (False, True, False))
    return (Paragraph((inventory_sentence(work),)), table)


def coverage(work: Work) -> tuple[Block, ...]:
    """What the records cover: models with their records, and what was varied."""
    counts = work.facts.counts.subjects
    subjects = [s for s in named_subjects(work) if s in counts][:_MODELS]
    rows = tuple(
        (spans(Name(subject_label(s))), (Num(counts[s][0]),), (Num(counts[s][1]),))
        for s in subjects
    )
    blocks: list[Block] = []
    if rows:
        header = (spans("Model"), spans("Succeeded"), spans("Failed"))
        blocks.append(Table(header, rows, (), (False, True, True)))
    varied: dict[str, None] = {}
    for sweep in work.facts.sweeps:
        varied.update(dict.fromkeys(sweep.parameters))
    if varied:
        listed: list[str | Span] = []
        for i, key in enumerate(varied):
            listed += [", " if i else "", Name(key)]
        blocks.append(Paragraph((sentence("Varied settings: ", *listed, "."),)))
    if not blocks:
        blocks.append(Paragraph((sentence("The records name neither a model nor a setting."),)))
    return tuple(blocks)


def gaps(work: Work) -> tuple[Block, ...]:
    """What an analysis will run into: a title a gap."""
    items: list[tuple[Sentence, ...]] = []
    for kind in _GAPS:
        found = [f for f in work.facts.findings if f.kind == kind]
        items.extend((Sentence((*f.title, *spans("."))),) for f in found)
    rejected = work.facts.counts.outcomes.get("rejected")
    if rejected is not None:
        items.append((sentence("Files that were rejected: ", Num(rejected), "."),))
    if not items:
        return (Paragraph((sentence("None was found."),)),)
    return (Bullets(tuple(items)),)
