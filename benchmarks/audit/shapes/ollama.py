"""Answers of Ollama's /api/generate, one a line, with its durations in nanoseconds."""

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
    DECODE,
    FAMILIES,
    LATENCY,
    LOAD,
    PREFILL,
    TOKENS,
    Group,
    World,
    model_names,
    spread,
)

DURATIONS = ("load_duration", "prompt_eval_duration", "eval_duration")


def build(rng: random.Random, root: Path, stale_as: str) -> World:
    models = model_names(rng, rng.randint(2, 4))
    if rng.random() < 0.6:  # one model in two quantizations, named in its tag as Ollama does
        family, tags = rng.choice(FAMILIES[6:9])
        low, high = rng.choice((("q4_0", "q8_0"), ("q4_K_M", "q5_K_M")))
        models = [name for name in models if not name.startswith(family)][:2]
        models += [f"{family}:{tags[0]}-instruct-{low}", f"{family}:{tags[0]}-instruct-{high}"]
    n = rng.choice((4, 8, 12, 20, 25, 40))
    date = some_date(rng)
    rows = _rows(rng, models, n, date)
    world = World("ollama-jsonl", root, models, _groups(models, rows), [], stale_as=stale_as)
    world.counted = "responses"
    world.attempts = dict.fromkeys(models, n)
    name = rng.choice(("responses.jsonl", "ollama_runs.jsonl", "generate.jsonl"))
    world.files.append(write(root, name, _lines(rows), date, len(rows)))
    keys = ("model", "prompt_eval_count", "eval_count", "eval_duration")
    world.records = [{key: row[key] for key in keys} for row in rng.sample(rows, 5)]
    earlier = date - dt.timedelta(days=rng.randint(40, 150))
    if stale_as == "document":
        world.stale = older_groups(rng, world.groups)
        world.files.append(older_document(root, world.stale, earlier))
    elif stale_as == "folder":
        factors = {model: drifted(rng) for model in models}
        older = [_slower(row, factors[str(row["model"])], earlier) for row in rows]
        world.stale = [g for g in _groups(models, older) if g.metric is not TOKENS]
        world.files.append(write(root, f"old/{name}", _lines(older), earlier, len(older)))
    return world


def _lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def _slower(row: Row, factor: float, date: dt.date) -> Row:
    copy = dict(row)
    for key in DURATIONS:
        copy[key] = round(int(str(row[key])) * factor)
    copy["total_duration"] = round(int(str(row["total_duration"])) * factor)
    copy["created_at"] = f"{date:%Y-%m-%d}" + str(row["created_at"])[10:]
    return copy


def _rows(rng: random.Random, models: list[str], n: int, date: dt.date) -> list[Row]:
    speed = spread(rng, rng.uniform(15, 40), rng.uniform(80, 180), len(models))
    prefill = spread(rng, rng.uniform(150, 400), rng.uniform(900, 2500), len(models))
    load = spread(rng, rng.uniform(0.02, 0.04), rng.uniform(0.08, 0.15), len(models))
    rows: list[Row] = []
    for index, model in enumerate(models):
        for number in range(n):
            prompt, tokens = rng.randint(40, 48), rng.randint(180, 220)
            loading = round(load[index] * rng.gauss(1, 0.02) * 1e9)
            reading = round(prompt / (prefill[index] * rng.gauss(1, 0.02)) * 1e9)
            writing = round(tokens / (speed[index] * rng.gauss(1, 0.015)) * 1e9)
            moment = (
                f"T{9 + index:02d}:{number // 60:02d}:{number % 60:02d}.{rng.randrange(10**6):06d}Z"
            )
            rows.append(
                {
                    "model": model,
                    "created_at": f"{date:%Y-%m-%d}{moment}",
                    "response": "The quick answer.",
                    "done": True,
                    "done_reason": "stop",
                    "total_duration": loading + reading + writing + rng.randint(10**6, 5 * 10**6),
                    "load_duration": loading,
                    "prompt_eval_count": prompt,
                    "prompt_eval_duration": reading,
                    "eval_count": tokens,
                    "eval_duration": writing,
                }
            )
    return rows


def _groups(models: list[str], rows: list[Row]) -> list[Group]:
    """A rate is the mean over answers; all tokens over all time is read as well."""
    found = []
    for model in models:
        chosen = [row for row in rows if row["model"] == model]

        def column(key: str, chosen: list[Row] = chosen) -> list[float]:
            return [float(str(row[key])) for row in chosen]

        for metric, count, time in (
            (DECODE, "eval_count", "eval_duration"),
            (PREFILL, "prompt_eval_count", "prompt_eval_duration"),
        ):
            tokens, times = column(count), column(time)
            rates = tuple(a / b * 1e9 for a, b in zip(tokens, times, strict=True))
            pooled = truth.mean(tokens) / truth.mean(times) * 1e9
            found.append(Group(model, metric, (), rates, (), (pooled,)))
        for metric, key in ((LATENCY, "total_duration"), (LOAD, "load_duration")):
            found.append(Group(model, metric, (), tuple(v / 1e9 for v in column(key))))
        found.append(Group(model, TOKENS, (), tuple(column("eval_count"))))
    return found
