"""From a raw table to a batch of records."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from chimera.ingest.cells import is_decimal_comma
from chimera.ingest.columns import parameter_value, plain_text, typed_column
from chimera.ingest.names import read_name
from chimera.ingest.outcomes import TOTAL_ROWS, outcomes_of, phases_of
from chimera.ingest.tables import SEPARATOR, Note, RawTable
from chimera.record.batch import Batch, Column

_DOT = re.compile(r"\.(?=[A-Za-z_])")
_MOST = 0.9
_TOLERANCE = 0.015
_TIMES_OF_ONE_ANSWER = ("e2e_latency", "generation_time", "duration")
_MAX_LABEL = 60


def batch_of(
    table: RawTable, file: str, sha256: str, notes: list[Note]
) -> Batch | None:
    """The records of a table; None when no column of it is a metric or a failure.

    Appends to ``notes`` what a reader must know about single cells and columns.
    """

    def note(kind: str, rows: list[int] | None = None, column: str = "", detail: str = "") -> None:
        notes.append(Note(kind, file, tuple(rows or ()), column, detail[:200]))

    parents = table.parents or [""] * len(table.names)
    leaves = table.leaves
    if leaves is None:  # a flat file of nested names: "benchmark.input_shapes.batch_size"
        parts = [_DOT.split(name) if " " not in name else [name] for name in table.names]
        leaves = [p[-1] or name for p, name in zip(parts, table.names, strict=True)]
        parents = [p[-2] if len(p) > 1 else "" for p in parts]
    columns = [
        typed_column(name, leaf, raw, parent, table.decimal_comma, note, table.rows)
        for name, leaf, raw, parent in zip(
            table.names, leaves, table.columns, parents, strict=True
        )
    ]
    _expand_json_cells(columns)
    _part_namesakes(columns, note)
    _drop_settings(columns, note)
    metrics = [c for c in columns if c.role == "metric"]
    if not metrics:
        return None
    n = len(table.rows)
    outcomes = outcomes_of(columns, n)
    _drop_unmeasured(columns, outcomes, note)
    metrics = [c for c in columns if c.role == "metric"]
    if not metrics and not any(outcomes):
        return None
    constants, labels = _constants(table)
    kind = "summary" if table.beside_rows or any(c.statistic for c in metrics) else "sample"
    batch = Batch(
        file=file,
        sha256=sha256,
        pointer=table.pointer,
        kind="summary" if kind == "summary" else "sample",
        rows=table.rows,
        columns=columns,
        constants=constants,
        outcomes=outcomes,
        phases=phases_of(columns, n),
        duplicate_of=[None] * n,
        labels=labels,
        pointers=table.pointers,
    )
    _drop_totals(batch, note)
    _name_rates(batch, note)
    _ttft_parts(batch, note)
    return batch


def _expand_json_cells(columns: list[Column]) -> None:
    """Options written as JSON in a cell become parameter columns of their own."""
    for column in list(columns):
        first = next((c for c in column.raw if c), None)
        if not (isinstance(first, str) and first[:1] == "{" and first[-1:] == "}"):
            continue
        parsed: dict[str, Any] = {}
        cells: list[dict[str, Any]] = []
        for cell in column.raw:
            if cell not in parsed:
                try:
                    value = msgspec.json.decode(cell)
                except (msgspec.DecodeError, TypeError):
                    value = {}
                parsed[cell] = value if isinstance(value, dict) else {}
            cells.append(parsed[cell])
        present = {c.key for c in columns}
        for key in {k: None for cell in cells for k in cell}:
            reading = read_name(key)
            if reading.role == "parameter" and reading.key not in present:
                raw = [cell.get(key) for cell in cells]
                values = [parameter_value(v) for v in raw]
                name = f"{column.name}.{key}"
                columns.append(Column(name, "parameter", reading.key, "", "", 1.0, values, raw))


def _drop_settings(columns: list[Column], note: Callable[..., None]) -> None:
    """A "time" that is the same power of two in every row is a context length, no time."""
    for column in columns:
        if column.role == "metric" and column.unit == "s" and len(column.raw) > 1:
            raw = {float(r) for r in column.raw if isinstance(r, (int, float))}
            if len(raw) == 1 and (value := raw.pop()) >= 256 and value == int(value):
                if int(value).bit_count() == 1:
                    column.role = "unknown"
                    note("looks-like-setting", column=column.name, detail=str(value))


def _part_namesakes(columns: list[Column], note: Callable[..., None]) -> None:
    """Two columns that read as one metric ("before.latency", "after.latency") are neither.

    They are kept under their own names, unless one of them is named plainly.
    """
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in columns:
        if column.role == "metric":
            groups.setdefault((column.key, column.statistic), []).append(column)
    for group in groups.values():
        if len(group) > 1:
            plain = [c for c in group if "." not in c.name]
            if len(plain) != 1 and _agree(group):
                plain = [max(group, key=lambda c: sum(v is not None for v in c.values))]
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


def _drop_unmeasured(
    columns: list[Column], outcomes: list[str], note: Callable[..., None]
) -> None:
    """A whole column of zeros among successful rows means "not measured", not zero."""
    good = [i for i, o in enumerate(outcomes) if not o]
    for column in columns:
        if column.role != "metric" or column.unit in ("tokens", "characters", "1"):
            continue
        if column.key in ("load_time", "queue_time", "prefill_time") and len(good) < 2:
            continue
        if good and all(column.values[i] == 0 for i in good):
            column.role = "empty"
            note("all-zero", column=column.name)


def _constants(table: RawTable) -> tuple[dict[str, str | float], dict[str, str]]:
    """(identities and parameters that hold for every row, other short texts as labels)."""
    constants: dict[str, str | float] = {}
    labels: dict[str, str] = {}
    for name, value in table.constants.items():
        if value is None or isinstance(value, (list, dict)) or value == "":
            continue
        parent, _, last = name.rpartition(SEPARATOR)
        reading = read_name(last, parent.rpartition(SEPARATOR)[2])
        if reading.role == "parameter":
            setting = parameter_value(value)
            if setting is not None:
                constants.setdefault(reading.key, setting)
        elif reading.role == "identity" and not isinstance(value, bool):
            constants.setdefault(reading.key, plain_text(value))
        elif isinstance(value, str) and len(value) <= _MAX_LABEL:
            labels.setdefault(name.replace(SEPARATOR, "."), value)
    return constants, labels


def _drop_totals(batch: Batch, note: Callable[..., None]) -> None:
    """A row named "Aggregated" or "Total" sums up the others: no record of its own."""
    if len(batch) < 2:
        return
    texts = [c for c in batch.columns if c.role in ("identity", "label")]
    totals = [
        i
        for i in range(len(batch))
        if any(str(c.raw[i] or "").strip(" *").lower() in TOTAL_ROWS for c in texts)
    ]
    if not totals or len(totals) == len(batch):
        return
    note("total-row", rows=[batch.rows[i] for i in totals])
    keep = [i for i in range(len(batch)) if i not in set(totals)]
    batch.rows = [batch.rows[i] for i in keep]
    for column in batch.columns:
        column.values = [column.values[i] for i in keep]
        column.raw = [column.raw[i] for i in keep]
    batch.outcomes = [batch.outcomes[i] for i in keep]
    batch.phases = [batch.phases[i] for i in keep]
    batch.duplicate_of = [None] * len(keep)
    if batch.pointers:
        batch.pointers = [batch.pointers[i] for i in keep]


def _holds(rate: Column, tokens: Column, time: Column, good: list[int]) -> bool:
    """Whether rate = tokens / time in nearly all records where all three are known."""
    checked = held = 0
    for i in good:
        r, k, t = rate.values[i], tokens.values[i], time.values[i]
        if r and k and t:
            checked += 1
            held += abs(r - k / t) <= _TOLERANCE * r
    return checked > 0 and held >= _MOST * checked


def _name_rates(batch: Batch, note: Callable[..., None]) -> None:
    """A bare "tokens/s" gets its meaning from its own row's tokens and times, or keeps none."""
    rate = batch.column("token_rate")
    if rate is None or rate.unit != "tokens/s":
        return
    good = [i for i, o in enumerate(batch.outcomes) if not o]
    tokens = batch.column("output_tokens") or batch.column("tokens")
    decode = batch.column("decode_time")
    if tokens and decode and decode.unit == "s" and _holds(rate, tokens, decode, good):
        rate.key = "decode_throughput"
        return
    for key in _TIMES_OF_ONE_ANSWER:
        time = batch.column(key)
        if tokens and time and time.unit == "s" and _holds(rate, tokens, time, good):
            rate.key = "wall_throughput"
            return
    if batch.kind == "sample":
        note("rate-meaning-unknown", column=rate.name)


def _ttft_parts(batch: Batch, note: Callable[..., None]) -> None:
    """TTFT = load + prefill in every row: a reload sits inside TTFT."""
    ttft, load, prefill = (batch.column(k) for k in ("ttft", "load_time", "prefill_time"))
    if not (ttft and load and prefill):
        return
    checked = held = 0
    for i, outcome in enumerate(batch.outcomes):
        t, a, b = ttft.values[i], load.values[i], prefill.values[i]
        if not outcome and t and a is not None and b is not None:
            checked += 1
            held += abs(t - a - b) <= max(1e-3 * t, 2e-4)
    if checked and held >= _MOST * checked:
        note("ttft-holds-load", column=ttft.name, detail=f"{load.name} + {prefill.name}")


def comma_of(columns: list[list[str]], delimiter: str) -> bool:
    """Whether a delimited file writes decimals with a comma."""
    if delimiter == ",":
        return False
    return any(
        is_decimal_comma([c for c in cells if c]) for cells in columns if any("," in c for c in cells)
    )
