"""Facts that are counts: files, records, failures, and when the files were last changed."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from chimera.facts.book import FactBook, row_origins
from chimera.facts.dataset import Dataset, Sample, Subject
from chimera.facts.fact import Fact, Origin
from chimera.ingest import FileReport, Ingest


class TypeCount(msgspec.Struct, frozen=True):
    """Files of one type: how many, their names, and the newest change (UTC)."""

    type: str
    count: Fact
    names: tuple[str, ...]
    newest: Fact
    hidden: Fact | None


class Counts(msgspec.Struct, frozen=True):
    """The counts that every report prints. ``outcomes`` is by outcome, ``failures`` by subject."""

    files: Fact
    types: tuple[TypeCount, ...]
    outcomes: dict[str, Fact]
    records: Fact
    succeeded: Fact
    failed: Fact
    repeated: Fact
    summaries: Fact
    named: Fact
    named_ok: Fact
    named_failed: Fact
    failures: dict[str, Fact]
    subjects: dict[Subject, tuple[Fact, Fact]]


_SHOWN = 5
_ORDER = {"CSV": 0, "TSV": 1, "JSON": 2, "JSONL": 3, "Markdown": 4, "other": 5}


def _count(
    book: FactBook, metric: str, value: int, about: Subject, origins: tuple[Origin, ...], how: str
) -> Fact:
    return book.add(about, metric, "count", value, "1", n=value, origins=origins, expression=how)


def _file_origins(files: list[FileReport]) -> tuple[Origin, ...]:
    return tuple(Origin(f.name, f.sha256) for f in files)


def _type_counts(book: FactBook, ingest: Ingest) -> tuple[TypeCount, ...]:
    groups: dict[str, list[FileReport]] = {}
    for report in ingest.files:
        groups.setdefault(report.type, []).append(report)
    kinds = sorted(groups, key=lambda k: (_ORDER.get(k, 9), k))
    return tuple(_type_count(book, kind, groups[kind]) for kind in kinds)


def _type_count(book: FactBook, kind: str, members: list[FileReport]) -> TypeCount:
    about: Subject = (("type", kind),)
    origins = _file_origins(members)
    newest = max(members, key=lambda f: f.mtime_ns)
    stamp = utc_of(newest.mtime_ns)
    hidden = None
    if len(members) > _SHOWN:
        rest = _file_origins(members[_SHOWN:])
        how = "count(files after the first ones)"
        hidden = _count(book, "files not named", len(rest), about, rest, how)
    return TypeCount(
        kind,
        _count(book, "files", len(members), about, origins, f"count(files of type {kind})"),
        tuple(f.name for f in members),
        book.add(
            about,
            "last modified",
            "max",
            stamp,
            "",
            why_none="" if stamp else "the file system gives no time of this age",
            origins=(Origin(newest.name, newest.sha256),),
            expression=f"max(modification time of files of type {kind})",
        ),
        hidden,
    )


def utc_of(mtime_ns: int) -> str | None:
    """A file's modification time in UTC, to the second; None beyond what a calendar holds."""
    try:
        moment = datetime.fromtimestamp(mtime_ns // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def _of_samples(
    book: FactBook, metric: str, samples: list[Sample], about: Subject, how: str
) -> Fact:
    return _count(book, metric, len(samples), about, row_origins(samples), how)


def _repeated(book: FactBook, ingest: Ingest) -> Fact:
    origins = []
    for batch in ingest.batches:
        if batch.kind == "sample":
            rows = tuple(r for r, d in zip(batch.rows, batch.duplicate_of, strict=True) if d)
            if rows:
                pointer = batch.pointer if batch.pointers else None
                origins.append(Origin(batch.file, batch.sha256, rows, None, pointer))
    how = "records that repeat another"
    return _count(book, how, sum(len(o.rows) for o in origins), (), tuple(origins), f"count({how})")


def _summaries(book: FactBook, ingest: Ingest) -> Fact:
    origins = tuple(
        Origin(b.file, b.sha256, tuple(b.rows), None, b.pointer if b.pointers else None)
        for b in ingest.batches
        if b.kind == "summary"
    )
    n = sum(len(o.rows) for o in origins)
    return _count(book, "summary rows", n, (), origins, "count(rows that sum up others)")


def _by_subject(book: FactBook, data: Dataset) -> dict[Subject, tuple[Fact, Fact]]:
    counts = {}
    for subject, samples in data.by_subject.items():
        ok = [s for s in samples if not s.failure]
        bad = [s for s in samples if s.failure]
        counts[subject] = (
            _of_samples(
                book,
                "records that succeeded",
                ok,
                subject,
                "count(records of the subject that succeeded)",
            ),
            _of_samples(
                book,
                "records that failed",
                bad,
                subject,
                "count(records of the subject that failed)",
            ),
        )
    return counts


def _failures(book: FactBook, samples: list[Sample]) -> dict[str, Fact]:
    by_reason: dict[str, list[Sample]] = {}
    for sample in samples:
        by_reason.setdefault(sample.failure, []).append(sample)
    how = "count(records that failed for this reason)"
    return {
        reason: _of_samples(book, "failures", members, (("reason", reason),), how)
        for reason, members in by_reason.items()
    }


def counts_of(book: FactBook, ingest: Ingest, data: Dataset) -> Counts:
    """All counts of a folder, as facts."""
    outcomes: dict[str, list[FileReport]] = {}
    for report in ingest.files:
        outcomes.setdefault(report.outcome, []).append(report)
    ok = [s for s in data.samples if not s.failure]
    bad = [s for s in data.samples if s.failure]
    named, named_ok, named_bad = (
        [s for s in some if s.subject[0][0] == "model"] for some in (data.samples, ok, bad)
    )

    def records(what: str, samples: list[Sample]) -> Fact:
        return _of_samples(book, what, samples, (), f"count({what})")

    return Counts(
        files=_count(
            book, "files", len(ingest.files), (), _file_origins(ingest.files), "count(files)"
        ),
        types=_type_counts(book, ingest),
        outcomes={
            k: _count(book, f"files: {k}", len(v), (), _file_origins(v), f"count(files: {k})")
            for k, v in outcomes.items()
        },
        records=records("records, copies left out", data.samples),
        succeeded=records("records that succeeded", ok),
        failed=records("records that failed", bad),
        repeated=_repeated(book, ingest),
        summaries=_summaries(book, ingest),
        named=records("records whose model is known", named),
        named_ok=records("records whose model is known and that succeeded", named_ok),
        named_failed=records("records whose model is known and that failed", named_bad),
        failures=_failures(book, bad),
        subjects=_by_subject(book, data),
    )
