"""Facts of what was measured: by subject, by configuration, by file."""

from __future__ import annotations

from chimera.facts.book import FactBook, describe
from chimera.facts.dataset import Condition, Dataset, Sample, Subject, condition_label
from chimera.record.batch import Column

TIMES = ("ttft", "e2e_latency", "prefill_time", "generation_time", "load_time", "tpot", "itl")
RATES = (
    "decode_throughput",
    "token_rate",
    "wall_throughput",
    "output_throughput",
    "total_throughput",
    "prefill_throughput",
    "request_throughput",
    "sample_throughput",
)
Members = list[tuple[Sample, Column]]


def members_of(samples: list[Sample]) -> dict[tuple[str, str], Members]:
    """For each (metric, unit) the samples that hold a value of it, with its column."""
    found: dict[tuple[str, str], Members] = {}
    columns: dict[int, list[Column]] = {}
    for sample in samples:
        key = id(sample.batch)
        if key not in columns:
            columns[key] = [c for c in sample.batch.metrics() if not c.statistic]
        for column in columns[key]:
            if column.values[sample.index] is not None:
                found.setdefault((column.key, column.unit), []).append((sample, column))
    return found


def excluded_why(warm_up: int) -> str:
    return "warm-up" if warm_up else ""


def headline_scope(metric: str, members: Members) -> str:
    """The scope that a reader should look at first: without cold starts where they spoil it."""
    cold = [s for s, _ in members if s.phase == "cold"]
    if not cold or len(cold) == len(members):
        return "all"
    if metric in TIMES or any(s.cold_why == "recorded" for s in cold):
        return "warm"
    return "all"


def subject_facts(book: FactBook, data: Dataset, subject: Subject) -> None:
    """Facts of one subject over all its successful records, and without its cold starts."""
    everything = data.by_subject[subject]
    good = data.good(subject)
    failed = sum(1 for s in everything if s.failure)
    warm_up = sum(1 for s in everything if s.phase == "warm-up" and not s.failure)
    for (metric, unit), members in members_of(good).items():
        cold = sum(1 for s, _ in members if s.phase == "cold")
        flags = ("cold start mixed in",) if cold else ()
        if not unit:
            flags = (*flags, "unit unknown")
        describe(
            book,
            subject,
            metric,
            unit,
            members,
            n_failed=failed,
            n_excluded=warm_up,
            excluded_why=excluded_why(warm_up),
            flags=flags,
        )
        if 0 < cold < len(members):
            warm = [(s, c) for s, c in members if s.phase != "cold"]
            describe(
                book,
                subject,
                metric,
                unit,
                warm,
                scope="warm",
                n_failed=failed,
                n_excluded=cold + warm_up,
                excluded_why="cold start" + (" and warm-up" if warm_up else ""),
            )
            chilly = [(s, c) for s, c in members if s.phase == "cold"]
            describe(book, subject, metric, unit, chilly, scope="cold", full=False)


def configuration_facts(book: FactBook, data: Dataset, subject: Subject) -> None:
    """The mean of each configuration, where a subject ran with more than one."""
    groups: dict[Condition, list[Sample]] = {}
    for sample in data.good(subject):
        if sample.parameters:
            groups.setdefault(sample.parameters, []).append(sample)
    if len(groups) < 2:
        return
    for condition, samples in groups.items():
        about = configured(subject, condition)
        for (metric, unit), members in members_of(samples).items():
            if metric not in RATES and metric not in TIMES:
                continue
            cold = sum(1 for s, _ in members if s.phase == "cold")
            flags = ("cold start mixed in",) if cold else ()
            describe(book, about, metric, unit, members, flags=flags, full=False)
            if 0 < cold < len(members):
                warm = [(s, c) for s, c in members if s.phase != "cold"]
                describe(
                    book,
                    about,
                    metric,
                    unit,
                    warm,
                    scope="warm",
                    n_excluded=cold,
                    excluded_why="cold start",
                    full=False,
                )


def configured(subject: Subject, condition: Condition) -> Subject:
    """A subject in one configuration."""
    return (*subject, ("configuration", condition_label(condition)))


def file_facts(book: FactBook, data: Dataset) -> None:
    """The mean of each file of records, so that any file can be looked up on its own."""
    batches = {id(s.batch): s.batch for s in data.samples}
    by_batch: dict[int, list[Sample]] = {}
    for sample in data.samples:
        if not sample.failure and sample.phase != "warm-up":
            by_batch.setdefault(id(sample.batch), []).append(sample)
    for key, samples in by_batch.items():
        batch = batches[key]
        about: Subject = (("file", batch.file + (f"#{batch.pointer}" if batch.pointer else "")),)
        for (metric, unit), members in members_of(samples).items():
            cold = sum(1 for s, _ in members if s.phase == "cold")
            flags = ("cold start mixed in",) if cold else ()
            failed = sum(1 for o in batch.outcomes if o)
            describe(
                book, about, metric, unit, members, n_failed=failed, flags=flags, full=False
            )
            if 0 < cold < len(members):
                warm = [(s, c) for s, c in members if s.phase != "cold"]
                describe(
                    book,
                    about,
                    metric,
                    unit,
                    warm,
                    scope="warm",
                    n_excluded=cold,
                    excluded_why="cold start",
                    full=False,
                )
