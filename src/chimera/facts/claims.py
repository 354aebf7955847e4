"""What documents claim in their tables, held against the records beside them.

A row is bound by what it names (model, configuration, parameters, prompt) to the records that
have all of it. A claim is supported when it is, at its printed precision, the value of one of
them or a mean, median, minimum or maximum of them; contradicted when no record and no grouping
gives it; and left alone when nothing binds it.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chimera.facts.book import FactBook, origins_of
from chimera.facts.dataset import Dataset, Sample, Subject, condition_label
from chimera.facts.fact import Fact, Origin
from chimera.facts.measures import RATES, Members
from chimera.facts.stats.describe import mean, quantile
from chimera.ingest import Document
from chimera.ingest.cells import parse_number
from chimera.ingest.columns import QUANTIZATION, parameter_value
from chimera.ingest.names import Reading, read_name
from chimera.ingest.readers.markdown import DocumentTable, document_tables
from chimera.record.batch import Column

_BOUND = ("model", "config", "quantization", "prompt", "backend", "test", "engine")
_SEPARATORS = re.compile(r"[^a-z0-9.]+")
_PROSE = str.maketrans("", "", "*`")
_CHANGE = re.compile(r"delta|diff|change|gain|improve|speed-?up|Δ|±|\bvs\b", re.IGNORECASE)


class Claim(msgspec.Struct, frozen=True):
    """A value in a document that the records contradict.

    ``claimed`` is the value as the document gives it, ``actual`` the closest that the records
    give; ``matching`` counts the records that the row names.
    """

    claimed: Fact
    actual: Fact
    matching: Fact
    file: str
    line: int
    about: str


class Claims(msgspec.Struct, frozen=True):
    """All bound claims of a folder's documents: how many hold, and those that do not."""

    supported: Fact
    contradicted: Fact
    unbound: Fact
    contradictions: tuple[Claim, ...]


class _Row(msgspec.Struct):
    """One table row being bound: what it names, and the models its headings name."""

    document: Document
    table: DocumentTable
    number: int
    named: dict[str, Any]
    models: set[str]


def claims_of(book: FactBook, documents: list[Document], data: Dataset) -> Claims:
    """Check every table of every document; byte-identical documents are checked once."""
    models = {
        dict(s)["model"]: None for s in data.by_subject if any(k == "model" for k, _ in s)
    }
    index = _index(data)
    tally = {"supported": [], "contradicted": [], "unbound": []}  # type: dict[str, list[Origin]]
    found: list[Claim] = []
    seen: set[str] = set()
    for document in documents:
        if document.sha256 in seen:
            continue
        seen.add(document.sha256)
        for table in document_tables(document.text):
            readings = [read_name(name.translate(_PROSE)) for name in table.names]
            if any(r.role == "metric" for r in readings):
                _check_table(book, document, table, readings, list(models), index, tally, found)

    def count(label: str) -> Fact:
        return book.add(
            (),
            f"document values {label}",
            "count",
            len(tally[label]),
            "1",
            n=len(tally[label]),
            origins=tuple(dict.fromkeys(tally[label])),
            expression=f"count(table cells of documents that are {label} by the records)",
        )

    return Claims(count("supported"), count("contradicted"), count("unbound"), tuple(found))


def _words(text: str) -> str:
    return _SEPARATORS.sub("-", text.lower()).strip("-")


def _index(data: Dataset) -> dict[str, list[Sample]]:
    """Successful samples by model."""
    index: dict[str, list[Sample]] = {}
    for subject in data.by_subject:
        for sample in data.good(subject):
            index.setdefault(dict(sample.subject).get("model", ""), []).append(sample)
    return index


def _models_in(text: str, models: list[str]) -> set[str]:
    """The models that a text names in full; "gemma3" alone names gemma3:latest only if nothing
    longer fits."""
    words = f"-{_words(text)}-"
    hits = [m for m in models if f"-{_words(m)}-" in words]
    return {m for m in hits if not any(m != o and _words(m) in _words(o) for o in hits)}


def _check_table(
    book: FactBook,
    document: Document,
    table: DocumentTable,
    readings: list[Reading],
    models: list[str],
    index: dict[str, list[Sample]],
    tally: dict[str, list[Origin]],
    found: list[Claim],
) -> None:
    context: set[str] = set()
    for text in (table.before, *table.headings):
        context = _models_in(text, models)
        if context:
            break
    for number, cells in enumerate(table.rows):
        named = _named(cells, readings)
        row_models = _models_in(str(named.pop("model", "")), models) or context
        row = _Row(document, table, number, named, row_models)
        samples = _matching(row, index)
        for place, reading in enumerate(readings):
            if reading.role == "metric" and cells[place]:
                _check_cell(book, row, place, reading, samples, tally, found)


def _named(cells: tuple[str, ...], readings: list[Reading]) -> dict[str, Any]:
    """What a row names: parameters as values, identities as text."""
    named: dict[str, Any] = {}
    for cell, reading in zip(cells, readings, strict=True):
        text = cell.translate(str.maketrans("", "", "*`")).strip()
        if not text:
            continue
        if reading.role == "parameter":
            named[reading.key] = parameter_value(text)
        elif reading.role == "identity" and reading.key in _BOUND:
            named[reading.key] = text
        elif QUANTIZATION.fullmatch(text):
            named["quantization"] = text
    return named


def _identity(sample: Sample, key: str) -> str | None:
    column = sample.batch.column(key, role="identity")
    value = column.values[sample.index] if column else sample.batch.constants.get(key)
    if value is None and key == "quantization":
        model = dict(sample.subject).get("model", "")
        match = QUANTIZATION.search(model)
        return match[1] if match else None
    return None if value is None else str(value)


