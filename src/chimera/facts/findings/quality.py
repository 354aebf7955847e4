"""Findings about the data: copies, weak percentiles, what is missing."""

from __future__ import annotations

from chimera.facts.book import FactBook, row_origins
from chimera.facts.counts import Counts
from chimera.facts.dataset import Dataset, identity_values
from chimera.facts.findings.base import (
    COUNTED,
    EMPTY,
    Finding,
    clause,
    count,
    label,
    name,
    plural,
    value,
)
from chimera.facts.notes import NoteGroup
from chimera.facts.summaries import SummaryRow
from chimera.facts.text import spans
from chimera.ingest.columns import QUANTIZATION
from chimera.record.batch import Batch

_WANTED = (
    ("engine", "the engine"),
    ("engine_version", "the engine's version"),
    ("gpu", "the GPU"),
    ("quantization", "the quantization"),
    ("prompt", "the prompt"),
)


def copy_findings(counts: Counts, groups: list[NoteGroup]) -> list[Finding]:
    """Rows that stand twice, and summaries of rows that are here."""
    by_kind = {g.kind: g for g in groups}
    findings = []
    if counts.repeated.value:
        says = clause(
            COUNTED,
            (count(counts.repeated), (" rows repeat others (copied files, the same rows in another "
             "format, rounded copies) and count once.")),
            ("The folder holds ", count(counts.repeated), (" rows that stand elsewhere too; each "
             "counts once.")),
        )  # fmt: skip
        advice = clause(
            COUNTED,
            ("Keep one copy of each result file and let others refer to it.",),
            ("Store each result once, so that nobody counts it again.",),
        )
        title = spans(
            count(counts.repeated), plural(counts.repeated, " row is a copy", " rows are copies")
        )
        findings.append(Finding("copies", "copies", "low", title, (says,), advice, COUNTED, 30.0))
    wrong = by_kind.get("summary-disagrees")
    if wrong:
        says = clause(
            EMPTY,
            ("In ", count(wrong.files), plural(wrong.files, " file", " files"), (" a summary is "
             "not what its own rows give, for example "), name(wrong.notes[0].file), ("; the rows "
             "are used.")),
            (count(wrong.files), plural(wrong.files, " file holds", " files hold"), (" a summary "
             "that its rows do not give ("), name(wrong.notes[0].file), "); the rows count."),
        )  # fmt: skip
        advice = clause(
            COUNTED,
            ("Compute summaries from the stored rows, not beside them.",),
            ("Let summaries be computed from the rows that are kept.",),
        )
        title = spans("Summaries that their rows do not give")
        findings.append(
            Finding("summaries", "summaries", "medium", title, (says,), advice, EMPTY, 40.0)
        )
    return findings


def percentile_findings(rows: list[SummaryRow], book: FactBook) -> list[Finding]:
    """Percentiles that are none: of a few run means, or of too few samples."""
    of_means = [
        f for r in rows for f in r.facts.values() if "percentile of means" in f.flags and f.value
    ]
    if not of_means:
        return []
    files = sorted({f.subject.get("file", "") for f in of_means})
    tally = book.add(
        (("flag", "percentile of means"),),
        "files",
        "count",
        len(files),
        "1",
        n=len(files),
        operands=of_means,
        expression="count(files whose percentiles are means of runs)",
    )
    example = max(of_means, key=lambda f: f.statistic)
    kind, where = label(example.statistic), name(example.subject["file"])
    says = clause(
        EMPTY,
        ("In ", count(tally), plural(tally, " file", " files"), " a percentile is the mean of a "
         "run: ", kind, " in ", where, " is ", value(example), ", which one of its runs has as its "
         "mean."),
        (kind, " of ", where, ", ", value(example), ", is the mean of one of its runs, not a "
         "percentile of requests; ", count(tally), plural(tally, " file is", " files are"),
         " like that."),
    )  # fmt: skip
    advice = clause(
        COUNTED,
        ("Keep every sample and compute percentiles over requests, not over means of runs.",),
        ("Compute percentiles over single requests, and keep these.",),
    )
    title = spans("Percentiles that are means of runs")
    return [Finding("percentiles", "percentiles", "medium", title, (says,), advice, EMPTY, 45.0)]


def _named_in_models(batches: list[Batch]) -> bool:
    """Whether model names hold their quantization ("...-q4_0")."""
    names = {str(v) for b in batches for v in identity_values(b, "model") if v is not None}
    return any(QUANTIZATION.search(name) for name in names)


def missing_findings(book: FactBook, data: Dataset) -> list[Finding]:
    """What was not recorded: without it nobody can repeat the measurement."""
    batches = list({id(s.batch): s.batch for s in data.samples}.values())
    if not batches:
        return []
    absent: list[str] = []
    for key, words in _WANTED:
        if not any(any(v is not None for v in identity_values(b, key)) for b in batches):
            if key == "quantization" and _named_in_models(batches):
                continue
            if key == "prompt" and any(b.column("prompt_id") for b in batches):
                continue
            absent.append(words)
    unnamed = [s for s in data.samples if s.subject[0][0] != "model"]
    says = []
    if absent:
        listed = ", ".join(absent)
        says.append(
            clause(
                EMPTY,
                ("Among the records, these are not recorded anywhere: ", label(listed), "."),
                ("The records do not name ", label(listed), "."),
                ("Not recorded with any record: ", label(listed), "."),
            )
        )
    if unnamed:
        fact = book.add(
            (),
            "records without a model",
            "count",
            len(unnamed),
            "1",
            n=len(unnamed),
            origins=row_origins(unnamed),
            expression="count(records whose model is not known)",
        )
        says.append(
            clause(
                EMPTY,
                ("For ", count(fact), plural(fact, " record the model is not known; it is kept "
                 "apart.", " records the model is not known; they are kept apart.")),
                (count(fact), plural(fact, " record does not name its model and is kept apart.",
                 " records do not name their model and are kept apart.")),
            )
        )  # fmt: skip
    if not says:
        return []
    advice = clause(
        COUNTED,
        (("Record model and digest, engine and version, hardware, options and prompt with each "
         "run; "), name("chimera bench"), " does."),
        ("Let each run carry its model, engine, hardware, options and prompt, as ",
         name("chimera bench"), " writes them."),
    )  # fmt: skip
    title = spans("What was not recorded")
    return [Finding("missing", "missing", "medium", title, tuple(says), advice, EMPTY, 55.0)]
