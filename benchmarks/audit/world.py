"""A folder of results with its truth: what was written, and every figure that follows from it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.audit import truth

Settings = tuple[tuple[str, str], ...]  # (name, value as printed)


@dataclass(frozen=True)
class Metric:
    """``unit`` is s, tok/s, req/s or tok; ``accepted``: the names that a right binding may have."""

    key: str
    unit: str
    better: str
    accepted: frozenset[str]


def _metric(key: str, unit: str, better: str, *accepted: str) -> Metric:
    return Metric(key, unit, better, frozenset(accepted))


TTFT = _metric("ttft", "s", "lower", "ttft")
TPOT = _metric("tpot", "s", "lower", "tpot")
LATENCY = _metric("latency", "s", "lower", "e2e_latency", "server_total")
LOAD = _metric("load", "s", "lower", "load_time")
DECODE = _metric("decode", "tok/s", "higher", "decode_throughput", "token_rate")
PREFILL = _metric("prefill", "tok/s", "higher", "prefill_throughput", "input_throughput")
OUTPUT_RATE = _metric("output_rate", "tok/s", "higher", "output_throughput")
REQUESTS = _metric("request_rate", "req/s", "higher", "request_throughput")
TOKENS = _metric("tokens", "tok", "", "output_tokens")


@dataclass(frozen=True)
class Group:
    """The values of one metric of one model, under one configuration or over all of them.

    ``fixed`` maps a statistic to the value that a file states itself, where no samples are kept.
    ``readings`` are other fair values of the mean, against which a mutation has to be false too.
    """

    model: str
    metric: Metric
    settings: Settings
    values: tuple[float, ...]
    fixed: tuple[tuple[str, float], ...] = ()
    readings: tuple[float, ...] = ()

    def statistics(self) -> dict[str, float]:
        if self.fixed:
            return dict(self.fixed)
        found = {
            "mean": truth.mean(self.values),
            "max": max(self.values),
            "min": min(self.values),
        }
        if len(self.values) >= 5:
            found["median"] = truth.quantile(self.values, 0.5)
            found["deviation"] = truth.deviation(self.values)
        if len(self.values) >= 20:
            found["p95"] = truth.quantile(self.values, 0.95)
        return found


@dataclass(frozen=True)
class Cell:
    """One figure of the folder: what a claim about it has to be bound to."""

    model: str
    metric: Metric
    statistic: str
    settings: Settings
    value: float
    n: int


@dataclass(frozen=True)
class DataFile:
    """``rows`` is None where a file holds no table."""

    name: str
    date: dt.date
    rows: int | None


@dataclass(frozen=True)
class Direction:
    """A metric that clearly rises or falls with a setting, on every step, for one model."""

    model: str
    setting: str
    metric: Metric
    rises: bool


@dataclass
class World:
    """One folder. ``attempts`` and ``failures`` count requests by model where files say so."""

    shape: str
    root: Path
    models: list[str]
    groups: list[Group]
    files: list[DataFile]
    attempts: dict[str, int] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    directions: list[Direction] = field(default_factory=list)
    records: list[dict[str, object]] = field(default_factory=list)
    stale: list[Group] = field(default_factory=list)
    counted: str = "requests"
    stale_as: str = ""  # "document", "folder" or "": how older values lie beside the new ones
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def group(self, model: str, metric: Metric, settings: Settings = ()) -> Group | None:
        for group in self.groups:
            if (group.model, group.metric, group.settings) == (model, metric, settings):
                return group
        return None

    def metrics(self, settings: Settings | None = None) -> list[Metric]:
        found = {
            g.metric.key: g.metric
            for g in self.groups
            if settings is None or g.settings == settings
        }
        return list(found.values())

    def scopes(self) -> list[Settings]:
        """The configurations under which several models can be set side by side."""
        return list(dict.fromkeys(g.settings for g in self.groups))

    def values(self) -> list[float]:
        """Every statistic of every group: what a wrong figure may not happen to be."""
        return [value for g in self.groups for value in g.statistics().values()]


def cells(groups: Sequence[Group]) -> list[Cell]:
    return [
        Cell(g.model, g.metric, statistic, g.settings, value, len(g.values))
        for g in groups
        for statistic, value in g.statistics().items()
    ]


FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("qwen2.5", ("7b", "14b", "3b", "0.5b")),
    ("qwen3", ("8b", "4b", "30b-a3b")),
    ("mistral", ("7b", "7b-instruct")),
    ("mistral-nemo", ("12b",)),
    ("phi3", ("mini", "medium")),
    ("phi4", ("14b", "mini")),
    ("llama3.2", ("1b", "3b")),
    ("llama3.1", ("8b", "70b")),
    ("granite3.1", ("2b", "8b")),
    ("gemma2", ("2b", "9b")),
    ("deepseek-r1", ("1.5b", "7b")),
    ("smollm2", ("360m", "1.7b")),
)
QUANTIZATIONS = ("q4_0", "q4_K_M", "q5_K_M", "q6_K", "q8_0", "fp16")


def model_names(rng: random.Random, count: int) -> list[str]:
    """Different families' names with tags, as ``ollama list`` prints them."""
    families = rng.sample(FAMILIES, count)
    return [f"{name}:{rng.choice(tags)}" for name, tags in families]


def spread(rng: random.Random, low: float, high: float, count: int) -> list[float]:
    """``count`` levels between ``low`` and ``high``, each a clear step above the one before."""
    ratio = (high / low) ** (1 / max(1, count - 1))
    step = max(1.25, min(ratio, 2.2))
    levels = [low * rng.uniform(1.0, 1.1)]
    while len(levels) < count:
        levels.append(levels[-1] * step * rng.uniform(0.97, 1.03))
    rng.shuffle(levels)
    return levels


def noisy(rng: random.Random, centre: float, n: int, share: float, decimals: int) -> list[float]:
    """``n`` values about ``centre``, rounded as their file will print them."""
    return [round(max(centre * 0.5, rng.gauss(centre, centre * share)), decimals) for _ in range(n)]
