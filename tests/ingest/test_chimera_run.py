"""Chimera's own run files, from the project's example and cut in pieces."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from chimera.ingest import ingest_folder
from chimera.record.batch import Batch
from tests.ingest.folders import column, kinds, only, read, values

METRICS = {
    "ttft_s": "ttft",
    "tpot_s": "tpot",
    "e2e_latency_s": "e2e_latency",
    "load_s": "load_time",
    "server_prefill_s": "prefill_time",
    "server_decode_s": "decode_time",
    "decode_tokens_per_s": "decode_throughput",
    "prefill_tokens_per_s": "prefill_throughput",
    "prompt_tokens": "prompt_tokens",
    "output_tokens": "output_tokens",
}


@pytest.fixture(name="run_file")
def _run_file(examples: Path) -> Path:
    found = sorted(examples.glob("*/run.jsonl"))
    if not found:
        pytest.skip("the examples hold no run")
    return found[0]


def _batch(result_batches: list[Batch], file: str) -> Batch:
    return next(b for b in result_batches if b.file == file)


def test_the_metrics_are_those_of_the_requests_table(run_file: Path) -> None:
    result = ingest_folder(run_file.parent)
    batch = _batch(result.batches, "run.jsonl")
    with (run_file.parent / "requests.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(batch) == len(table)
    for name, key in METRICS.items():
        found = column(batch, key)
        assert found.role == "metric"
        expected = [float(row[name]) if row[name] else None for row in table]
        assert found.values == [None if e is None else pytest.approx(e, rel=1e-8) for e in expected]
    assert values(batch, "num_ctx") == [int(row["num_ctx"]) for row in table]
    assert batch.phases == ["cold" if row["phase"] == "cold" else "" for row in table]
    assert set(values(batch, "concurrency")) == {1}
    assert batch.constants["model"] == table[0]["model"]
    assert batch.constants["quantization"] == table[0]["quantization"]


def test_rows_are_lines_of_the_file(run_file: Path) -> None:
    batch = _batch(ingest_folder(run_file.parent).batches, "run.jsonl")
    lines = run_file.read_text().splitlines()
    prompts = [json.loads(lines[n - 1])["prompt_id"] for n in batch.rows]
    assert prompts == values(batch, "prompt_id")


def test_limits_of_each_prompt_are_a_column(run_file: Path, tmp_path: Path) -> None:
    limits = {"short": 8, "medium": 16, "long": 48}
    first, *rest = run_file.read_text().splitlines()
    header = json.loads(first)
    request = header["run"]["plan"]["request"]
    request |= {"max_tokens": None, "max_tokens_by_prompt": limits}
    (tmp_path / "run.jsonl").write_text("\n".join([json.dumps(header), *rest]) + "\n")
    (batch,) = ingest_folder(tmp_path).batches
    assert values(batch, "num_predict") == [limits[p] for p in values(batch, "prompt_id")]
    assert not [name for name in batch.constants if "max_tokens" in name or name == "num_predict"]


def test_the_tables_beside_a_run_are_no_second_run(run_file: Path) -> None:
    result = ingest_folder(run_file.parent)
    run, table = result.file("run.jsonl"), result.file("requests.csv")
    assert run.n_repeated == 0
    assert table.n_repeated == table.n_records == run.n_records
    assert "copied-rows" in kinds(result, "requests.csv")
    assert result.file("environment.json").outcome == "no benchmark data"


def test_a_run_that_was_killed_keeps_its_rows(run_file: Path, tmp_path: Path) -> None:
    lines = run_file.read_text().splitlines(keepends=True)
    cut = "".join(lines[:10]) + lines[10][:40]
    result = read(tmp_path, run__jsonl=cut)
    whole = _batch(ingest_folder(run_file.parent).batches, "run.jsonl")
    kept = only(result)
    assert kept.rows == [r for r in whole.rows if r <= 10]
    assert values(kept, "ttft") == values(whole, "ttft")[: len(kept)]
    assert {"truncated", "unfinished-run"} <= kinds(result)


def test_a_run_without_its_end_line_is_unfinished(run_file: Path, tmp_path: Path) -> None:
    lines = run_file.read_text().splitlines(keepends=True)
    result = read(tmp_path, whole__jsonl="".join(lines), part__jsonl="".join(lines[:-1]))
    assert "unfinished-run" in kinds(result, "part.jsonl")
    assert "unfinished-run" not in kinds(result, "whole.jsonl")


def test_a_failed_request_is_a_failure(run_file: Path, tmp_path: Path) -> None:
    lines = run_file.read_text().splitlines(keepends=True)
    record = json.loads(lines[4])
    record |= {
        "error": {"error_class": "timeout", "text": "after 60 s"},
        "first_token_ns": None,
        "token_ns": [],
        "output_tokens": None,
    }
    result = read(tmp_path, run__jsonl="".join([*lines[:4], json.dumps(record) + "\n"]))
    batch = only(result)
    assert batch.outcomes[-1] == "timeout"
    assert values(batch, "ttft")[-1] is None
    assert result.files[0].n_failed == 1


def test_the_content_decides_not_the_name(run_file: Path, tmp_path: Path) -> None:
    shutil.copy(run_file, tmp_path / "renamed.json")
    batch = only(ingest_folder(tmp_path))
    assert column(batch, "ttft").unit == "s"


def test_a_newer_version_is_refused_with_the_next_step(tmp_path: Path, run_file: Path) -> None:
    text = run_file.read_text().replace('"version":1', '"version":99', 1)
    report = read(tmp_path, run__jsonl=text).files[0]
    assert report.outcome == "rejected"
    assert "version 99" in report.reason
    assert "update chimera-lab" in report.reason


def test_a_broken_line_is_named_and_the_rest_is_kept(run_file: Path, tmp_path: Path) -> None:
    lines = run_file.read_text().splitlines(keepends=True)
    lines[4] = "oops\n"
    result = read(tmp_path, run__jsonl="".join(lines))
    note = next(n for n in result.notes if n.kind == "bad-lines")
    assert note.rows == (5,)
    assert result.files[0].n_records > 10


def test_a_first_line_that_is_no_header_is_refused(tmp_path: Path) -> None:
    text = '{"format":"chimera-run","version":1,"run":{}}\n'
    assert "no header of a run file" in read(tmp_path, run__jsonl=text).files[0].reason
