"""Simulations with fixed seeds: intervals cover, and noise alone gives no verdict."""

from __future__ import annotations

import random
from pathlib import Path

from chimera.facts.book import FactBook
from chimera.facts.comparisons import comparisons_of
from chimera.facts.dataset import dataset_of
from chimera.facts.measures import configuration_facts
from chimera.facts.sweeps import Sweep, sweeps_of
from chimera.ingest import ingest_folder
from chimera.stats.describe import mean, quantile_interval, sample_sd
from chimera.stats.student import mean_interval
from tests.facts.folders import Rows, about, sweep_rows, write_csv


def within(share: float, wanted: float, tries: int) -> bool:
    """Whether a share is what chance allows around the wanted one (four standard errors)."""
    error: float = (wanted * (1 - wanted) / tries) ** 0.5
    return abs(share - wanted) < 4.0 * error


def test_the_interval_of_a_mean_covers() -> None:
    rng = random.Random(1)
    tries = 4000
    for n in (3, 10):
        hits = 0
        for _ in range(tries):
            values = [rng.gauss(5.0, 2.0) for _ in range(n)]
            low, high = mean_interval(mean(values), sample_sd(values) or 0.0, n)
            hits += low <= 5.0 <= high
        assert within(hits / tries, 0.95, tries)


def test_the_interval_of_a_quantile_covers_whatever_the_distribution() -> None:
    rng = random.Random(2)
    tries = 1500
    for p, n in ((0.5, 30), (0.95, 80)):
        hits = 0
        for _ in range(tries):
            values = sorted(rng.random() ** 3 for _ in range(n))
            interval = quantile_interval(values, p)
            assert interval is not None
            hits += interval[0] <= p**3 <= interval[1]
        share = hits / tries
        assert 0.94 < share <= 1.0  # order statistics cannot hit the level, only exceed it


def sweep_of(folder: Path, rows: Rows) -> Sweep:
    write_csv(folder / "runs.csv", rows)
    data = dataset_of(ingest_folder(str(folder)).batches)
    book = FactBook()
    for subject in data.by_subject:
        configuration_facts(book, data, subject)
    return sweeps_of(book, data)[0]


def test_noise_alone_shows_no_effect_and_no_winner(tmp_path: Path) -> None:
    tries, effects, winners = 400, 0, 0
    for seed in range(tries):
        rows = sweep_rows(seed, repeats=3, prompts=("p", "pp") if seed % 2 else ())
        sweep = sweep_of(tmp_path, rows)
        effects += any(e.certain for e in sweep.effects)
        winners += any(b.certain for b in sweep.best)
    assert effects / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5
    assert winners / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5


def test_an_interval_of_the_best_configuration_keeps_its_level_with_prompts(
    tmp_path: Path,
) -> None:
    # Two configurations only, so that nothing is gained by having been the highest of many.
    tries, winners = 400, 0
    for seed in range(tries):
        rows = sweep_rows(seed, levels={"num_ctx": (1, 2)}, prompts=("a", "bb", "ccc", "dddd"))
        low = {"model": "alpha:1b", "num_ctx": 4, "eval_rate_tokens_per_s": 1.0}
        sweep = sweep_of(tmp_path, [*rows, *({**low, "prompt": p} for p in ("a", "bb"))])
        winners += any(b.certain for b in sweep.best)
    assert winners / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5


def test_a_real_effect_is_found(tmp_path: Path) -> None:
    rows = sweep_rows(5, repeats=4, effect={("num_thread", 4): 8.0})
    sweep = sweep_of(tmp_path, rows)
    (found,) = [e for e in sweep.effects if e.certain]
    assert found.parameter == "num_thread"
    assert found.high == "4"
    low, high = found.difference.ci95 or (0.0, 0.0)
    assert low < 8.0 < high


def test_noise_alone_makes_no_model_faster(tmp_path: Path) -> None:
    tries, verdicts = 300, 0
    for seed in range(tries):
        rng = random.Random(seed)
        rows = [
            {"model": f"m:{m}b", "prompt": p, "eval_rate_tokens_per_s": 50 + rng.gauss(0, 2)}
            for m in (1, 2, 3)
            for p in ("a", "b", "c", "d")[: 1 if seed % 2 else 4]
            for _ in range(4)
        ]
        write_csv(tmp_path / "runs.csv", rows)
        data = dataset_of(ingest_folder(str(tmp_path)).batches)
        assert about("m:1b") in data.by_subject
        verdicts += any(c.certain for c in comparisons_of(FactBook(), data))
    assert verdicts / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5


def in_repeats(seed: int, levels: dict[str, tuple[int, ...]], own: bool) -> list[dict[str, object]]:
    """A sweep in five repeats, of which each shifts all its records alike; with ``own``, those
    of each configuration in a way of its own. Each record is one of two in its repeat.
    """
    rng = random.Random(seed)
    settings: list[dict[str, object]] = [{}]
    for name, values in levels.items():
        settings = [{**s, name: v} for s in settings for v in values]
    rows = []
    for repeat in range(5):
        drift = rng.gauss(0, 5)
        for setting in settings:
            shift = drift + (rng.gauss(0, 3) if own else 0.0)
            for _ in range(2):
                rate = 100 + shift + rng.gauss(0, 1)
                rows.append({"model": "alpha:1b", **setting, "repeat": repeat,
                             "eval_rate_tokens_per_s": round(rate, 6)})  # fmt: skip
    rng.shuffle(rows)
    return rows


def test_what_shifts_a_repeat_is_no_effect_and_no_winner(tmp_path: Path) -> None:
    tries, effects, winners = 400, 0, 0
    designs: list[dict[str, tuple[int, ...]]] = [
        {"num_ctx": (1, 2)},
        {"num_ctx": (1, 2), "num_thread": (1, 2, 4)},
    ]
    for seed in range(tries):
        sweep = sweep_of(tmp_path, in_repeats(seed, designs[seed % 2], own=seed % 3 > 0))
        assert sweep.effects
        effects += any(e.certain for e in sweep.effects)
        winners += any(b.certain for b in sweep.best)
    assert effects / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5
    assert winners / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5


def test_what_shifts_a_repeat_makes_no_model_faster(tmp_path: Path) -> None:
    """Requests of one repeat share its state, so that ten of them are no ten samples."""
    tries, verdicts = 300, 0
    for seed in range(tries):
        rng = random.Random(seed)
        rows = []
        for model in ("m:1b", "m:2b"):
            for repeat in range(4):
                shift = rng.gauss(0, 5)
                rows += [
                    {"model": model, "prompt": p, "repeat": repeat,
                     "eval_rate_tokens_per_s": round(100 + shift + rng.gauss(0, 1), 6)}
                    for p in ("a", "b", "c") for _ in range(3)
                ]  # fmt: skip
        write_csv(tmp_path / "runs.csv", rows)
        data = dataset_of(ingest_folder(str(tmp_path)).batches)
        (found,) = comparisons_of(FactBook(), data)
        assert found.difference is not None
        assert found.difference.ci95 is not None
        verdicts += found.certain
    assert verdicts / tries < 0.05 + 4 * (0.05 * 0.95 / tries) ** 0.5
