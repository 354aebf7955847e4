"""Facts of what was measured: by subject, by configuration, by file."""

from __future__ import annotations

from itertools import chain

import msgspec

from chimera.facts.book import FactBook, Left, describe
from chimera.facts.dataset import (
    Condition,
    Dataset,
    Members,
    Sample,
    Subject,
    condition_label,
    load_of,
    members_of,
)

__all__ = [
    "MIXED_LOAD",
    "RATES",
    "TIMES",
    "Members",
    "configuration_facts",
    "configured",
    "file_facts",
    "headline_scope",
    "members_of",
    "mixed_load",
    "subject_facts",
    "warm_of",
]

MIXED_LOAD = "several loads"
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
    "goodput",
)
_WANTED = frozenset({*TIMES, *RATES})


def headline_scope(metric: str, members: Members) -> str:
    """The scope that a reader should look at first: without cold starts where they spoil it."""
    cold = [s for s, _ in members if s.phase == "cold"]
    if not cold or len(cold) == len(members):
        return "all"
    if metric in TIMES or any(s.cold_why == "recorded" for s in cold):
        return "warm"
    return "all"


def mixed_load(members: Members) -> tuple[str, ...]:
    """The flag of a figure over records of several loads, which is a figure of none of them."""
    unlike = {s.parameters: s for s, _ in members}
    return (MIXED_LOAD,) if len(set(map(load_of, unlike.values()))) > 1 else ()


def warm_of(members: Members) -> Members:
    """The members that are no cold starts."""
    return [m for m in members if m[0].phase != "cold"]


class _Group(msgspec.Struct):
    """Records that are described together, and how many of them no mean holds.

    ``sizes`` counts the good records by table.
    """

    good: list[Sample]
    failed: int
    warm_up: int
    sizes: dict[int, int]


def _group(everything: list[Sample]) -> _Group:
    good: list[Sample] = []
    failed, sizes = 0, dict[int, int]()
    for sample in everything:
        if sample.failure:
            failed += 1
        elif sample.phase != "warm-up":
            good.append(sample)
            key = id(sample.batch)
            sizes[key] = sizes.get(key, 0) + 1
    return _Group(good, failed, len(everything) - failed - len(good), sizes)


def _scopes(
    book: FactBook,
    subject: Subject,
    key: tuple[str, str],
    members: Members,
    group: _Group,
    full: bool,
) -> Members:
    """Facts of one metric over all members and, where only some are cold, without these.

    ``key`` is (metric, unit). Good records without a value, whose table has the metric's column,
    are counted as excluded. Returns the cold starts.
    """
    metric, unit = key
    there = sum(group.sizes[table] for table in {id(s.batch) for s, _ in members})
    left = {"warm-up": group.warm_up, "no value": max(0, there - len(members))}
    cold = [m for m in members if m[0].phase == "cold"]
    unknown = () if unit else ("unit unknown",)
    unknown = (*unknown, *mixed_load(members))
    flags = ("cold start mixed in", *unknown) if cold else unknown
    common = _common(group.failed, left)
    describe(book, subject, metric, unit, members, full=full, flags=flags, **common)
    if 0 < len(cold) < len(members):
        common = _common(group.failed, {"cold start": len(cold), **left})
        warm = warm_of(members)
        describe(
            book, subject, metric, unit, warm, full=full, scope="warm", flags=unknown, **common
        )
    return cold


def _common(failed: int, left: dict[str, int]) -> Left:
    """What a fact says of the records that it leaves out, by reason."""
    return {
        "n_failed": failed,
        "n_excluded": sum(left.values()),
        "excluded_why": " and ".join(why for why, n in left.items() if n),
    }


def subject_facts(book: FactBook, data: Dataset, subject: Subject) -> None:
    """Facts of one subject over all its successful records, and without its cold starts; where
    its load varies, of the records at each load too.
    """
    populations = data.populations(subject)
    for one in dict.fromkeys((subject, *populations)):
        groups = {"sample": _group(data.records(one)), "block": _group(data.blocks_of(one))}
        for key, members in data.measured(one).items():
            group = groups[members[0][0].batch.kind]
            cold = _scopes(book, one, key, members, group, full=True)
            if 0 < len(cold) < len(members):
                flags = () if key[1] else ("unit unknown",)
                flags = (*flags, *mixed_load(cold))
                describe(book, one, *key, cold, scope="cold", full=False, flags=flags)


def configuration_facts(book: FactBook, data: Dataset, subject: Subject) -> None:
    """The mean of each configuration, where a subject ran with more than one."""
    for everything in (data.records(subject), data.blocks_of(subject)):
        _configuration_facts(book, subject, everything)


def _configuration_facts(book: FactBook, subject: Subject, everything: list[Sample]) -> None:
    conditions: dict[Condition, list[Sample]] = {}
    for sample in everything:
        if sample.parameters:
            conditions.setdefault(sample.parameters, []).append(sample)
    groups = {c: _group(samples) for c, samples in conditions.items()}
    measured = {c: group for c, group in groups.items() if group.good}
    if len(measured) < 2:
        return
    for condition, group in measured.items():
        about = configured(subject, condition)
        for key, members in members_of(group.good).items():
            if key[0] in _WANTED:
                _scopes(book, about, key, members, group, full=False)


def configured(subject: Subject, condition: Condition) -> Subject:
    """A subject in one configuration."""
    return (*subject, ("configuration", condition_label(condition)))


def file_facts(book: FactBook, data: Dataset) -> None:
    """The mean of each table of records, so that any file can be looked up on its own.

    Records that repeat those of another file are not among them.
    """
    tables: dict[tuple[str, str, str], list[Sample]] = {}
    for sample in chain(data.samples, *data.blocks.values()):
        batch = sample.batch
        tables.setdefault((batch.kind, batch.file, batch.pointer), []).append(sample)
    for (_, file, pointer), samples in tables.items():
        about: Subject = (("file", f"{file}#{pointer}" if pointer else file),)
        group = _group(samples)
        for key, members in members_of(group.good).items():
            _scopes(book, about, key, members, group, full=False)
