"""Shapes of other tools' results, as small tables of our own: nothing here is anybody's data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chimera.ingest import Ingest
from tests.ingest.folders import column, kinds, only, read, values


def _json(folder: Path, value: Any) -> Ingest:
    return read(folder, result__json=json.dumps(value))


def test_parallel_arrays_beside_the_settings_of_a_run(tmp_path: Path) -> None:
    """As llama-bench: one object a test, its samples as arrays of one length."""
    run = {
        "model_filename": "models/tiny-q4_0.gguf",
        "n_threads": 4,
        "n_gen": 128,
        "decode_ns": [2_400_000_000, 2_460_000_000, 2_500_000_000],
        "tokens_per_second": [53.3, 52.0, 51.2],
    }
    result = _json(tmp_path, [run, run | {"n_threads": 8, "decode_ns": [10**9, 2 * 10**9, 10**9]}])
    samples = [b for b in result.batches if b.kind == "sample"]
    assert [len(b) for b in samples] == [3, 3]
    assert values(samples[0], "token_rate") == [53.3, 52.0, 51.2]
    assert values(samples[1], "decode_time") == [1.0, 2.0, 1.0]
    assert [b.constants["num_thread"] for b in samples] == [4, 8]
    assert samples[0].constants["model"] == "tiny-q4_0"
    assert samples[1].place(2) == "result.json#/1/decode_ns/2"


def test_samples_in_seconds_beside_means_in_milliseconds(tmp_path: Path) -> None:
    """As vLLM: ``ttfts`` names no unit, ``mean_ttft_ms`` does."""
    result = _json(
        tmp_path,
        {
            "model_id": "tiny",
            "completed": 2,
            "request_throughput": 1.5,
            "mean_ttft_ms": 150.0,
            "p99_ttft_ms": 199.0,
            "ttfts": [0.1, 0.2],
            "output_lens": [10, 20],
        },
    )
    samples = next(b for b in result.batches if b.kind == "sample")
    summary = next(b for b in result.batches if b.kind == "summary")
    assert values(samples, "ttft") == [0.1, 0.2]
    assert column(samples, "ttft").unit in ("", "s")  # unknown, unless a sibling proves it
    assert values(samples, "output_tokens") == [10, 20]
    assert values(summary, "ttft", "mean") == [pytest.approx(0.15)]
    assert values(summary, "ttft", "p99") == [pytest.approx(0.199)]
    assert values(summary, "request_throughput") == [1.5]


def test_units_side_by_side_in_one_object(tmp_path: Path) -> None:
    """As GuideLLM: ``request_latency`` in s beside ``time_to_first_token_ms``."""
    requests = [
        {"request_latency_seconds": 1.25, "time_to_first_token_ms": 125.5, "output_tokens": 64},
        {"request_latency_seconds": 1.5, "time_to_first_token_ms": 130.5, "output_tokens": 64},
    ]
    batch = only(_json(tmp_path, {"requests": requests}))
    assert values(batch, "e2e_latency") == [1.25, 1.5]
    assert values(batch, "ttft") == [pytest.approx(0.1255), pytest.approx(0.1305)]


def test_a_unit_as_a_sibling(tmp_path: Path) -> None:
    """As AIPerf: each metric an object with its unit."""
    result = _json(
        tmp_path,
        {
            "time_to_first_token": {"unit": "ms", "avg": 125.0, "p99": 250.0},
            "request_latency": {"unit": "ms", "avg": 1250.0, "p99": 2500.0},
            "output_token_throughput": {"unit": "tokens/sec", "avg": 77.5},
        },
    )
    batch = only(result)
    assert batch.kind == "summary"
    assert values(batch, "ttft", "mean") == [0.125]
    assert values(batch, "ttft", "p99") == [0.25]
    assert values(batch, "e2e_latency", "mean") == [1.25]
    assert column(batch, "output_throughput", "mean").unit == "tokens/s"


def test_a_row_that_sums_up_the_others(tmp_path: Path) -> None:
    """As Locust: the last row is "Aggregated"."""
    text = (
        "Type,Name,Request Count,Average Response Time,Requests/s\n"
        "POST,/generate,100,125.5,10.5\nGET,/health,50,5.25,5.5\n,Aggregated,150,85.4,16.0\n"
    )
    result = read(tmp_path, a__csv=text)
    assert values(only(result), "request_throughput") == [10.5, 5.5]
    assert [n.rows for n in result.notes if n.kind == "total-row"] == [(4,)]


def test_dotted_columns(tmp_path: Path) -> None:
    """As optimum-benchmark: nested names joined by points."""
    text = (
        "config.backend.model,config.scenario.input_shapes.batch_size,"
        "report.prefill.latency.mean,report.decode.throughput.value\n"
        "tiny,1,0.125,52.5\ntiny,2,0.225,101.5\n"
    )
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "batch_size") == [1, 2]
    assert values(batch, "model") == ["tiny", "tiny"]
    names = {c.name for c in batch.columns if c.role == "metric"}
    assert "report.prefill.latency.mean" in names


def test_an_object_of_objects_is_a_table(tmp_path: Path) -> None:
    families = {"eager": {"mean_time_ms": 2.0}, "jit": {"mean_time_ms": 1.0}}
    batch = only(_json(tmp_path, {"backends": families}))
    assert values(batch, "backend") == ["eager", "jit"]
    assert values(batch, "duration", "mean") == [0.002, 0.001]


def test_nanoseconds_of_ollama(tmp_path: Path) -> None:
    answers = [
        {"model": "m", "total_duration": 1_500_000_000, "eval_count": 64, "eval_duration": 10**9},
        {"model": "m", "total_duration": 1_600_000_000, "eval_count": 64, "eval_duration": 10**9},
    ]
    lines = "\n".join(map(json.dumps, answers))
    batch = only(read(tmp_path, a__jsonl=lines))
    assert values(batch, "e2e_latency") == [pytest.approx(1.5), pytest.approx(1.6)]
    assert column(batch, "decode_time").unit_from == "format"


def test_a_rate_is_named_by_the_values_beside_it(tmp_path: Path) -> None:
    decode = "m,64,1.0,64.0\nm,64,1.25,51.2\n"
    result = read(
        tmp_path,
        a__csv="model,eval_count,eval_duration_s,tokens_per_second\n" + decode,
        b__csv="model,eval_count,total_duration_s,tokens_per_second\n" + decode,
        c__csv="model,eval_count,tokens_per_second\nm,64,61.0\nm,64,52.2\n",
    )
    by_file = {b.file: b for b in result.batches}
    assert by_file["a.csv"].column("decode_throughput")
    assert by_file["b.csv"].column("wall_throughput")
    assert by_file["c.csv"].column("token_rate")
    assert "rate-meaning-unknown" in kinds(result, "c.csv")


def test_load_inside_ttft_is_said(tmp_path: Path) -> None:
    rows = "m,2.5,2.25,0.25\nm,0.375,0.125,0.25\n"
    result = read(tmp_path, a__csv="model,ttft_s,load_s,prompt_eval_s\n" + rows)
    assert "ttft-holds-load" in kinds(result)


def test_one_file_may_hold_samples_and_their_summary(tmp_path: Path) -> None:
    results = [{"model": "m", "ttft_s": 0.125}, {"model": "m", "ttft_s": 0.375}]
    right = _json(tmp_path, {"results": results, "summary": {"mean_ttft_s": 0.25}})
    summary = next(b for b in right.batches if b.kind == "summary")
    assert summary.derived_from == "result.json"
    wrong = _json(tmp_path, {"results": results, "summary": {"mean_ttft_s": 0.375}})
    assert "summary-disagrees" in kinds(wrong)
    assert not next(b for b in wrong.batches if b.kind == "summary").derived_from


def test_unknown_columns_are_listed_under_their_own_names(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="model,ttft_s,wobble,note\nm,0.1,3.5,x\nm,0.2,4.5,y\n")
    assert result.files[0].unrecognised == ("wobble", "note")


def test_a_file_without_any_metric_says_so(tmp_path: Path) -> None:
    result = _json(tmp_path, {"error": "No inference data available"})
    assert result.files[0].outcome == "no benchmark data"
    assert "No inference data available" in result.files[0].reason
