"""One CSV of raw requests, some of them failed."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

from benchmarks.audit.shapes.files import (
    Row,
    csv_text,
    drifted,
    older_document,
    older_groups,
    some_date,
    write,
)
from benchmarks.audit.world import (
    DECODE,
    LATENCY,
    QUANTIZATIONS,
    TOKENS,
    TTFT,
    Group,
    Metric,
    Settings,
    World,
    model_names,
    spread,
)

ERRORS = (
    "timed out after 120 s",
    "HTTP 500: model runner has unexpectedly stopped",
    "connection reset by peer",
)
COLUMNS: dict[str, Metric] = {
    "ttft_s": TTFT,
    "tokens_per_s": DECODE,
    "latency_s": LATENCY,
    "output_tokens": TOKENS,
}


def build(rng: random.Random, root: Path, stale_as: str) -> World:
    models = model_names(rng, rng.randint(2, 5))
    several = rng.random() < 0.5
    quantizations = rng.sample(QUANTIZATIONS, 2 if several else 1)
    prompts = rng.sample(("summary", "code", "story", "extraction", "qa"), rng.randint(2, 3))
    repeats = rng.randint(5, 20)
    rows = _rows(rng, models, quantizations, prompts, repeats)
    name = rng.choice(("results.csv", "requests.csv", "bench_raw.csv"))
    date = some_date(rng)
    world = World("requests-csv", root, models, [], [], stale_as=stale_as)
    world.files.append(write(root, name, csv_text(rows), date, len(rows)))
    good = [row for row in rows if not row["error"]]
    for model in models:
        world.attempts[model] = sum(row["model"] == model for row in rows)
        world.failures[model] = sum(row["model"] == model and bool(row["error"]) for row in rows)
        for quantization in quantizations:
            settings: Settings = (("quantization", quantization),) if several else ()
            chosen = [
                row for row in good if (row["model"], row["quantization"]) == (model, quantization)
            ]
            for column, metric in COLUMNS.items():
                values = tuple(float(str(row[column])) for row in chosen)
                world.groups.append(Group(model, metric, settings, values))
    world.records = rng.sample(good, 6)
    _leave_older(rng, world, rows, name, date - dt.timedelta(days=rng.randint(40, 150)))
    return world


def _rows(
    rng: random.Random, models: list[str], quantizations: list[str], prompts: list[str], n: int
) -> list[Row]:
    ttft = spread(rng, rng.uniform(0.05, 0.4), rng.uniform(0.8, 2.5), len(models))
    speed = spread(rng, rng.uniform(12, 40), rng.uniform(90, 220), len(models))
    decimals = rng.choice((3, 4, 6))
    failures = rng.random() < 0.6
    rows: list[Row] = []
    for index, model in enumerate(models):
        failing = failures and rng.random() < 0.7
        for q_index, quantization in enumerate(quantizations):
            factor = 1.0 if q_index == 0 else rng.uniform(1.3, 1.7)
            for prompt in prompts:
                for repeat in range(n):
                    failed = failing and rng.random() < 0.08
                    first = ttft[index] * factor * rng.gauss(1, 0.03)
                    rate = speed[index] / factor * rng.gauss(1, 0.02)
                    tokens = round(rng.gauss(256, 12))
                    rows.append(
                        {
                            "model": model,
                            "quantization": quantization,
                            "prompt": prompt,
                            "repeat": repeat + 1,
                            "ttft_s": "" if failed else round(first, decimals),
                            "tokens_per_s": "" if failed else round(rate, decimals - 1),
                            "latency_s": "" if failed else round(first + tokens / rate, decimals),
                            "output_tokens": "" if failed else tokens,
                            "error": rng.choice(ERRORS) if failed else "",
                        }
                    )
    return rows


def _leave_older(
    rng: random.Random, world: World, rows: list[Row], name: str, date: dt.date
) -> None:
    if world.stale_as == "document":
        world.stale = older_groups(rng, world.groups)
        world.files.append(older_document(world.root, world.stale, date))
    elif world.stale_as == "folder":
        factors = {model: drifted(rng) for model in world.models}
        older = [
            {
                key: round(float(str(value)) * factors[str(row["model"])], 4)
                if key in {"ttft_s", "tokens_per_s", "latency_s"} and value != ""
                else value
                for key, value in row.items()
            }
            for row in rows
        ]
        world.files.append(write(world.root, f"old/{name}", csv_text(older), date, len(older)))
        good = [row for row in older if not row["error"]]
        for group in world.groups:
            column = next(c for c, metric in COLUMNS.items() if metric is group.metric)
            wanted = dict(group.settings).get("quantization")
            values = tuple(
                float(str(row[column]))
                for row in good
                if row["model"] == group.model and wanted in {None, row["quantization"]}
            )
            if column != "output_tokens":
                world.stale.append(Group(group.model, group.metric, group.settings, values))
