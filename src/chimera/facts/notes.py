"""Data notes as facts: what a reader must know about the files, grouped by kind."""

from __future__ import annotations

import msgspec

from chimera.facts.book import FactBook
from chimera.facts.fact import Fact, Origin
from chimera.ingest import Ingest, Note

# kind -> what happened, and what was done about it; nothing here may hold a number
EXPLAINED: dict[str, tuple[str, str]] = {
    "copied-file": ("the file is a byte-identical copy of another", "its rows count once"),
    "copied-rows": ("the rows stand in another file too", "they count once"),
    "rounded-copy": ("the rows are a rounded copy of another file's", "they count once"),
    "derived-summary": ("the summary was computed from rows in the folder", "not counted again"),
    "summary-disagrees": ("the summary is not what its rows give", "the rows are used"),
    "stream-pieces": ("pieces of an answer that was still being written", "left out"),
    "other-lines": ("objects beside the records that hold no measurement", "left out"),
    "empty-summary": ("a summary says that it is of no record at all", "left out"),
    "total-row": ("a row sums up the others", "left out"),
    "all-zero": ("the whole column is zero, which means not measured", "left out"),
    "not-finite": ("infinite or undefined values", "left out"),
    "not-a-number": ("text where a number should be", "left out"),
    "cell-unit-misfit": ("a cell's unit does not fit its column", "left out"),
    "run-duration": ("how long a whole run took", "a label of the run, no record's time"),
    "phase-rates": (
        "prefill and decode rates in one column",
        "told apart by each row's tokens and time",
    ),
    "namesakes": ("several fields of a row read as the same metric", "kept under their own names"),
    "looks-like-setting": ("a time that is a context length in every row", "not used as a time"),
    "rate-meaning-unknown": (
        "the file does not say which tokens and which time its tokens/s are made of",
        "kept as reported",
    ),
    "derived-rate": ("a rate was computed from its row's tokens and time", "used as measured"),
    "ttft-holds-load": ("TTFT is load plus prompt evaluation", "a reload sits inside TTFT"),
    "model-from-path": ("the rows do not name the model", "taken from the file's name"),
    "model-unknown": ("neither the rows nor the path name a model", "kept apart from the models"),
    "path-contradicts": ("the path contradicts the content", "the content wins"),
    "encoding": ("the file is not plain UTF-8", "decoded"),
    "comment-lines": ("comment lines above the header", "skipped"),
    "unit-row": ("a row of units below the header", "read as units"),
    "header-lines": ("further header lines below the names", "read as part of the names"),
    "decimal-comma": ("decimal commas", "read as decimals"),
    "open-quote": ("a quotation mark is never closed", "the lines are left out"),
    "row-width": ("rows with more or fewer cells than the header", "left out"),
    "duplicate-column": ("a column name stands twice", "both are kept, the later one marked"),
    "duplicate-key": ("a key stands twice in one object", "the last value is used"),
    "several-documents": ("several JSON documents in one file", "all are read"),
    "truncated": ("the file ends in the middle of a record", "what came before is kept"),
    "bad-lines": ("lines that are no JSON", "left out"),
    "changed-while-read": ("the file changed while it was read", "the second reading is used"),
    "mixed-times": ("timestamps in several forms", "not used for order"),
    "unfinished-run": ("the run has no end record: it was stopped", "what it holds is kept"),
}


class NoteGroup(msgspec.Struct, frozen=True):
    """All notes of one kind: how many files they concern, and the notes themselves."""

    kind: str
    files: Fact
    notes: tuple[Note, ...]


def note_groups(book: FactBook, ingest: Ingest) -> list[NoteGroup]:
    """The data notes of a folder by kind, in the order of ``EXPLAINED``."""
    shas = {f.name: f.sha256 for f in ingest.files}
    by_kind: dict[str, list[Note]] = {}
    for note in ingest.notes:
        by_kind.setdefault(note.kind, []).append(note)
    groups = []
    for kind in [*EXPLAINED, *(k for k in by_kind if k not in EXPLAINED)]:
        notes = by_kind.get(kind)
        if not notes:
            continue
        files = {n.file: n for n in notes}
        origins = tuple(
            Origin(n.file, shas.get(n.file, ""), n.rows, n.column or None) for n in notes
        )
        fact = book.add(
            (("note", kind),),
            "files with this data note",
            "count",
            len(files),
            "1",
            n=len(files),
            origins=origins,
            expression=f"count(files noted as {kind})",
        )
        groups.append(NoteGroup(kind, fact, tuple(notes)))
    return groups
