"""A parameter sweep of two models: num_gpu, num_ctx and temperature, each with repeats."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from pathlib import Path

from benchmarks.audit import truth
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
    TTFT,
    Direction,
    Group,
    Metric,
    Settings,
    World,
    model_names,
    spread,
)

COLUMNS: dict[str, Metric] = {"ttft_s": TTFT, "tokens_per_s": DECODE}
SETTINGS = ("num_gpu", "num_ctx", "temperature")


def build(rng: random.Random, root: Path, stale_as: str) -> World:
    models = model_names(rng, 2)
    if rng.random() < 0.5:  # one model in two quantizations
        models = [
            f"llama3.1:8b-instruct-{tag}" for tag in rng.sample(("q4_0", "q5_K_M", "q8_0"), 2)
        ]
    layers = sorted(rng.sample((10, 20, 40, 60, 80), rng.randint(2, 3)))
    contexts = sorted(rng.sample((1024, 2048, 4096, 8192), 2))
    temperatures = sorted(rng.sample((0.2, 0.4, 0.6, 0.8), 2))
    rows = _rows(rng, models, list(itertools.product(layers, contexts, temperatures)))
    rng.shuffle(rows)
    name = rng.choice(("sweep.csv", "param_tuning.csv", "grid_results.csv"))
    date = some_date(rng)
    world = World("sweep-csv", root, models, _groups(models, rows), [], stale_as=stale_as)
    world.counted = "runs"
    world.attempts = {model: sum(row["model"] == model for row in rows) for model in models}
    world.files.append(write(root, name, csv_text(rows), date, len(rows)))
    world.records = rng.sample(rows, 6)
    for model in models:
        for metric in COLUMNS.values():
            world.directions.extend(_direction(world, model, metric, "num_gpu", layers))
    earlier = date - dt.timedelta(days=rng.randint(40, 150))
    if stale_as == "document":
        world.stale = older_groups(rng, [g for g in world.groups if len(g.settings) != 1])
        world.files.append(older_document(root, world.stale, earlier))
    elif stale_as == "folder":
        factors = {model: drifted(rng) for model in models}
        older = [
            {
                key: round(float(str(value)) * factors[str(row["model"])], 4)
                if key in COLUMNS
                else value
                for key, value in row.items()
            }
            for row in rows
        ]
        world.stale = _groups(models, older)
        world.files.append(write(root, f"old/{name}", csv_text(older), earlier, len(older)))
    return world


def _rows(rng: random.Random, models: list[str], grid: list[tuple[int, int, float]]) -> list[Row]:
    ttft = spread(rng, rng.uniform(0.08, 0.3), rng.uniform(0.6, 1.5), 2)
    speed = spread(rng, rng.uniform(20, 50), rng.uniform(70, 160), 2)
    repeats = rng.randint(3, 5)
    decimals = rng.choice((3, 4))
    levels = sorted({layers for layers, _, _ in grid})
    gain = rng.uniform(1.12, 1.25)
    rows: list[Row] = []
    for index, model in enumerate(models):
        for layers, context, temperature in grid:
            step = gain ** levels.index(layers)
            rows.extend(
                {
                    "model": model,
                    "num_gpu": layers,
                    "num_ctx": context,
                    "temperature": temperature,
                    "repeat": repeat + 1,
                    "ttft_s": round(ttft[index] / step * rng.gauss(1, 0.015), decimals + 1),
                    "tokens_per_s": round(speed[index] * step * rng.gauss(1, 0.01), decimals),
                }
                for repeat in range(repeats)
            )
    return rows


def _groups(models: list[str], rows: list[Row]) -> list[Group]:
    filters: list[Settings] = [()]
    for name in SETTINGS:
        filters.extend(((name, value),) for value in sorted({str(row[name]) for row in rows}))
    full = {tuple((name, str(row[name])) for name in SETTINGS) for row in rows}
    filters.extend(sorted(full))
    found = []
    for model in models:
        for settings in filters:
            chosen = [
                row
                for row in rows
                if row["model"] == model and all(str(row[n]) == v for n, v in settings)
            ]
            for column, metric in COLUMNS.items():
                values = tuple(float(str(row[column])) for row in chosen)
                found.append(Group(model, metric, settings, values))
    return found


def _direction(
    world: World, model: str, metric: Metric, setting: str, levels: list[int]
) -> list[Direction]:
    groups = [world.group(model, metric, ((setting, str(level)),)) for level in levels]
    values = [group.values for group in groups if group]
    pairs = list(itertools.pairwise(values))
    if all(truth.clearly_above(b, a) for a, b in pairs):
        return [Direction(model, setting, metric, rises=True)]
    if all(truth.clearly_above(a, b) for a, b in pairs):
        return [Direction(model, setting, metric, rises=False)]
    return []
