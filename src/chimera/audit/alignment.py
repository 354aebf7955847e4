"""A table laid over the data: what its rows and columns are, told by the cells that are right.

Where a header does not say in known words which records or which metric a column is of, the cells
do: if most of them are exactly values of one level, one file or one metric, the column is that, and
a cell that is none of its values is wrong. Rows and columns each elect what they are of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from chimera.audit.binding import About
from chimera.audit.claim import BAD
from chimera.audit.elsewhere import Elsewhere, Entry
from chimera.audit.matching import shown, tolerance
from chimera.audit.number import Number
from chimera.audit.plain import plain_level
from chimera.audit.verdict import Verdict

_NO_UNIT = "none"
_UNSAID = (
    (1.0, ""), (1e3, _NO_UNIT), (1e6, _NO_UNIT), (1e-3, "s"), (1e-6, "s"), (1.0, "s"),
    (1e9, "bytes"), (1e6, "bytes"), (2.0**30, "bytes"), (0.01, "1"),
)  # fmt: skip
_LEAST = 3  # cells that have to agree
_SHARE = 0.5
_MOST_OF = 0.6  # of a line's cells
_TELLING = 2  # digits
Trait = tuple[str, str]
Elections = dict[int, dict[Trait, float]]


class Printed(NamedTuple):
    """A number of a table at its row and column, and how it was understood by its words."""

    row: int
    column: int
    number: Number
    about: About
    verdict: Verdict | None
    words: frozenset[str]


class Alignment:
    """Lays tables over the data of one folder."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        self._elsewhere = elsewhere

    def refine(self, cells: Sequence[Printed]) -> list[Verdict | None]:
        """The verdicts on a table's numbers, one for each, with what the whole table tells."""
        verdicts = [c.verdict for c in cells]
        if len(cells) < _LEAST or all(v is not None and v.label == "supported" for v in verdicts):
            return verdicts
        laid = _Laid(self._elsewhere, cells)
        if not laid.holds:
            return verdicts
        return [self._verdict(laid, i) for i in range(len(cells))]

    def _verdict(self, laid: _Laid, i: int) -> Verdict | None:
        cell = laid.cells[i]
        old = cell.verdict
        if old is not None and old.label in ("supported", "derivable"):
            return old
        if laid.kept[i]:
            entry = laid.kept[i][0]
            value = entry.value
            return Verdict(
                "supported", value.what, None, value.what, "", value.places,
                metric=entry.key, statistic=entry.statistic,
            )  # fmt: skip
        if not _is_single(cell.number):
            return old
        right = laid.right(i)
        if right is not None and not _is_near(cell.number, right):
            text = _shown(right, cell.number)
            verdict = Verdict(
                "contradicted", f"{right.value.what} is {text}", text, right.value.what, "",
                right.value.places, metric=right.key, statistic=right.statistic,
            )  # fmt: skip
            other = laid.of_another(i, right)
            if other is None:
                return verdict
            reason = f"{verdict.reason}; the number is the {other.value.what}"
            return replace(verdict, label="misattributed", reason=reason)
        if old is not None and old.label in BAD and not laid.is_plain(i):
            return Verdict("unsupported", f"it is not clear what it is of; {old.reason}")
        return old


