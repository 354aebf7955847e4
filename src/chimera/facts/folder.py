"""All facts and findings of an ingested folder."""

from __future__ import annotations

import msgspec

from chimera.facts.book import FactBook
from chimera.facts.claims import Claims, claims_of
from chimera.facts.comparisons import Comparison, comparisons_of
from chimera.facts.counts import Counts, counts_of
from chimera.facts.dataset import Dataset, dataset_of
from chimera.facts.findings import Finding, findings_of
from chimera.facts.measures import configuration_facts, file_facts, subject_facts
from chimera.facts.notes import NoteGroup, note_groups
from chimera.facts.prompts import prompt_facts
from chimera.facts.summaries import SummaryRow, summary_rows
from chimera.facts.sweeps import Sweep, sweeps_of
from chimera.ingest import Ingest


class Facts(msgspec.Struct):
    """Everything that is known about a folder; ``book`` holds every fact by id."""

    ingest: Ingest
    data: Dataset
    book: FactBook
    counts: Counts
    comparisons: list[Comparison]
    sweeps: list[Sweep]
    summaries: list[SummaryRow]
    claims: Claims
    notes: list[NoteGroup]
    findings: list[Finding]


def facts_of(ingest: Ingest) -> Facts:
    """Compute all facts of a folder. Pure: the same folder gives the same facts and ids."""
    data = dataset_of(ingest.batches)
    book = FactBook()
    for subject in data.by_subject:
        subject_facts(book, data, subject)
        configuration_facts(book, data, subject)
        prompt_facts(book, data, subject)
    file_facts(book, data)
    counts = counts_of(book, ingest, data)
    comparisons = comparisons_of(book, data)
    sweeps = sweeps_of(book, data)
    summaries = summary_rows(book, data)
    claims = claims_of(book, ingest.documents, data)
    notes = note_groups(book, ingest)
    findings = findings_of(book, data, counts, comparisons, sweeps, summaries, claims, notes)
    return Facts(
        ingest, data, book, counts, comparisons, sweeps, summaries, claims, notes, findings
    )
