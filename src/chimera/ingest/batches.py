"""From a raw table to a batch of records."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from chimera.ingest.columns import COLUMN_MAKERS, AddNote, parameter_value, plain_text
from chimera.ingest.names import Reading, read_name
from chimera.ingest.no_records import drop_no_records
from chimera.ingest.outcomes import NO_VALUE, outcomes_of, phases_of, totals_among
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


class Draft(msgspec.Struct):
    """A table on its way to a batch, which stays None where the table holds no records.

    ``notes`` are what a reader must know about single cells and columns.
    """

    table: RawTable
    file: str
    sha256: str
    lines: list[int]
    notes: list[Note]
    columns: list[Column] = []
    metrics: list[Column] = []
    summed: bool = False
    outcomes: list[str] = []
    batch: Batch | None = None

    def note(
        self, kind: str, at: list[int] | None = None, column: str = "", detail: str = ""
    ) -> None:
        """Add a note about some records."""
        rows = tuple(self.lines[i] for i in at) if at else ()
        self.notes.append(Note(kind, self.file, rows, column, detail[:200]))


def draft_of(table: RawTable, file: str, sha256: str) -> Draft:
    """The beginning of a batch."""
    return Draft(table, file, sha256, table.rows, [])


def make_batches(drafts: list[Draft]) -> None:
    """Fill the batches of drafts; each step is taken for all of them, which keeps its code hot."""
    for step in (_may_measure, _type_columns, _settle_metrics, _judge, _make_batch, _complete):
        drafts = list(filter(step, drafts))


# The steps. Each returns False where it finds that the table holds no records.


def _may_measure(draft: Draft) -> bool:
    """Whether a column is a metric by its name, and the table does not say what was set."""
    pointer = draft.table.pointer
    if not draft.table.header.measures:
        return False
    return not pointer or CONFIGURED.isdisjoint(pointer.split("/"))


def _type_columns(draft: Draft) -> bool:
    table, note = draft.table, draft.note
    header, comma = table.header, table.decimal_comma
    draft.columns = [
        COLUMN_MAKERS[reading.role](name, leaf, reading, raw, comma, note)
        for name, leaf, reading, raw in zip(
            header.names, header.leaves, header.readings, table.columns, strict=True
        )
    ]
    return True


def _settle_metrics(draft: Draft) -> bool:
    """Sort out what only looks like a metric."""
    columns, header, note = draft.columns, draft.table.header, draft.note
    _expand_json_cells(columns)
    split = header.has_ts and split_phase_rates(columns, note)
    metrics = [c for c in columns if c.role == "metric"]
    several = len(draft.lines) > 1
    if several and header.lacks_unit and _drop_points_in_time(metrics):
        metrics = [c for c in metrics if c.role == "metric"]
    if split or not header.distinct:
        _part_namesakes(metrics, note)
    if several:
        _drop_settings(metrics, note)
    draft.metrics = [c for c in metrics if c.role == "metric"]
    return bool(draft.metrics)


def _judge(draft: Draft) -> bool:
    columns, metrics, table = draft.columns, draft.metrics, draft.table
    draft.summed = table.beside_rows or any(c.statistic for c in metrics)
    header = table.header
    if header.lasts and not draft.summed and _drop_run_times(metrics, table, draft.note):
        metrics = [c for c in metrics if c.role == "metric"]
    # A column that was split stands there as several.
    names = tuple(c.name for c in columns) if header.has_ts else header.names
    if table.of_blocks:  # a rate of zero is one: nothing of the block succeeded, or in time
        draft.outcomes = [""] * len(draft.lines)
        return True
    outcomes = outcomes_of(columns, names, metrics, len(draft.lines), draft.summed)
    failed = any(outcomes)
    if not failed and all(v is None for c in metrics for v in c.values):
        return False  # nothing was measured here, and nothing says that it failed
    _drop_unmeasured(metrics, outcomes, draft.note)
    left = [c.key for c in metrics if c.role == "metric"]
    draft.outcomes = outcomes
    # A table whose only metric is a model's size describes models and measures nothing.
    return left.count("model_size") < len(left) or (not left and failed)


def _make_batch(draft: Draft) -> bool:
    table, n = draft.table, len(draft.lines)
    constants, labels = _constants(table.constants)
    draft.batch = Batch(
        file=draft.file,
        sha256=draft.sha256,
        pointer=table.pointer,
        kind="block" if table.of_blocks else "summary" if draft.summed else "sample",
        rows=draft.lines,
        columns=draft.columns,
        constants=constants,
        outcomes=draft.outcomes,
        phases=phases_of(draft.columns, n),
        duplicate_of=[None] * n,
        labels=labels,
        pointers=table.pointers,
    )
    return True


def _complete(draft: Draft) -> bool:
    """What only the records together say: totals, mixed times, what their rates mean."""
    batch, header, note = draft.batch, draft.table.header, draft.note
    assert batch is not None
    if NO_VALUE in batch.outcomes:
        drop_no_records(batch, draft.table.without_metrics, note)
        draft.lines = batch.rows
        if not batch.rows:
            draft.batch = None
            return False
    if len(batch.rows) > 1:
        for i in header.times:
            if are_mixed(draft.table.columns[i]):
                note("mixed-times", column=header.names[i])
        _drop_totals(batch, note)
    if header.relates:
        plain = {
            c.key: c for c in reversed(draft.metrics) if c.role == "metric" and not c.statistic
        }
        name_rates(batch, plain, note)
        derive_rates(batch, plain, note)
        note_load_in_ttft(plain, batch.outcomes, note)
    return True


def _expand_json_cells(columns: list[Column]) -> None:
    """Options written as JSON in a cell become parameter columns of their own."""
    for column in [c for c in columns if c.role not in _SETTLED]:
        first = column.raw[0] or next(filter(None, column.raw), None)
        if first.__class__ is not str or first[0] != "{" or first[-1] != "}":
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
        first = values[0]
        if column.unit != "s" or not first or first != values[-1]:
            continue
        if values.count(first) != len(values):
            continue
        raw = round(first / column.scale, 6)
        if raw >= 256 and raw == int(raw) and int(raw).bit_count() == 1:
            column.role = "unknown"
            note("looks-like-setting", column=column.name, detail=str(raw))


def _drop_run_times(metrics: list[Column], table: RawTable, note: AddNote) -> bool:
    """How long a whole run took is no sample of anything that it measured.

    Tells whether there was such a time.
    """
    lone = len(table.rows) == 1 and len(table.header.times) > 1
    if not table.holds_records and not lone:
        return False
    if not table.holds_records and any(c.key not in ("duration", "model_size") for c in metrics):
        return False
    durations = [c for c in metrics if c.key == "duration"]
    for column in durations:
        column.role = "status"
        note("run-duration", column=column.name)
    return bool(durations)


def _part_namesakes(metrics: list[Column], note: AddNote) -> None:
    """Two columns that read as one metric ("before.latency", "after.latency") are neither.

    They are kept under their own names, unless one of them is named plainly.
    """
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
    if all(outcomes):
        return
    first = outcomes.index("")
    for column in [c for c in metrics if c.values[first] == 0]:
        good = [i for i, o in enumerate(outcomes) if not o]
        if _is_unmeasured(column, good):
            column.role = "empty"
            note("all-zero", column=column.name)


def _is_unmeasured(column: Column, good: list[int]) -> bool:
    if column.unit in ("tokens", "characters", "1"):
        return False
    if column.key in _UNMEASURED_WHEN_ALONE and len(good) < 2:
        return False
    return all(column.values[i] == 0 for i in good)


@lru_cache(maxsize=4096)
def _constant_reading(name: str) -> Reading:
    """What the name of a scalar of an enclosing object says."""
    parent, _, last = name.rpartition(SEPARATOR)
    return read_name(last, parent.rpartition(SEPARATOR)[2])


def _constants(
    enclosing: dict[str, Any],
) -> tuple[dict[str, str | float], dict[str, str]]:
    """(identities and parameters that hold for every row, other short texts as labels)."""
    constants: dict[str, str | float] = {}
    labels: dict[str, str] = {}
    for name, value in enclosing.items():
        if value is None or value == "" or isinstance(value, (list, dict)):
            continue
        reading = _constant_reading(name)
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
    named = [c.raw for c in batch.columns if c.role in ("identity", "label")]
    try:
        words = totals_among(set().union(*named))
    except TypeError:  # lists or objects
        words = totals_among(cell for raw in named for cell in raw)
    if not words:
        return
    totals = {i for raw in named for i, c in enumerate(raw) if isinstance(c, str) and c in words}
    if len(totals) == len(batch):
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
