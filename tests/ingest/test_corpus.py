"""The corpus of real results against the values of its README, which pandas worked out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chimera.ingest import Ingest, ingest_folder
from chimera.record.batch import Batch

pytestmark = pytest.mark.corpus

MODELS = {
    "gemma3:latest": (100.594, 46),
    "gemma3:270m": (286.159, 39),
    "gemma3:1b-it-qat": (183.653, 41),
    "llama3.1:8b-instruct-q4_0": (77.672, 51),
    "llama3.1:8b-instruct-q5_K_M": (65.145, 10),
    "llama3.1:8b-instruct-q8_0": (46.485, 10),
}
RATES = ("decode_throughput", "token_rate", "wall_throughput")
MEAN_RATE, MEAN_TTFT = 102.20091037789204, 0.56669218
REFUSED = {
    "empty.csv": "no benchmark data",
    "empty.json": "no benchmark data",
    "header_only.csv": "no benchmark data",
    "table.md": "document",
    "shifted_columns.md": "document",
}


@pytest.fixture(name="tr108", scope="module")
def _tr108(corpus: Path) -> Ingest:
    return ingest_folder(corpus / "tr108")


@pytest.fixture(name="traps", scope="module")
def _traps(corpus: Path) -> Ingest:
    return ingest_folder(corpus / "synthetic_traps")


def _rows(result: Ingest) -> list[tuple[Batch, int, str]]:
    """(batch, row, model) of every record about a language model that is no copy."""
    rows: list[tuple[Batch, int, str]] = []
    for batch in result.batches:
        if batch.kind != "sample":
            continue
        column = batch.column("model", role="identity")
        named = column.values if column else [batch.constants.get("model")] * len(batch)
        rows.extend(
            (batch, i, str(model))
            for i, model in enumerate(named)
            if model and not batch.duplicate_of[i]
        )
    return rows


def _rate(batch: Batch, row: int) -> Any:
    column = next((c for k in RATES if (c := batch.column(k, role="metric"))), None)
    return column.values[row] if column else None


def test_files_by_type(tr108: Ingest) -> None:
    types = [f.type for f in tr108.files]
    assert [types.count(t) for t in ("CSV", "JSON", "Markdown")] == [28, 44, 29]
    assert len(types) == 101
    assert {f.outcome for f in tr108.files} <= {
        "samples",
        "summaries",
        "document",
        "no benchmark data",
        "rejected",
    }
    for report in tr108.files:
        if report.outcome in ("no benchmark data", "rejected"):
            assert report.reason


@pytest.mark.parametrize("model", MODELS)
def test_the_mean_of_each_model(tr108: Ingest, model: str) -> None:
    mean, n = MODELS[model]
    values = [
        v
        for batch, i, name in _rows(tr108)
        if name == model and not batch.outcomes[i] and (v := _rate(batch, i)) is not None
    ]
    assert len(values) == n
    assert sum(values) / n == pytest.approx(mean, abs=5e-4)


def test_records_and_failures(tr108: Ingest) -> None:
    rows = [(b, i) for b, i, model in _rows(tr108) if model in MODELS]
    failed = sum(1 for b, i in rows if b.outcomes[i])
    assert (len(rows), len(rows) - failed, failed) == (274, 197, 77)


def test_no_file_of_the_traps_is_unaccounted_for(traps: Ingest) -> None:
    for report in traps.files:
        if report.name.endswith(".py"):
            continue
        expected = REFUSED.get(report.name, "samples")
        assert report.outcome == expected, (report.name, report.reason)


def test_every_readable_trap_holds_the_one_table(traps: Ingest) -> None:
    checked = 0
    for batch in traps.batches:
        rate, ttft = _column(batch, RATES), batch.column("ttft", role="metric")
        noted = {n.kind for n in traps.notes if n.file == batch.file}
        if noted & {"not-finite", "duplicate-key", "truncated", "row-width"}:
            continue  # the trap itself takes values away, and says so
        assert rate is not None
        assert len(rate) == 5
        assert sum(rate) / 5 == pytest.approx(MEAN_RATE, abs=1e-6), batch.file
        if ttft is not None:
            assert ttft.unit == "s"
            assert sum(ttft.values) / 5 == pytest.approx(MEAN_TTFT, abs=1e-9), batch.file
            checked += 1
    assert checked >= 8


def test_the_one_table_counts_once(traps: Ingest) -> None:
    readable = [b for b in traps.batches if len(b) >= 5]
    assert len(readable) >= 9
    assert sum(1 for b in readable if not any(b.duplicate_of)) == 1


def _column(batch: Batch, keys: tuple[str, ...]) -> list[float] | None:
    return next((c.values for k in keys if (c := batch.column(k, role="metric"))), None)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("bom_utf8.csv", "encoding"),
        ("comment_first.csv", "comment-lines"),
        ("dup_keys.json", "duplicate-key"),
        ("mixed_tz.csv", "mixed-times"),
        ("nan_inf.json", "not-finite"),
        ("semicolon_decimal_comma.csv", "decimal-comma"),
        ("truncated_last_line.jsonl", "truncated"),
        ("utf16be_crlf.csv", "encoding"),
        ("utf16le_bom.csv", "encoding"),
    ],
)
def test_each_trap_is_named(traps: Ingest, file: str, kind: str) -> None:
    assert kind in {n.kind for n in traps.notes if n.file == file}


def test_every_format_of_other_tools_ends_with_an_outcome(corpus: Path) -> None:
    result = ingest_folder(corpus / "formats")
    assert len(result.files) > 19
    for report in result.files:
        assert report.outcome
        if report.outcome == "rejected":
            assert report.reason
    for batch in result.batches:
        for column in batch.metrics():
            assert len(column.values) == len(batch) == len(column.raw)


def test_other_tools_give_no_invented_failure_and_no_invented_time(corpus: Path) -> None:
    """Header lines of GuideLLM, the time of its whole run, what inference-perf sums up of none."""
    for tool in ("guidellm", "inference-perf", "ollama", "pytest-benchmark"):
        result = ingest_folder(str(corpus / "formats" / tool))
        assert [b.outcomes for b in result.batches if any(b.outcomes)] == []
        samples = [b for b in result.batches if b.kind == "sample"]
        assert "duration" not in {c.key for b in samples for c in b.metrics() if tool == "guidellm"}


def test_llama_bench_gives_prefill_and_decode_apart(corpus: Path) -> None:
    for batch in ingest_folder(str(corpus / "formats" / "llama-bench")).batches:
        for key, silent in (("prefill_throughput", "n_prompt"), ("decode_throughput", "n_gen")):
            rate, tokens = batch.column(key, "mean"), batch.column(silent)
            assert tokens is not None
            if rate is not None:
                assert rate.unit == "tokens/s"
                pairs = zip(rate.values, tokens.values, strict=True)
                assert all(n for value, n in pairs if value is not None)
