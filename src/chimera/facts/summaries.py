"""Facts from summaries that stand alone: somebody else's means, whose rows are not here."""

from __future__ import annotations

import re
from math import inf, sqrt

import msgspec

from chimera.facts.book import FactBook
from chimera.facts.dataset import Dataset, Subject, identity_values
from chimera.facts.fact import Fact, Origin
from chimera.record.batch import Batch, Column
from chimera.stats.student import mean_interval

_IDENTITIES = ("model", "test", "backend", "config", "quantization", "engine", "workload", "run")
_SETTINGS = ("concurrency", "request_rate", "device", "batch_size")
_PERCENTILE = re.compile(r"p\d+(?:\.\d+)?")
# Names of counts, those that say most first; the last may hold failed ones.
_COUNTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"success|succeeded|completed",
        r"^(?:n|count)$|^(?:n_|num_)?samples$|_count$(?<!request_count)(?<!prompt_count)",
        r"^(?:num_)?(?:runs|repeats|iterations)$",
        r"requests|request_count|tests|inferences",
    )
)


class SummaryRow(msgspec.Struct, frozen=True):
    """One row of a summary: what it is about and its facts by (metric, statistic)."""

    file: str
    subject: Subject
    facts: dict[tuple[str, str], Fact]
    failure: str


def summary_rows(book: FactBook, data: Dataset) -> list[SummaryRow]:
    """The rows of every summary that is not derived from records of the folder."""
    rows = []
    means_of: dict[str, set[float]] = {}
    for batch in data.summaries:
        means_of.setdefault(batch.file, set()).update(_mean_values(batch))
    for batch in data.summaries:
        counts = sample_counts(batch)
        means = means_of[batch.file]
        for i in range(len(batch)):
            if batch.duplicate_of[i]:
                continue
            about = _subject(batch, i)
            facts: dict[tuple[str, str], Fact] = {}
            for column in batch.metrics():
                if column.values[i] is None or batch.outcomes[i]:
                    continue
                # What is counted are requests; of the gaps between tokens nobody says how many.
                n = None if column.key == "itl" else counts[i]
                fact = _fact(book, (batch, i), column, about, n, means)
                facts[column.key, column.statistic or "value"] = fact
            rows.append(SummaryRow(batch.file, about, facts, batch.outcomes[i]))
    return rows


def _subject(batch: Batch, row: int) -> Subject:
    parts = [("file", batch.file)]
    if batch.pointers and batch.pointers[row]:
        parts.append(("at", batch.pointers[row]))
    elif len(batch) > 1:
        parts.append(("row", f"line {batch.rows[row]}"))
    for key in _IDENTITIES:
        value = identity_values(batch, key)[row]
        if value is not None:
            parts.append((key, str(value)))
    parts.extend(
        (c.key, str(c.values[row]))
        for c in batch.columns
        if c.role == "parameter" and c.values[row] is not None
    )
    parts.extend((k, str(batch.constants[k])) for k in _SETTINGS if k in batch.constants)
    return tuple(dict.fromkeys(parts))


def sample_counts(batch: Batch) -> list[int | None]:
    """The number of samples that each row says it sums up; None where it does not say.

    Of several counts, that of what succeeded is taken first, then one that is simply "n" or
    "samples", then runs or requests. A count of requests is not taken where the row also counts
    failed ones: nothing says whether it holds them.
    """
    columns = [c for c in batch.columns if c.role == "status" and c.key == "count"]
    ranked: list[tuple[int, Column]] = []
    failed: list[Column] = []
    for column in columns:
        name = column.name.lower()
        if "fail" in name or "error" in name:
            failed.append(column)
            continue
        rank = next((r for r, found in enumerate(_COUNTS) if found.search(name)), None)
        if rank is not None:
            ranked.append((rank, column))
    ranked.sort(key=lambda rc: rc[0])
    counts: list[int | None] = []
    for i in range(len(batch)):
        some_failed = any(_whole(c.raw[i]) for c in failed)
        found = (
            n
            for rank, c in ranked
            if (n := _whole(c.raw[i])) and not (some_failed and rank == len(_COUNTS) - 1)
        )
        counts.append(next(found, None))
    return counts


def _whole(value: object) -> int | None:
    """A count as written: 12, "12" or 12.0; None for anything else, and below one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return int(number) if number >= 1 and number.is_integer() else None


def _mean_values(batch: Batch) -> set[float]:
    return {v for c in batch.metrics() if c.statistic == "mean" for v in c.values if v is not None}


def _fact(
    book: FactBook,
    place: tuple[Batch, int],
    column: Column,
    about: Subject,
    n: int | None,
    means: set[float],
) -> Fact:
    batch, row = place
    flags = ["summary"]
    if not column.unit:
        flags.append("unit unknown")
    if _PERCENTILE.fullmatch(column.statistic) and column.statistic != "p50":
        flags.extend(_doubts(batch, row, column, n, means))
    ci, why = _interval(batch, row, column, n)
    pointer = batch.pointer if batch.pointers else None
    return book.add(
        about,
        column.key,
        column.statistic or "value",
        column.values[row],
        column.unit,
        scope="summary",
        n=n,
        ci95=ci,
        ci_why=why,
        origins=(Origin(batch.file, batch.sha256, (batch.rows[row],), column.name, pointer),),
        expression=f"as written in {column.name}"
        + (", interval from its standard deviation, taken as one with n" if ci else ""),
        flags=tuple(flags),
    )


def _doubts(batch: Batch, row: int, column: Column, n: int | None, means: set[float]) -> list[str]:
    """Why a percentile may be none: it is the mean of another row, or of too few samples."""
    value = column.values[row]
    own = batch.column(column.key, "mean", "metric")
    doubts = []
    # In a row whose values are all equal, every percentile is the row's own mean.
    if value and value in means and not (own is not None and own.values[row] == value):
        doubts.append("percentile of means")
    if n is not None and n < 20:
        doubts.append(f"{column.statistic} with n < 20")
    return doubts


def _interval(
    batch: Batch, row: int, column: Column, n: int | None
) -> tuple[tuple[float, float] | None, str]:
    """The interval of a mean from its row's standard deviation, or None and why.

    Files do not say whether they divide by n or by n - 1 (vLLM and AIPerf divide by n, llama-bench
    by n - 1), so the wider reading is taken.
    """
    if column.statistic != "mean":
        return None, "not computed for this statistic"
    if not n or n < 2:
        return None, "the summary does not say how many samples it has"
    spread = batch.column(column.key, "sd", "metric")
    sd = spread.values[row] if spread is not None and spread.unit == column.unit else None
    if sd is None:
        return None, "the summary gives no standard deviation"
    if not 0 < sd < inf:
        return None, "the summary gives no spread"
    return mean_interval(column.values[row], sd * sqrt(n / (n - 1)), n), ""
