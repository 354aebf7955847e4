"""The book of facts: every fact of a folder, found by id or by what it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import TypedDict, Unpack

from chimera.facts.dataset import Sample, Subject
from chimera.facts.fact import Fact, Origin, Value, fact_id
from chimera.facts.repeats import measured
from chimera.record.batch import Column
from chimera.stats.describe import quantile, quantile_interval, sample_sd
from chimera.stats.repeats import mean_of

_QUANTILES = (("median", 0.5, 6), ("p95", 0.95, 72))  # name, share, n that an interval needs
Key = tuple[Subject, str, str, str]


class Left(TypedDict, total=False):
    """How many records a fact leaves out; see ``Fact`` for the fields."""

    n_failed: int
    n_excluded: int
    excluded_why: str


class Shared(Left, total=False):
    """What all facts of one sample share."""

    scope: str
    n: int | None
    origins: tuple[Origin, ...]


class Fields(Shared, total=False):
    """The fields of a fact that have a default."""

    ci95: tuple[float, float] | None
    ci_why: str
    why_none: str
    expression: str
    flags: tuple[str, ...]


class Rest(Fields, total=False):
    """What ``FactBook.add`` takes: ``operands`` are the facts that a fact is computed from."""

    operands: Sequence[Fact]


class FactBook:
    """Facts by id, and by (subject, metric, statistic, scope)."""

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self._index: dict[Key, Fact] = {}

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.facts.values())

    def find(
        self, subject: Subject, metric: str, statistic: str, scope: str = "all"
    ) -> Fact | None:
        """The fact with exactly that key, or None; one with a unit before one without."""
        return self._index.get((subject, metric, statistic, scope))

    def add(
        self,
        subject: Subject,
        metric: str,
        statistic: str,
        value: Value,
        unit: str,
        **rest: Unpack[Rest],
    ) -> Fact:
        """Make a fact and keep it; the same content gives the same fact.

        Should another fact hold the id already, the new one's subject gets a "variant", so that
        an id never stands for two contents.
        """
        ids = tuple(f.id for f in rest.pop("operands", ()))
        about, scope, origins = dict(subject), rest.get("scope", "all"), rest.get("origins", ())
        key = fact_id(about, metric, statistic, scope, value, origins, ids)
        fact = _fact(key, about, metric, statistic, value, unit, ids, rest)
        known = self.facts.setdefault(key, fact)
        if known is not fact and not _same(known, fact):
            digest = blake2b(repr(fact).encode("utf-8", "backslashreplace"), digest_size=8)
            about = {**about, "variant": digest.hexdigest()}
            key = fact_id(about, metric, statistic, scope, value, origins, ids)
            fact = _fact(key, about, metric, statistic, value, unit, ids, rest)
            self.facts[key] = fact
        elif known is not fact:
            fact = known
        place = (subject, metric, statistic, scope)
        before = self._index.get(place)
        if before is None or unit or not before.unit:
            self._index[place] = fact
        return fact


def _fact(
    key: str,
    about: dict[str, str],
    metric: str,
    statistic: str,
    value: Value,
    unit: str,
    operands: tuple[str, ...],
    rest: Fields,
) -> Fact:
    return Fact(
        id=key,
        subject=about,
        metric=metric,
        statistic=statistic,
        value=value,
        unit=unit,
        operands=operands,
        **rest,
    )


def _same(a: Fact, b: Fact) -> bool:
    """Whether two facts are equal, a NaN to a NaN as well."""
    return a == b or repr(a) == repr(b)


def origins_of(members: Sequence[tuple[Sample, Column]]) -> tuple[Origin, ...]:
    """Where values came from: one origin a column of a table, rows in the order of ``members``."""
    grouped: dict[tuple[int, str], tuple[Sample, Column, list[int]]] = {}
    table: object = None
    column: object = None
    rows: list[int] = []
    for sample, own in members:
        batch = sample.batch
        if batch is not table or own is not column:
            table, column = batch, own
            key = (id(batch), own.name)
            if key not in grouped:
                grouped[key] = (sample, own, [])
            rows = grouped[key][2]
        rows.append(batch.rows[sample.index])
    return tuple(
        Origin(
            s.batch.file,
            s.batch.sha256,
            tuple(places),
            c.name,
            s.batch.pointer if s.batch.pointers else None,
        )
        for s, c, places in grouped.values()
    )


def row_origins(samples: Sequence[Sample]) -> tuple[Origin, ...]:
    """Where records stand: one origin a table, without a column."""
    grouped: dict[int, tuple[Sample, list[int]]] = {}
    for sample in samples:
        batch = sample.batch
        if id(batch) not in grouped:
            grouped[id(batch)] = (sample, [])
        grouped[id(batch)][1].append(batch.rows[sample.index])
    return tuple(
        Origin(
            s.batch.file,
            s.batch.sha256,
            tuple(rows),
            None,
            s.batch.pointer if s.batch.pointers else None,
        )
        for s, rows in grouped.values()
    )


def describe(
    book: FactBook,
    subject: Subject,
    metric: str,
    unit: str,
    members: Sequence[tuple[Sample, Column]],
    *,
    scope: str = "all",
    flags: tuple[str, ...] = (),
    full: bool = True,
    **left: Unpack[Left],
) -> Fact:
    """Facts of a sample: mean with its interval and, if ``full``, median, extremes, sd, p95.

    Returns the mean, whose interval is between repeats where they are named
    (``chimera.stats.repeats``). ``members`` hold at least one value, none of them None.
    """
    records = measured(members)
    values = [record.value for record in records]
    n = len(values)
    if n == 1:
        flags = (*flags, "n = 1")
    shared: Shared = {**left, "scope": scope, "n": n, "origins": origins_of(members)}
    where = _where(subject, scope)
    centre = mean_of(records)
    between = f", interval between {centre.units} repeats" if centre.units < n else ""
    result = book.add(
        subject,
        metric,
        "mean",
        centre.value,
        unit,
        ci95=centre.ci95,
        ci_why=centre.why,
        expression=f"mean({metric}{where})" + (between if centre.ci95 else ""),
        flags=flags,
        **shared,
    )
    if full:
        _spread(book, (subject, metric, unit), sorted(values), where, flags, shared)
    return result


def _spread(
    book: FactBook,
    about: tuple[Subject, str, str],
    ordered: list[float],
    where: str,
    flags: tuple[str, ...],
    shared: Shared,
) -> None:
    """Extremes, standard deviation, median and p95 of values in ascending order."""
    subject, metric, unit = about
    n, sd = len(ordered), sample_sd(ordered)
    for name, value in (("min", ordered[0]), ("max", ordered[-1]), ("sd", sd)):
        book.add(
            subject,
            metric,
            name,
            value,
            unit,
            expression=f"{name}({metric}{where})",
            ci_why="not computed for this statistic",
            why_none="" if value is not None else "one value has no spread",
            flags=flags,
            **shared,
        )
    for name, p, needed in _QUANTILES:
        ci = quantile_interval(ordered, p) if n >= needed else None
        book.add(
            subject,
            metric,
            name,
            quantile(ordered, p),
            unit,
            ci95=ci,
            ci_why="" if ci else f"no interval of 95% exists below n = {needed}",
            expression=f"{name}({metric}{where})",
            flags=(*flags, "p95 with n < 20") if name == "p95" and n < 20 else flags,
            **shared,
        )


def _where(subject: Subject, scope: str) -> str:
    conditions = [f'{k}="{v}"' for k, v in subject]
    if scope != "all":
        conditions.append(scope)
    return " where " + " and ".join(conditions) if conditions else ""
