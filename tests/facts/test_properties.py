"""What must not change the facts, and what may never be said."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from chimera.facts import Facts
from tests.facts.folders import facts_in, write_csv

RATES = st.floats(1.0, 500.0).map(lambda v: round(v, 4))
RECORDS = st.lists(
    st.fixed_dictionaries(
        {
            "model": st.sampled_from(["a:1b", "b:7b", "c:9b"]),
            "num_ctx": st.sampled_from([1024, 2048, None]),
            "prompt": st.sampled_from(["p", "q", ""]),
            "eval_rate_tokens_per_s": RATES,
            "ttft_s": st.integers(50, 5000).map(lambda v: v / 1000),
        }
    ),
    min_size=1,
    max_size=24,
    unique_by=lambda r: (r["eval_rate_tokens_per_s"], r["ttft_s"]),
)
MODEST = settings(max_examples=30)
MODIFIED = 1_700_000_000  # a fact too, which a folder written a second later would have otherwise


def facts_of_rows(*tables: list[dict[str, object]]) -> Facts:
    with TemporaryDirectory() as folder:
        for i, rows in enumerate(tables):
            path = Path(folder) / f"runs{i}.csv"
            write_csv(path, rows)
            os.utime(path, (MODIFIED, MODIFIED))
        return facts_in(Path(folder))


def means(facts: Facts) -> dict[object, tuple[object, ...]]:
    """Value, n and unit of each mean of a subject, to what rounding of sums allows."""
    return {
        (tuple(f.subject.items()), f.metric, f.scope): (f"{f.value:.9g}", f.n, f.unit)
        for f in facts.book
        if f.statistic == "mean" and "file" not in f.subject
    }


@MODEST
@given(RECORDS)
def test_the_same_folder_gives_the_same_ids(rows: list[dict[str, object]]) -> None:
    first, second = facts_of_rows(rows), facts_of_rows(rows)
    assert list(first.book.facts) == list(second.book.facts)
    assert list(first.book) == list(second.book)


@MODEST
@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    rows: list[dict[str, object]], rng: random.Random
) -> None:
    # Which record came first says which was cold where no load time is there: it is kept apart.
    rows = [{**r, "load_s": 0.01} for r in rows]
    mixed = rows[:]
    rng.shuffle(mixed)
    one, other = facts_of_rows(rows), facts_of_rows(mixed)
    assert means(one) == means(other)
    told = [
        {(c.metric, c.certain, frozenset((c.a, c.b))) for c in f.comparisons} for f in (one, other)
    ]
    assert told[0] == told[1]


@MODEST
@given(RECORDS)
def test_seconds_and_milliseconds_are_the_same(rows: list[dict[str, object]]) -> None:
    scaled = [
        {**{k: v for k, v in r.items() if k != "ttft_s"}, "ttft_ms": round(r["ttft_s"] * 1000)}  # type: ignore[operator]
        for r in rows
    ]
    assert means(facts_of_rows(rows)) == means(facts_of_rows(scaled))


@MODEST
@given(RECORDS)
def test_a_copy_of_a_file_changes_no_mean(rows: list[dict[str, object]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(folder / "runs.csv", rows)
        before = facts_in(folder)
        shutil.copy(folder / "runs.csv", folder / "the same.csv")
        after = facts_in(folder)
    assert means(before) == means(after)
    assert before.counts.records.value == after.counts.records.value
    assert after.counts.repeated.value == len(rows)


@MODEST
@given(RECORDS, st.integers(1, 5))
def test_failed_records_change_no_mean(rows: list[dict[str, object]], n: int) -> None:
    named = [{**r, "error": ""} for r in rows]
    failed = [
        {**rows[0], "eval_rate_tokens_per_s": 0, "ttft_s": 0, "error": f"timeout {i}"}
        for i in range(n)
    ]
    before, after = facts_of_rows(named), facts_of_rows([*named, *failed])
    assert means(before) == means(after)
    assert after.counts.failed.value == n


@MODEST
@given(RECORDS)
def test_nobody_is_called_faster_by_an_interval_that_includes_zero(
    rows: list[dict[str, object]],
) -> None:
    facts = facts_of_rows(rows)
    for comparison in facts.comparisons:
        gap = comparison.difference
        if comparison.certain:
            assert gap is not None
            assert gap.ci95 is not None
            assert gap.ci95[0] > 0 or gap.ci95[1] < 0
            assert gap.ci95[0] <= float(gap.value or 0) <= gap.ci95[1]
    certain = {c.metric for c in facts.comparisons if c.certain}
    for finding in facts.findings:
        text = " ".join("".join(s.text for s in v) for c in finding.says for v in c.variants)
        if "faster" in text or "lower" in text or "leads" in text:
            assert any(metric in finding.key for metric in certain), (finding.key, text)
