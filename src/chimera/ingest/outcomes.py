"""Which records are measurements, which failed, which only warmed up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from chimera.ingest.names import normal_form
from chimera.record.batch import Column
from chimera.record.vocabulary import FAILURE_MARKS

NO_VALUE = "no value was recorded"
_NO_ERROR = frozenset({"", "none", "null", "no", "false", "0", "ok", "nan", "n/a", "[]", "{}", "-"})
_FALSE = frozenset({"false", "no", "0", "0.0", "failed", "fail", "error", "f", "n"})
_FAILED_STATUS = frozenset(
    {
        "failed",
        "fail",
        "failure",
        "error",
        "errored",
        "timeout",
        "timed out",
        "cancelled",
        "canceled",
        "aborted",
        "crashed",
        "oom",
    }
)
_TRUE = frozenset({"true", "yes", "1", "t", "y"})
_TRUTHS = frozenset({"true", "false"})
_BAD_ENDS = frozenset({"error", "timeout", "abort", "aborted", "cancelled", "canceled"})
_COLD = frozenset({"cold", "cold start", "cold_start", "coldstart", "load", "kalt", "froid"})
_WARM_UP = frozenset(
    {
        "warmup",
        "warm-up",
        "warm_up",
        "warm up",
        "ramp-up",
        "rampup",
        "aufwärmen",
        "warmlauf",
    }
)
_NOTES = frozenset({"anmerkung", "bemerkung", "note", "notes", "remark", "comment"})
_RATES = frozenset(
    {"token_rate", "decode_throughput", "wall_throughput", "output_throughput", "throughput"}
)
_ERROR_TEXTS = ("error ", "error:", "exception", "traceback (most recent")
_TOTAL_ROWS = frozenset({"aggregated", "total", "all", "overall", "totals", "sum", "average"})


def totals_among(cells: Iterable[Any]) -> set[str]:
    """Those cells that are the name of a row that sums up the others."""
    return {
        cell
        for cell in cells
        if isinstance(cell, str) and len(cell) < 24 and cell.strip(" *").lower() in _TOTAL_ROWS
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _where(raw: list[Any], says: Callable[[Any], bool]) -> list[int]:
    """The rows of which ``says`` holds; each distinct cell is asked once."""
    try:
        hits = {cell for cell in set(raw) if says(cell)}
    except TypeError:  # lists or objects in the cells
        return [i for i, cell in enumerate(raw) if says(cell)]
    return [i for i, cell in enumerate(raw) if cell in hits] if hits else []


def _is_error(value: Any) -> bool:
    return _text(value).lower() not in _NO_ERROR


def _is_false(value: Any) -> bool:
    return _text(value).lower() in _FALSE


def _is_failed_status(value: Any) -> bool:
    text = _text(value).lower()
    http_error = len(text) == 3 and text.isdecimal() and int(text) >= 400
    return text in _FAILED_STATUS or http_error


def _is_error_text(value: Any) -> bool:
    return isinstance(value, str) and value[:24].lower().startswith(_ERROR_TEXTS)


# In this order, the first to speak names the reason.
_SAYS: dict[str, Callable[[Any], bool]] = {
    "error": _is_error,
    "success": _is_false,
    "status": _is_failed_status,
    "text": _is_error_text,
}


@lru_cache(maxsize=1024)
def _marked(names: tuple[str, ...]) -> list[tuple[int, str, str]]:
    """(place, normal form, kind) of the columns whose names may tell of failures."""
    forms = [normal_form(name.rpartition(".")[2]) for name in names]
    return [(i, n, FAILURE_MARKS[n]) for i, n in enumerate(forms) if n in FAILURE_MARKS]


def _marks(columns: list[Column], names: tuple[str, ...]) -> list[tuple[Column, list[int], str]]:
    """(column, its rows that failed, "" or the reason) of the columns named for a failure.

    They get the role "status": what they say is understood. ``names`` are the columns' names.
    """
    found = []
    for i, name, kind in _marked(names):
        column = columns[i]
        if column.role in ("metric", "identity"):
            continue
        if kind == "flag" and not _are_truths(column.raw):
            continue
        if column.role != "status":
            column.role, column.key, column.values = "status", "mark", column.raw
        if kind == "flag":
            rows = _where(column.raw, lambda v: _text(v).lower() == "true")
            found.append((column, rows, f"{name} is true"))
        elif kind == "reason":
            rows = _where(column.raw, lambda v: _text(v).lower() in _BAD_ENDS)
            found.append((column, rows, ""))
        else:
            found.append((column, _where(column.raw, _is_bad_exit), "exit code"))
    return found


def _are_truths(raw: list[Any]) -> bool:
    """Whether cells hold truth values and nothing else."""
    seen = False
    for cell in raw:
        text = _text(cell).lower()
        seen = seen or text in _TRUTHS
        if text and text not in _TRUTHS:
            return False
    return seen


def _is_bad_exit(value: Any) -> bool:
    try:
        return bool(int(_text(value)))
    except ValueError:
        return False


def _reason(column: Column, row: int) -> str:
    text = _text(column.raw[row])
    if column.key == "error":
        return text
    if column.key == "text":
        return f"the answer is an error message: {column.raw[row][:80]}"
    return f"{column.name} is {text}"


def outcomes_of(
    columns: list[Column],
    names: tuple[str, ...],
    metrics: list[Column],
    n: int,
    summed: bool = False,
) -> list[str]:
    """One entry a record: "" for success, otherwise the reason of the failure.

    ``names`` are those of the columns as read. ``summed``: the records are summaries, of which
    one without any value sums up nothing.
    """
    outcomes = [""] * n
    _set_counts_apart(columns)
    marks = _marks(columns, names)
    flags = {id(column) for column, _, why in marks if why.endswith(" is true")}
    speaking = [c for c in columns if c.role == "status" and c.key in _SAYS and id(c) not in flags]
    if len(speaking) > 1:
        speaking.sort(key=lambda c: c.key != "error")
    for column in speaking:
        if column.key == "error" and not any(column.raw):
            continue
        for i in _where(column.raw, _SAYS[column.key]):
            outcomes[i] = outcomes[i] or _reason(column, i)
    for column, rows, why in marks:
        for i in rows:
            said = _text(column.raw[i])
            reason = f"exit code {said}" if why == "exit code" else why
            outcomes[i] = outcomes[i] or reason or f"{column.name} is {said}"
    _by_values(metrics, outcomes, summed)
    return outcomes


def _set_counts_apart(columns: list[Column]) -> None:
    """Errors that are counted beside the number of requests are a count of each row's requests:
    the row itself has not failed.
    """
    counts = [c for c in columns if c.role == "status" and c.key == "count"]
    for column in columns:
        if column.role != "status" or column.key != "error":
            continue
        if any(_are_parts(column.raw, whole.raw) for whole in counts):
            column.key = "count"


def _are_parts(raw: list[Any], whole: list[Any]) -> bool:
    """Whether all cells are whole numbers, none beyond the one beside it."""
    try:
        return bool(raw) and all(
            0 <= int(_text(part)) <= int(_text(total))
            for part, total in zip(raw, whole, strict=True)
        )
    except ValueError:
        return False


def _by_values(metrics: list[Column], outcomes: list[str], summed: bool) -> None:
    """A rate of zero, or no value at all, is a failure that nobody recorded as one."""
    for column in metrics:
        if column.key not in _RATES or column.statistic not in ("", "mean"):
            continue
        if 0 not in column.values or not any(column.values):
            continue  # a whole column of zeros was never measured; see batches.py
        for i, value in enumerate(column.values):
            if value == 0 and not outcomes[i]:
                outcomes[i] = f"no error is recorded, but {column.name} is 0"
    measured = [c.values for c in metrics if c.unit not in ("tokens", "characters", "bytes")]
    if not measured or any(None not in values for values in measured):
        return
    blank = [i for i in range(len(outcomes)) if all(values[i] is None for values in measured)]
    stated = summed and any(c.statistic for c in metrics)
    if not stated and len(blank) == len(outcomes):
        return  # what no record holds was not lost by one of them
    for i in blank:
        outcomes[i] = outcomes[i] or NO_VALUE


def phases_of(columns: list[Column], n: int) -> list[str]:
    """One entry a record: "" (measured), "warm-up" or "cold", by the file's own word."""
    phases = [""] * n
    for column in columns:
        if column.role == "label" and normal_form(column.name) in _NOTES:
            phases = [p or _noted(v) for p, v in zip(phases, column.raw, strict=True)]
        if column.role != "status":
            continue
        if column.key == "phase":
            name = column.name.lower()
            phases = [p or _phase(name, v) for p, v in zip(phases, column.raw, strict=True)]
        elif column.key == "repeat":
            for i in _where(column.raw, lambda v: _text(v) in ("-1", "-1.0")):
                phases[i] = "warm-up"
    return phases


def _noted(cell: Any) -> str:
    """The phase that a remark says, when it says nothing else."""
    return "" if _text(cell).lower() == "load" else _phase("", cell)


def _phase(name: str, cell: Any) -> str:
    value = _text(cell).lower()
    if "warm" in name or "cold" in name:
        hit = value in _TRUE
        return ("cold" if "cold" in name else "warm-up") if hit else ""
    if value in _COLD:
        return "cold"
    return "warm-up" if value in _WARM_UP else ""