class _Laid:
    """One table, with what its lines elected."""

    def __init__(self, elsewhere: Elsewhere, cells: Sequence[Printed]) -> None:
        self.cells = cells
        self._elsewhere = elsewhere
        hits = [self._hits(c) for c in cells]
        shape = frozenset(
            _elected([{("shape", e.slice.shape) for e in own} for own in hits if own])
        )
        hits = [_with(own, shape) for own in hits]
        rows = self._lines(hits, [c.row for c in cells])
        columns = self._lines(hits, [c.column for c in cells])
        self._rows, self._columns = _without(rows, columns), _without(columns, rows)
        self._shape = shape
        self.kept = [self._kept(own, c) for own, c in zip(hits, cells, strict=True)]

    def _kept(self, hits: list[Entry], cell: Printed) -> list[Entry]:
        """The values of a cell that its row and column allow. Where neither says in words nor by
        the other cells which metric it is, a value's own name has to hold a word of theirs.
        """
        wanted = self._rows.get(cell.row, frozenset()) | self._columns.get(cell.column, frozenset())
        kept = _with(hits, wanted)
        if cell.about.named or any(kind == "metric" for kind, _ in wanted):
            return kept
        return [e for e in kept if cell.words & _words_of(e.column)]

    @cached_property
    def holds(self) -> bool:
        """Whether enough cells agree for the rest to be judged by them."""
        telling = [i for i, c in enumerate(self.cells) if _is_telling(c.number)]
        agreed = sum(self._agrees(i) for i in telling)
        return agreed >= max(_LEAST, _SHARE * len(telling))

    def _agrees(self, i: int) -> bool:
        """Whether a cell is right, by its words or by where it stands."""
        verdict = self.cells[i].verdict
        return bool(self.kept[i]) or (verdict is not None and verdict.label == "supported")

    def _hits(self, cell: Printed) -> list[Entry]:
        """The values of the data that a number may be, by its row's and column's words."""
        if not _is_telling(cell.number):
            return []
        number = cell.number
        tries = [(number, number.unit), (replace(number, unit="", scale=1.0), _NO_UNIT)]
        if number.unit == "s":
            scales = (1.0, 1e3, 1e6, 1e9)
            tries += [(replace(number, unit="", scale=number.scale * s), _NO_UNIT) for s in scales]
        if not number.unit:
            tries = [(replace(number, scale=scale), unit) for scale, unit in _UNSAID]
        found = [
            entry
            for tried, unit in tries
            for entry in self._elsewhere.near(tried.canonical, tolerance(tried))
            if _fits_unit(entry, unit) and _is_compatible(entry, cell.about)
            if not self._elsewhere.has_many_records or not entry.is_single
        ]
        if cell.about.named or not found:
            return found
        likeness = [len(cell.words & _words_of(e.column)) for e in found]
        return [e for e, n in zip(found, likeness, strict=True) if n == max(likeness)]

    @staticmethod
    def _lines(hits: Sequence[list[Entry]], places: Sequence[int]) -> Elections:
        """What each line is of: the traits that most of its cells share."""
        lines: dict[int, list[set[Trait]]] = {}
        for own, place in zip(hits, places, strict=True):
            if own:
                lines.setdefault(place, []).append({t for e in own for t in _traits(e)})
        return {place: _elected(own) for place, own in lines.items()}

    def right(self, i: int) -> Entry | None:
        """The value that would be right for a cell: the only one that its row and column allow."""
        cell = self.cells[i]
        rows = self._rows.get(cell.row, frozenset())
        columns = self._columns.get(cell.column, frozenset())
        near = [
            j for j, c in enumerate(self.cells)
            if self._agrees(j) and (c.row == cell.row or c.column == cell.column)
        ]  # fmt: skip
        wanted = rows | columns | self._shape
        if len(near) < _TELLING or not wanted:
            return None
        pool = [
            e for e in self._elsewhere.entries
            if _fits_unit(e, cell.number.unit) and _is_compatible(e, cell.about)
            if not self._elsewhere.has_many_records or not e.is_single
        ]  # fmt: skip
        found = _with(pool, wanted)
        if not cell.about.named and not any(kind == "metric" for kind, _ in rows | columns):
            own = cell.words & self._known_words
            found = [e for e in found if own and own <= _words_of(e.column)]
        values = {round(e.number, 9) for e in found}
        return found[0] if len(values) == 1 else None

    def of_another(self, i: int, right: Entry) -> Entry | None:
        """The same metric and statistic of something else, where that is a cell's number."""
        number = self.cells[i].number
        alike = (right.key, right.statistic, right.slice.shape)
        for tried in (number, replace(number, scale=1.0)):
            for e in self._elsewhere.near(tried.canonical, tolerance(tried)):
                if (e.key, e.statistic, e.slice.shape) == alike:
                    return e
        return None

    def is_plain(self, i: int) -> bool:
        """Whether row and column say themselves what a cell is of, or a column counts: the other
        numbers in it are all the counts that its header names.
        """
        about = self.cells[i].about
        if about.named and bool(about.models or about.settings or about.files):
            return True
        column = [c.verdict for c in self.cells if c.column == self.cells[i].column]
        right = [v for v in column if v is not None and v.label == "supported"]
        mine = self.cells[i].verdict
        counted = mine is not None and all(v.kind == mine.kind == "count" for v in right)
        return counted and len(right) >= _TELLING

    @cached_property
    def _known_words(self) -> frozenset[str]:
        return frozenset().union(
            *(_words_of(e.column) for e in self._elsewhere.entries if e.column)
        )


def _is_single(number: Number) -> bool:
    return number.form == "plain" and number.high is None and not number.is_spread


