"""What a bound claim's value may be by the data, and what else in the data has that value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import fsum, sqrt

import msgspec
from msgspec.structs import replace

from chimera.audit.binding import About
from chimera.audit.claim import Place
from chimera.audit.evidence import Evidence, Selector, Summed, places_of
from chimera.facts.dataset import Members
from chimera.record.vocabulary import metric_label
from chimera.stats.describe import mean, quantile, sample_sd
from chimera.stats.student import mean_interval

_MAX_PLACES = 3
_STATISTICS = ("mean", "median", "p95", "p99", "max", "min", "sd")


class Value(msgspec.Struct, frozen=True):
    """A value by the data, in the canonical ``unit``, what it is, and where it comes from.

    ``main`` marks the readings that a careful reader would take first, ``warm`` those without
    cold starts where there are some, ``vague`` those over settings that differ, ``other`` those by
    another definition of the statistic.
    """

    value: float
    unit: str
    what: str
    places: tuple[Place, ...] = ()
    main: bool = True
    low: float | None = None
    high: float | None = None
    n: int = 0
    pooled: bool = False
    warm: bool = False
    vague: bool = False
    other: bool = False


def statistic_of(values: Sequence[float], name: str) -> float | None:
    """A statistic of values; None for one that they do not give, or that is not known here."""
    if not values:
        return None
    if name in ("", "mean", "interval"):
        return mean(values)
    if name in ("median", "min", "max", "sum"):
        ordered = sorted(values)
        if name == "sum":
            return fsum(ordered)
        return quantile(ordered, {"median": 0.5, "min": 0.0, "max": 1.0}[name])
    if name in ("sd", "variance"):
        sd = sample_sd(values)
        return None if sd is None else sd if name == "sd" else sd * sd
    if name == "iqr":
        ordered = sorted(values)
        return quantile(ordered, 0.75) - quantile(ordered, 0.25)
    if name[:1] == "p" and name[1:].replace(".", "", 1).isdigit():
        return quantile(sorted(values), min(float(name[1:]) / 100.0, 1.0))
    return None


def _numbers(members: Members) -> list[float]:
    return [c.values[s.index] for s, c in members]


def _warm(members: Members) -> Members:
    return [m for m in members if m[0].phase != "cold"]


def values_of(evidence: Evidence, about: About) -> list[Value]:
    """What the data says of exactly this; the main readings first. Empty where it says nothing.

    A figure of several models is theirs together; nobody means that by a figure without any
    model, unless it says so or there is one model alone.
    """
    known = (about.selector, about.keys, about.statistic)
    found: list[Value] | None = evidence.values_known.get(known)
    if found is None:
        found = _values_of(evidence, about)
        if about.settings and not about.loose:
            more = _values_of(evidence, replace(about, loose=True))
            known_values = {(v.value, v.unit) for v in found}
            found = found + [
                replace(v, main=False, vague=True)
                for v in more
                if (v.value, v.unit) not in known_values
            ]
        found = found + list(_deeper(evidence, about))
        evidence.values_known[known] = found
    return found


def _deeper(evidence: Evidence, about: About) -> Iterator[Value]:
    """Values that stand beside the records of a JSON file; they support, and contradict nothing."""
    for key in about.keys:
        for summed in evidence.deeper(about.selector, key):
            if summed.statistic == about.statistic or (
                not about.statistic and summed.statistic in ("", "mean", "median")
            ):
                what = f"{summed.column.name} in {summed.batch.file}"
                yield Value(
                    summed.value, summed.column.unit, what, (summed.place,), False, vague=True
                )


def _values_of(evidence: Evidence, about: About) -> list[Value]:
    found: list[Value] = []
    for key in about.keys:
        found.extend(_values_of_key(evidence, about.selector, key, about.statistic))
        if any(v.main for v in found):
            break
    return found


def _values_of_key(
    evidence: Evidence, about: Selector, key: str, statistic: str
) -> Iterator[Value]:
    members = evidence.members(about, key)
    name = metric_label(key)
    where = _where(about)
    if members:
        unit = members[0][1].unit
        members = [m for m in members if m[1].unit == unit]
        yield from _of_members(members, unit, statistic, f"{name} of {where}")
    several: dict[str, list[Summed]] = {}
    for summed in evidence.summaries(about, key):
        several.setdefault(summed.statistic, []).append(summed)
    vague = _is_mixed(evidence, about, key)
    for value in _of_several(several, statistic, f"{name} of {where}"):
        yield replace(value, vague=vague and statistic != "sum")
    if statistic not in several:
        yield from _of_arrays(evidence, several.get("mean", []), statistic, f"{name} of {where}")
    repeated = _repeated(evidence, about, key)
    for summed in evidence.summaries(about, key):
        own = summed.statistic
        # Of several runs of the same, their mean is meant first.
        main = (id(summed.batch), summed.row) not in repeated
        fits = own == statistic or (not own and statistic in ("", "mean")) or (
            not statistic and own in ("mean", "median")
        )  # fmt: skip
        if fits:
            what = f"{own or 'value'} of {name} in {summed.batch.file}"
            if evidence.identity(summed.batch, summed.row, "model") is None:
                what += " (which names no model)"
            main = main and (own == statistic or not own)
            yield Value(summed.value, summed.column.unit, what, (summed.place,), main)


def _is_mixed(evidence: Evidence, about: Selector, key: str) -> bool:
    """Whether the summaries that have what is named are of more than one setting."""
    found = {
        (
            evidence.identity(s.batch, s.row, "model"),
            tuple(sorted(evidence.row_levels(s.batch, s.row).items())),
        )
        for s in evidence.summaries(about, key)
    }
    return len(found) > 1


def _repeated(evidence: Evidence, about: Selector, key: str) -> set[tuple[int, int]]:
    """The rows of summaries that are runs of one and the same configuration."""
    groups: dict[object, set[tuple[int, int]]] = {}
    for summed in evidence.summaries(about, key):
        levels = evidence.row_levels(summed.batch, summed.row)
        model = evidence.identity(summed.batch, summed.row, "model")
        if model is None and not levels:
            continue  # nothing says that they are runs of the same
        alike = (model, summed.statistic, tuple(sorted(levels.items())))
        groups.setdefault(alike, set()).add((id(summed.batch), summed.row))
    return {place for group in groups.values() if len(group) > 1 for place in group}


def _of_arrays(
    evidence: Evidence, rows: list[Summed], statistic: str, what: str
) -> Iterator[Value]:
    """A statistic of the samples that stand in the record beside their mean."""
    for row in rows:
        samples = evidence.arrays.of(row.batch, row.row, row.column)
        value = statistic_of(samples, statistic)
        if value is not None:
            text = f"{statistic} of the {len(samples)} samples of {what}"
            yield Value(value, row.column.unit, text, (row.place,), n=len(samples))


def _of_several(several: dict[str, list[Summed]], statistic: str, what: str) -> Iterator[Value]:
    """The mean over several runs, each of which a summary gives one figure of."""
    wanted = [statistic] if statistic not in ("", "mean") else ["mean", ""]
    for own in wanted:
        rows = several.get(own, [])
        if len(rows) > 1:
            yield _over_runs(rows, "mean", own, what)
    if statistic in ("sd", "min", "max", "median", "sum") and statistic not in several:
        for own in ("mean", ""):
            rows = several.get(own, [])
            if len(rows) > 1:
                yield _over_runs(rows, statistic, own, what)


def _over_runs(rows: list[Summed], statistic: str, own: str, what: str) -> Value:
    value = statistic_of([s.value for s in rows], statistic) or 0.0
    text = f"{statistic} over {len(rows)} runs of the {own or 'value'} of {what}"
    places = tuple(s.place for s in rows[:_MAX_PLACES])
    return Value(value, rows[0].column.unit, text, places, n=len(rows))


def _of_members(members: Members, unit: str, statistic: str, what: str) -> Iterator[Value]:
    warm = _warm(members)
    groups = [("", members)]
    if 0 < len(warm) < len(members):
        groups = [("", members), (" (warm)", warm)]
    for suffix, group in groups:
        numbers = _numbers(group)
        names = [statistic or "mean"]
        if not statistic:
            names.append("median")
        for name in names:
            value = statistic_of(numbers, name)
            if value is None:
                continue
            low = high = None
            if name in ("mean", "interval") and len(numbers) > 1:
                sd = sample_sd(numbers)
                low, high = mean_interval(value, sd, len(numbers)) if sd else (None, None)
            shown = "value" if len(numbers) == 1 else name
            yield Value(
                value, unit, f"{shown} of {what}{suffix}, n = {len(numbers)}", places_of(group),
                low=low, high=high, n=len(numbers), pooled=True, warm=bool(suffix),
            )  # fmt: skip
        for value in _neighbours(numbers, statistic):  # percentiles have several definitions
            yield Value(
                value,
                unit,
                f"{statistic} (by another definition) of {what}",
                places_of(group),
                False,
                other=True,
            )
        if statistic == "sd" and len(numbers) > 1:  # by the other definition, with n
            sd = (sample_sd(numbers) or 0.0) * sqrt((len(numbers) - 1) / len(numbers))
            yield Value(sd, unit, f"population sd of {what}{suffix}", places_of(group))


def _neighbours(numbers: list[float], statistic: str) -> list[float]:
    """The two values that a percentile lies between."""
    share = 0.5 if statistic == "median" else None
    if statistic[:1] == "p" and statistic[1:].replace(".", "", 1).isdigit():
        share = min(float(statistic[1:]) / 100.0, 1.0)
    if share is None or len(numbers) < 2:
        return []
    ordered = sorted(numbers)
    at = int(share * (len(ordered) - 1))
    return ordered[at : at + 2]


def _where(about: Selector) -> str:
    return about.label + (f" at {about.filter}" if about.filter else "")
