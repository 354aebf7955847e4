"""From a raw table to a batch of records."""

from __future__ import annotations

from typing import Any

import msgspec

from chimera.ingest.columns import AddNote, parameter_value, plain_text, typed_column
from chimera.ingest.names import read_name
from chimera.ingest.no_records import drop_no_records
from chimera.ingest.outcomes import is_total, outcomes_of, phases_of
from chimera.ingest.phase_rates import split_phase_rates
from chimera.ingest.rates import derive_rates, name_rates, note_load_in_ttft
from chimera.ingest.tables import CONFIGURED, SEPARATOR, Note, RawTable
from chimera.ingest.times import are_mixed
from chimera.record.batch import Batch, Column
from chimera.record.vocabulary import METRICS

_MAX_LABEL = 60
_DAYS = 1e-3  # of the seconds since 1970: three weeks
_SETTLED = ("metric", "parameter")
_UNMEASURED_WHEN_ALONE = ("load_time", "queue_time", "prefill_time")


def batch_of(table: RawTable, file: str, sha256: str, notes: list[Note]) -> Batch | None:
    """The records of a table; None when no column of it is a metric or a failure.

    Appends to ``notes`` what a reader must know about single cells and columns.
    """
    header = table.header
    if not header.measures or _is_configuration(table.pointer):
        return None
    lines = table.rows

    def note(kind: str, at: list[int] | None = None, column: str = "", detail: str = "") -> None:
        rows = tuple(lines[i] for i in at) if at else ()
        notes.append(Note(kind, file, rows, column, detail[:200]))

    columns = _columns_of(table, note)
    metrics = [c for c in columns if c.role == "metric"]
    if not metrics:
        return None
    n = len(lines)
    summed = table.beside_rows or any(c.statistic for c in metrics)
    if not summed:
        _drop_run_times(metrics, table, note)
        metrics = [c for c in metrics if c.role == "metric"]
    outcomes = outcomes_of(columns, metrics, n, summed)
    if not any(outcomes) and all(v is None for c in metrics for v in c.values):
        return None  # nothing was measured here, and nothing says that it failed
    _drop_unmeasured(metrics, outcomes, note)
    metrics = [c for c in metrics if c.role == "metric"]
    # A table whose only metric is a model's size describes models and measures nothing.
    if all(c.key == "model_size" for c in metrics) and (metrics or not any(outcomes)):
        return None
    constants, labels = _constants(table.constants)
    batch = Batch(
        file=file,
        sha256=sha256,
        pointer=table.pointer,
        kind="summary" if summed else "sample",
        rows=lines,
        columns=columns,
        constants=constants,
        outcomes=outcomes,
        phases=phases_of(columns, n),
        duplicate_of=[None] * n,
        labels=labels,
        pointers=table.pointers,
    )
    _complete(batch, table, note)
    return batch if batch.rows else None


def _columns_of(table: RawTable, note: AddNote) -> list[Column]:
    """The columns of a table; what only looks like a metric is none any more."""
    header, comma = table.header, table.decimal_comma
    columns = [
        typed_column(name, leaf, reading, raw, comma, note)
        for name, leaf, reading, raw in zip(
            header.names, header.leaves, header.readings, table.columns, strict=True
        )
    ]
    _expand_json_cells(columns)
    split_phase_rates(columns, note)
    metrics = [c for c in columns if c.role == "metric"]
    if _drop_points_in_time(metrics):
        metrics = [c for c in metrics if c.role == "metric"]
    _part_namesakes(metrics, note)
    _drop_settings(metrics, note)
    return columns


def _is_configuration(pointer: str) -> bool:
    """Whether a table stands inside of what was set, so that it holds nothing measured."""
    return bool(pointer) and not CONFIGURED.isdisjoint(pointer.split("/"))


def _complete(batch: Batch, table: RawTable, note: AddNote) -> None:
    """What only the records together say: totals, mixed times, what their rates mean."""
    drop_no_records(batch, table.without_metrics, note)
    if len(batch) > 1:
        for i in table.header.times:
            if are_mixed(table.columns[i]):
                note("mixed-times", column=table.header.names[i])
        _drop_totals(batch, note)
    plain = {c.key: c for c in reversed(batch.metrics()) if not c.statistic}
    name_rates(batch, plain, note)
    derive_rates(batch, plain, note)
    note_load_in_ttft(plain, batch.outcomes, note)


def _expand_json_cells(columns: list[Column]) -> None:
    """Options written as JSON in a cell become parameter columns of their own."""
    for column in [c for c in columns if c.role not in _SETTLED]:
        first = column.raw[0] or next(filter(None, column.raw), None)
        if first.__class__ is not str or first[:1] != "{" or first[-1:] != "}":
            continue
        parsed: dict[str, Any] = {}
        cells: list[dict[str, Any]] = []
        for cell in column.raw:
            text = cell if isinstance(cell, str) else ""
            if text not in parsed:
                try:
                    value = msgspec.json.decode(text)
                except (msgspec.DecodeError, RecursionError):
                    value = {}
                parsed[text] = value if isinstance(value, dict) else {}
            cells.append(parsed[text])
        present = {c.key for c in columns}
        for key in {k: None for cell in cells for k in cell}:
            reading = read_name(key)
            raw = [cell.get(key) for cell in cells]
            if (
                reading.role == "parameter"
                and reading.key not in present
                and not any(isinstance(v, (list, dict)) for v in raw)
            ):
                values = [parameter_value(v) for v in raw]
                name = f"{column.name}.{key}"
                columns.append(Column(name, "parameter", reading.key, "", "", 1.0, values, raw))


