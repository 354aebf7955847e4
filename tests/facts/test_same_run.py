"""One run gives one mean, interval and verdict: at the end of its bench, and in facts."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.facts import Facts
from chimera.facts.dataset import Subject
from chimera.facts.explain import explain
from chimera.facts.fact import Fact
from chimera.facts.raw_cells import RawCells
from chimera.measure.summary import ConfigurationSummary, Summary, summarise
from chimera.record.request import Block, ErrorClass, Failure, Request
from chimera.record.run import Configuration, Options, Plan, Prompt, Workload
from chimera.record.runfile import FORMAT, VERSION, Header, read_run
from chimera.testing.sample_run import MS, START, sample_end, sample_request, sample_run
from tests.facts.folders import facts_in

METRICS = {
    "ttft_s": "ttft",
    "tpot_s": "tpot",
    "e2e_latency_s": "e2e_latency",
    "decode_tokens_per_s": "decode_throughput",
}
PER_BLOCK = {
    "output_tokens_per_s": "output_throughput",
    "requests_per_s": "request_throughput",
    "goodput_per_s": "goodput",
}
PROMPTS = ("short", "medium", "long")


def write_run(
    folder: Path,
    seed: int,
    *,
    options: tuple[Options, ...],
    repeats: int = 5,
    effect_ms: float = 0.0,
    concurrency: tuple[int, ...] = (1,),
    failing: float = 0.0,
    slow_ms: float = 0.0,
) -> Path:
    """A run in which a repeat shifts all its requests alike, and some requests fail."""
    rng = random.Random(seed)
    places = [(o, c) for c in concurrency for o in options]
    run = sample_run(
        configurations=tuple(
            Configuration(index=i, options=o, concurrency=c) for i, (o, c) in enumerate(places)
        ),
        workload=Workload("three", "00", tuple(Prompt(p, "11", 9) for p in PROMPTS)),
        plan=Plan(load="closed", repeats=repeats, order="blocks", order_seed=0,
                  request={"max_tokens": 4}, slo={"ttft_s": 0.14}),
    )  # fmt: skip
    lines: list[msgspec.Struct] = []
    count, now, all_failed = 0, 0, 0
    for i in range(len(places)):
        lines.append(msgspec.structs.replace(START, configuration=i))
        lines.append(request(count, i, 0, PROMPTS[0], now, 900.0, phase="cold"))
        count, now = count + 1, now + 1000 * MS
    for repeat in range(1, repeats + 1):
        drift = rng.gauss(0, 8)
        for i in range(len(places)):
            begun, failed = now, 0
            for place, prompt in enumerate(PROMPTS):
                ttft = (
                    slow_ms
                    + 100
                    + 20 * place
                    + drift
                    + rng.gauss(0, 3)
                    + effect_ms * (i % len(options))
                )
                bad = rng.random() < failing
                lines.append(request(count, i, repeat, prompt, now, ttft, bad=bad))
                count, now, failed = count + 1, now + round((ttft + 60) * MS), failed + bad
            all_failed += failed
            sent = {"planned": 3, "requests": 3, "failed": failed}
            times = {"start_ns": begun, "end_ns": now - MS}
            what = {"configuration": i, "repeat": repeat}
            lines.append(Block(**what, **sent, **times, stopped="complete"))
    lines.append(sample_end(count, all_failed))
    path = folder / "run.jsonl"
    header = Header(FORMAT, VERSION, run)
    path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in (header, *lines)))
    return path


def request(
    index: int, configuration: int, repeat: int, prompt: str, begun: int, ttft_ms: float,
    phase: str = "measured", bad: bool = False,
) -> Request:  # fmt: skip
    gap_ms = 7 + ttft_ms / 50
    stamps = tuple(begun + round((ttft_ms + gap_ms * n) * MS) for n in range(4))
    return msgspec.structs.replace(
        sample_request(index, failed=bad), configuration=configuration, repeat=repeat,
        prompt_id=prompt, phase=phase, start_ns=begun, connected_ns=begun, sent_ns=begun,
        first_byte_ns=begun, first_token_ns=None if bad else stamps[0], first_answer_ns=stamps[0],
        token_ns=() if bad else stamps, end_ns=stamps[-1],
        error=Failure(ErrorClass.TIMEOUT, "late") if bad else None,
    )  # fmt: skip


TWO = (Options(num_ctx=512), Options(num_ctx=1024))
FOUR = tuple(Options(num_ctx=c, num_thread=t) for c in (512, 1024) for t in (1, 2))
RUNS: dict[str, dict[str, Any]] = {
    "two": {"options": TWO, "effect_ms": 9.0},
    "two that are alike": {"options": TWO},
    "four": {"options": FOUR, "effect_ms": 3.0},
    "two repeats": {"options": TWO, "repeats": 2, "effect_ms": 9.0},
    "two loads": {"options": TWO, "concurrency": (1, 4), "effect_ms": 9.0},
    "some fail": {"options": FOUR, "effect_ms": 4.0, "failing": 0.1, "repeats": 8},
    "one": {"options": TWO[:1]},
}


def both(path: Path) -> tuple[Summary, Facts]:
    return summarise(read_run(path)), facts_in(path.parent)


def mean_facts(facts: Facts, one: ConfigurationSummary) -> dict[str, Fact]:
    """The means of a configuration's warm records, by metric."""
    wanted = {
        str(k): str(v)
        for k, v in (one.options | {"concurrency": one.concurrency}).items()
        if k not in dict(facts.data.common)
    }
    ((subject),) = facts.data.by_subject
    label = ", ".join(f"{k}={v}" for k, v in sorted(wanted.items()))
    about: Subject = (*subject, ("configuration", label)) if label else subject
    found = {}
    for metric in (*METRICS.values(), *PER_BLOCK.values()):
        fact = facts.book.find(about, metric, "mean", "warm")
        fact = fact or facts.book.find(about, metric, "mean")
        if fact is not None:
            found[metric] = fact
    return found


