"""Measurements that the field has no name for, by the names of their columns.

Ingestion keeps a column that it does not know ("vram_gb", "cost_usd_per_1m") under its own name.
A report that speaks of it uses the column's words, so these are its metrics too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from chimera.audit.phrases import Mention, metrics_in, statistics_in
from chimera.audit.plain import as_number
from chimera.record.batch import Batch, Column
from chimera.record.units import unit_of
from chimera.record.vocabulary import METRIC_SPELLINGS, METRICS

_STATISTICS = frozenset(
    [
        "mean",
        "avg",
        "average",
        "median",
        "min",
        "max",
        "std",
        "sd",
        "stdev",
        "stddev",
        "var",
        "count",
        "total",
        "sum",
        "p50",
        "p90",
        "p95",
        "p99",
    ]
)
_PLAIN = frozenset(
    [
        *("request", "requests", "user", "users", "failure", "failures", "error", "errors"),
        *("token", "tokens", "prompt", "prompts", "file", "files", "record", "records", "sample"),
        *("samples", "row", "rows", "batch", "length", "input", "output", "content"),
        "per",
        "the",
        "of",
        "and",
        "in",
        "at",
        "for",
        "usd",
        "eur",
        "number",
        "num",
        "value",
        "values",
        "result",
        "results",
        "score",
        "id",
        "index",
        "time",
        "model",
        "test",
        "run",
        "name",
        "date",
        "type",
        "size",
        "rank",
        "status",
    ]
)
_SYNONYMS = {
    "ppl": ("perplexity",),
    "vram": ("gpu memory", "video memory", "gpu ram"),
    "cost": ("costs?", "price"),
    "price": ("costs?", "price"),
    "power": ("power draw", "power consumption"),
    "mem": ("memory",),
    "util": ("utili[sz]ation",),
    "acc": ("accuracy",),
}
_TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_PER = re.compile(r"\s+per\s+\w")
MONEY = re.compile(
    r"(?:^|[^a-z])(?:usd|eur|gbp|cost|costs|price|dollars?)(?:[^a-z]|$)", re.IGNORECASE
)
_DESIGNS = (
    (r"context|ctx", "num_ctx"), (r"concurren|users|clients|streams", "concurrency"),
    (r"thread", "num_thread"), (r"batch", "batch_size"), (r"prompt|input", "n_prompt"),
    (r"depth", "n_depth"),
)  # fmt: skip
_MOST_LEVELS = 20
_SHORT = 3


def promoted(batches: Iterable[Batch]) -> list[Batch]:
    """The batches with their unknown numeric columns as metrics under their own names."""
    return [replace(b, columns=[as_metric(c) for c in b.columns]) for b in batches]


def as_metric(column: Column) -> Column:
    """A column of unknown meaning as a metric, where all its cells are numbers."""
    if column.role != "unknown" or not column.key:
        return column
    values = [as_number(raw) for raw in column.raw]
    told = [raw for raw in column.raw if raw not in (None, "")]
    if not told or sum(v is not None for v in values) < len(told):
        return column
    if any(isinstance(raw, bool) for raw in told):
        return column
    unit, scale = ("bytes", column.scale) if column.unit == "bytes" else ("", 1.0)
    key, statistic = column.key, column.statistic
    read = _read(column.name)
    if read is not None:
        key, statistic, unit, scale = read
    scaled = [None if v is None else v * scale for v in values]
    return Column(column.name, "metric", key, statistic, unit, scale, scaled, column.raw)


def _read(name: str) -> tuple[str, str, str, float] | None:
    """(key, statistic, unit, scale) of a long name that holds one metric and one statistic, as
    ``results_ttft_s_quantiles_p99``; None for any other.
    """
    text = re.sub(r"[^A-Za-z0-9]+", " ", name)
    bench = re.search(r"\b(tg|pp) ?\d+\b.*(?:tok|t) ?s\b|\b(tg|pp) ?\d+$", text, re.IGNORECASE)
    if bench:
        key = (
            "decode_throughput" if (bench[1] or bench[2]).lower() == "tg" else "prefill_throughput"
        )
        return key, "", "tokens/s", 1.0
    metrics, statistics = metrics_in(text), statistics_in(text)
    if len({m.key for m in metrics}) != 1 or len({s.key for s in statistics}) != 1:
        return None
    metric = METRICS[metrics[0].key]
    if metric.unit != "s":
        return metric.key, statistics[0].key, metric.unit, 1.0
    scales = [scale for word, scale in _TIMES.items() if re.search(rf"\b{word}\b", text)]
    if len(scales) != 1:
        return metric.key, statistics[0].key, "", 1.0
    return metric.key, statistics[0].key, "s", scales[0]


def designed(batch: Batch) -> list[tuple[str, Column]]:
    """(setting, column) of the columns that hold what was set: few whole numbers, each repeated."""
    found = []
    for column in batch.columns:
        if column.role != "metric" or column.key in METRICS or column.statistic:
            continue
        told = [v for v in column.values if v is not None]
        levels = set(told)
        if not 1 < len(levels) <= _MOST_LEVELS or len(told) < 2 * len(levels):
            continue
        if not all(float(v).is_integer() and v > 0 for v in levels):
            continue
        name = column.name.lower()
        key = next((k for pattern, k in _DESIGNS if re.search(pattern, name)), None)
        if key is not None:
            found.append((key, column))
    return found


class OwnMetrics:
    """Finds the words of such columns in text."""

    def __init__(self, batches: Sequence[Batch], known: frozenset[str]) -> None:
        spelt: dict[str, str] = {}
        for batch in batches:
            for column in batch.metrics():
                if column.key in known:
                    continue
                for phrase in _phrases(column.name):
                    spelt.setdefault(phrase, column.key)
        self.money = tuple(sorted({k for k in spelt.values() if MONEY.search(k)}))
        order = sorted(spelt, key=len, reverse=True)
        self._keys = [spelt[p] for p in order]
        pattern = "|".join(f"({p})" for p in order)
        self._pattern = (
            re.compile(rf"(?<![\w.])(?:{pattern})(?![\w])", re.IGNORECASE) if order else None
        )

    def find(self, text: str) -> list[Mention]:
        """The mentions in a text."""
        if self._pattern is None:
            return []
        return [
            Mention(m.start(), m.end(), "metric", key, (key,))
            for m in self._pattern.finditer(text)
            for key in (self._keys[(m.lastindex or 1) - 1],)
            if "per" in key or not _PER.match(text, m.end())
        ]


def _phrases(name: str) -> list[str]:
    """How prose may call a column: its name, its words, and its first word where it tells."""
    last = re.split(r"[./\[\]]+", name.strip())[-1]
    words = [
        w for w in re.split(r"[^a-z0-9]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", last).lower()) if w
    ]
    telling = [w for w in words if w not in _STATISTICS and not _is_unit(w)]
    if not telling or all(w in _PLAIN for w in telling):
        return [re.escape(last)] if "_" in last else []
    found = [re.escape(last)] if len(last) >= _SHORT else []
    core: list[str] = []
    for word in telling:
        if word in ("per", "usd", "eur") and core:
            break
        core.append(word)
    if not core:
        return found
    joined = r"[-_ ]".join(re.escape(w) for w in core)
    if len("".join(core)) >= _SHORT and not (len(core) == 1 and core[0] in _PLAIN):
        found.append(f"{joined}s?")
    first = core[0]
    if len(first) >= _SHORT and first not in _PLAIN and first not in METRIC_SPELLINGS:
        found.append(first)
    found.extend(_SYNONYMS.get(first, ()))
    return [p for p in found if not metrics_in(p.replace(r"[-_ ]", " ").removesuffix("s?"))]


def _is_unit(word: str) -> bool:
    return unit_of(word) is not None or bool(re.fullmatch(r"\d+[kmb]?", word))
