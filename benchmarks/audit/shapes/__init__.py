"""Folders of results in the shapes that real tools and people leave, each with its truth."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from benchmarks.audit.shapes import llama_bench, ollama, requests_csv, sweep, vllm
from benchmarks.audit.world import World

Build = Callable[[random.Random, Path, str], World]

SHAPES: dict[str, Build] = {
    "requests-csv": requests_csv.build,
    "sweep-csv": sweep.build,
    "vllm-json": vllm.build,
    "llama-bench-jsonl": llama_bench.build,
    "ollama-jsonl": ollama.build,
}
STALE = ("", "document", "document", "folder", "")


def worlds(folder: Path, seed: int, per_shape: int) -> list[World]:
    """``per_shape`` folders of each shape under ``folder``; the same seed writes the same bytes."""
    found = []
    for shape, build in SHAPES.items():
        for index in range(per_shape):
            rng = random.Random(f"{seed}/{shape}/{index}")
            root = folder / f"{shape}-{index:02d}"
            root.mkdir(parents=True)
            found.append(build(rng, root, STALE[index % len(STALE)]))
    return found
