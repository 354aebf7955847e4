"""llama-bench's JSON lines: one test of one model a line, with its samples."""

from __future__ import annotations

import datetime as dt
import itertools
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
from benchmarks.audit.world import DECODE, PREFILL, Direction, Group, World, spread

# What llama-bench calls the model, and the file it read.
NAMES = (
    ("qwen2 7B Q4_K - Medium", "qwen2.5-7b-instruct-q4_k_m.gguf", 4683073536, 7615616512),
    ("qwen2 7B Q8_0", "qwen2.5-7b-instruct-q8_0.gguf", 8098525184, 7615616512),
    ("llama 8B Q4_0", "Meta-Llama-3.1-8B-Instruct-Q4_0.gguf", 4661211808, 8030261248),
    ("llama 8B Q8_0", "Meta-Llama-3.1-8B-Instruct-Q8_0.gguf", 8540770304, 8030261248),
    ("phi3 3B Q4_K - Medium", "Phi-3.5-mini-instruct-Q4_K_M.gguf", 2393231360, 3821079552),
    ("phi3 3B Q6_K", "Phi-3.5-mini-instruct-Q6_K.gguf", 3135852544, 3821079552),
)
SIBLINGS = {0: 1, 1: 0, 2: 3, 3: 2, 4: 5, 5: 4}  # the same model in another quantization


def build(rng: random.Random, root: Path, stale_as: str) -> World:
    first = rng.randrange(len(NAMES))
    others = [i for i in range(len(NAMES)) if i not in {first, SIBLINGS[first]}]
    chosen = [first, SIBLINGS[first], *rng.sample(others, rng.randint(0, 2))]
    models = [NAMES[index][0] for index in chosen]
    prompts = sorted(rng.sample((128, 256, 512, 1024, 2048), rng.randint(1, 3)))
    gens = rng.choice(((128,), (64,), (32, 256)))
    repeats = rng.choice((3, 5, 10, 12, 15))
    date = some_date(rng)
    rows = _rows(rng, chosen, prompts, gens, repeats, date)
    world = World("llama-bench-jsonl", root, models, _groups(rows), [], stale_as=stale_as)
    world.counted = "tests"
    world.aliases = {NAMES[i][0]: (NAMES[i][1], NAMES[i][1].removesuffix(".gguf")) for i in chosen}
    world.attempts = {model: sum(row["model_type"] == model for row in rows) for model in models}
    world.files.append(write(root, "llama-bench.jsonl", _lines(rows), date, len(rows)))
    keys = ("model_type", "n_prompt", "n_gen", "avg_ts", "stddev_ts")
    world.records = [{key: row[key] for key in keys} for row in rng.sample(rows, 3)]
    for model in models:
        world.directions.extend(_direction(world, model, prompts))
    earlier = date - dt.timedelta(days=rng.randint(40, 150))
    if stale_as == "document":
        world.stale = older_groups(rng, world.groups)
        world.files.append(older_document(root, world.stale, earlier))
    elif stale_as == "folder":
        older = [_slower(row, drifted(rng), earlier) for row in rows]
        world.stale = _groups(older)
        world.files.append(write(root, "old/llama-bench.jsonl", _lines(older), earlier, len(rows)))
    return world


def _lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _test(samples: list[float], tokens: int, date: dt.date) -> Row:
    times = [round(tokens / rate * 1e9) for rate in samples]
    return {
        "test_time": f"{date:%Y-%m-%d}T10:00:00Z",
        "avg_ns": round(truth.mean([float(t) for t in times])),
        "stddev_ns": round(truth.deviation([float(t) for t in times])),
        "avg_ts": round(truth.mean(samples), 6),
        "stddev_ts": round(truth.deviation(samples), 6),
        "samples_ns": times,
        "samples_ts": samples,
    }


def _slower(row: Row, factor: float, date: dt.date) -> Row:
    samples = row["samples_ts"]
    assert isinstance(samples, list)
    tokens = int(str(row["n_prompt"])) + int(str(row["n_gen"]))
    return {**row, **_test([round(v * factor, 3) for v in samples], tokens, date)}


def _rows(
    rng: random.Random,
    chosen: list[int],
    prompts: list[int],
    gens: tuple[int, ...],
    repeats: int,
    date: dt.date,
) -> list[Row]:
    prefill = spread(rng, rng.uniform(120, 400), rng.uniform(900, 3000), len(chosen))
    decode = spread(rng, rng.uniform(8, 25), rng.uniform(40, 120), len(chosen))
    tests = [(n, 0) for n in prompts] + [(0, n) for n in gens]
    rows: list[Row] = []
    for index, model in enumerate(chosen):
        name, file, size, parameters = NAMES[model]
        for n_prompt, n_gen in tests:
            place = prompts.index(n_prompt) if n_prompt else gens.index(n_gen)
            centre = prefill[index] if n_prompt else decode[index]
            centre *= 0.82**place
            samples = [round(rng.gauss(centre, centre * 0.01), 3) for _ in range(repeats)]
            rows.append(
                {
                    "build_commit": "1c1409e1",
                    "build_number": 6865,
                    "cpu_info": "AMD Ryzen 9 7950X 16-Core Processor",
                    "gpu_info": "",
                    "backends": "CPU",
                    "model_filename": f"models/{file}",
                    "model_type": name,
                    "model_size": size,
                    "model_n_params": parameters,
                    "n_batch": 2048,
                    "n_ubatch": 512,
                    "n_threads": 16,
                    "type_k": "f16",
                    "type_v": "f16",
                    "n_gpu_layers": 0,
                    "flash_attn": False,
                    "n_prompt": n_prompt,
                    "n_gen": n_gen,
                    "n_depth": 0,
                    **_test(samples, n_prompt + n_gen, date),
                }
            )
    return rows


def _groups(rows: list[Row]) -> list[Group]:
    found = []
    for row in rows:
        samples = row["samples_ts"]
        assert isinstance(samples, list)
        n_prompt = int(str(row["n_prompt"]))
        metric = PREFILL if n_prompt else DECODE
        settings = (("n_prompt", str(n_prompt)),) if n_prompt else (("n_gen", str(row["n_gen"])),)
        average = (float(str(row["avg_ts"])),)
        group = Group(str(row["model_type"]), metric, settings, tuple(samples), (), average)
        found.append(group)
    return found


def _direction(world: World, model: str, prompts: list[int]) -> list[Direction]:
    groups = [world.group(model, PREFILL, (("n_prompt", str(n)),)) for n in prompts]
    pairs = list(itertools.pairwise([group.values for group in groups if group]))
    if pairs and all(truth.clearly_above(a, b) for a, b in pairs):
        return [Direction(model, "n_prompt", PREFILL, rises=False)]
    return []
