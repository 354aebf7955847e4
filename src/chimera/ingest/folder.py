"""Reading a whole folder, file by file, and what the files say of one another."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from chimera.ingest.batches import Draft, draft_of, make_batches
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
# Files go through the stages in groups of some bytes, not one by one: code that runs again at once
# is still in the processor's caches, which saves a tenth of the time.
_HELD = 4 * 1024 * 1024
_EMPTY = ("the file is empty", "it has a header", "it holds only", OWN)  # reasons of no fault
_NUMBERS = frozenset({int, float})
_PLAIN_NUMBER = re.compile(r"\d{1,30}(?:\.\d{1,30})?|\d{1,3}(?:,\d{3}){1,9}")
_UNKNOWN = ("label", "unknown")
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


class _Work(msgspec.Struct, gc=False):
    """One file on its way through the stages; ``first`` is an earlier one with the same bytes."""

    report: FileReport
    data: bytes | None
    changed: bool
    text: str = ""
    drafts: list[Draft] = []
    batches: list[Batch] = []
    documents: list[Document] = []
    notes: list[Note] = []
    first: _Work | None = None


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
    with _collector_paused():
        return _ingest(folder, files, skipped, progress, max_bytes)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Nothing here makes cycles, and the collector would look at every new list for them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _ingest(
    folder: str, files: list[Found], skipped: list[str], progress: Progress | None, max_bytes: int
) -> Ingest:
    result = Ingest(printable(folder), [], [], [], [], skipped)
    same: dict[tuple[str, str], _Work] = {}
    group: list[_Work] = []
    held = 0
    for i, found in enumerate(files):
        if progress:
            progress(i, len(files), found.name)
        work = _read(found, max_bytes)
        group.append(work)
        held += work.report.size if work.data else 0
        if held > _HELD:
            _understand(group, same, result)
            group, held = [], 0
    _understand(group, same, result)
    if progress:
        progress(len(files), len(files), "")
    mark_duplicates(result.batches, result.notes)
    resolve_models(result.batches, result.notes)
    mark_derived(result.batches, result.notes)
    _count(result)
    return result


def _reject(report: FileReport, reason: str) -> None:
    report.outcome, report.reason = REJECTED, reason


def _read(found: Found, max_bytes: int) -> _Work:
    """A file with its bytes, where some reader can take them; otherwise its report says why not."""
    name = found.name
    report = FileReport(name, TYPES.get(name.rpartition(".")[2].lower(), "other"), 0, 0)
    if found.problem:
        _reject(report, found.problem)
        return _Work(report, None, False)
    other = report.type == "other"
    content = glance(found) if other else read_whole(found, max_bytes)
    report.size, report.mtime_ns = content.size, content.mtime_ns
    if content.problem:
        _reject(report, content.problem)
    elif other:
        suffix = name.rpartition("/")[2].rpartition(".")
        report.reason = f"no reader for .{suffix[2]}" if suffix[1] else "no reader for its type"
    return _Work(report, content.data, content.changed)


def _understand(group: list[_Work], same: dict[tuple[str, str], _Work], result: Ingest) -> None:
    """From bytes to records, stage by stage for all files of a group, then into the result."""
    fresh: list[_Work] = []
    for work in group:
        if work.data is None:
            continue
        work.report.sha256 = digest = sha256(work.data).hexdigest()
        first = same.setdefault((digest, work.report.type), work)
        if first is work:
            fresh.append(work)
        else:
            work.first, work.data = first, None
    texts = sorted(filter(_decode, fresh), key=lambda work: work.report.type)
    with_tables = list(filter(_find_tables, texts))
    make_batches([draft for work in with_tables for draft in work.drafts])
    for work in with_tables:
        _find_outcome(work)
    for work in group:
        result.files.append(work.report)
        if work.changed:
            result.notes.append(Note("changed-while-read", work.report.name))
        if work.first is not None:
            _take_over(work, work.first)
        result.batches.extend(work.batches)
        result.documents.extend(work.documents)
        result.notes.extend(work.notes)


def _take_over(work: _Work, first: _Work) -> None:
    """Let a file hold what was read from another with the same bytes."""
    report, was = work.report, first.report
    report.outcome, report.reason, report.encoding = was.outcome, was.reason, was.encoding
    report.unrecognised = was.unrecognised
    work.documents = [replace(document, file=report.name) for document in first.documents]
    work.notes = [replace(note, file=report.name) for note in first.notes]
    # The columns are shared: nothing changes them once a file is read.
    work.batches = [
        replace(
            batch,
            file=report.name,
            duplicate_of=[None] * len(batch),
            constants=dict(batch.constants),
            constants_from={},
        )
        for batch in first.batches
    ]


def _decode(work: _Work) -> bool:
    """Whether the bytes are text that may hold tables; the report says what else they are."""
    report, data = work.report, work.data
    assert data is not None
    work.data = None  # the text takes its place
    if is_binary(data):
        _reject(report, "it is no text")
        return False
    text, report.encoding = decode(data)
    if report.encoding:
        work.notes.append(Note("encoding", report.name, detail=report.encoding))
    if report.type == "Markdown":
        report.outcome = DOCUMENT
        if text.startswith(MARKDOWN_MARK):
            report.reason = OWN  # its numbers come from these very files
            return False
        work.documents.append(Document(report.name, report.sha256, text))
        if not text or text.isspace():
            report.reason = "it is empty"
        return False
    again = twice_encoded(text)
    if again is not None:
        _reject(report, f"it is UTF-16 text encoded twice and holds no table: {again[:70]!r}")
        return False
    work.text = text
    return True


def _find_tables(work: _Work) -> bool:
    """Whether the text holds tables; the report says why not."""
    report = work.report
    tables, reason = read_tables(Content(report.name, report.type, work.text, work.notes))
    work.text = ""
    if not tables:
        if reason.startswith(_EMPTY):
            report.outcome, report.reason = NO_DATA, reason
        else:
            _reject(report, reason)
    work.drafts = [draft_of(table, report.name, report.sha256) for table in tables]
    return bool(tables)


def _find_outcome(work: _Work) -> None:
    """What became of a file, by the batches that its tables gave."""
    report, batches = work.report, work.batches
    unknown: dict[str, None] = {}
    for draft in work.drafts:
        work.notes.extend(draft.notes)
        batch = draft.batch
        if batch is None:
            _numbers_of(draft.table, unknown)
            continue
        for column in [c for c in batch.columns if c.role in _UNKNOWN]:
            if _says_something(column):
                unknown[column.name] = None
        batches.append(batch)
    tables = [draft.table for draft in work.drafts]
    work.drafts = []
    if any(table.header.lacks_unit for table in tables):
        infer_units(batches)
    report.unrecognised = tuple(unknown)
    if "sample" in [b.kind for b in batches]:
        report.outcome = SAMPLES
    elif batches:
        report.outcome = SUMMARIES
    else:
        report.outcome, report.reason = NO_DATA, _why_no_data(tables)


def _says_something(column: Column) -> bool:
    """Whether a column that is not understood holds numbers or names."""
    if column.role == "label":
        first = column.raw[0]
        if first and first.__class__ is str:
            return True
        return any(cell for cell in column.raw if cell.__class__ is str)
    return column.values.count(None) < len(column.values)


def _numbers_of(table: RawTable, unknown: dict[str, None]) -> None:
    for name, column in zip(table.header.names, table.columns, strict=True):
        if name in unknown:
            continue
        if column[0].__class__ in _NUMBERS or _holds_number(column[:50]):
            unknown[name] = None


def _holds_number(cells: list[Any]) -> bool:
    """Whether there is a number among the cells, or one as text among the first."""
    if not _NUMBERS.isdisjoint(map(type, cells)):
        return True
    for cell in cells[:3]:
        if not cell or cell.__class__ is not str or cell[0].isalpha():
            continue
        if _PLAIN_NUMBER.fullmatch(cell) or parse_number(cell) is not None:
            return True
    return False


def _why_no_data(tables: list[RawTable]) -> str:
    for table in tables:
        for i in table.header.messages:
            if said := table.columns[i][0]:
                return f"it holds no metric that is known; it says: {str(said)[:80]!r}"
    return "it holds no metric that is known"


def _count(result: Ingest) -> None:
    reports = {report.name: report for report in result.files}
    for batch in result.batches:
        report = reports[batch.file]
        if batch.kind == "sample":
            report.n_records += len(batch)
            report.n_failed += len(batch) - batch.outcomes.count("")
            report.n_repeated += len(batch) - batch.duplicate_of.count(None)
        elif batch.kind == "summary":
            report.n_summaries += len(batch)
