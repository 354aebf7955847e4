"""Reading a whole folder, file by file, and what the files say of one another."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import msgspec

from chimera.ingest.batches import batch_of
from chimera.ingest.derived import mark_derived
from chimera.ingest.duplicates import mark_duplicates
from chimera.ingest.identity import resolve_models
from chimera.ingest.readers.delimited import read_delimited
from chimera.ingest.readers.json_tables import TooDeep, tables_of
from chimera.ingest.readers.jsonlike import read_json, read_json_lines
from chimera.ingest.siblings import infer_units
from chimera.ingest.scan import Found, printable, read_whole, scan
from chimera.ingest.tables import Note, RawTable
from chimera.ingest.text import decode, is_binary, twice_encoded
from chimera.record.batch import Batch

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
Progress = Callable[[int, int, str], None]


class FileReport(msgspec.Struct):
    """What became of one file. ``reason`` says why it was rejected or holds no data.

    ``n_records``, ``n_failed`` and ``n_repeated`` count its records; ``unrecognised`` are the
    names of columns that hold numbers and are in no vocabulary.
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


def ingest_folder(
    folder: str,
    *,
    progress: Progress | None = None,
    max_bytes: int = MAX_BYTES,
    exclude: str = "",
) -> Ingest:
    """Read every file below ``folder``.

    ``progress(done, total, name)`` is called before each file. Files larger than ``max_bytes``
    are rejected by name; the folder ``exclude`` is not read. Raises InputError when the folder itself cannot be read; nothing that
    a file holds raises.
    """
    files, skipped = scan(folder, exclude)
    result = Ingest(printable(folder), [], [], [], [], skipped)
    for i, found in enumerate(files):
        if progress:
            progress(i, len(files), found.name)
        report = FileReport(
            found.name,
            TYPES.get(found.name.rpartition(".")[2].lower(), "other"),
            found.size,
            found.mtime_ns,
        )
        result.files.append(report)
        _read(found, report, result, max_bytes)
    if progress:
        progress(len(files), len(files), "")
    mark_duplicates(result.batches, result.notes)
    resolve_models(result.batches, result.notes)
    mark_derived(result.batches, result.notes)
    _count(result)
    return result


def _reject(report: FileReport, reason: str) -> None:
    report.outcome, report.reason = REJECTED, reason


def _read(found: Found, report: FileReport, result: Ingest, max_bytes: int) -> None:
    if found.problem:
        _reject(report, found.problem)
        return
    if report.type == "other":
        suffix = found.name.rpartition("/")[2].rpartition(".")
        report.reason = f"no reader for .{suffix[2]}" if suffix[1] else "no reader for its type"
        return
    if found.size > max_bytes:
        limit = max_bytes // 1_000_000
        _reject(
            report,
            f"it is larger ({found.size / 1e6:.0f} MB) than the limit of {limit} MB for one file; "
            "raise it with --max-file-mb",
        )
        return
    data, changed, problem = read_whole(found)
    if problem:
        _reject(report, problem)
        return
    report.sha256 = sha256(data).hexdigest()
    if changed:
        result.notes.append(Note("changed-while-read", report.name))
    if is_binary(data):
        _reject(report, "it is no text")
        return
    text, report.encoding = decode(data)
    if report.encoding:
        result.notes.append(Note("encoding", report.name, detail=report.encoding))
    if report.type == "Markdown":
        result.documents.append(Document(report.name, report.sha256, text))
        report.outcome = DOCUMENT
        if not text.strip():
            report.reason = "it is empty"
        return
    again = twice_encoded(text)
    if again is not None:
        _reject(report, f"it is UTF-16 text encoded twice and holds no table: {again[:70]!r}")
        return
    _read_tables(text, report, result)


def _read_tables(text: str, report: FileReport, result: Ingest) -> None:
    tables, reason = _raw_tables(text, report, result.notes)
    if not tables:
        empty = reason.startswith(("the file is empty", "it has a header", "it holds only"))
        if empty:
            report.outcome, report.reason = NO_DATA, reason
        else:
            _reject(report, reason)
        return
    unknown: dict[str, None] = {}
    kinds = set()
    first = len(result.batches)
    for table in tables:
        batch = batch_of(table, report.name, report.sha256, result.notes)
        if batch is None:
            _numbers_of(table, unknown)
            continue
        for column in batch.columns:
            if column.role == "unknown" and any(v is not None for v in column.values):
                unknown[column.name] = None
        result.batches.append(batch)
        kinds.add(batch.kind)
    infer_units(result.batches[first:])
    report.unrecognised = tuple(unknown)
    if "sample" in kinds:
        report.outcome = SAMPLES
    elif kinds:
        report.outcome = SUMMARIES
    else:
        report.outcome = NO_DATA
        report.reason = _why_no_data(tables)


def _numbers_of(table: RawTable, unknown: dict[str, None]) -> None:
    for name, column in zip(table.names, table.columns, strict=True):
        if any(isinstance(v, (int, float)) and not isinstance(v, bool) for v in column[:50]):
            unknown[name] = None


def _why_no_data(tables: list[RawTable]) -> str:
    for table in tables:
        for name, column in zip(table.names, table.columns, strict=True):
            if name.rpartition(".")[2].lower() in ("error", "message") and column[0]:
                return f"it holds no metric that is known; it says: {str(column[0])[:80]!r}"
    return "it holds no metric that is known"


def _raw_tables(text: str, report: FileReport, notes: list[Note]) -> tuple[list[RawTable], str]:
    if report.type in ("CSV", "TSV"):
        return read_delimited(text, report.name, notes)
    if report.type == "JSONL":
        documents, reason = read_json_lines(text, report.name, notes)
    else:
        documents, reason = read_json(text, report.name, notes)
    if not documents:
        return [], reason
    try:
        tables = tables_of(documents)
    except (TooDeep, RecursionError):
        return [], "it is nested too deeply to be read"
    if not tables:
        value = documents[0][0]
        if value in ([], {}):
            return [], "the file is empty"
        return [], "it holds no object and no table"
    return tables, ""


def _count(result: Ingest) -> None:
    reports = {report.name: report for report in result.files}
    for batch in result.batches:
        report = reports[batch.file]
        if batch.kind == "sample":
            report.n_records += len(batch)
            report.n_failed += sum(1 for o in batch.outcomes if o)
            report.n_repeated += sum(1 for d in batch.duplicate_of if d)
        else:
            report.n_summaries += len(batch)