def _drop_points_in_time(metrics: list[Column]) -> bool:
    """A "time" whose values are dates of this age, as seconds since 1970, is no duration.

    They all lie within days of one another, which durations of that size would not. Tells
    whether there were any.
    """
    dropped = False
    for column in metrics:
        if column.unit or len(column.values) < 2 or "time" not in column.name.lower():
            continue
        metric = METRICS.get(column.key)
        if metric is None or metric.unit != "s":
            continue
        values = [v for v in column.values if v is not None]
        if len(values) < 2 or not all(map(_is_date, values)):
            continue
        if max(values) - min(values) < _DAYS * min(values):
            column.role, column.key, dropped = "status", "time", True
    return dropped


def _is_date(value: float) -> bool:
    return any(1e9 <= value / scale < 4e9 for scale in (1, 1e3, 1e6, 1e9))


def _drop_settings(metrics: list[Column], note: AddNote) -> None:
    """A "time" that is the same power of two in every row is a context length, no time."""
    for column in metrics:
        values = column.values
        if column.unit != "s" or len(values) < 2 or values[0] != values[-1]:
            continue
        if not values[0] or values.count(values[0]) != len(values):
            continue
        raw = round(values[0] / column.scale, 6)
        if raw >= 256 and raw == int(raw) and int(raw).bit_count() == 1:
            column.role = "unknown"
            note("looks-like-setting", column=column.name, detail=str(raw))


def _drop_run_times(metrics: list[Column], table: RawTable, note: AddNote) -> None:
    """How long a whole run took is no sample of anything that it measured."""
    others = [c for c in metrics if c.key not in ("duration", "model_size")]
    lone = len(table.rows) == 1 and len(table.header.times) > 1 and not others
    if not table.holds_records and not lone:
        return
    for column in metrics:
        if column.key == "duration":
            column.role = "status"
            note("run-duration", column=column.name)


def _part_namesakes(metrics: list[Column], note: AddNote) -> None:
    """Two columns that read as one metric ("before.latency", "after.latency") are neither.

    They are kept under their own names, unless one of them is named plainly.
    """
    if len({(c.key, c.statistic) for c in metrics}) == len(metrics):
        return
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in metrics:
        groups.setdefault((column.key, column.statistic), []).append(column)
    for group in groups.values():
        if len(group) == 1:
            continue
        plain = [c for c in group if "." not in c.name]
        if len(plain) != 1 and len([c for c in group if c.unit]) == 1:
            plain = [c for c in group if c.unit]  # it alone says what it is in
        if len(plain) != 1 and _agree(group):
            plain = [max(group, key=lambda c: len(c.values) - c.values.count(None))]
        if len(plain) != 1:
            note("namesakes", column=group[0].name, detail=", ".join(c.name for c in group))
        for column in group:
            if len(plain) != 1 or column is not plain[0]:
                column.role, column.key = "unknown", column.name


def _agree(group: list[Column]) -> bool:
    """Whether columns never differ in a row where several have a value."""
    for cells in zip(*(c.values for c in group), strict=True):
        if len({v for v in cells if v is not None}) > 1:
            return False
    return True


def _drop_unmeasured(metrics: list[Column], outcomes: list[str], note: AddNote) -> None:
    """A whole column of zeros among successful rows means "not measured", not zero."""
    good = [i for i, o in enumerate(outcomes) if not o]
    if not good:
        return
    for column in metrics:
        values = column.values
        if values[good[0]] != 0 or column.unit in ("tokens", "characters", "1"):
            continue
        if column.key in _UNMEASURED_WHEN_ALONE and len(good) < 2:
            continue
        if all(values[i] == 0 for i in good):
            column.role = "empty"
            note("all-zero", column=column.name)


def _constants(
    enclosing: dict[str, Any],
) -> tuple[dict[str, str | float], dict[str, str]]:
    """(identities and parameters that hold for every row, other short texts as labels)."""
    constants: dict[str, str | float] = {}
    labels: dict[str, str] = {}
    for name, value in enclosing.items():
        if value is None or value == "" or isinstance(value, (list, dict)):
            continue
        if SEPARATOR in name:
            parent, _, last = name.rpartition(SEPARATOR)
            reading = read_name(last, parent.rpartition(SEPARATOR)[2])
        else:
            reading = read_name(name)
        if reading.role == "parameter":
            setting = parameter_value(value)
            if setting is not None:
                constants.setdefault(reading.key, setting)
        elif reading.role == "identity" and not isinstance(value, bool):
            constants.setdefault(reading.key, plain_text(value))
        elif isinstance(value, str) and len(value) <= _MAX_LABEL:
            labels.setdefault(name.replace(SEPARATOR, "."), value)
    return constants, labels


def _drop_totals(batch: Batch, note: AddNote) -> None:
    """A row named "Aggregated" or "Total" sums up the others: no record of its own."""
    totals: set[int] = set()
    for column in batch.columns:
        if column.role in ("identity", "label"):
            totals.update(_total_rows(column.raw))
    if not totals or len(totals) == len(batch):
        return
    note("total-row", sorted(totals))
    keep = [i for i in range(len(batch)) if i not in totals]
    batch.rows = [batch.rows[i] for i in keep]
    for column in batch.columns:
        column.values = [column.values[i] for i in keep]
        column.raw = [column.raw[i] for i in keep]
    batch.outcomes = [batch.outcomes[i] for i in keep]
    batch.phases = [batch.phases[i] for i in keep]
    batch.duplicate_of = [None] * len(keep)
    if batch.pointers:
        batch.pointers = [batch.pointers[i] for i in keep]


def _total_rows(raw: list[Any]) -> list[int]:
    try:
        words = [w for w in set(raw) if isinstance(w, str) and is_total(w)]
    except TypeError:  # lists or objects
        words = [w for w in raw if isinstance(w, str) and is_total(w)]
    return [i for i, cell in enumerate(raw) if cell in words] if words else []
