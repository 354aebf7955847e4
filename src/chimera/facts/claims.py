"""What documents claim in their tables, held against the records beside them.

A row is bound by what it names (model, configuration, parameters, prompt) to the records that
have all of it. A claim is supported when it is, at its printed precision, the value of one of
them or a statistic of them or of a part of them; contradicted when no record and no grouping
gives it; and left alone when nothing binds it. A row that names a model and nothing else is only
held against the range of that model's records: outside it is contradicted, inside proves nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from math import sqrt

import msgspec

from chimera.facts.binding import Binder, Columns, Row, columns_of
from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Dataset, Members, Sample, Subject, condition_label
from chimera.facts.fact import Fact, Origin
from chimera.facts.measures import warm_of
from chimera.ingest import Document
from chimera.ingest.cells import parse_number
from chimera.ingest.names import Reading
from chimera.ingest.readers.markdown import DocumentTable, document_tables
from chimera.record.batch import Column
from chimera.stats.describe import mean, quantile, sample_sd

# What a claim's word for a rate may mean: a bare "tok/s" any rate of one answer.
_MEANINGS = {
    "token_rate": ("decode_throughput", "token_rate", "wall_throughput"),
    "throughput": ("decode_throughput", "token_rate", "wall_throughput"),
    "decode_throughput": ("decode_throughput", "token_rate"),
    "wall_throughput": ("wall_throughput", "token_rate"),
}
_AVERAGES = frozenset({"", "mean", "median", "min", "max"})
_PERCENTILE = re.compile(r"p\d+(?:\.\d+)?")
_MANTISSA = re.compile(r"(\d[\d,]*)(?:\.(\d*))?|\.(\d+)")
_ABOUT = ("~", "≈", "<", ">", "≤", "≥", "±")
LABELS = ("supported", "contradicted", "unbound", "within range")


class Claim(msgspec.Struct, frozen=True):
    """A value in a document that the records contradict.

    ``claimed`` is the value as the document gives it, ``actual`` the closest that the records
    give; ``matching`` counts the records that the row names. Where the row names a model alone,
    ``low`` and ``high`` are the range of its records, without cold starts.
    """

    claimed: Fact
    actual: Fact
    matching: Fact
    file: str
    line: int
    about: str
    low: Fact | None = None
    high: Fact | None = None


class Claims(msgspec.Struct, frozen=True):
    """All claims of a folder's documents: how many hold, and those that do not.

    ``within`` counts bare values of a model that lie within the range of its records.
    """

    supported: Fact
    contradicted: Fact
    unbound: Fact
    within: Fact
    contradictions: tuple[Claim, ...]


class _Cell(msgspec.Struct):
    """One claimed number in its canonical unit, and half its last printed digit.

    ``vague`` marks what is no plain value: a change, or "about" or "below" a number.
    """

    reading: Reading
    value: float
    slack: float
    unit: str
    vague: bool
    origin: Origin


def claims_of(book: FactBook, documents: list[Document], data: Dataset) -> Claims:
    """Check every table of every document; byte-identical documents are checked once."""
    checker = _Checker(Binder(data))
    tally: dict[str, list[Origin]] = {label: [] for label in LABELS}
    found: list[Claim] = []
    seen: set[str] = set()
    for document in documents:
        if document.sha256 in seen:
            continue
        seen.add(document.sha256)
        for table in document_tables(document.text):
            for cell, row, label, members in checker.verdicts(document, table):
                tally[label].append(cell.origin)
                if row is not None and label == "contradicted":
                    found.append(_contradiction(book, row, cell, members))
    counts = [_count(book, label, tally[label]) for label in LABELS]
    return Claims(counts[0], counts[1], counts[2], counts[3], tuple(found))


def _count(book: FactBook, label: str, origins: list[Origin]) -> Fact:
    return book.add(
        (),
        f"document values {label}",
        "count",
        len(origins),
        "1",
        n=len(origins),
        origins=tuple(origins),
        expression=f"count(table cells of documents that are {label} by the records)",
    )


def _cells(document: Document, table: DocumentTable, number: int, columns: Columns) -> list[_Cell]:
    """The claimed numbers of a row."""
    found = []
    for place, reading in enumerate(columns.readings):
        text = table.rows[number][place]
        if reading.role != "metric" or not text:
            continue
        parsed = parse_number(text)
        if parsed is None:
            continue
        value, unit, factor = parsed
        scale = factor if unit else reading.scale
        vague = place in columns.changes or any(sign in text for sign in _ABOUT)
        origin = Origin(document.file, document.sha256, (table.lines[number],), table.names[place])
        slack = printed_slack(text, value) * scale
        found.append(_Cell(reading, value * scale, slack, unit or reading.unit, vague, origin))
    return found


def printed_slack(text: str, value: float) -> float:
    """Half a unit of the last printed digit; ``value`` is the whole text as a number.

    >>> printed_slack("102.31", 102.31), printed_slack("1.2k", 1200.0)
    (0.005, 50.0)
    """
    match = _MANTISSA.search(text)
    if match is None:
        return 0.0
    decimals = len(match[2] or match[3] or "")
    mantissa = float(match[0].replace(",", ""))
    magnitude = abs(value) / mantissa if mantissa else 1.0
    return 0.5 * 10.0**-decimals * magnitude


class _Checker:
    """Judges the cells of tables; what the same records give is worked out once."""

    def __init__(self, binder: Binder) -> None:
        self._binder = binder
        self._samples: dict[object, list[Sample]] = {}
        self._held: dict[object, Members] = {}
        self._statistics: dict[tuple[int, str], list[float] | None] = {}

    def verdicts(
        self, document: Document, table: DocumentTable
    ) -> Iterator[tuple[_Cell, Row | None, str, Members]]:
        """(claimed number, its row, label, the records that it is held against) of each cell."""
        columns = columns_of(table)
        if not columns.measure:
            return
        context = self._binder.context_of(table)
        for number, cells in enumerate(table.rows):
            row = self._binder.row(cells, columns, context)
            for cell in _cells(document, table, number, columns):
                yield cell, row, *self._judge(cell, row)

    def _judge(self, cell: _Cell, row: Row | None) -> tuple[str, Members]:
        statistic = cell.reading.statistic
        if row is None or cell.vague or cell.value < 0:
            return "unbound", []
        if not row.binds(statistic):
            return self._judge_bare(cell, row)
        against: Members = []
        for key in _MEANINGS.get(cell.reading.key, (cell.reading.key,)):
            members = self._members(row, key, cell.unit)
            if not members:
                continue
            # Most claims are the value of one record: only the others need every statistic.
            if statistic in _AVERAGES and _is_among(cell, sorted(_values(members))):
                return "supported", members
            candidates = self._candidates(members, statistic)
            if candidates is None:
                return "unbound", []
            if _is_among(cell, candidates):
                return "supported", members
            against = against or members
        return ("contradicted", against) if against else ("unbound", [])

    def _judge_bare(self, cell: _Cell, row: Row) -> tuple[str, Members]:
        """A value of one model, without a setting or a statistic, against all its records."""
        if cell.reading.statistic or not row.is_model_alone:
            return "unbound", []
        against: Members = []
        for key in _MEANINGS.get(cell.reading.key, (cell.reading.key,)):
            members = self._members(row, key, cell.unit)
            if not members:
                continue
            if any(map(self._binder.is_parallel, members)):
                return "unbound", []  # the rate of many requests together is no rate of these
            candidates = self._candidates(members, "") or []
            if _is_inside(cell, members) or _is_among(cell, candidates):
                return "within range", members
            against = against or members
        return ("contradicted", against) if against else ("unbound", [])

    def _candidates(self, members: Members, statistic: str) -> list[float] | None:
        known = (id(members), statistic)
        if known not in self._statistics:
            self._statistics[known] = candidates_of(members, statistic)
        return self._statistics[known]

    def _members(self, row: Row, key: str, unit: str) -> Members:
        about = (frozenset(row.named.items()), frozenset(row.models))
        if about not in self._samples:
            self._samples[about] = self._binder.matching(row)
        known = (about, key, unit)
        if known not in self._held:
            self._held[known] = _members(self._samples[about], key, unit)
        return self._held[known]


def _is_among(cell: _Cell, values: list[float]) -> bool:
    """Whether one of the values, in ascending order, is the claimed one as printed."""
    slack = cell.slack * 1.0000002 + 1e-12 * abs(cell.value)
    place = bisect_left(values, cell.value - slack)
    return place < len(values) and values[place] <= cell.value + slack


def _is_inside(cell: _Cell, members: Members) -> bool:
    """Whether the claimed value, as printed, lies among warm records or among cold starts."""
    slack = cell.slack * 1.0000002 + 1e-12 * abs(cell.value)
    for group in (warm_of(members), [m for m in members if m[0].phase == "cold"]):
        values = _values(group)
        if values and min(values) - slack <= cell.value <= max(values) + slack:
            return True
    return False


def _members(samples: list[Sample], key: str, unit: str) -> Members:
    """The records' values of a metric; empty where any has another unit."""
    members: Members = []
    table: object = None
    column: Column | None = None
    for sample in samples:
        if sample.batch is not table:
            table, column = sample.batch, sample.batch.column(key, role="metric")
        if column is not None and column.values[sample.index] is not None:
            if column.unit != unit or not unit:
                return []
            members.append((sample, column))
    return members


