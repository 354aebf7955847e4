"""Every value of the data, each with what it is of: to find where a printed number is from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from chimera.audit.binding import About
from chimera.audit.evidence import Evidence, Summed, place_of, places_of
from chimera.audit.plain import as_number
from chimera.audit.values import Value, statistic_of
from chimera.facts.dataset import Members, Sample
from chimera.record.batch import Batch, Column
from chimera.record.vocabulary import metric_label

_STATISTICS = ("mean", "median", "p90", "p95", "p99", "max", "min", "sd", "sum")
_MOST_CONDITIONS = 400
_MAX_PLACES = 3
_LONG = 40
_MANY = 60
Levels = tuple[tuple[str, str], ...]


class Slice(NamedTuple):
    """Records that belong together: those of a model, a level, a file, a condition, or one row."""

    model: str = ""
    levels: Levels = ()
    file: str = ""
    row: str = ""
    note: str = ""

    @property
    def shape(self) -> str:
        """Which kinds of things choose its records."""
        kinds = [k for k, _ in self.levels]
        return " ".join([*kinds, *(["file"] if self.file else []), *(["row"] if self.row else [])])


class Entry(NamedTuple):
    """A value of the data. ``key`` and ``statistic`` say of what; for a summary's column
    ``column`` is its name.
    """

    number: float
    value: Value
    key: str
    statistic: str
    slice: Slice
    column: str = ""

    @property
    def is_single(self) -> bool:
        """Whether it is the value of one request."""
        return bool(self.slice.row) and not self.column

    @property
    def series(self) -> tuple[str, str, str]:
        """What it is, wherever it stands."""
        return self.key, self.statistic, self.column


class Elsewhere:
    """The values of a folder, by value."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    @cached_property
    def entries(self) -> list[Entry]:
        """All values, the smallest first."""
        found = [*self._statistics(), *self._repeated(), *self._singles()]
        found.sort(key=lambda e: e.number)
        return found

    @cached_property
    def has_many_records(self) -> bool:
        """Whether a number may be some request's value by chance."""
        return len(self._evidence.samples) > _MANY

    @cached_property
    def _keys(self) -> list[float]:
        return [e.number for e in self.entries]

    def near(self, value: float, slack: float) -> Iterator[Entry]:
        """The values that are at most so far from a value."""
        at = bisect_left(self._keys, value - slack)
        while at < len(self._keys) and self._keys[at] <= value + slack:
            yield self.entries[at]
            at += 1

    def find(self, value: float, slack: float, about: About) -> Entry | None:
        """What has that value, the likest first: of the same model and metric before others."""
        best: tuple[int, Entry] | None = None
        for entry in self.near(value, slack):
            named = entry.statistic if not entry.column or entry.statistic else ""
            likeness = (
                4 * (entry.key in about.keys)
                + 2 * bool(named and named == (about.statistic or "mean"))
                + 2 * (entry.slice.model in about.models)
                + bool(named)
            )
            if best is None or likeness > best[0]:
                best = likeness, entry
        return best[1] if best else None

    def _slices(self, sample: Sample, whole: bool) -> Iterator[Slice]:
        model = dict(sample.subject).get("model", "")
        levels = self._evidence.levels(sample)
        yield Slice(model)
        yield Slice()
        yield Slice(model, (), sample.batch.file)
        for item in levels.items():
            if len(item[1]) < _LONG:
                yield Slice(model, (item,))
        if whole and len(levels) > 1:
            yield Slice(model, tuple(sorted(levels.items())))

    def _statistics(self) -> Iterator[Entry]:
        groups: dict[tuple[str, Slice], Members] = {}
        conditions = {
            tuple(sorted(self._evidence.levels(s).items())) for s in self._evidence.samples
        }
        whole = len(conditions) <= _MOST_CONDITIONS
        for samples, note in ((self._evidence.samples, ""), (self._evidence.old, "an older file")):
            for sample in samples:
                if sample.failure or sample.phase == "warm-up":
                    continue
                places = [p._replace(note=note) for p in self._slices(sample, whole)]
                for column in sample.batch.metrics():
                    if column.values[sample.index] is None or column.statistic:
                        continue
                    for place in dict.fromkeys(places):
                        groups.setdefault((column.key, place), []).append((sample, column))
        for (key, place), members in groups.items():
            yield from _of_group(key, place, members)

    def _repeated(self) -> Iterator[Entry]:
        """Figures over the rows of summaries that are runs of one configuration."""
        groups: dict[tuple[str, str, Slice], list[Summed]] = {}
        for summed in self._evidence.summed:
            levels = self._evidence.row_levels(summed.batch, summed.row)
            model = self._evidence.identity(summed.batch, summed.row, "model") or ""
            place = Slice(model, tuple(sorted(levels.items())))
            groups.setdefault((summed.column.key, summed.statistic, place), []).append(summed)
        for (key, own, place), rows in groups.items():
            if len(rows) < 2:
                continue
            numbers = [s.value for s in rows]
            for name in ("mean", "sd", "sum"):
                number = statistic_of(numbers, name)
                if number is None:
                    continue
                what = f"{name} over {len(rows)} runs of {metric_label(key)}{_of(place)}"
                where = tuple(s.place for s in rows[:_MAX_PLACES])
                value = Value(number, rows[0].column.unit, what, where, False)
                statistic = own if name == "mean" and own else name
                yield Entry(number, value, key, statistic, place)

    def _singles(self) -> Iterator[Entry]:
        for sample in (*self._evidence.samples, *self._evidence.old):
            model = dict(sample.subject).get("model", "")
            batch, row = sample.batch, sample.index
            place = self._row(batch, row, model, self._evidence.levels(sample))
            for column in batch.metrics():
                number = column.values[row]
                if number is not None:
                    what = f"one value of {metric_label(column.key)} of {model or 'no named model'}"
                    yield self._single(column, batch, row, what, place, "")
        for leaf in self._evidence.leaves:
            yield self._summary(leaf)
        counted: set[tuple[int, int]] = set()
        for summed in self._evidence.summed:
            yield self._summary(summed)
            if (id(summed.batch), summed.row) not in counted:
                counted.add((id(summed.batch), summed.row))
                yield from self._counts(summed.batch, summed.row)

    def _row(self, batch: Batch, row: int, model: str, levels: dict[str, str]) -> Slice:
        at = batch.pointers[row] if batch.pointers else str(batch.rows[row])
        return Slice(model, tuple(sorted(levels.items())), batch.file, at)

    def _single(
        self, column: Column, batch: Batch, row: int, what: str, place: Slice, statistic: str
    ) -> Entry:
        where = (place_of(batch, row, column.name),)
        value = Value(column.values[row], column.unit, what, where, False)
        return Entry(column.values[row], value, column.key, statistic, place)

    def _counts(self, batch: Batch, row: int) -> Iterator[Entry]:
        """What a row of a summary says of its number of requests."""
        for column in batch.columns:
            told = column.role == "status" and column.key == "count"
            number = as_number(column.raw[row]) if told else None
            if number is not None:
                model = self._evidence.identity(batch, row, "model") or ""
                place = self._row(batch, row, model, self._evidence.row_levels(batch, row))
                where = (place_of(batch, row, column.name),)
                value = Value(number, "", f"{column.name} in {batch.file}", where, False)
                yield Entry(number, value, "count", "", place, column.name)

    def _summary(self, summed: Summed) -> Entry:
        batch, row, column = summed.batch, summed.row, summed.column
        model = self._evidence.identity(batch, row, "model") or ""
        what = f"{column.name} of {model or 'no named model'} in {batch.file}"
        value = Value(summed.value, column.unit, what, (summed.place,), False)
        place = self._row(batch, row, model, self._evidence.row_levels(batch, row))
        return Entry(summed.value, value, column.key, summed.statistic, place, column.name)


def _of_group(key: str, place: Slice, members: Members) -> Iterator[Entry]:
    unit = members[0][1].unit
    if any(m[1].unit != unit for m in members):
        return
    numbers = [c.values[s.index] for s, c in members]
    for name in _STATISTICS if len(numbers) > 1 else ("mean",):
        number = statistic_of(numbers, name)
        if number is not None:
            what = f"{name} of {metric_label(key)}{_of(place)}"
            value = Value(number, unit, what, places_of(members), False)
            yield Entry(number, value, key, name, place)


def _of(place: Slice) -> str:
    """Of what, for people."""
    text = f" of {place.model}" if place.model else " of records that name no model"
    if place == Slice(note=place.note):
        text = " of all records together"
    if place.levels:
        text += " at " + ", ".join(f"{k}={v}" for k, v in place.levels if len(v) < _LONG)
    if place.file:
        text += f" in {place.file}"
    return text + (f" in {place.note}" if place.note else "")
