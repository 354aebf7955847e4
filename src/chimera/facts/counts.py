"""Facts that are counts: files, records, failures, and when the files were last changed."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from chimera.facts.book import FactBook
from chimera.facts.dataset import Dataset, Subject
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
    counts = []
    for kind in sorted(groups, key=lambda k: (_ORDER.get(k, 9), k)):
        members = groups[kind]
        about: Subject = (("type", kind),)
        origins = _file_origins(members)
        newest = max(members, key=lambda f: f.mtime_ns)
        stamp = datetime.fromtimestamp(newest.mtime_ns // 1_000_000_000, UTC)
        hidden = len(members) - _SHOWN
        counts.append(
            TypeCount(
                kind,
                _count(book, "files", len(members), about, origins, f"count(files of type {kind})"),
                tuple(f.name for f in members),
                book.add(
                    about,
                    "last modified",
                    "max",
                    stamp.strftime("%Y-%m-%d %H:%M:%S UTC"),
                    "",
                    origins=(Origin(newest.name, newest.sha256),),
                    expression=f"max(modification time of files of type {kind})",
                ),
                _count(
                    book,
                    "files not named",
                    hidden,
                    about,
                    _file_origins(members[_SHOWN:]),
                    "count(files after the first ones)",
                )
                if hidden > 0
                else None,
            )
        )
    return tuple(counts)


def _record_counts(book: FactBook, ingest: Ingest, data: Dataset) -> dict[str, Fact]:
    samples = [b for b in ingest.batches if b.kind == "sample"]
    rows: dict[str, list[tuple[str, str, int]]] = {
        k: [] for k in ("records", "repeated", "succeeded", "failed", "ok", "bad", "named")
    }
    for batch in samples:
        for i, duplicate in enumerate(batch.duplicate_of):
            if duplicate:
                rows["repeated"].append((batch.file, batch.sha256, batch.rows[i]))
    for sample in data.samples:
        b = sample.batch
        place = (b.file, b.sha256, b.rows[sample.index])
        named = sample.subject[0][0] == "model"
        rows["records"].append(place)
        rows["failed" if sample.failure else "succeeded"].append(place)
        if named:
            rows["named"].append(place)
            rows["bad" if sample.failure else "ok"].append(place)
    how = {
        "records": "count(records, copies left out)",
        "repeated": "count(records that repeat another)",
        "succeeded": "count(records that succeeded)",
        "failed": "count(records that failed)",
        "named": "count(records whose model is known)",
        "ok": "count(records whose model is known and that succeeded)",
        "bad": "count(records whose model is known and that failed)",
    }
    return {
        key: _count(book, how[key][6:-1], len(places), (), _row_origins(places), how[key])
        for key, places in rows.items()
    }


def _row_origins(places: list[tuple[str, str, int]]) -> tuple[Origin, ...]:
    grouped: dict[tuple[str, str], list[int]] = {}
    for file, sha, row in places:
        grouped.setdefault((file, sha), []).append(row)
    return tuple(Origin(f, s, tuple(rows)) for (f, s), rows in grouped.items())


def counts_of(book: FactBook, ingest: Ingest, data: Dataset) -> Counts:
    """All counts of a folder, as facts."""
    records = _record_counts(book, ingest, data)
    outcomes: dict[str, list[FileReport]] = {}
    for report in ingest.files:
        outcomes.setdefault(report.outcome, []).append(report)
    failures: dict[str, list[tuple[str, str, int]]] = {}
    per_subject: dict[Subject, tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]] = {}
    for sample in data.samples:
        b = sample.batch
        place = (b.file, b.sha256, b.rows[sample.index])
        per_subject.setdefault(sample.subject, ([], []))[1 if sample.failure else 0].append(place)
        if sample.failure:
            failures.setdefault(sample.failure, []).append(place)
    summaries = [b for b in ingest.batches if b.kind == "summary"]
    return Counts(
        files=_count(
            book, "files", len(ingest.files), (), _file_origins(ingest.files), "count(files)"
        ),
        types=_type_counts(book, ingest),
        outcomes={
            k: _count(book, f"files: {k}", len(v), (), _file_origins(v), f"count(files: {k})")
            for k, v in outcomes.items()
        },
        records=records["records"],
        succeeded=records["succeeded"],
        failed=records["failed"],
        repeated=records["repeated"],
        summaries=_count(
            book,
            "summary rows",
            sum(len(b) for b in summaries),
            (),
            tuple(Origin(b.file, b.sha256, tuple(b.rows), None, b.pointer or None) for b in summaries),
            "count(rows that sum up others)",
        ),
        named=records["named"],
        named_ok=records["ok"],
        named_failed=records["bad"],
        failures={
            reason: _count(
                book,
                "failures",
                len(places),
                (("reason", reason),),
                _row_origins(places),
                "count(records that failed for this reason)",
            )
            for reason, places in failures.items()
        },
        subjects={
            subject: (
                _count(book, "records that succeeded", len(ok), subject, _row_origins(ok),
                       "count(records of the subject that succeeded)"),
                _count(book, "records that failed", len(bad), subject, _row_origins(bad),
                       "count(records of the subject that failed)"),
            )
            for subject, (ok, bad) in per_subject.items()
        },
    )
