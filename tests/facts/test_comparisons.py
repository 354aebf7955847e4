"""Comparisons, sweeps and summaries on tables whose answer is known."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from chimera.stats.repeats import FEW_REPEATS
from tests.facts.folders import about, facts_from, facts_in, repeated, sweep_rows, write_json

RATE = "eval_rate_tokens_per_s"


def test_lower_is_better_for_times(tmp_path: Path) -> None:
    rows = [
        {"model": m, "ttft_s": v + i / 100} for m, v in (("a", 3.5), ("b", 1.5)) for i in range(4)
    ]
    (comparison,) = facts_from(tmp_path, rows).comparisons
    assert comparison.certain
    assert comparison.a == about("b")
    assert comparison.difference is not None
    assert comparison.difference.value == pytest.approx(-2.0)
    assert comparison.ratio is not None
    assert comparison.ratio.value == pytest.approx(3.515 / 1.515)


def test_only_shared_conditions_count(tmp_path: Path) -> None:
    rows = [
        *repeated("a:1b", [10.0, 10.1, 10.2], num_ctx=1),
        *repeated("a:1b", [90.0, 90.1, 90.2], num_ctx=2),
        *repeated("b:1b", [12.0, 12.1, 12.2], num_ctx=1),
    ]
    (comparison,) = facts_from(tmp_path, rows).comparisons
    assert comparison.a == about("b:1b")
    assert comparison.certain
    assert comparison.mean_b is not None
    assert comparison.mean_b.value == pytest.approx(10.1)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ([10.0], [12.0], "too few records under shared conditions"),
        ([10.0] * 4, [12.0] * 4, "the values have no spread"),
    ],
)
def test_without_data_there_is_no_verdict(
    tmp_path: Path, a: list[float], b: list[float], why: str
) -> None:
    rows = [{"model": "a", "ttft_s": v} for v in a]
    rows += [{"model": "b", "ttft_s": v} for v in b]
    (comparison,) = facts_from(tmp_path, rows).comparisons
    assert not comparison.certain
    assert comparison.difference is not None
    assert comparison.difference.ci95 is None
    assert comparison.difference.ci_why == why


def test_the_interval_lies_around_the_difference_that_is_printed(tmp_path: Path) -> None:
    rows = [
        *repeated("a:1b", [10.0, 10.1, 10.2, 10.0, 10.3], prompt="x"),
        *repeated("a:1b", [50.0, 50.1], prompt="y"),
        *repeated("b:1b", [11.0, 11.1], prompt="x"),
        *repeated("b:1b", [51.0, 51.3, 51.1, 51.2], prompt="y"),
    ]
    (comparison,) = facts_from(tmp_path, rows).comparisons
    gap = comparison.difference
    assert gap is not None
    assert gap.ci95 is not None
    assert sum(gap.ci95) / 2 == pytest.approx(gap.value)
    assert comparison.certain


def test_a_prompt_for_each_level_confounds_it(tmp_path: Path) -> None:
    rows = [
        {"model": "a:1b", "num_ctx": c, "num_thread": t, "prompt": "x" * (1 + c // 1024),
         RATE: 50.0 + c / 100 + i / 7 + t / 9}
        for c in (1024, 2048) for t in (1, 2, 4) for i in range(3)
    ]  # fmt: skip
    (sweep,) = facts_from(tmp_path, rows).sweeps
    assert not [e for e in sweep.effects if e.parameter == "num_ctx"]


def test_prompts_are_no_noise(tmp_path: Path) -> None:
    rows = sweep_rows(4, prompts=("a", "b" * 40), repeats=2, effect={("num_thread", 4): 5.0})
    (sweep,) = facts_from(tmp_path, rows).sweeps
    assert [e.parameter for e in sweep.effects if e.certain] == ["num_thread"]


def test_a_parameter_nested_in_one_of_many_levels_is_not_judged(tmp_path: Path) -> None:
    rows = [
        {"model": "a:1b", "num_batch": i, "num_ctx": 1024 if i < 40 else 2048, RATE: 50.0 + i}
        for i in range(80)
    ]
    facts = facts_from(tmp_path, rows)
    assert not [e for s in facts.sweeps for e in s.effects]


def test_a_running_number_is_no_repeat_that_hides_effects(tmp_path: Path) -> None:
    """What files call a trial or an iteration may only count the records."""
    rows = sweep_rows(4, prompts=("a", "b" * 40), repeats=2, effect={("num_thread", 4): 5.0})
    rows = [{**row, "iteration": i} for i, row in enumerate(rows)]
    (sweep,) = facts_from(tmp_path, rows).sweeps
    assert [e.parameter for e in sweep.effects if e.certain] == ["num_thread"]


def incomplete_sweep(seed: int) -> list[dict[str, object]]:
    """Two to four configurations of one or two settings, some records lost."""
    rng = random.Random(seed)
    threads = (1, 2) if seed % 2 else (1,)
    grid = [(size, n) for size in (1, 2, 3) for n in threads]
    rows = []
    for size, n in rng.sample(grid, rng.randint(2, min(4, len(grid)))):
        for prompt in ("a", "bb") if seed % 3 else ("",):
            for i in range(rng.choice((3, 4, 5))):
                row = {"model": "a:1b", "num_ctx": size, "num_thread": n, "prompt": prompt,
                       RATE: round(100 + 5 * size + rng.gauss(0, 1), 6)}  # fmt: skip
                if rng.random() > 0.05:
                    rows.append(row | ({"repeat": i} if seed % 5 > 1 else {}))
    return rows


def test_one_difference_has_one_interval(tmp_path: Path) -> None:
    several = 0
    for seed in range(250):
        facts = facts_from(tmp_path, incomplete_sweep(seed))
        widths: dict[tuple[str, str], list[float]] = {}
        for fact in facts.book:
            if fact.statistic == "difference" and fact.ci95 and isinstance(fact.value, float):
                key = (fact.metric, f"{abs(fact.value):.9g}")
                widths.setdefault(key, []).append(fact.ci95[1] - fact.ci95[0])
        for same in widths.values():
            assert same == pytest.approx([same[0]] * len(same)), seed
            several += len(same) > 1
    assert several > 20


def test_two_repeats_tell_nothing(tmp_path: Path) -> None:
    rows = sweep_rows(4, prompts=("a", "b"), effect={("num_thread", 4): 50.0})
    rows = [{**row, "repeat": i, RATE: row[RATE] + i / 7} for row in rows for i in (1, 2)]
    rows += [{**row, "model": "beta:2b", RATE: row[RATE] + 20} for row in rows]
    facts = facts_from(tmp_path, rows)
    assert not [e for s in facts.sweeps for e in s.effects]
    assert not [c for c in facts.comparisons if c.certain]
    assert {c.difference.ci_why for c in facts.comparisons if c.difference} == {FEW_REPEATS}


def test_counts_of_a_summary(tmp_path: Path) -> None:
    write_json(tmp_path / "s.json", {
        "model": "a:1b", "failed_requests": 3, "successful_requests": 40, "total_requests": 43,
        "mean_ttft_ms": 20.0, "std_ttft_ms": 4.0, "p99_ttft_ms": 31.0,
    })  # fmt: skip
    (row,) = facts_in(tmp_path).summaries
    mean = row.facts["ttft", "mean"]
    assert mean.n == 40
    assert mean.ci95 is not None
    low, high = mean.ci95
    assert (high - low) / 2 == pytest.approx(
        2.022691 * 0.004 * (40 / 39) ** 0.5 / 40**0.5, rel=1e-5
    )


@pytest.mark.parametrize("count", ["inf", "many", -3, 2.5, None, 0])
def test_a_count_that_is_none(tmp_path: Path, count: object) -> None:
    write_json(
        tmp_path / "s.json", {"model": "a", "n": count, "mean_ttft_ms": 20.0, "std_ttft_ms": 4.0}
    )
    facts = facts_in(tmp_path)
    for row in facts.summaries:
        assert row.facts["ttft", "mean"].n is None
        assert row.facts["ttft", "mean"].ci95 is None
