"""A rate of prefill in some rows and of decode in others, told apart by the tokens of each row.

llama-bench writes both into one column, ``avg_ts``, and says with ``n_prompt`` and ``n_gen`` what
a row measured. The name alone could be a point in time, so the rate has to be the row's tokens
over its time.
"""

from __future__ import annotations

from typing import Any

from chimera.ingest.columns import AddNote
from chimera.ingest.names import read_name
from chimera.record.batch import Column

_UNIT = "tokens/s"
_TOLERANCE = 0.015
_STATISTICS = ("mean", "sd")
_KEYS = ("prefill_throughput", "decode_throughput", "total_throughput")


def split_phase_rates(columns: list[Column], note: AddNote) -> bool:
    """Replace a column of rates by one for each phase that its rows measured; tell if there was."""
    tokens = {c.key: c.values for c in columns if c.role == "parameter"}
    if "n_prompt" not in tokens or "n_gen" not in tokens:
        return False
    pairs = list(zip(tokens["n_prompt"], tokens["n_gen"], strict=True))
    if not all(isinstance(n, (int, float)) for pair in pairs for n in pair):
        return False
    rates = [c for c in columns if _is_rate(c)]
    spread = next((c for c in columns if c.key == "duration" and c.statistic == "sd"), None)
    time = next((c for c in columns if c.key == "duration" and c.statistic == "mean"), None)
    mean = next((c for c in rates if c.statistic == "mean"), None)
    if time is None or mean is None or not _proven(mean, time, spread, pairs):
        return False
    for column in rates:
        at = columns.index(column)
        columns[at : at + 1] = _by_phase(column, pairs)
    note("phase-rates", column=mean.name)
    return True


def _is_rate(column: Column) -> bool:
    """Whether a column of no known name is a statistic of "ts", as numbers."""
    name = column.name.rpartition(".")[2].lower()
    return (
        column.role == "unknown"
        and name.endswith("_ts")
        and read_name(name).statistic in _STATISTICS
        and column.statistic in _STATISTICS
    )


def _proven(mean: Column, time: Column, sd: Column | None, pairs: list[tuple[Any, Any]]) -> bool:
    """Whether every rate is its row's tokens over its time.

    A mean of rates lies above the rate of the mean time, the more the times scatter: by about
    the square of their relative deviation.
    """
    checked = 0
    for i, (n_prompt, n_gen) in enumerate(pairs):
        rate, seconds = mean.values[i], time.values[i]
        if not rate or not seconds:
            continue
        expected = (n_prompt + n_gen) / seconds
        scatter = (sd.values[i] or 0.0) / seconds if sd is not None and sd.unit == "s" else 0.0
        most = expected * (1.0 + _TOLERANCE + 3.0 * scatter**2)
        if not expected * (1.0 - _TOLERANCE) <= rate <= most:
            return False
        checked += 1
    return checked > 0


def _by_phase(column: Column, pairs: list[tuple[Any, Any]]) -> list[Column]:
    """A column for each phase that some row measured; the cells are those of the file."""
    phases = [0 if not n_gen else 1 if not n_prompt else 2 for n_prompt, n_gen in pairs]
    return [
        Column(
            column.name,
            "metric",
            key,
            column.statistic,
            _UNIT,
            1.0,
            [v if p == phase else None for v, p in zip(column.values, phases, strict=True)],
            column.raw,
            "values",
        )
        for phase, key in enumerate(_KEYS)
        if phase in phases
    ]