def _matching(row: _Row, index: dict[str, list[Sample]]) -> list[Sample]:
    """The samples that have everything the row names; none when it names nothing."""
    if not row.named and not row.models:
        return []
    pool = [s for m in (row.models or index) for s in index.get(m, ())]
    result = []
    for sample in pool:
        parameters = dict(sample.parameters)
        for key, value in row.named.items():
            own = parameters.get(key) if key in parameters else _identity(sample, key)
            if own is None or str(own).lower() != str(value).lower():
                break
        else:
            result.append(sample)
    return result


def _column(sample: Sample, reading: Reading) -> Column | None:
    column = sample.batch.column(reading.key, role="metric")
    if column is None and reading.key in RATES:
        column = next(
            (
                c
                for c in sample.batch.metrics()
                if c.key in ("decode_throughput", "token_rate", "wall_throughput")
            ),
            None,
        )
    return column


def _check_cell(
    book: FactBook,
    row: _Row,
    place: int,
    reading: Reading,
    samples: list[Sample],
    tally: dict[str, list[Origin]],
    found: list[Claim],
) -> None:
    text = row.table.rows[row.number][place]
    line = row.table.lines[row.number]
    parsed = parse_number(text)
    origin = Origin(row.document.file, row.document.sha256, (line,), row.table.names[place])
    if parsed is None:
        return
    value, unit, scale = parsed
    members: Members = []
    for sample in samples:
        column = _column(sample, reading)
        if column is not None and column.values[sample.index] is not None:
            members.append((sample, column))
    known = unit or reading.unit
    if value < 0 or not _binds(row, reading) or {c.unit for _, c in members} != {known}:
        tally["unbound"].append(origin)
        return
    factor = scale if unit else reading.scale
    claimed, slack = value * factor, _slack(text) * factor
    if _holds(claimed, slack, members, reading.statistic):
        tally["supported"].append(origin)
        return
    tally["contradicted"].append(origin)
    found.append(_contradiction(book, row, reading, claimed, known, origin, members))


def _binds(row: _Row, reading: Reading) -> bool:
    """Whether a row names enough to be held against records: a configuration, two settings, or
    a model together with a setting or a statistic. A change is no value."""
    if any(_CHANGE.search(n) for n in row.table.names if read_name(n.translate(_PROSE)) == reading):
        return False
    named = set(row.named)
    settings = named - {"quantization", "prompt", "test", "backend", "engine"}
    model = bool(row.models) or "quantization" in named
    return "config" in named or len(settings) >= 2 or (model and bool(settings or reading.statistic))


def _slack(text: str) -> float:
    """Half a unit of the last printed digit, and a little for truncation."""
    digits = re.search(r"\d[\d,]*(?:\.(\d+))?", text)
    decimals = len(digits[1]) if digits and digits[1] else 0
    return 0.5000001 * 10.0**-decimals


def _groupings(members: Members) -> list[list[float]]:
    """Values that a claim may sum up: all, by file, and each without its cold starts."""
    groups: dict[str, list[tuple[Sample, Column]]] = {"": members}
    for sample, column in members:
        groups.setdefault(sample.batch.file, []).append((sample, column))
    result = []
    for group in groups.values():
        result.append([c.values[s.index] for s, c in group])
        warm = [c.values[s.index] for s, c in group if s.phase != "cold"]
        if warm and len(warm) < len(group):
            result.append(warm)
    return result


def _candidates(members: Members, statistic: str) -> list[float]:
    values = [c.values[s.index] for s, c in members]
    shares = [0.5, 0.95]
    if statistic[:1] == "p" and statistic[1:].replace(".", "").isdigit():
        shares.append(min(float(statistic[1:]) / 100.0, 1.0))
    for group in _groupings(members):
        ordered = sorted(group)
        values += [mean(group), *(quantile(ordered, p) for p in shares)]
    return values


def _holds(claimed: float, slack: float, members: Members, statistic: str) -> bool:
    candidates = _candidates(members, statistic)
    return any(abs(claimed - v) <= slack + 1e-12 * abs(v) for v in candidates)


def _contradiction(
    book: FactBook,
    row: _Row,
    reading: Reading,
    claimed: float,
    unit: str,
    origin: Origin,
    members: Members,
) -> Claim:
    metric = members[0][1].key
    nearest = min(members, key=lambda m: abs(m[1].values[m[0].index] - claimed))
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
        f"claimed {reading.statistic or 'value'}",
        claimed,
        unit,
        origins=(origin,),
        expression="as the document gives it",
        flags=("claim",),
    )
    actual = book.add(
        (*about, *said),
        metric,
        "closest record",
        column.values[sample.index],
        unit,
        n=len(members),
        origins=origins_of([nearest]),
        ci_why="one record has no interval",
        expression="the record closest to the claim among those that its row names",
    )
    matching = book.add(
        (*said, ("column", row.table.names[row.table.names.index(origin.column or "")])),
        "records that the row names",
        "count",
        len(members),
        "1",
        n=len(members),
        origins=origins_of(members),
        expression="count(records that have everything the row names)",
    )
    return Claim(claim, actual, matching, origin.file, origin.rows[0], _about(row))


def _about(row: _Row) -> str:
    """What a row names, for people."""
    if "config" in row.named:
        return str(row.named["config"])
    if row.named:
        return ", ".join(f"{k}={v}" for k, v in row.named.items())
    return ", ".join(sorted(row.models))