@pytest.mark.parametrize("name", RUNS)
def test_means_and_their_intervals_are_the_same(tmp_path: Path, name: str) -> None:
    summary, facts = both(write_run(tmp_path, 1, **RUNS[name]))
    for one in summary.configurations:
        found = mean_facts(facts, one)
        for metric, key in METRICS.items():
            shown = one.metrics[metric]
            assert shown is not None
            assert found[key].value == pytest.approx(shown.mean, rel=1e-12)
            assert found[key].n == shown.n
            assert found[key].ci95 == (shown.ci95_repeats and pytest.approx(shown.ci95_repeats))
        for metric, key in PER_BLOCK.items():
            rate = getattr(one, metric)
            assert found[key].value == pytest.approx(rate.mean, rel=1e-12)
            assert found[key].n == rate.n
            assert found[key].ci95 == (rate.ci95 and pytest.approx(rate.ci95))


@pytest.mark.parametrize("name", RUNS)
def test_verdicts_are_the_same(tmp_path: Path, name: str) -> None:
    summary, facts = both(write_run(tmp_path, 2, **RUNS[name]))
    bests = [b for s in facts.sweeps for b in s.best if b.metric == "decode_throughput"]
    shown = [c for c in summary.comparisons if c.metric == "decode_tokens_per_s"]
    groups = {1: 0, 4: 0}
    for best in bests:
        first = next(
            one
            for one in summary.configurations
            if mean_facts(facts, one)["decode_throughput"].subject == best.first.subject
        )
        groups[first.concurrency or 1] += 1
        same = next(c for c in shown if c.best == first.index)
        assert best.certain == same.certain
        assert best.gap.ci95 == (same.ci95 and pytest.approx(same.ci95))
        assert same.difference is None or best.gap.value == pytest.approx(same.difference)
    assert len(bests) == len({c.best for c in shown})


