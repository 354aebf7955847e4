"""The independent values of the corpus (corpus/README.md), to the last printed digit."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.facts import Facts
from chimera.facts.dataset import subject_label
from chimera.facts.explain import explain
from chimera.facts.raw_cells import RawCells
from tests.facts.folders import about, facts_in

pytestmark = pytest.mark.corpus

MEANS = {
    "gemma3:latest": ("100.594", 46),
    "gemma3:270m": ("286.159", 39),
    "gemma3:1b-it-qat": ("183.653", 41),
    "llama3.1:8b-instruct-q4_0": ("77.672", 51),
    "llama3.1:8b-instruct-q5_K_M": ("65.145", 10),
    "llama3.1:8b-instruct-q8_0": ("46.485", 10),
}
BEST = {
    "gemma3:latest": ("103.156", "0.32"),
    "gemma3:270m": ("303.898", "0.20"),
    "gemma3:1b-it-qat": ("187.175", "0.37"),
    "llama3.1:8b-instruct-q4_0": ("78.420", "1.5"),
}


@pytest.fixture(scope="module")
def facts(corpus: Path) -> Facts:
    return facts_in(corpus / "tr108")


@pytest.mark.parametrize("model", MEANS)
def test_mean_decode_throughput(facts: Facts, model: str) -> None:
    printed, n = MEANS[model]
    fact = facts.book.find(about(model), "decode_throughput", "mean")
    assert fact is not None
    assert f"{fact.value:.3f}" == printed
    assert fact.n == n
    assert fact.unit == "tokens/s"


def test_records_and_failures(facts: Facts) -> None:
    counts = facts.counts
    assert (counts.named.value, counts.named_ok.value, counts.named_failed.value) == (274, 197, 77)
    failed = facts.book.find(about("gemma3:270m"), "decode_throughput", "mean")
    assert failed is not None
    assert failed.n_failed == 2


def test_files_by_type(facts: Facts) -> None:
    assert {t.type: t.count.value for t in facts.counts.types} == {
        "CSV": 28,
        "JSON": 44,
        "Markdown": 29,
    }


@pytest.mark.parametrize("model", BEST)
def test_the_leading_configuration_cannot_be_told_apart(facts: Facts, model: str) -> None:
    (sweep,) = [s for s in facts.sweeps if subject_label(s.subject) == model]
    (best,) = sweep.best
    printed, gap = BEST[model]
    assert f"{best.first.value:.3f}" == printed
    assert best.gap_sd is not None
    assert f"{best.gap_sd.value:.{len(gap) - 2}f}" == gap
    assert not best.certain
    assert sweep.one_run_each
    assert sweep.configurations.value == 36


def test_no_effect_of_temperature_or_context_size(facts: Facts) -> None:
    effects = [e for s in facts.sweeps for e in s.effects]
    assert len(effects) == 24
    assert not [e for e in effects if e.certain and e.parameter in ("temperature", "num_ctx")]
    assert {(c.parameter, c.all_on) for s in facts.sweeps for c in s.cold} == {
        ("temperature", "0.2")
    }


def test_documents_against_records(facts: Facts) -> None:
    found = [
        (c.claimed.metric, c.claimed.value, c.actual.value)
        for c in facts.claims.contradictions
        if c.file.endswith("Gemma3_Benchmark_Report.md") and c.about == "g999_c4096_t0.4"
    ]
    rate, ttft = found[0], found[1]
    assert rate[:2] == ("decode_throughput", 102.31)
    assert f"{rate[2]:.4f}" == "101.7846"
    assert ttft[:2] == ("ttft", 0.128)
    assert f"{ttft[2]:.4f}" == "0.1432"


def test_a_largest_mean_of_runs_is_not_called_a_percentile(facts: Facts) -> None:
    flagged = [
        f
        for r in facts.summaries
        if r.file.endswith("comprehensive_baseline_1759186313.json")
        for f in r.facts.values()
        if "percentile of means" in f.flags
    ]
    assert {f.statistic for f in flagged} == {"p95", "p99"}
    assert {f"{f.value:.9f}" for f in flagged} == {"0.015584035"}
    assert {f.unit for f in flagged} == {"s"}


@pytest.mark.parametrize("folder", ["tr108", "formats", "synthetic_traps"])
def test_every_fact_explains_itself(corpus: Path, folder: str) -> None:
    facts = facts_in(corpus / folder)
    cells = RawCells(facts)
    for fact in facts.book:
        told = explain(facts, fact, cells)
        assert told.agrees or (told.agrees is None and told.why), (fact, told.recomputed)
        assert told.agrees is not None or fact.value is None, (fact, told.why)


def test_the_traps_hold_one_table_that_counts_once(corpus: Path) -> None:
    facts = facts_in(corpus / "synthetic_traps")
    (named,) = [s for s in facts.data.by_subject if s[0][0] == "model"]
    everything = facts.book.find(named, "ttft", "mean")
    warm = facts.book.find(named, "ttft", "mean", "warm")
    table = (("file", "nan_inf.json#/results"),)  # the one that is read first; the others repeat it
    rate = facts.book.find(table, "token_rate", "mean")
    assert everything is not None
    assert warm is not None
    assert rate is not None
    assert (everything.n, warm.n, rate.n) == (5, 4, 5)
    assert everything.value == pytest.approx(0.56669218, rel=1e-12)
    assert warm.value == pytest.approx(0.126845525, rel=1e-12)
    assert rate.value == pytest.approx(102.20091037789204, rel=1e-14)