def _groupings(members: Members) -> list[list[float]]:
    """Values of one subject that a claim may sum up: all, by file, prompt or setting, and without
    cold starts. Nobody means a figure that is pooled over several models.
    """
    groups: dict[object, tuple[list[float], list[float]]] = {}
    for sample, column in members:
        value = column.values[sample.index]
        keys = ("", ("file", sample.batch.file), ("prompt", sample.prompt), *sample.parameters)
        for key in keys:
            everything, warm = groups.setdefault((sample.subject, key), ([], []))
            everything.append(value)
            if sample.phase != "cold":
                warm.append(value)
    found = []
    for everything, warm in groups.values():
        found.append(everything)
        if 0 < len(warm) < len(everything):
            found.append(warm)
    return found


def _values(members: Members) -> list[float]:
    return [c.values[s.index] for s, c in members]


def candidates_of(members: Members, statistic: str) -> list[float] | None:
    """What a claim of that statistic may be, in order; None for one that is not computed here.

    A standard deviation is accepted by either definition, with n or n - 1.
    """
    groups = _groupings(members)
    if statistic in ("sd", "variance"):
        power = 2 if statistic == "variance" else 1
        sds = [(sd, len(g)) for g in groups if (sd := sample_sd(g)) is not None]
        found = [sd**power for sd, _ in sds]
        found += [(sd * sqrt((n - 1) / n)) ** power for sd, n in sds]
        return sorted(found) or None
    shares = [0.5, 0.95]  # p95 is sometimes called the maximum
    if _PERCENTILE.fullmatch(statistic):
        shares.append(min(float(statistic[1:]) / 100.0, 1.0))
    elif statistic not in _AVERAGES:
        return None
    found = _values(members)
    for group in groups:
        ordered = sorted(group)
        found.append(mean(ordered))
        found.extend(quantile(ordered, p) for p in shares)
    return sorted(found)