@pytest.mark.parametrize("name", ["two", "two that are alike"])
def test_the_effect_of_the_only_setting_is_the_difference_of_the_two(
    tmp_path: Path, name: str
) -> None:
    summary, facts = both(write_run(tmp_path, 8, **RUNS[name]))
    shown = {c.metric: c for c in summary.comparisons}
    for metric in ("ttft_s", "decode_tokens_per_s"):
        (effect,) = [e for s in facts.sweeps for e in s.effects if e.metric == METRICS[metric]]
        told = shown[metric]
        assert effect.certain == told.certain
        assert effect.difference.ci95 is not None
        assert told.ci95 is not None
        bounds = sorted(map(abs, effect.difference.ci95))
        assert bounds == pytest.approx(sorted(map(abs, told.ci95)))


def test_the_example_is_told_alike(examples: Path) -> None:
    summary = summarise(read_run(examples / "gemma3-270m-cpu" / "run.jsonl"))
    facts = facts_in(examples / "gemma3-270m-cpu")
    for one in summary.configurations:
        found = mean_facts(facts, one)
        for metric, key in METRICS.items():
            shown = one.metrics[metric]
            assert shown is not None
            assert found[key].value == pytest.approx(shown.mean, rel=1e-7)  # rounded in the table
            assert found[key].ci95 == pytest.approx(shown.ci95_repeats, rel=1e-6)
    (best,) = facts.sweeps[0].best
    (same,) = [c for c in summary.comparisons if c.metric == "decode_tokens_per_s"][-1:]
    assert not best.certain
    assert best.gap.ci95 == pytest.approx(same.ci95, rel=1e-6)


@pytest.mark.parametrize("name", RUNS)
def test_every_fact_of_a_run_is_computed_again(tmp_path: Path, name: str) -> None:
    _, facts = both(write_run(tmp_path, 4, **RUNS[name]))
    cells = RawCells(facts)
    assert set(PER_BLOCK.values()) <= {fact.metric for fact in facts.book}
    for fact in facts.book:
        assert explain(facts, fact, cells).agrees, fact


def test_throughputs_are_of_the_lines_of_their_blocks(tmp_path: Path) -> None:
    path = write_run(tmp_path, 5, options=TWO[:1], repeats=3)
    facts = facts_in(tmp_path)
    lines = path.read_text().splitlines()
    fact = facts.book.find(next(iter(facts.data.by_subject)), "request_throughput", "mean")
    assert fact is not None
    assert (fact.n, fact.unit) == (3, "requests/s")
    blocks = [json.loads(lines[row - 1]) for row in fact.origins[0].rows]
    rates = [3 / ((b["end_ns"] - b["start_ns"]) / 1e9) for b in blocks]
    assert [b["type"] for b in blocks] == ["block"] * 3
    assert fact.value == pytest.approx(sum(rates) / 3)
    assert facts.counts.records.value == 10  # the blocks are no records


def test_no_request_within_the_limits_is_a_goodput_of_zero(tmp_path: Path) -> None:
    write_run(tmp_path, 6, options=TWO, effect_ms=1.0, slow_ms=500.0)
    facts = facts_in(tmp_path)
    fact = facts.book.find(next(iter(facts.data.by_subject)), "goodput", "mean")
    assert fact is not None
    assert (fact.value, fact.ci95) == (0.0, None)


def test_a_part_of_a_run_beside_it_counts_no_block_twice(tmp_path: Path) -> None:
    path = write_run(tmp_path, 7, options=TWO)
    about = next(iter(facts_in(tmp_path).data.by_subject))
    lines = path.read_text().splitlines(keepends=True)
    (tmp_path / "part.jsonl").write_text("".join(lines[:30]))
    fact = facts_in(tmp_path).book.find(about, "output_throughput", "mean")
    assert fact is not None
    assert fact.n == 10


@pytest.mark.parametrize("name", RUNS)
def test_no_difference_stands_with_two_intervals(tmp_path: Path, name: str) -> None:
    _, facts = both(write_run(tmp_path, 3, **RUNS[name]))
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for fact in facts.book:
        if fact.statistic == "difference" and fact.value and fact.ci95:
            bounds = sorted(f"{abs(b - float(fact.value)):.9g}" for b in fact.ci95)
            key = (fact.metric, f"{abs(float(fact.value)):.9g}")
            found.setdefault(key, set()).add((bounds[0], bounds[1]))
    assert all(len(intervals) == 1 for intervals in found.values()), found
