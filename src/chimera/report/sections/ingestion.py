"""Data ingestion summary: files by type, what became of them, and the data notes."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.fact import Origin
from chimera.facts.notes import EXPLAINED, NoteGroup
from chimera.facts.text import Name, Num, Sentence, Span, Spans, spans
from chimera.ingest import FileReport
from chimera.report.document import Block, Bullets, Details, Paragraph, Table
from chimera.report.sections.common import EMPTY_CELL, sentence, term

_FIRST = 5
_MAX_ROWS = 200
_MAX_UNKNOWN = 8


_STORED = sentence(
    "A file called ", term("run/ID.jsonl"), " is the stored run of that ID: ",
    term("chimera runs export ID -o FILE"), " writes it line for line, and a place in it is a "
    "line of that file.",
)  # fmt: skip


def ingestion(work: Work) -> tuple[Block, ...]:
    """All that a reader needs to judge what was read."""
    blocks: list[Block] = [_by_type(work)]
    blocks.append(_outcomes(work))
    if work.stored:
        blocks.append(Paragraph((_STORED,)))
    rejected = [f for f in work.facts.ingest.files if f.outcome == "rejected"]
    if rejected:
        blocks.append(_rejected(rejected))
    blocks.extend(_notes(work.facts.notes))
    blocks.append(_all_files(work))
    if work.facts.ingest.skipped:
        blocks.append(_skipped(work.facts.ingest.skipped))
    return tuple(blocks)


def _by_type(work: Work) -> Table:
    rows = []
    for kind in work.facts.counts.types:
        names: list[str | Span] = []
        for i, name in enumerate(kind.names[:_FIRST]):
            names += [", " if i else "", Name(name)]
        if kind.hidden is not None:
            names += [" ... and ", Num(kind.hidden), " more"]
        rows.append(
            (spans(term(kind.type)), (Num(kind.count),), (Num(kind.newest),), spans(*names))
        )
    header = (spans("Type"), spans("Files"), spans("Last modified"), spans("First files"))
    return Table(header, tuple(rows), spans("Files by type"), (False, True, False, False))


def _outcomes(work: Work) -> Paragraph:
    counts = work.facts.counts
    parts: list[str | Span] = []
    for i, (outcome, fact) in enumerate(counts.outcomes.items()):
        parts += [", " if i else "", term(outcome), " ", Num(fact)]
    return Paragraph(
        (
            sentence("What became of the files: ", *parts, "."),
            sentence(
                "Records: ", Num(counts.records), " counted, ", Num(counts.failed), " of them "
                "failed, ", Num(counts.repeated), " copies left out; summary rows of other tools: ",
                Num(counts.summaries), ".",
            ),
            sentence("Numbers in documents are claims about the data and were not used as data."),
        )
    )  # fmt: skip


def _rejected(files: list[FileReport]) -> Table:
    rows = tuple(
        (spans(Name(f.name)), spans(Name(f.reason, code=False))) for f in files[:_MAX_ROWS]
    )
    return Table((spans("File"), spans("Why it was rejected")), rows, spans("Rejected files"))


def _note_sentence(group: NoteGroup) -> Sentence:
    what, done = EXPLAINED.get(group.kind, (group.kind.replace("-", " "), "noted"))
    files = list(dict.fromkeys(n.file for n in group.notes))
    listed: list[str | Span] = []
    for i, file in enumerate(files[:3]):
        listed += [", " if i else "", Name(file)]
    more = " and more" if len(files) > 3 else ""
    unit = " file: " if group.files.value == 1 else " files: "
    return sentence(
        Num(group.files), unit, term(what), " (", done,
        "): ", *listed, more, ".",
    )  # fmt: skip


def _notes(groups: list[NoteGroup]) -> list[Block]:
    if not groups:
        return []
    items = tuple((_note_sentence(g),) for g in groups)
    rows: list[tuple[Spans, ...]] = []
    for group in groups:
        for note in group.notes:
            where = f"{note.file}:{compact(note.rows)}" if note.rows else note.file
            detail = [p for p in (note.column, note.detail, note.other) if p]
            rows.append(
                (
                    spans(term(group.kind)),
                    spans(Name(where)),
                    spans(Name(" | ".join(detail))) if detail else EMPTY_CELL,
                )
            )
    header = (spans("Note"), spans("File and rows"), spans("Detail"))
    table = Table(header, tuple(rows[:_MAX_ROWS]), ())
    return [
        Paragraph((sentence("Data notes:"),)),
        Bullets(items),
        Details(spans("Every data note, with file and rows"), (table,)),
    ]


def compact(rows: tuple[int, ...]) -> str:
    """Row numbers as ranges: "2-6, 9"."""
    parts: list[str] = []
    start = last = rows[0]
    for row in (*rows[1:], None):
        if row is not None and row == last + 1:
            last = row
            continue
        parts.append(str(start) if start == last else f"{start}-{last}")
        if row is not None:
            start = last = row
    shown = ", ".join(parts[:6])
    return shown + (", ..." if len(parts) > 6 else "")


def _all_files(work: Work) -> Details:
    files = work.facts.ingest.files
    rows = []
    for f in files[:_MAX_ROWS]:
        unknown = ", ".join(f.unrecognised[:_MAX_UNKNOWN])
        unknown += ", ..." if len(f.unrecognised) > _MAX_UNKNOWN else ""
        rows.append(
            (
                spans(Name(f.name)),
                spans(term(f.outcome)),
                _tally(work, f),
                spans(Name(unknown)) if unknown else EMPTY_CELL,
            )
        )
    header = (spans("File"), spans("Outcome"), spans("Rows, or why"), spans("Not recognised"))
    note = () if len(files) <= _MAX_ROWS else spans("Only the first files are listed here.")
    table = Table(header, tuple(rows), note)
    return Details(spans("Every file and what became of it"), (table,))


def _tally(work: Work, f: FileReport) -> Spans:
    """What a file holds, each count a fact; its reason where it holds nothing."""
    parts: list[str | Span] = []
    for label, one, value in (
        ("records", "record", f.n_records),
        ("failed", "failed", f.n_failed),
        ("copies", "copy", f.n_repeated),
        ("summary rows", "summary row", f.n_summaries),
    ):
        if value:
            fact = work.facts.book.add(
                (("file", f.name),),
                label,
                "count",
                value,
                "1",
                n=value,
                origins=(Origin(f.name, f.sha256),),
                expression=f"count({label} of the file)",
            )
            parts += [", " if parts else "", Num(fact), " ", one if value == 1 else label]
    if parts:
        return spans(*parts)
    return spans(Name(f.reason, code=False)) if f.reason else EMPTY_CELL


def _skipped(skipped: list[str]) -> Details:
    items = tuple((sentence(Name(s)),) for s in skipped[:_MAX_ROWS])
    return Details(spans("Folders that were left out"), (Bullets(items),))
