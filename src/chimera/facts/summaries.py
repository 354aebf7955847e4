"""Facts from summaries that stand alone: somebody else's means, whose rows are not here."""

from __future__ import annotations

import msgspec

from chimera.facts.book import FactBook
from chimera.facts.dataset import Dataset, Subject, identity_values
from chimera.facts.fact import Fact, Origin
from chimera.facts.stats.student import mean_interval
from chimera.record.batch import Batch, Column

_IDENTITIES = ("model", "test", "backend", "config", "quantization", "engine", "workload", "run")
_DISPERSION = ("sd", "variance")


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
        counts = _counts(batch)
        means = means_of[batch.file]
        for i in range(len(batch)):
            if batch.duplicate_of[i]:
                continue
            about = _subject(batch, i)
            facts: dict[tuple[str, str], Fact] = {}
            for column in batch.metrics():
                value = column.values[i]
                if value is None or batch.outcomes[i]:
                    continue
                fact = _fact(book, batch, column, i, about, counts[i], means)
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
    for column in batch.columns:
        if column.role == "parameter" and column.values[row] is not None:
            parts.append((column.key, str(column.values[row])))
    parts.extend(
        (k, str(v))
        for k, v in batch.constants.items()
        if k in ("concurrency", "request_rate", "device", "batch_size") and (k, str(v)) not in parts
    )
    return tuple(parts)


def _counts(batch: Batch) -> list[int | None]:
    """The number of samples that each row says it sums up; None where it does not say."""
    column = next((c for c in batch.columns if c.role == "status" and c.key == "count"), None)
    counts: list[int | None] = []
    for i in range(len(batch)):
        value = column.raw[i] if column else None
        try:
            counts.append(int(value) if value is not None and int(value) > 0 else None)
        except (ValueError, TypeError):
            counts.append(None)
    return counts


def _mean_values(batch: Batch) -> set[float]:
    return {
        v for c in batch.metrics() if c.statistic == "mean" for v in c.values if v is not None
    }


def _fact(
    book: FactBook,
    batch: Batch,
    column: Column,
    row: int,
    about: Subject,
    n: int | None,
    means: set[float],
) -> Fact:
    value = column.values[row]
    flags = ["summary"]
    if not column.unit:
        flags.append("unit unknown")
    if column.statistic.startswith("p") and column.statistic != "p50":
        if value in means:
            flags.append("percentile of means")
        if n is not None and n < 20:
            flags.append(f"{column.statistic} with n < 20")
    ci = None
    why = "the summary gives no spread"
    if column.statistic == "mean" and n and n >= 2:
        spread = batch.column(column.key, "sd", "metric")
        sd = spread.values[row] if spread else None
        if sd is not None and spread is not None and spread.unit == column.unit:
            ci, why = mean_interval(value, sd, n), ""
        elif sd is None:
            why = "the summary gives no standard deviation"
    elif column.statistic == "mean":
        why = "the summary does not say how many samples it has"
    else:
        why = "not computed for this statistic"
    pointer = batch.pointer if batch.pointers else None
    return book.add(
        about,
        column.key,
        column.statistic or "value",
        value,
        column.unit,
        scope="summary",
        n=n,
        ci95=ci,
        ci_why=why,
        origins=(Origin(batch.file, batch.sha256, (batch.rows[row],), column.name, pointer),),
        expression=f"as written in {column.name}",
        flags=tuple(flags),
    )
