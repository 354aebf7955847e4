"""Which records are measurements, which failed, which only warmed up."""

from __future__ import annotations

from typing import Any

from chimera.record.batch import Column

_NO_ERROR = frozenset({"", "none", "null", "no", "false", "0", "ok", "nan", "n/a", "[]", "{}", "-"})
_FALSE = frozenset({"false", "no", "0", "failed", "fail", "error", "f", "n"})
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
_RATES = frozenset(
    {"token_rate", "decode_throughput", "wall_throughput", "output_throughput", "throughput"}
)
_ERROR_TEXTS = ("error ", "error:", "exception", "traceback (most recent")
TOTAL_ROWS = frozenset({"aggregated", "total", "all", "overall", "totals", "sum", "average"})


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _by_error(values: list[Any], outcomes: list[str]) -> None:
    for i, value in enumerate(values):
        text = _text(value)
        if text.lower() not in _NO_ERROR and not outcomes[i]:
            outcomes[i] = text


def _by_success(column: Column, outcomes: list[str]) -> None:
    for i, value in enumerate(column.raw):
        if _text(value).lower() in _FALSE and not outcomes[i]:
            outcomes[i] = f"{column.name} is {_text(value)}"


def _by_status(column: Column, outcomes: list[str]) -> None:
    for i, value in enumerate(column.raw):
        text = _text(value).lower()
        http_error = text.isdigit() and len(text) == 3 and int(text) >= 400
        if (text in _FAILED_STATUS or http_error) and not outcomes[i]:
            outcomes[i] = f"{column.name} is {_text(value)}"


def _by_text(column: Column, outcomes: list[str]) -> None:
    """An answer that is an error message is a failure, whatever ``success`` says."""
    for i, value in enumerate(column.raw):
        if isinstance(value, str) and value[:24].lower().startswith(_ERROR_TEXTS):
            if not outcomes[i]:
                outcomes[i] = "the answer is an error message: " + value[:80]


def outcomes_of(columns: list[Column], n: int) -> list[str]:
    """One entry a record: "" for success, otherwise the reason of the failure."""
    outcomes = [""] * n
    metrics = [c for c in columns if c.role == "metric"]
    for column in columns:
        if column.role == "status" and column.key == "error":
            _by_error(column.raw, outcomes)
    for column in columns:
        if column.role == "status":
            if column.key == "success":
                _by_success(column, outcomes)
            elif column.key == "status":
                _by_status(column, outcomes)
            elif column.key == "text":
                _by_text(column, outcomes)
    _by_values(metrics, outcomes)
    return outcomes


def _by_values(metrics: list[Column], outcomes: list[str]) -> None:
    """A rate of zero, or no value at all, is a failure that nobody recorded as one."""
    rates = [c for c in metrics if c.key in _RATES and c.statistic in ("", "mean")]
    measured = [c for c in metrics if c.unit not in ("tokens", "characters", "bytes")]
    for column in rates:
        if all(v in (0, None) for v in column.values):
            continue  # a whole column of zeros was never measured; see batches.py
        for i, value in enumerate(column.values):
            if value == 0 and not outcomes[i]:
                outcomes[i] = f"no error is recorded, but {column.name} is 0"
    if not measured:
        return
    for i, outcome in enumerate(outcomes):
        if not outcome and all(c.values[i] is None for c in measured):
            outcomes[i] = "no value was recorded"


def phases_of(columns: list[Column], n: int) -> list[str]:
    """One entry a record: "" (measured), "warm-up" or "cold", by the file's own word."""
    phases = [""] * n
    for column in columns:
        if column.role != "status":
            continue
        if column.key == "phase":
            for i, value in enumerate(column.raw):
                phases[i] = phases[i] or _phase(column.name.lower(), _text(value).lower())
        elif column.key == "repeat":
            for i, value in enumerate(column.raw):
                if _text(value) in ("-1", "-1.0"):
                    phases[i] = "warm-up"
    return phases


def _phase(name: str, value: str) -> str:
    if "warm" in name or "cold" in name:
        hit = value in _TRUE
        return ("cold" if "cold" in name else "warm-up") if hit else ""
    if value in ("cold", "cold start", "cold_start", "coldstart", "load"):
        return "cold"
    if value in ("warmup", "warm-up", "warm_up", "warm up", "ramp-up", "rampup"):
        return "warm-up"
    return ""
