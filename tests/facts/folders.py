"""Small folders of results, made for the tests, and their facts."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chimera.facts import Facts, facts_of
from chimera.ingest import ingest_folder

Rows = Sequence[Mapping[str, Any]]


def write_csv(path: Path, rows: Rows) -> Path:
    """A CSV file with the columns of all rows; a missing or None cell is blank."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(k for row in rows for k in row))
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, names, restval="")
        writer.writeheader()
        writer.writerows({k: "" if v is None else v for k, v in row.items()} for row in rows)
    return path


def write_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def facts_in(folder: Path) -> Facts:
    """The facts of a folder, all of whose findings could be worded."""
    facts = facts_of(ingest_folder(str(folder)))
    assert not [f for f in facts.findings if f.kind == "unworded"]
    return facts


def facts_from(folder: Path, rows: Rows, name: str = "runs.csv") -> Facts:
    """The facts of a folder with one CSV file of these rows."""
    write_csv(folder / name, rows)
    return facts_in(folder)


def about(model: str) -> tuple[tuple[str, str], ...]:
    return (("model", model),)


def sweep_rows(
    seed: int,
    *,
    model: str = "alpha:1b",
    levels: Mapping[str, Sequence[Any]] | None = None,
    repeats: int = 1,
    prompts: Sequence[str] = (),
    effect: Mapping[tuple[str, Any], float] | None = None,
    noise: float = 1.0,
    shuffled: bool = True,
) -> list[dict[str, Any]]:
    """Records of a full factorial sweep around 100 tokens/s, in random order."""
    rng = random.Random(seed)
    settings: list[dict[str, Any]] = [{}]
    for name, values in (levels or {"num_ctx": (1024, 2048), "num_thread": (1, 2, 4)}).items():
        settings = [{**s, name: v} for s in settings for v in values]
    rows = []
    for setting in settings:
        shift = sum((effect or {}).get((k, v), 0.0) for k, v in setting.items())
        for prompt in prompts or ("",):
            for _ in range(repeats):
                row: dict[str, Any] = {"model": model, **setting}
                if prompt:
                    row["prompt"] = prompt
                rate = 100.0 + shift + rng.gauss(0.0, noise) + 3.0 * len(prompt)
                rows.append({**row, "eval_rate_tokens_per_s": round(rate, 6)})
    if shuffled:
        rng.shuffle(rows)
    return rows


def repeated(model: str, values: Iterable[float], **more: Any) -> list[dict[str, Any]]:
    """One record a value, all under the same conditions."""
    return [{"model": model, **more, "eval_rate_tokens_per_s": v} for v in values]