def _contradiction(book: FactBook, row: Row, cell: _Cell, members: Members) -> Claim:
    metric, origin = members[0][1].key, cell.origin
    nearest = min(members, key=lambda m: abs(m[1].values[m[0].index] - cell.value))
    sample, column = nearest
    configuration = condition_label(sample.parameters)
    about: Subject = (
        *sample.subject,
        *((("configuration", configuration),) if configuration else ()),
    )
    said = (("document", origin.file), ("line", str(origin.rows[0])))
    claim = book.add(
        said,
        metric,
        f"claimed {cell.reading.statistic or 'value'}",
        cell.value,
        cell.unit,
        origins=(origin,),
        ci_why="a claim, not a measurement",
        expression="as the document gives it",
        flags=("claim",),
    )
    actual = book.add(
        (*about, *said),
        metric,
        "closest record",
        column.values[sample.index],
        column.unit,
        n=len(members),
        origins=origins_of([nearest]),
        ci_why="one record has no interval",
        expression="the record closest to the claim among those that its row names",
    )
    matching = book.add(
        (*said, ("column", origin.column or "")),
        "records that the row names",
        "count",
        len(members),
        "1",
        n=len(members),
        origins=origins_of(members),
        expression="count(records that have everything the row names)",
    )
    bare = not row.binds(cell.reading.statistic)
    low, high = _range(book, said, members) if bare else (None, None)
    return Claim(claim, actual, matching, origin.file, origin.rows[0], row.about, low, high)


def _range(book: FactBook, said: Subject, members: Members) -> tuple[Fact, Fact]:
    """The lowest and highest value of a model's records, cold starts left out where others are."""
    warm = warm_of(members) or members
    column = warm[0][1]
    low, high = (
        book.add(
            (("model", dict(warm[0][0].subject)["model"]), *said),
            column.key,
            name,
            pick(_values(warm)),
            column.unit,
            scope="warm" if len(warm) < len(members) else "all",
            n=len(warm),
            origins=origins_of(warm),
            ci_why="not computed for this statistic",
            expression=f"{name}({column.key}) of the records that the row names",
        )
        for name, pick in (("min", min), ("max", max))
    )
    return low, high
