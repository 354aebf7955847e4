"""A table as a reader found it, before anything is understood."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from chimera.ingest.names import Reading, is_bare, lacks_unit, read_name

SEPARATOR = "\x1f"  # joins nested keys; keys themselves may hold dots and slashes
_DOT = re.compile(r"\.(?=[A-Za-z_])")

CONFIGURED = frozenset(
    {"config", "configuration", "settings", "args", "arguments", "parameters", "options"}
)


# Metrics of which the values of others can say what they mean (``chimera.ingest.rates``).
_TOLD_BY_OTHERS = frozenset({"token_rate", "throughput", "output_tokens", "prompt_tokens", "ttft"})
_TOLD_TOGETHER = frozenset({"e2e_latency", "output_throughput"})


class Header(msgspec.Struct, frozen=True):
    """The columns' names and what each says: whatever of a table follows from its names alone.

    ``names`` are for people, ``leaves`` are what is read: the last key of a nested name.
    ``measures`` tells whether any of them is a metric, ``times`` which hold points in time,
    ``distinct`` whether no two can be one metric, ``relates`` whether one says of another what
    it means, ``lacks_unit`` whether one is a time whose name does not say in what, ``has_ts``
    whether one may be a rate of llama-bench's (``chimera.ingest.phase_rates``), ``lasts`` whether
    one is a duration, which may be that of a whole run, ``messages`` which say what went wrong.
    """

    names: tuple[str, ...]
    leaves: tuple[str, ...]
    readings: tuple[Reading, ...]
    measures: bool
    times: tuple[int, ...]
    distinct: bool
    relates: bool
    lacks_unit: bool
    has_ts: bool
    lasts: bool
    messages: tuple[int, ...]


@lru_cache(maxsize=1024)
def nested_header(names: tuple[str, ...]) -> Header:
    """Of JSON keys joined by ``SEPARATOR``; folders hold many tables with the same keys."""
    return _header([name.split(SEPARATOR) for name in names])


@lru_cache(maxsize=1024)
def flat_header(names: tuple[str, ...]) -> Header:
    """Of column names; dots may join nested ones: "benchmark.input_shapes.batch_size"."""
    parts = []
    for name in names:
        path = _DOT.split(name) if "." in name and " " not in name else [name]
        parts.append(path if path[-1] else [name])
    return _header(parts, names)


def _header(parts: list[list[str]], names: tuple[str, ...] | None = None) -> Header:
    readings = tuple(map(_reading, parts))
    metrics = [(r.key, r.statistic) for r in readings if r.role == "metric"]
    keys = {key for key, _ in metrics}
    names = names or tuple(".".join(p) for p in parts)
    return Header(
        names=names,
        leaves=tuple(p[-1] for p in parts),
        readings=readings,
        measures=bool(metrics),
        times=tuple(i for i, r in enumerate(readings) if r.role == "status" and r.key == "time"),
        # A bare "throughput" may yet become another metric by the unit of its cells.
        distinct=len(set(metrics)) == len(metrics) and "throughput" not in keys,
        relates=not keys.isdisjoint(_TOLD_BY_OTHERS) or keys >= _TOLD_TOGETHER,
        lacks_unit=any(r.role == "metric" and lacks_unit(r.key, r.unit) for r in readings),
        has_ts=any(name.lower().endswith("_ts") for name in names),
        lasts="duration" in keys,
        messages=tuple(
            i
            for i, name in enumerate(names)
            if name.rpartition(".")[2].lower() in ("error", "message")
        ),
    )


def _reading(path: list[str]) -> Reading:
    """What a nested name says; what stands under a configuration was set, never measured."""
    parent = path[-2] if len(path) > 1 else ""
    if parent and path[-1][-1:] == ")" and is_bare(path[-1]):
        return read_name(f"{parent}_{path[-1]}")  # a unit makes no metric of whatever has one
    reading = read_name(path[-1], parent)
    if reading.role == "metric" and any(map(_configures, path[:-1])):
        return Reading("unknown", path[-1], "", reading.unit, reading.scale)
    return reading


def _configures(key: str) -> bool:
    """Whether what stands under a key was set: "config", "input_config"."""
    key = key.lower()
    return key == "scenario" or key.rpartition("_")[2] in CONFIGURED


class RawTable(msgspec.Struct, gc=False):
    """Names, columns of cells, and where each row stands.

    Cells are text (CSV, Markdown) or JSON values. ``constants`` are scalars of the enclosing
    objects, by their own names. ``beside_rows`` marks the scalars of an object that also holds the
    rows: they sum those rows up. ``of_blocks``: its rows are blocks of requests. ``holds_records``
    says that its rows are runs, each with a list of records of its own. ``without_metrics`` are the
    rows that lack the keys of every metric of the table. ``pointers`` are each row's JSON pointer,
    None for text.
    """

    header: Header
    columns: list[list[Any]]
    rows: list[int]
    pointer: str = ""
    constants: dict[str, Any] = {}
    decimal_comma: bool = False
    beside_rows: bool = False
    of_blocks: bool = False
    holds_records: bool = False
    without_metrics: frozenset[int] = frozenset()
    pointers: list[str] | None = None


class Note(msgspec.Struct, frozen=True, gc=False):
    """Something that a reader of the report must know about the data.

    ``kind`` is from a closed list (see ``chimera.facts.notes``), ``file`` and ``rows`` say
    where, ``column`` which column, ``detail`` is text from the data (shown as a quotation).
    """

    kind: str
    file: str
    rows: tuple[int, ...] = ()
    column: str = ""
    detail: str = ""
    other: str = ""
