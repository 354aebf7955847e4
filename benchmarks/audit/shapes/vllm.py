"""One JSON summary for each run, as vLLM's serving benchmark writes them."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path

from benchmarks.audit import truth
from benchmarks.audit.shapes.files import (
    Row,
    drifted,
    older_document,
    older_groups,
    some_date,
    write,
)
from benchmarks.audit.world import (
    OUTPUT_RATE,
    REQUESTS,
    TPOT,
    TTFT,
    Group,
    Metric,
    World,
    spread,
)

NAMES = (
    "Qwen/Qwen2.5-7B-Instruct",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "meta-llama/Llama-3.1-8B-Instruct",
    "microsoft/Phi-4-mini-instruct",
    "Qwen/Qwen2.5-14B-Instruct-AWQ",
    "ibm-granite/granite-3.1-8b-instruct",
)
KEYS: tuple[tuple[str, Metric, str, float], ...] = (
    ("mean_ttft_ms", TTFT, "mean", 0.001),
    ("median_ttft_ms", TTFT, "median", 0.001),
    ("p99_ttft_ms", TTFT, "p99", 0.001),
    ("mean_tpot_ms", TPOT, "mean", 0.001),
    ("median_tpot_ms", TPOT, "median", 0.001),
    ("p99_tpot_ms", TPOT, "p99", 0.001),
    ("request_throughput", REQUESTS, "mean", 1.0),
    ("output_throughput", OUTPUT_RATE, "mean", 1.0),
)


def build(rng: random.Random, root: Path, stale_as: str) -> World:
    models = rng.sample(NAMES, rng.randint(2, 4))
    concurrencies = sorted(rng.sample((1, 2, 4, 8, 16, 32, 64), rng.randint(1, 3)))
    repeats = rng.choice((1, 1, 10, 12))
    if repeats > 1:
        models, concurrencies = models[:3], concurrencies[:2]
    completed = rng.choice((100, 160, 200, 320))
    runs = _runs(rng, models, concurrencies, repeats, completed)
    world = World("vllm-json", root, models, _groups(models, concurrencies, runs), [])
    world.counted, world.stale_as = "requests", stale_as
    date = some_date(rng)
    for run in runs:
        day = date + dt.timedelta(days=rng.randrange(3))
        run["date"] = f"{day:%Y%m%d}-{rng.randrange(8, 20):02d}{rng.randrange(60):02d}00"
        short = str(run["model_id"]).rsplit("/", 1)[-1]
        tail = f"-run{run.pop('_repeat')}" if repeats > 1 else ""
        if repeats == 1:
            run.pop("_repeat", None)
        name = f"{short}-conc{run['max_concurrency']}{tail}.json"
        world.files.append(write(root, name, json.dumps(run, indent=2) + "\n", day))
    world.attempts = {
        model: completed * sum(run["model_id"] == model for run in runs) for model in models
    }
    world.records = [
        {k: run[k] for k in ("model_id", "max_concurrency", "mean_ttft_ms", "output_throughput")}
        for run in rng.sample(runs, min(4, len(runs)))
    ]
    earlier = date - dt.timedelta(days=rng.randint(40, 150))
    _leave_older(rng, world, runs, earlier)
    return world


def _leave_older(rng: random.Random, world: World, runs: list[Row], date: dt.date) -> None:
    if world.stale_as == "document":
        world.stale = older_groups(rng, world.groups)
        world.files.append(older_document(world.root, world.stale, date))
    elif world.stale_as == "folder":
        older = []
        for index, run in enumerate(runs):
            copy: Row = dict(run)
            factor = drifted(rng)
            for key, _, _, _ in KEYS:
                copy[key] = round(float(str(run[key])) * factor, 4)
            copy["date"] = f"{date:%Y%m%d}-120000"
            older.append(copy)
            name = world.files[index].name
            world.files.append(write(world.root, f"old/{name}", json.dumps(copy, indent=2), date))
        concurrencies = sorted({int(str(run["max_concurrency"])) for run in runs})
        world.stale = _groups(world.models, concurrencies, older)


def _runs(
    rng: random.Random, models: list[str], concurrencies: list[int], repeats: int, completed: int
) -> list[Row]:
    ttft = spread(rng, rng.uniform(20, 60), rng.uniform(100, 250), len(models))
    tpot = spread(rng, rng.uniform(6, 12), rng.uniform(18, 40), len(models))
    runs: list[Row] = []
    for index, model in enumerate(models):
        for place, concurrency in enumerate(concurrencies):
            for repeat in range(repeats):
                first = ttft[index] * 1.6**place * rng.gauss(1, 0.02)
                token = tpot[index] * 1.2**place * rng.gauss(1, 0.015)
                tokens = completed * 128
                rate = concurrency / ((first + 127 * token) / 1000)
                runs.append(
                    {
                        "date": "",
                        "backend": "vllm",
                        "model_id": model,
                        "tokenizer_id": model,
                        "num_prompts": completed,
                        "request_rate": "inf",
                        "max_concurrency": concurrency,
                        "duration": completed / rate,
                        "completed": completed,
                        "total_input_tokens": completed * 512,
                        "total_output_tokens": tokens,
                        "request_throughput": rate,
                        "output_throughput": rate * 128,
                        "mean_ttft_ms": first,
                        "median_ttft_ms": first * rng.uniform(0.86, 0.95),
                        "std_ttft_ms": first * 0.3,
                        "p99_ttft_ms": first * rng.uniform(1.7, 2.6),
                        "mean_tpot_ms": token,
                        "median_tpot_ms": token * rng.uniform(0.93, 0.975),
                        "std_tpot_ms": token * 0.1,
                        "p99_tpot_ms": token * rng.uniform(1.2, 1.5),
                        "_repeat": repeat + 1,
                    }
                )
    return runs


def _groups(models: list[str], concurrencies: list[int], runs: list[Row]) -> list[Group]:
    """Of one run its own statistics; of several the mean of their means, all being of one size."""
    found = []
    for model in models:
        for concurrency in concurrencies:
            chosen = [
                run
                for run in runs
                if (run["model_id"], run["max_concurrency"]) == (model, concurrency)
            ]
            settings = (("concurrency", str(concurrency)),)
            for metric in dict.fromkeys(m for _, m, _, _ in KEYS):
                fixed = {
                    statistic: truth.mean([float(str(run[key])) * factor for run in chosen])
                    for key, m, statistic, factor in KEYS
                    if m is metric and (statistic == "mean" or len(chosen) == 1)
                }
                key = next(k for k, m, s, _ in KEYS if m is metric and s == "mean")
                factor = next(f for k, _, _, f in KEYS if k == key)
                values = tuple(float(str(run[key])) * factor for run in chosen)
                found.append(Group(model, metric, settings, values, tuple(fixed.items())))
    return found