def _is_telling(number: Number) -> bool:
    return _is_single(number) and number.digits >= _TELLING


def _fits_unit(entry: Entry, unit: str) -> bool:
    own = entry.value.unit
    if unit == _NO_UNIT:
        return not own
    return not unit or own in (unit, "")


def _traits(entry: Entry) -> Iterator[Trait]:
    """What a value is of, one thing at a time."""
    where = entry.slice
    yield "model", where.model
    yield "metric", entry.key
    yield "statistic", entry.statistic
    yield "column", entry.column
    if where.file:
        yield "file", where.file
        yield "kind", _kind(where.file, where.model)
    for key, value in where.levels:
        yield f"level {key}", value


def _elected(voters: Sequence[Iterable[Trait]]) -> dict[Trait, float]:
    """The traits that at least two voters and most of them share, one of each kind, with the
    share of the voters.
    """
    counts = Counter(trait for own in voters for trait in set(own))
    least = max(2.0, _MOST_OF * len(voters))
    best: dict[str, list[Trait]] = {}
    for trait, count in counts.items():
        if count < least:
            continue
        held = best.setdefault(trait[0], [])
        if held and counts[held[0]] > count:
            continue
        if held and counts[held[0]] < count:
            held.clear()
        held.append(trait)
    return {held[0]: counts[held[0]] / len(voters) for held in best.values() if len(held) == 1}


def _without(lines: Elections, others: Elections) -> dict[int, frozenset[Trait]]:
    """Lines without those kinds of traits that change from line to line across them alone."""
    own_kinds = _changing(lines)
    changing = {k for k, share in _changing(others).items() if share > own_kinds.get(k, 0.0)}
    return {at: frozenset(t for t in own if t[0] not in changing) for at, own in lines.items()}


def _changing(lines: Elections) -> dict[str, float]:
    """The kinds of traits that differ between lines, with the share of cells that agree."""
    values: dict[str, dict[str, list[float]]] = {}
    for own in lines.values():
        for (kind, value), share in own.items():
            values.setdefault(kind, {}).setdefault(value, []).append(share)
    return {
        kind: sum(map(sum, found.values())) / len(lines)
        for kind, found in values.items()
        if len(found) > 1
    }


def _with(entries: Sequence[Entry], wanted: frozenset[Trait]) -> list[Entry]:
    if not wanted:
        return list(entries)
    return [e for e in entries if wanted <= {*_traits(e), ("shape", e.slice.shape)}]


@lru_cache(maxsize=10_000)
def _kind(file: str, model: str) -> str:
    """A file's name without its folder's and its model's words: "baseline", "param tuning"."""
    own = set(re.findall(r"[a-z]+|\d+", model.lower()))
    stem = file.rpartition("/")[2].rpartition(".")[0].lower()
    return " ".join(w for w in re.findall(r"[a-z]+", stem) if w not in own)


@lru_cache(maxsize=10_000)
def _words_of(name: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+|\d+", name.lower()))


def _shown(entry: Entry, number: Number) -> str:
    if number.unit or entry.value.unit not in ("s", "bytes"):
        return shown(entry.number, number, entry.value.unit)
    scales = [s for s, u in _UNSAID if u == entry.value.unit]
    scale = min(scales, key=lambda s: abs(abs(entry.number / s) - abs(number.value)))
    return shown(entry.number, replace(number, scale=scale), "")


def _is_near(number: Number, entry: Entry) -> bool:
    """Whether a number of few digits is that value all the same."""
    scales = [scale for scale, _ in _UNSAID] if not number.unit else [number.scale, 1.0]
    return any(
        abs(number.value * s - entry.number) <= tolerance(replace(number, scale=s)) for s in scales
    )


def _is_compatible(entry: Entry, about: About) -> bool:
    """Whether a value is of nothing else than what a cell's row and column say."""
    where = entry.slice
    if about.models and about.near == 0 and where.model and where.model not in about.models:
        return False
    if about.files and where.file and where.file not in about.files:
        return False
    levels = dict(where.levels)
    for key, value in about.settings:
        if key in about.far:
            continue
        level = levels.get(key)
        if level != plain_level(value) and not (level is None and where.row):
            return False  # a group of records was not chosen by it; a row may not say it
    if about.named and about.keys and entry.key not in about.keys:
        return False
    if not about.statistic:
        bare = ("sd", "min") if "tokens" in entry.key else ("sd", "sum", "min")
        return entry.statistic not in bare or bool(entry.column)
    return entry.statistic in (about.statistic, "")
