"""From cells to a typed column: role, unit and values."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Any

from chimera.ingest.cells import BLANKS, NOT_FINITE, is_decimal_comma, parse_number
from chimera.ingest.names import Reading
from chimera.record.batch import Column
from chimera.record.vocabulary import METRICS

AddNote = Callable[..., None]
Numbers = list[float | None]

QUANTIZATION = re.compile(
    r"(?:^|[-_:/. ])(i?q[2-8]_(?:k(?:_[sml]|_xl)?|[01]|nl|xs|xxs|[sm])|q[2-8]_k|fp?(?:16|32|8)|"
    r"bf16|int[48]|awq|gptq|nvfp4|mxfp4|w4a16|w8a8|exl2|qat)(?=$|[-_:/. ])",
    re.IGNORECASE,
)
_RATE_OF_UNIT = {
    "tokens/s": "token_rate",
    "requests/s": "request_throughput",
    "samples/s": "sample_throughput",
}
_OLLAMA_NS = frozenset({"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"})
_NO_VALUES = BLANKS | NOT_FINITE
_LONG_TEXT = 200
_FLOATS = {float}
_WITH_VALUES = {int, float, bool}
_NO_NUMBERS = {bool, list, dict}
_NUMBER_KINDS = {float, int, str, type(None)}
_HOTTEST = 5.0  # a sampling temperature above it is degrees


def _status_column(
    name: str, _leaf: str, reading: Reading, raw: list[Any], _comma: bool, _note: AddNote
) -> Column:
    return Column(name, "status", reading.key, "", "", 1.0, raw, raw)


def _identity_column(
    name: str, _leaf: str, reading: Reading, raw: list[Any], _comma: bool, _note: AddNote
) -> Column:
    first = raw[0]
    if first.__class__ is str and raw.count(first) == len(raw):  # one name for all, as mostly
        texts = [_identity(first)] * len(raw)
    else:
        try:
            texts = list(map(_identity, raw))
        except TypeError:  # lists or objects
            texts = [plain_text(cell) for cell in raw]
    return Column(name, "identity", reading.key, "", "", 1.0, texts, raw)


def _plain_numbers(raw: list[Any], kinds: set[type]) -> Numbers | None:
    """The cells as floats where each is a plain finite number or blank, otherwise None.

    ``kinds`` are the cells' types.
    """
    if kinds == _FLOATS:
        return raw if isfinite(sum(raw)) else None
    if not kinds <= _NUMBER_KINDS:
        return None
    texts = str in kinds
    try:
        if type(None) in kinds or (texts and "" in raw):
            values: Numbers = [None if c is None or c == "" else float(c) for c in raw]
            finite = isfinite(sum(filter(None, values)))
        else:
            values = list(map(float, raw))
            finite = isfinite(sum(values))  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return None
    if not finite:
        return None
    if texts and "_" in "".join(raw if len(kinds) == 1 else map(str, raw)):
        return None  # 1_000 is Python, no data
    return values


def _scaled(values: Numbers, scale: float) -> Numbers:
    if None in values:
        return [None if v is None else v * scale for v in values]
    return [v * scale for v in values]  # type: ignore[operator]


def _slow_numbers(
    raw: list[Any], reading: Reading, comma: bool, misfits: list[int], infinite: list[int]
) -> tuple[Numbers, str, int]:
    """Cell by cell: (values in canonical units, unit that the cells name, cells that are text)."""
    metric = METRICS.get(reading.key)
    values: Numbers = []
    cell_unit = ""
    bad = 0
    # "1.234" has a thousands separator only where its own column writes decimals with a comma.
    comma = comma and any(isinstance(c, str) and "," in c for c in raw)
    for i, cell in enumerate(raw):
        value, scale = None, reading.scale
        if cell is None:
            pass
        elif isinstance(cell, (int, float)) and not isinstance(cell, bool):
            value = _finite(cell)
            if value is None:
                infinite.append(i)
        elif isinstance(cell, str):
            parsed = parse_number(cell, comma)
            if parsed is None:
                text = cell.strip().lower()
                if text in NOT_FINITE or _overflows(text):
                    infinite.append(i)
                elif text not in BLANKS:
                    bad += 1
            else:
                value, unit, factor = parsed
                if unit and (reading.unit or metric) and not _unit_fits(reading, unit):
                    misfits.append(i)
                    value = None
                elif unit:
                    cell_unit, scale = cell_unit or unit, factor
        else:
            bad += 1
        values.append(None if value is None else value * scale)
    return values, cell_unit, bad


def _overflows(text: str) -> bool:
    """Whether a cell is a number that no float can hold ("1e400")."""
    try:
        return not isfinite(float(text))
    except ValueError:
        return False


def _finite(cell: float) -> float | None:
    """The number as a float; None for infinities, NaN and integers that no float can hold."""
    try:
        value = float(cell)
    except OverflowError:
        return None
    return value if isfinite(value) else None


def _unit_fits(reading: Reading, unit: str) -> bool:
    if reading.unit:
        return unit == reading.unit
    metric = METRICS.get(reading.key)
    return metric is None or metric.unit == unit


def _parameter_column(
    name: str, _leaf: str, reading: Reading, raw: list[Any], comma: bool, _note: AddNote
) -> Column:
    key, cells = reading.key, raw
    if comma and is_decimal_comma([c for c in raw if isinstance(c, str)]):
        cells = [c.replace(",", ".") if isinstance(c, str) else c for c in raw]
    try:
        values = list(map(parameter_value, cells))
    except TypeError:  # lists or objects are no setting
        return Column(name, "unknown", name, "", "", 1.0, raw, raw)
    if key == "temperature" and any(
        isinstance(v, (int, float)) and v > _HOTTEST for v in set(values)
    ):
        return Column(name, "unknown", name, "", "", 1.0, raw, raw)
    return Column(name, "parameter", key, "", "", 1.0, values, raw)


def _metric_column(
    name: str, leaf: str, reading: Reading, raw: list[Any], comma: bool, note: AddNote
) -> Column:
    cell_unit, scale = "", reading.scale
    values = _plain_numbers(raw, set(map(type, raw)))
    if values is None:
        checked = _checked_numbers(name, raw, reading, comma, note)
        if checked is None:
            return Column(name, "text", name, "", "", 1.0, raw, raw)
        values, cell_unit = checked
    elif scale != 1.0:
        values = _scaled(values, scale)
    key, unit = reading.key, reading.unit or cell_unit
    unit_from = "name" if reading.unit else "cell" if cell_unit else ""
    if not unit and leaf in _OLLAMA_NS and _all_integral(values):
        unit, scale, unit_from = "s", 1e-9, "format"
        values = _scaled(values, 1e-9)
    if key == "throughput":
        key = _RATE_OF_UNIT.get(unit, "throughput")
    return Column(name, "metric", key, reading.statistic, unit, scale, values, raw, unit_from)


def _checked_numbers(
    name: str, raw: list[Any], reading: Reading, comma: bool, note: AddNote
) -> tuple[Numbers, str] | None:
    """(values, unit of the cells), cells that do not fit noted; None for a column of text."""
    misfits: list[int] = []
    infinite: list[int] = []
    values, cell_unit, bad = _slow_numbers(raw, reading, comma, misfits, infinite)
    filled = len(raw) - values.count(None)
    if bad > filled or (bad and not (filled or infinite or misfits)):
        return None
    if misfits:
        note("cell-unit-misfit", misfits, name, str(raw[misfits[0]]))
    if infinite:
        note("not-finite", infinite, name)
    if bad:
        told = {*misfits, *infinite}
        odd = [
            i
            for i, v in enumerate(values)
            if v is None
            and raw[i] is not None
            and i not in told
            and not (isinstance(raw[i], str) and raw[i].strip().lower() in BLANKS)
        ]
        note("not-a-number", odd, name, str(raw[odd[0]]))
    return values, cell_unit


def _all_integral(values: Numbers) -> bool:
    """Integers of at least a microsecond's worth of nanoseconds, as Ollama's API gives."""
    filled = [v for v in values if v is not None]
    return bool(filled) and all(v == int(v) for v in filled) and max(filled) >= 1e4


def _unknown_column(
    name: str, _leaf: str, reading: Reading, raw: list[Any], comma: bool, _note: AddNote
) -> Column:
    kinds = set(map(type, raw))
    role = "label"
    texts = raw
    if str in kinds and not (len(kinds) == 1 and all(raw)):
        texts = [c for c in raw if isinstance(c, str) and c]
    if str in kinds and texts:
        if max(map(len, texts)) > _LONG_TEXT:
            return Column(name, "text", name, "", "", 1.0, raw, raw)
        if _is_quantization(texts[0]) and all(map(_is_quantization, texts)):
            values = [c or None for c in raw]
            return Column(name, "identity", "quantization", "", "", 1.0, values, raw)
        if _is_word(texts[0]):
            return Column(name, "label", name, "", "", 1.0, raw, raw)
    elif kinds.isdisjoint(_WITH_VALUES):
        role = "empty"
    if role == "empty" or not kinds.isdisjoint(_NO_NUMBERS):
        return Column(name, role, name, "", "", 1.0, raw, raw)
    cell_unit = ""
    values_ = _plain_numbers(raw, kinds)
    if values_ is None:
        values_, cell_unit, bad = _slow_numbers(raw, reading, comma, [], [])
        if bad:
            return Column(name, "label", name, "", "", 1.0, raw, raw)
    elif reading.scale != 1.0:
        values_ = _scaled(values_, reading.scale)
    unit = reading.unit or cell_unit
    return Column(name, "unknown", name, reading.statistic, unit, reading.scale, values_, raw)


# What a column means and its values, by the role that its name says. Each is given the column's
# name, that name's last key, what it says, the cells, whether they write decimals with a comma,
# and what to tell of cells that do not fit.
COLUMN_MAKERS = {
    "metric": _metric_column,
    "status": _status_column,
    "parameter": _parameter_column,
    "identity": _identity_column,
    "unknown": _unknown_column,
}


@lru_cache(maxsize=4096)
def _is_word(text: str) -> bool:
    """Whether a cell is no number by its first character (JSON in a cell is none either)."""
    return (text[0].isalpha() or text[0] in "{[") and text.strip().lower() not in _NO_VALUES


@lru_cache(maxsize=4096)
def _is_quantization(text: str) -> bool:
    return len(text) < 40 and QUANTIZATION.fullmatch(text) is not None


def plain_text(value: Any) -> str:
    """A name as text: paths of model files become file names without their extension."""
    text = str(value).strip()
    if text.endswith((".gguf", ".safetensors")):
        text = re.split(r"[\\/]", text)[-1].rpartition(".")[0]
    return text


@lru_cache(maxsize=4096, typed=True)
def _identity(value: Any) -> str | None:
    return None if value is None or value == "" else plain_text(value)


@lru_cache(maxsize=8192, typed=True)
def parameter_value(value: Any) -> float | int | str | None:
    """A parameter in one form: 0.800000011920929, "0.8" and 0.8 are the same setting.

    Raises TypeError for lists and objects, which are no setting.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return str(value).strip()
    try:
        if isinstance(value, (int, float)) and isfinite(value):
            number: float = float(f"{value:.6g}") if abs(value) < 1e6 else value
            return int(number) if number == int(number) else number
    except OverflowError:
        pass  # an integer that no float can hold is only a name
    return str(value)
