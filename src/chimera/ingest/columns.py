"""From cells to a typed column: role, unit and values."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import fsum, isfinite
from typing import Any

from chimera.ingest.cells import BLANKS, NOT_FINITE, parse_number
from chimera.ingest.names import Reading, read_name
from chimera.record.batch import Column
from chimera.record.vocabulary import METRICS

AddNote = Callable[..., None]

QUANTIZATION = re.compile(
    r"(?:^|[-_:/. ])(i?q[2-8]_(?:k(?:_[sml]|_xl)?|[01]|nl|xs|xxs|[sm])|q[2-8]_k|fp?(?:16|32|8)|bf16|"
    r"int[48]|awq|gptq|nvfp4|mxfp4|w4a16|w8a8|exl2|qat)(?=$|[-_:/. ])",
    re.IGNORECASE,
)
_RATE_OF_UNIT = {
    "tokens/s": "token_rate",
    "requests/s": "request_throughput",
    "samples/s": "sample_throughput",
}
_OLLAMA_NS = frozenset(
    {"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"}
)
_LONG_TEXT = 200


def _slow_numbers(
    raw: list[Any], reading: Reading, comma: bool, misfits: list[int], infinite: list[int]
) -> tuple[list[float | None], str, int]:
    """Cell by cell: (values in canonical units, unit that the cells name, cells that are text)."""
    metric = METRICS.get(reading.key)
    values: list[float | None] = []
    cell_unit = ""
    bad = 0
    for i, cell in enumerate(raw):
        if cell is None or isinstance(cell, bool):
            values.append(None)
            bad += cell is not None
        elif isinstance(cell, (int, float)):
            finite = isfinite(cell)
            values.append(cell * reading.scale if finite else None)
            if not finite:
                infinite.append(i)
        elif isinstance(cell, str):
            parsed = parse_number(cell, comma)
            if parsed is None:
                values.append(None)
                text = cell.strip().lower()
                if text in NOT_FINITE:
                    infinite.append(i)
                elif text not in BLANKS:
                    bad += 1
                continue
            value, unit, scale = parsed
            if unit and (reading.unit or metric) and not _unit_fits(reading, unit):
                misfits.append(i)
                values.append(None)
                continue
            cell_unit = cell_unit or unit
            values.append(value * (scale if unit else reading.scale))
        else:
            values.append(None)
            bad += 1
    return values, cell_unit, bad


def _unit_fits(reading: Reading, unit: str) -> bool:
    if reading.unit:
        return unit == reading.unit
    metric = METRICS.get(reading.key)
    return metric is None or metric.unit == unit


def _numbers(
    raw: list[Any], reading: Reading, comma: bool, misfits: list[int], infinite: list[int]
) -> tuple[list[float | None], str, int]:
    """As ``_slow_numbers``, by the fast path where every cell is a plain number or blank."""
    try:
        if bool in set(map(type, raw)):
            raise ValueError
        if "" in raw or None in raw:
            values: list[float | None] = [
                None if c is None or c == "" else float(c) for c in raw
            ]
            total = fsum(v for v in values if v is not None)
        else:
            values = list(map(float, raw))
            total = fsum(values)  # type: ignore[arg-type]
        if not isfinite(total):
            raise ValueError
    except (ValueError, TypeError, OverflowError):
        return _slow_numbers(raw, reading, comma, misfits, infinite)
    if reading.scale != 1.0:
        scale = reading.scale
        values = [None if v is None else v * scale for v in values]
    return values, "", 0


def _column(name: str, role: str, key: str, raw: list[Any], values: list[Any]) -> Column:
    return Column(name, role, key, "", "", 1.0, values, raw)


def typed_column(
    name: str,
    leaf: str,
    raw: list[Any],
    parent: str,
    comma: bool,
    note: AddNote,
    rows: list[int],
) -> Column:
    """What a column means and its values; ``note`` is told of cells that do not fit.

    ``leaf`` is what is read: the name, or the last key of a nested JSON name.
    """
    reading = read_name(leaf, parent)
    if reading.role == "metric":
        return _metric_column(name, leaf, raw, reading, comma, note, rows)
    if reading.role == "parameter":
        values = [parameter_value(cell) for cell in raw]
        if reading.key == "temperature" and any(
            isinstance(v, float) and v > 5 for v in values if v is not None
        ):
            return _column(name, "unknown", name, raw, raw)
        if any(isinstance(v, (list, dict)) for v in raw):
            return _column(name, "unknown", name, raw, raw)
        return _column(name, "parameter", reading.key, raw, values)
    if reading.role == "identity":
        texts = [None if c is None or c == "" else plain_text(c) for c in raw]
        return _column(name, "identity", reading.key, raw, texts)
    if reading.role == "status":
        return _column(name, "status", reading.key, raw, raw)
    return _unknown_column(name, raw, reading, comma)


def _metric_column(
    name: str, leaf: str, raw: list[Any], reading: Reading, comma: bool, note: AddNote, rows: list[int]
) -> Column:
    misfits: list[int] = []
    infinite: list[int] = []
    values, cell_unit, bad = _numbers(raw, reading, comma, misfits, infinite)
    filled = len(raw) - sum(1 for v in values if v is None)
    if bad > filled or (not filled and not infinite and not misfits and bad):
        return _column(name, "text", name, raw, raw)
    if misfits:
        first = str(raw[misfits[0]])
        note("cell-unit-misfit", rows=[rows[i] for i in misfits], column=name, detail=first)
    if infinite:
        note("not-finite", rows=[rows[i] for i in infinite], column=name)
    if bad:
        odd = [i for i, v in enumerate(values) if v is None and isinstance(raw[i], str)]
        odd = [i for i in odd if str(raw[i]).strip().lower() not in BLANKS | NOT_FINITE]
        note("not-a-number", rows=[rows[i] for i in odd], column=name, detail=str(raw[odd[0]]))
    key, unit = reading.key, reading.unit or cell_unit
    unit_from = "name" if reading.unit else "cell" if cell_unit else ""
    scale = reading.scale
    if not unit and leaf in _OLLAMA_NS and _all_integral(values):
        unit, scale, unit_from = "s", 1e-9, "format"
        values = [None if v is None else v * 1e-9 for v in values]
    if key == "throughput":
        key = _RATE_OF_UNIT.get(unit, "throughput")
    return Column(name, "metric", key, reading.statistic, unit, scale, values, raw, unit_from)


def _all_integral(values: list[float | None]) -> bool:
    """Integers of at least a microsecond's worth of nanoseconds, as Ollama's API gives."""
    filled = [v for v in values if v is not None]
    return bool(filled) and all(v == int(v) for v in filled) and max(filled) >= 1e4


def _unknown_column(name: str, raw: list[Any], reading: Reading, comma: bool) -> Column:
    texts = [c for c in raw if isinstance(c, str) and c]
    if texts and all(len(t) < 40 and QUANTIZATION.fullmatch(t) for t in texts):
        return _column(name, "identity", "quantization", raw, [c or None for c in raw])
    if not texts and not any(isinstance(c, (int, float)) for c in raw):
        return _column(name, "empty", name, raw, raw)
    if texts and any(len(t) > _LONG_TEXT for t in texts):
        return _column(name, "text", name, raw, raw)
    values, cell_unit, bad = _numbers(raw, reading, comma, [], [])
    if bad:
        return _column(name, "label", name, raw, raw)
    column = _column(name, "unknown", name, raw, values)
    column.unit, column.statistic, column.scale = (
        reading.unit or cell_unit,
        reading.statistic,
        reading.scale,
    )
    return column


def plain_text(value: Any) -> str:
    """A name as text: paths of model files become file names without their extension."""
    text = str(value).strip()
    if text.endswith(".gguf") or text.endswith(".safetensors"):
        text = re.split(r"[\\/]", text)[-1].rpartition(".")[0]
    return text


def parameter_value(value: Any) -> float | int | str | None:
    """A parameter in one form: 0.800000011920929, "0.8" and 0.8 are the same setting."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return value.strip()
    if isinstance(value, (int, float)) and isfinite(value):
        number = float(f"{value:.6g}") if abs(value) < 1e6 else value
        return int(number) if number == int(number) else number
    return str(value)
