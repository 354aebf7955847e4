"""Reading a whole folder, file by file, and what the files say of one another."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from chimera.ingest.batches import batch_of
from chimera.ingest.cells import parse_number
from chimera.ingest.derived import mark_derived
from chimera.ingest.duplicates import mark_duplicates
from chimera.ingest.identity import resolve_models
from chimera.ingest.readers import Content, read_tables
from chimera.ingest.readers.own_output import MARKDOWN_MARK
from chimera.ingest.readers.own_output import REASON as OWN
from chimera.ingest.scan import Found, glance, printable, read_whole, scan
from chimera.ingest.siblings import infer_units
from chimera.ingest.tables import Note, RawTable
from chimera.ingest.text import decode, is_binary, twice_encoded
from chimera.record.batch import Batch, Column

TYPES = {
    "csv": "CSV",
    "tsv": "TSV",
    "tab": "TSV",
    "json": "JSON",
    "jsonl": "JSONL",
    "ndjson": "JSONL",
    "md": "Markdown",
    "markdown": "Markdown",
}
MAX_BYTES = 256 * 1024 * 1024
SAMPLES, SUMMARIES, DOCUMENT = "samples", "summaries", "document"
NO_DATA, REJECTED, OTHER = "no benchmark data", "rejected", "other type"
_EMPTY = ("the file is empty", "it has a header", "it holds only", OWN)  # reasons of no fault
_NUMBERS = frozenset({int, float})
Progress = Callable[[int, int, str], None]


class FileReport(msgspec.Struct):
    """What became of one file. ``reason`` says why it was rejected or holds no data.

    ``n_records``, ``n_failed`` and ``n_repeated`` count its records; ``unrecognised`` are the
    names of columns that hold numbers or names and are in no vocabulary.
    """

    name: str
    type: str
    size: int
    mtime_ns: int
    sha256: str = ""
    outcome: str = OTHER
    reason: str = ""
    encoding: str = ""
    n_records: int = 0
    n_failed: int = 0
    n_repeated: int = 0
    n_summaries: int = 0
    unrecognised: tuple[str, ...] = ()


class Document(msgspec.Struct, frozen=True):
    """A Markdown file: its numbers are claims about the data, never data."""

    file: str
    sha256: str
    text: str


class Ingest(msgspec.Struct):
    """A folder as read. ``complete`` is False when the reading was interrupted."""

    folder: str
    files: list[FileReport]
    batches: list[Batch]
    documents: list[Document]
    notes: list[Note]
    skipped: list[str]
    complete: bool = True

    def file(self, name: str) -> FileReport:
        """The report of one file. Raises KeyError."""
        for report in self.files:
            if report.name == name:
                return report
        raise KeyError(name)


class _Same(msgspec.Struct, frozen=True):
    """What one file gave, for others with the same bytes."""

    report: FileReport
    batches: list[Batch]
    notes: list[Note]
    documents: list[Document]


def ingest_folder(
    folder: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    max_bytes: int = MAX_BYTES,
    exclude: str = "",
) -> Ingest:
    """Read every file below ``folder``.

    ``progress(done, total, name)`` is called before each file. Files larger than ``max_bytes``
    are rejected by name; the folder ``exclude`` is not read. Nothing that a file holds raises.

    Raises:
        InputError: the folder itself cannot be read.
    """
    folder = os.fspath(folder)
    files, skipped = scan(folder, exclude)
    result = Ingest(printable(folder), [], [], [], [], skipped)
    same: dict[tuple[str, str], _Same] = {}
    for i, found in enumerate(files):
        if progress:
            progress(i, len(files), found.name)
        suffix = found.name.rpartition(".")[2].lower()
        report = FileReport(found.name, TYPES.get(suffix, "other"), 0, 0)
        result.files.append(report)
        data = _read(found, report, result, max_bytes)
        if data is not None:
            _read_copy_or(data, report, result, same)
    if progress:
        progress(len(files), len(files), "")
    mark_duplicates(result.batches, result.notes)
    resolve_models(result.batches, result.notes)
    mark_derived(result.batches, result.notes)
    _count(result)
    return result


def _reject(report: FileReport, reason: str) -> None:
    report.outcome, report.reason = REJECTED, reason


def _read(found: Found, report: FileReport, result: Ingest, max_bytes: int) -> bytes | None:
    """The content of a file that some reader can take; None where the report says why not."""
    if found.problem:
        _reject(report, found.problem)
        return None
    other = report.type == "other"
    content = glance(found) if other else read_whole(found, max_bytes)
    report.size, report.mtime_ns = content.size, content.mtime_ns
    if content.problem:
        _reject(report, content.problem)
    elif other:
        suffix = found.name.rpartition("/")[2].rpartition(".")
        report.reason = f"no reader for .{suffix[2]}" if suffix[1] else "no reader for its type"
    if content.changed:
        result.notes.append(Note("changed-while-read", report.name))
    return content.data


def _read_copy_or(
    data: bytes, report: FileReport, result: Ingest, same: dict[tuple[str, str], _Same]
) -> None:
    """Read a file, or take over what was read from another with the same bytes."""
    report.sha256 = sha256(data).hexdigest()
    key = (report.sha256, report.type)
    first = same.get(key)
    if first is None:
        batches, notes, texts = len(result.batches), len(result.notes), len(result.documents)
        _read_bytes(data, report, result)
        found = result.batches[batches:], result.notes[notes:], result.documents[texts:]
        same[key] = _Same(report, *found)
        return
    was = first.report
    report.outcome, report.reason, report.encoding = was.outcome, was.reason, was.encoding
    report.unrecognised = was.unrecognised
    result.documents.extend(replace(d, file=report.name) for d in first.documents)
    result.notes.extend(replace(note, file=report.name) for note in first.notes)
    for batch in first.batches:
        # The columns are shared: nothing changes them once a file is read.
        result.batches.append(
            replace(
                batch,
                file=report.name,
                duplicate_of=[None] * len(batch),
                constants=dict(batch.constants),
                constants_from={},
            )
        )


def _read_bytes(data: bytes, report: FileReport, result: Ingest) -> None:
    if is_binary(data):
        _reject(report, "it is no text")
        return
    text, report.encoding = decode(data)
    if report.encoding:
        result.notes.append(Note("encoding", report.name, detail=report.encoding))
    if report.type == "Markdown":
        report.outcome = DOCUMENT
        if text.startswith(MARKDOWN_MARK):
            report.reason = OWN  # its numbers come from these very files
            return
        result.documents.append(Document(report.name, report.sha256, text))
        if not text.strip():
            report.reason = "it is empty"
        return
    again = twice_encoded(text)
    if again is not None:
        _reject(report, f"it is UTF-16 text encoded twice and holds no table: {again[:70]!r}")
        return
    _read_tables(text, report, result)


def _read_tables(text: str, report: FileReport, result: Ingest) -> None:
    notes = result.notes
    tables, reason = read_tables(Content(report.name, report.type, text, notes))
    if not tables:
        if reason.startswith(_EMPTY):
            report.outcome, report.reason = NO_DATA, reason
        else:
            _reject(report, reason)
        return
    unknown: dict[str, None] = {}
    batches: list[Batch] = []
    for table in tables:
        batch = batch_of(table, report.name, report.sha256, notes)
        if batch is None:
            _numbers_of(table, unknown)
            continue
        for column in batch.columns:
            if _is_unrecognised(column):
                unknown[column.name] = None
        batches.append(batch)
    infer_units(batches)
    result.batches.extend(batches)
    report.unrecognised = tuple(unknown)
    if any(b.kind == "sample" for b in batches):
        report.outcome = SAMPLES
    elif batches:
        report.outcome = SUMMARIES
    else:
        report.outcome, report.reason = NO_DATA, _why_no_data(tables)


def _is_unrecognised(column: Column) -> bool:
    if column.role == "label":
        return any(isinstance(cell, str) and cell for cell in column.raw)
    return column.role == "unknown" and column.values.count(None) < len(column.values)


def _numbers_of(table: RawTable, unknown: dict[str, None]) -> None:
    for name, column in zip(table.header.names, table.columns, strict=True):
        if not _NUMBERS.isdisjoint(map(type, column[:50])) or any(map(_is_number, column[:3])):
            unknown[name] = None


def _is_number(cell: object) -> bool:
    return isinstance(cell, str) and parse_number(cell) is not None


def _why_no_data(tables: list[RawTable]) -> str:
    for table in tables:
        for name, column in zip(table.header.names, table.columns, strict=True):
            if name.rpartition(".")[2].lower() in ("error", "message") and column[0]:
                return f"it holds no metric that is known; it says: {str(column[0])[:80]!r}"
    return "it holds no metric that is known"


def _count(result: Ingest) -> None:
    reports = {report.name: report for report in result.files}
    for batch in result.batches:
        report = reports[batch.file]
        if batch.kind == "sample":
            report.n_records += len(batch)
            report.n_failed += len(batch) - batch.outcomes.count("")
            report.n_repeated += len(batch) - batch.duplicate_of.count(None)
        else:
            report.n_summaries += len(batch)
