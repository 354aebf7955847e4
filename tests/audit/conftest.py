"""A folder of made-up records whose figures are easy to know."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from chimera.audit import Auditor

MODELS = {
    "qwen2.5:7b-q4_K_M": (60.0, 0.30),
    "phi4:14b-q8_0": (35.0, 0.52),
    "mistral:7b": (50.0, 0.41),
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models, two context sizes, ten repeats; 4 of phi4's requests failed."""
    place = tmp_path_factory.mktemp("results")
    chance = random.Random(7)
    with (place / "requests.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["model", "num_ctx", "repeat", "ttft_ms", "tokens_per_s", "output_tokens", "error"]
        )
        for model, (rate, ttft) in MODELS.items():
            for context in (2048, 8192):
                for repeat in range(10):
                    slower = 0.9 if context == 8192 else 1.0
                    if model.startswith("phi4") and repeat < 2:
                        rows.writerow([model, context, repeat, "", "", "", "timed out"])
                        continue
                    rows.writerow(
                        [
                            model,
                            context,
                            repeat,
                            round(1000 * ttft / slower + chance.uniform(-4, 4), 3),
                            round(rate * slower + chance.uniform(-0.5, 0.5), 3),
                            128,
                            "",
                        ]
                    )
    (place / "notes.md").write_text("# Notes\n\nMeasured on a laptop.\n")
    return place


@pytest.fixture(scope="session")
def auditor(folder: Path) -> Auditor:
    return Auditor(folder)
