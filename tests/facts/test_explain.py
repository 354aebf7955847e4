"""Looking facts up, and explaining them from the raw cells."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from chimera.facts import Facts
from chimera.facts.explain import explain, find_facts
from tests.facts.folders import about, facts_in, sweep_rows, write_csv, write_json


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    write_csv(tmp_path / "sweep.csv", sweep_rows(1, repeats=2, effect={("num_thread", 4): 20.0}))
    other = [{"model": "beta:1b", "num_ctx": 1024, "num_thread": 2,
              "eval_rate_tokens_per_s": v, "ttft_ms": v} for v in (60.0, 61.5, 62.0)]  # fmt: skip
    write_json(tmp_path / "deep" / "b.json", {"results": other})
    return facts_in(tmp_path)


def test_every_fact_of_the_examples_explains_itself(examples: Path) -> None:
    for folder in sorted(p for p in examples.iterdir() if p.is_dir()):
        facts = facts_in(folder)
        assert len(facts.book) > 100
        for fact in facts.book:
            told = explain(facts, fact)
            assert told.agrees or (fact.value is None and told.why), (fact, told.recomputed)


def test_rows_stand_as_in_the_file(facts: Facts) -> None:
    fact = facts.book.find(about("beta:1b"), "ttft", "max")
    assert fact is not None
    told = explain(facts, fact)
    assert [r.place for r in told.rows] == [f"deep/b.json#/results/{i}" for i in range(3)]
    assert [r.raw for r in told.rows] == [60.0, 61.5, 62.0]
    assert told.rows[1].value == pytest.approx(0.0615)
    assert told.rows[1].unit == "s"
    assert told.recomputed == pytest.approx(0.062)
    assert told.agrees is True


def test_a_wrong_value_does_not_agree(facts: Facts) -> None:
    for fact in facts.book:
        if isinstance(fact.value, float):
            wrong = msgspec.structs.replace(fact, value=fact.value * (1 + 1e-6) + 1e-6)
            assert explain(facts, wrong).agrees is False
        elif isinstance(fact.value, int):
            wrong = msgspec.structs.replace(fact, value=fact.value + 1)
            assert explain(facts, wrong).agrees is False


def test_facts_computed_from_facts_show_them(facts: Facts) -> None:
    (ratio,) = find_facts(facts, statistic="ratio", metric="decode_throughput")
    told = explain(facts, ratio)
    assert [f.id for f in told.operands] == list(ratio.operands)
    assert told.agrees is True


def test_a_row_that_is_not_there_gives_no_verdict(facts: Facts) -> None:
    fact = facts.book.find(about("beta:1b"), "ttft", "max")
    assert fact is not None
    gone = msgspec.structs.replace(fact.origins[0], file="gone.csv")
    told = explain(facts, msgspec.structs.replace(fact, origins=(gone,)))
    assert told.agrees is None
    assert "gone.csv" in told.why
    row = msgspec.structs.replace(fact.origins[0], rows=(77,))
    told = explain(facts, msgspec.structs.replace(fact, origins=(row,)))
    assert told.agrees is None
    assert "77" in told.why


def test_filters(facts: Facts) -> None:
    assert len(find_facts(facts)) == len(facts.book)
    for found in find_facts(facts, metric="ttft", model="BETA", statistic="mean"):
        assert (found.metric, found.statistic) == ("ttft", "mean")
    assert find_facts(facts, metric="ttft", model="beta:1b")
    assert not find_facts(facts, metric="ttf")
    assert {f.scope for f in find_facts(facts, scope="warm sweep")} == {"warm sweep"}
    assert all("sweep.csv" in str(f) for f in find_facts(facts, file="sweep"))
    (one,) = find_facts(facts, text=next(iter(facts.book)).id)
    assert one is next(iter(facts.book))
