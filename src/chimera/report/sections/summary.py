"""Executive summary: what the folder holds, and the findings that lead."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.dataset import subject_label
from chimera.facts.findings.base import plural
from chimera.facts.text import Name, Num, Sentence, Span
from chimera.report.document import Block, Bullets, Paragraph
from chimera.report.sections.common import named_subjects, sentence, term

_MAX_NAMES = 8


def inventory_sentence(work: Work) -> Sentence:
    """Files and records in one sentence."""
    c = work.facts.counts
    kinds: list[str | Span] = []
    for i, kind in enumerate(c.types):
        kinds += [", " if i else "", Num(kind.count), " ", term(kind.type)]
    listed = (" (", *kinds, ")") if kinds else ()
    copies: tuple[str | Span, ...] = ()
    if c.repeated.value:
        copies = ("; ", Num(c.repeated), plural(c.repeated, " further row is a copy and was",
                  " further rows are copies and were"), " left out")  # fmt: skip
    outcome: tuple[str | Span, ...] = ()
    if c.records.value:
        outcome = (", of which ", Num(c.succeeded), " succeeded and ", Num(c.failed), " failed")
    summed: tuple[str | Span, ...] = ()
    if c.summaries.value:
        summed = ("; beside them, ", Num(c.summaries), plural(c.summaries, " summary row",
                  " summary rows"), " of other tools")  # fmt: skip
    return sentence(
        "The folder holds ", Num(c.files), plural(c.files, " file", " files"), *listed, " with ",
        Num(c.records), plural(c.records, " record", " records"), *outcome, *copies, *summed, ".",
    )  # fmt: skip


def models_sentence(work: Work) -> Sentence | None:
    """The models that were measured; None when no record names one."""
    subjects = [s for s in named_subjects(work) if s[0][0] == "model"]
    if not subjects:
        return None
    listed: list[str | Span] = []
    for i, subject in enumerate(subjects[:_MAX_NAMES]):
        listed += [", " if i else "", Name(subject_label(subject))]
    more = " and others" if len(subjects) > _MAX_NAMES else ""
    c = work.facts.counts
    return sentence(
        "Records that name a model: ", Num(c.named), " (", Num(c.named_ok), " succeeded, ",
        Num(c.named_failed), " failed), of ", *listed, more, ".",
    )  # fmt: skip


def summary(work: Work) -> tuple[Block, ...]:
    """Two sentences on the data, then the leading findings."""
    opening = [inventory_sentence(work)]
    models = models_sentence(work)
    if models:
        opening.append(models)
    blocks: list[Block] = [Paragraph(tuple(opening))]
    if work.leading:
        asked = [(d.sentence,) for d in work.cited.on_questions] if work.cited else []
        blocks.append(Bullets((*((work.wording.lead(f),) for f in work.leading), *asked)))
    elif not work.facts.counts.records.value and not work.facts.summaries:
        blocks.append(
            Paragraph(
                (sentence("Nothing in it is benchmark data that can be read, so there is nothing "
                          "to report beyond the inventory."),)
            )
        )  # fmt: skip
    return tuple(blocks)
