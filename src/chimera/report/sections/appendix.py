"""Appendix: real records, quoted from their files as they stand there."""

from __future__ import annotations

import json

from chimera.agents.workflow import Work
from chimera.facts.dataset import Sample
from chimera.facts.fact import Origin
from chimera.facts.text import spans
from chimera.report.document import Block, Paragraph, Quotation
from chimera.report.sections.common import named_subjects, sentence

_RECORDS = 3
_MAX_TEXT = 120


def appendix(work: Work) -> tuple[Block, ...]:
    """One record each of the first subjects, and one that failed."""
    chosen: list[Sample] = []
    data = work.facts.data
    for subject in named_subjects(work):
        good = data.good(subject)
        if good and len(chosen) < _RECORDS:
            chosen.append(good[0])
    failed = next((s for s in data.samples if s.failure), None)
    if failed is not None:
        chosen.append(failed)
    if not chosen:
        return (Paragraph((sentence("There is no record to quote."),)),)
    blocks: list[Block] = [
        Paragraph((sentence("Records as they stand in their files; long texts are cut."),))
    ]
    for sample in chosen:
        batch = sample.batch
        origin = Origin(
            batch.file,
            batch.sha256,
            (batch.rows[sample.index],),
            None,
            batch.pointers[sample.index] if batch.pointers else None,
        )
        what = "A failed record" if sample.failure else "A record"
        blocks.append(Quotation(_quoted(sample), "json", origin, spans(what, " as it stands in")))
    return tuple(blocks)


def _quoted(sample: Sample) -> str:
    """The record's own names and values, nothing added."""
    record = {}
    for column in sample.batch.columns:
        value = column.raw[sample.index]
        if isinstance(value, str) and len(value) > _MAX_TEXT:
            value = value[:_MAX_TEXT] + "…"
        if value is not None:
            record[column.name] = value
    return json.dumps(record, ensure_ascii=False, indent=2, default=str)
