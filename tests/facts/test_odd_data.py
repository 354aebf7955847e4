"""Data that nobody would write on purpose: nothing crashes, and nothing wrong is said."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from chimera.facts import Facts
from chimera.facts.explain import explain
from chimera.facts.raw_cells import RawCells
from tests.facts.folders import about, facts_from, facts_in, repeated, write_csv, write_json

RATE = "eval_rate_tokens_per_s"


def check(facts: Facts) -> None:
    """Every fact explains itself, and every id stands for one content."""
    cells = RawCells(facts)
    for fact in facts.book:
        told = explain(facts, fact, cells)
        assert told.agrees or (fact.value is None and told.why), (fact, told.recomputed, told.why)
        assert facts.book.facts[fact.id] is fact


@pytest.mark.parametrize(
    "rows",
    [
        repeated("a:1b", [5.0]),
        repeated("a:1b", [5.0] * 8),
        repeated("a:1b", [-5.0, -4.0, -6.5]) + repeated("b:1b", [1.0, 2.0, 3.0]),
        repeated("a:1b", [1e-300, 2e-300]) + repeated("b:1b", [1e300, 2e300, 8e307]),
        repeated("a:1b", [8e307, 1e308]) + repeated("b:1b", [1e308, 9e307]),
        [{"model": "a:1b", RATE: None, "error": "down"} for _ in range(4)],
        [{"model": "a:1b", RATE: 0, "success": "false"} for _ in range(4)],
        [{"model": "a:1b", "throughput": v} for v in (1.5, 2.5, 3.5)],
        [{"model": "a:1b", "latency": v, "ttft_ms": v * 2} for v in (1.5, 2.5, 3.5)],
        [{"model": "", RATE: v} for v in (1.5, 2.5, 3.5)],
        [{RATE: 3.25}],
    ],
)
def test_small_odd_tables(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    check(facts_from(tmp_path, rows))


def test_levels_of_mixed_kinds_are_put_in_order(tmp_path: Path) -> None:
    levels: list[object] = [1, "auto", None, 0.5, "off", 30]
    rows = [
        {"model": "a:1b", "num_thread": level, "temperature": t, RATE: 50 + i + j + k / 7}
        for i, level in enumerate(levels)
        for j, t in enumerate((0, 0.5, 1))
        for k in range(3)
    ]
    facts = facts_from(tmp_path, rows)
    check(facts)
    effects = {e.parameter: e for e in facts.sweeps[0].effects}
    assert (effects["temperature"].low, effects["temperature"].high) == ("0", "1")
    assert (effects["num_thread"].low, effects["num_thread"].high) == ("1", "30")


def test_two_columns_of_one_parameter_and_lists_in_cells(tmp_path: Path) -> None:
    rows = [
        {"model": "a:1b", "threads": 1 + i % 3, "n_threads": ["x", "auto", 2][i % 3], "tags": [i],
         "slot": i % 2, "ttft_s": 0.1 + i / 100, RATE: 50.0 + i / 3}
        for i in range(12)
    ]  # fmt: skip
    write_json(tmp_path / "runs.json", {"results": rows})
    check(facts_in(tmp_path))


def test_the_same_setting_in_csv_and_json_is_one_condition(tmp_path: Path) -> None:
    a = [{"model": "a:1b", "slot": i % 2, RATE: 50.5 + i / 7} for i in range(6)]
    b = [{"model": "b:1b", "slot": i % 2, RATE: 90.5 + i / 7} for i in range(6)]
    write_csv(tmp_path / "a.csv", a)
    write_json(tmp_path / "b.json", b)
    (comparison,) = facts_in(tmp_path).comparisons
    assert comparison.certain
    assert comparison.a == about("b:1b")


def test_a_fact_without_a_unit_hides_none_with_one(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", [{"model": "a:1b", "ttft_s": v} for v in (0.11, 0.12, 0.13)])
    write_csv(tmp_path / "b.csv", [{"model": "a:1b", "ttft": v} for v in (411.0, 512.0)])
    facts = facts_in(tmp_path)
    check(facts)
    found = facts.book.find(about("a:1b"), "ttft", "mean")
    assert found is not None
    assert found.unit == "s"
    assert found.value == pytest.approx(0.12)


def test_what_a_mean_leaves_out_is_counted(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"model": "a:1b", "phase": "warmup", RATE: 1.0, "ttft_s": 9.0},
        {"model": "a:1b", "phase": "cold", RATE: 10.0, "ttft_s": 5.0},
        *({"model": "a:1b", "phase": "warm", RATE: 20.0 + i, "ttft_s": 0.1} for i in range(3)),
        {"model": "a:1b", "phase": "warm", RATE: 23.5, "ttft_s": None},
        {"model": "a:1b", "phase": "warm", RATE: None, "ttft_s": None, "error": "boom"},
    ]
    facts = facts_from(tmp_path, rows)
    check(facts)
    warm = facts.book.find(about("a:1b"), "ttft", "mean", "warm")
    assert warm is not None
    assert (warm.n, warm.n_failed, warm.n_excluded) == (3, 1, 3)
    assert warm.excluded_why == "cold start and warm-up and no value"
    assert warm.ci95 is None
    assert "spread" in warm.ci_why


def test_a_first_record_is_cold_only_where_it_stands_out(tmp_path: Path) -> None:
    def cold(values: list[float]) -> int:
        rows = [{"model": "a:1b", "ttft_s": v} for v in values]
        facts = facts_from(tmp_path, rows)
        return sum(s.phase == "cold" for s in facts.data.samples)

    assert cold([2.3, 0.12, 0.13, 0.125]) == 1
    assert cold([0.13, 0.12, 2.3, 0.125]) == 0
    assert cold([0.13, 0.12, 0.11, 0.125]) == 0
    assert cold([2.3, 0.12]) == 0
    assert cold([0.05, 0.001, 0.001, 0.001]) == 0  # a few milliseconds are no model load


def test_many_models_are_not_compared_pair_by_pair(tmp_path: Path) -> None:
    rows = [
        {"model": f"m{m}:1b", "prompt": p, RATE: 10.0 + m + i / 10}
        for m in range(200)
        for i, p in enumerate(("a", "b", "c"))
    ]
    write_csv(tmp_path / "runs.csv", rows)
    start = time.perf_counter()
    facts = facts_in(tmp_path)
    assert time.perf_counter() - start < 20.0
    assert len(facts.comparisons) == 199 + 198
    first = next(f for f in facts.findings if f.key == "speed:decode_throughput")
    assert "m199:1b" in "".join(s.text for s in first.title)


def test_ten_thousand_records_and_a_thousand_configurations(tmp_path: Path) -> None:
    rows = [
        {"model": "a:1b", "num_ctx": i % 10, "num_batch": i // 10 % 10, "num_thread": i // 100 % 10,
         "seed": i, RATE: 50.0 + (i * 7919 % 1000) / 100}
        for i in range(10_000)
    ]  # fmt: skip
    write_csv(tmp_path / "runs.csv", rows)
    start = time.perf_counter()
    facts = facts_in(tmp_path)
    assert time.perf_counter() - start < 30.0
    assert facts.counts.records.value == 10_000
