"""The book of facts: every fact of a folder, found by id or by what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chimera.facts.dataset import Sample, Subject
from chimera.facts.fact import Fact, Origin, Value, fact_id
from chimera.facts.stats.describe import mean, quantile, quantile_interval, sample_sd
from chimera.facts.stats.student import mean_interval
from chimera.record.batch import Column

_TAILS = {"p90": (0.9, 36), "p95": (0.95, 72), "p99": (0.99, 368)}
Key = tuple[Subject, str, str, str]


class FactBook:
    """Facts by id, and by (subject, metric, statistic, scope)."""

    def __init__(self) -> None:
        self.facts: dict[str, Fact] = {}
        self._index: dict[Key, Fact] = {}

    def __len__(self) -> int:
        return len(self.facts)

    def __iter__(self) -> Iterable[Fact]:  # type: ignore[override]
        return iter(self.facts.values())

    def find(
        self, subject: Subject, metric: str, statistic: str, scope: str = "all"
    ) -> Fact | None:
        """The fact with exactly that key, or None."""
        return self._index.get((subject, metric, statistic, scope))

    def add(
        self,
        subject: Subject,
        metric: str,
        statistic: str,
        value: Value,
        unit: str,
        *,
        scope: str = "all",
        n: int | None = None,
        n_failed: int = 0,
        n_excluded: int = 0,
        excluded_why: str = "",
        ci95: tuple[float, float] | None = None,
        ci_why: str = "",
        why_none: str = "",
        origins: tuple[Origin, ...] = (),
        operands: Sequence[Fact] = (),
        expression: str = "",
        flags: tuple[str, ...] = (),
    ) -> Fact:
        """Make a fact and keep it; the same content gives the same fact."""
        ids = tuple(f.id for f in operands)
        about = dict(subject)
        fact = Fact(
            id=fact_id(about, metric, statistic, scope, value, origins, ids),
            subject=about,
            metric=metric,
            statistic=statistic,
            value=value,
            unit=unit,
            scope=scope,
            n=n,
            n_failed=n_failed,
            n_excluded=n_excluded,
            excluded_why=excluded_why,
            ci95=ci95,
            ci_why=ci_why,
            why_none=why_none,
            origins=origins,
            operands=ids,
            expression=expression,
            flags=flags,
        )
        self.facts[fact.id] = fact
        self._index[subject, metric, statistic, scope] = fact
        return fact


def origins_of(members: Sequence[tuple[Sample, Column]]) -> tuple[Origin, ...]:
    """Where values came from: one origin a column of a table, rows in ascending order."""
    grouped: dict[tuple[int, str], tuple[Sample, Column, list[int]]] = {}
    for sample, column in members:
        key = (id(sample.batch), column.name)
        if key not in grouped:
            grouped[key] = (sample, column, [])
        grouped[key][2].append(sample.batch.rows[sample.index])
    return tuple(
        Origin(
            s.batch.file,
            s.batch.sha256,
            tuple(rows),
            c.name,
            s.batch.pointer if s.batch.pointers else None,
        )
        for s, c, rows in grouped.values()
    )


def describe(
    book: FactBook,
    subject: Subject,
    metric: str,
    unit: str,
    members: Sequence[tuple[Sample, Column]],
    *,
    scope: str = "all",
    n_failed: int = 0,
    n_excluded: int = 0,
    excluded_why: str = "",
    flags: tuple[str, ...] = (),
    full: bool = True,
) -> Fact:
    """Facts of a sample: mean with its interval and, if ``full``, median, extremes, sd, p95.

    Returns the mean. ``members`` hold at least one value, none of them None.
    """
    values: list[float] = [c.values[s.index] for s, c in members]
    ordered = sorted(values)
    n = len(values)
    common = {
        "scope": scope,
        "n": n,
        "n_failed": n_failed,
        "n_excluded": n_excluded,
        "excluded_why": excluded_why,
        "origins": origins_of(members),
    }
    where = _where(subject, scope)
    centre, sd = mean(values), sample_sd(values)
    flags = (*flags, "n = 1") if n == 1 else flags
    ci = mean_interval(centre, sd, n) if sd is not None else None
    why = "" if ci else "one value has no interval"
    result = book.add(
        subject,
        metric,
        "mean",
        centre,
        unit,
        ci95=ci,
        ci_why=why,
        expression=f"mean({metric}{where})",
        flags=flags,
        **common,  # type: ignore[arg-type]
    )
    if not full:
        return result
    for name, value in (("min", ordered[0]), ("max", ordered[-1]), ("sd", sd)):
        book.add(
            subject,
            metric,
            name,
            value,
            unit,
            expression=f"{name}({metric}{where})",
            flags=flags,
            why_none="" if value is not None else "one value has no spread",
            **common,  # type: ignore[arg-type]
        )
    _quantiles(book, subject, metric, unit, ordered, where, flags, common)
    return result


def _quantiles(
    book: FactBook,
    subject: Subject,
    metric: str,
    unit: str,
    ordered: list[float],
    where: str,
    flags: tuple[str, ...],
    common: dict[str, object],
) -> None:
    n = len(ordered)
    for name, p, needed in (("median", 0.5, 6), ("p95", 0.95, 72)):
        ci = quantile_interval(ordered, p) if n >= needed else None
        weak = (*flags, "p95 with n < 20") if name == "p95" and n < 20 else flags
        book.add(
            subject,
            metric,
            name,
            quantile(ordered, p),
            unit,
            ci95=ci,
            ci_why="" if ci else f"no interval of 95% exists below n = {needed}",
            expression=f"{name}({metric}{where})",
            flags=weak,
            **common,  # type: ignore[arg-type]
        )


def _where(subject: Subject, scope: str) -> str:
    conditions = [f'{k}="{v}"' for k, v in subject]
    if scope != "all":
        conditions.append(scope)
    return " where " + " and ".join(conditions) if conditions else ""
