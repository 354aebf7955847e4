"""Records at several loads: what one request takes alone and among many are two things."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chimera.facts.measures import MIXED_LOAD
from tests.facts.folders import about, facts_from

ALONE, AMONG_MANY = (0.10, 0.11, 0.12), (1.0, 1.1, 1.2)


def rows_at(loads: dict[Any, tuple[float, ...]], name: str = "concurrency") -> list[dict[str, Any]]:
    return [
        {"model": "alpha:1b", name: load, "ttft_s": v} for load, vs in loads.items() for v in vs
    ]


@pytest.mark.parametrize("name", ["concurrency", "request_rate"])
def test_each_load_is_a_population_of_its_own(tmp_path: Path, name: str) -> None:
    facts = facts_from(tmp_path, rows_at({1: ALONE, 64: AMONG_MANY}, name))
    assert facts.data.populations(about("alpha:1b")) == [
        (*about("alpha:1b"), (name, "1")),
        (*about("alpha:1b"), (name, "64")),
    ]
    for load, values in (("1", ALONE), ("64", AMONG_MANY)):
        mean = facts.book.find((*about("alpha:1b"), (name, load)), "ttft", "mean")
        assert mean is not None
        assert mean.value == pytest.approx(sum(values) / 3)
        assert (mean.n, mean.flags) == (3, ())


def test_the_pooled_figure_is_flagged(tmp_path: Path) -> None:
    facts = facts_from(tmp_path, rows_at({1: ALONE, 64: AMONG_MANY}))
    pooled = facts.book.find(about("alpha:1b"), "ttft", "mean")
    assert pooled is not None
    assert MIXED_LOAD in pooled.flags


@pytest.mark.parametrize("loads", [{1: ALONE + AMONG_MANY}, {None: ALONE + AMONG_MANY}])
def test_one_load_is_one_population(tmp_path: Path, loads: dict[Any, tuple[float, ...]]) -> None:
    facts = facts_from(tmp_path, rows_at(loads))
    assert facts.data.populations(about("alpha:1b")) == [about("alpha:1b")]
    pooled = facts.book.find(about("alpha:1b"), "ttft", "mean")
    assert pooled is not None
    assert MIXED_LOAD not in pooled.flags


def test_a_load_that_is_not_recorded_is_one_of_its_own(tmp_path: Path) -> None:
    facts = facts_from(tmp_path, rows_at({8: AMONG_MANY, None: ALONE}))
    labels = [facts.data.label(s) for s in facts.data.populations(about("alpha:1b"))]
    assert labels == ["alpha:1b, concurrency 8", "alpha:1b, concurrency not set"]


def test_a_cold_start_is_held_against_warm_records_of_its_load(tmp_path: Path) -> None:
    rows = [
        {"model": "alpha:1b", "concurrency": c, "phase": phase, "ttft_s": v}
        for c, phase, v in [
            (1, "cold", 3.0), (1, "warm", 0.1), (1, "warm", 0.2), (64, "w", 9.0), (64, "w", 9.1)
        ]
    ]  # fmt: skip
    (cold,) = [f for f in facts_from(tmp_path, rows).findings if f.kind == "cold"]
    assert pytest.approx(0.15) in [f.value for f in cold.facts]


def test_models_are_compared_at_each_load(tmp_path: Path) -> None:
    """One is faster by half at either; over both together the spread of the loads hides it."""
    rows = rows_at({1: ALONE, 64: AMONG_MANY})
    rows += [{**r, "model": "beta:3b", "ttft_s": r["ttft_s"] * 2} for r in rows]
    facts = facts_from(tmp_path, rows)
    assert [(c.a, c.certain) for c in facts.comparisons] == [
        ((*about("alpha:1b"), ("concurrency", load)), True) for load in ("1", "64")
    ]
    assert {c.a[1] == c.b[1] for c in facts.comparisons} == {True}
    titles = ["".join(s.text for s in f.title) for f in facts.findings if f.kind == "speed"]
    assert titles == [f"alpha:1b, concurrency {n} leads in TTFT" for n in (1, 64)]


def test_a_model_of_one_load_is_compared_at_that_load(tmp_path: Path) -> None:
    rows = rows_at({1: ALONE, 64: AMONG_MANY})
    rows += [{**r, "model": "beta:3b", "ttft_s": 9 + r["ttft_s"]} for r in rows_at({64: ALONE})]
    (comparison,) = facts_from(tmp_path, rows).comparisons
    assert comparison.a == (*about("alpha:1b"), ("concurrency", "64"))
    assert comparison.b == about("beta:3b")


def test_a_comparison_over_more_loads_than_are_looked_at_says_so(tmp_path: Path) -> None:
    rows = rows_at(dict.fromkeys(range(1, 30), ALONE))
    rows += [{**r, "model": "beta:3b", "ttft_s": r["ttft_s"] + 0.01 * r["concurrency"]}
             for r in rows]  # fmt: skip
    (finding,) = [f for f in facts_from(tmp_path, rows).findings if f.kind == "speed"]
    for wording in finding.says[0].variants:
        assert "of several loads" in "".join(s.text for s in wording)
