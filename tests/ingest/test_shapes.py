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


RUN = {
    "model": "tiny:1b",
    "start_time": 1000.5,
    "end_time": 1013.5,
    "duration": 13.0,
    "requests": {
        "failed": [],
        "done": [
            {"request_latency": 0.5, "output_tokens": 10, "output_tokens_per_second": 20.0},
            {"request_latency": 0.8, "output_tokens": 12, "output_tokens_per_second": 15.0},
            {"request_latency": 0.4, "output_tokens": 10, "output_tokens_per_second": 25.0},
        ],
    },
}


@pytest.mark.parametrize("value", [{"benchmarks": [RUN, RUN | {"duration": 15.0}]}, RUN])
def test_the_time_of_a_whole_run_is_no_sample(tmp_path: Path, value: Any) -> None:
    """As GuideLLM: a benchmark with its requests, and how long all of it took."""
    result = _json(tmp_path, value)
    assert not [c for b in result.batches if b.kind == "sample" for c in b.metrics()
                if c.key == "duration"]  # fmt: skip
    assert {len(b) for b in result.batches if b.kind == "sample"} == {3}


def test_a_run_that_says_only_how_long_it_took_measures_nothing(tmp_path: Path) -> None:
    run = {"model": "m", "start_time": 1000.5, "end_time": 1013.5, "duration_s": 13.0}
    result = _json(tmp_path, run)
    assert not result.batches
    assert "run-duration" in kinds(result)


def test_a_record_with_its_own_start_and_end_keeps_its_time(tmp_path: Path) -> None:
    rows = [{"model": "m", "start_time": i, "end_time": i + 1.5, "duration_s": 1.5} for i in (1, 9)]
    assert values(only(_json(tmp_path, rows)), "duration") == [1.5, 1.5]


def test_a_rate_of_one_request_is_no_rate_of_all_of_them(tmp_path: Path) -> None:
    """Its tokens over its own time prove both what the rate is and the unit of the time."""
    batch = next(b for b in _json(tmp_path, RUN).batches if b.kind == "sample")
    assert values(batch, "wall_throughput") == [20.0, 15.0, 25.0]
    assert batch.column("output_throughput") is None
    assert (column(batch, "e2e_latency").unit, column(batch, "e2e_latency").unit_from) == (
        "s",
        "equal rate",
    )


def test_a_unit_beside_it_makes_no_metric_of_an_unknown_name(tmp_path: Path) -> None:
    """As AIPerf: {"name": {"unit": "ms", "avg": ...}}, where the name may be anything."""
    value = {
        "model": "m",
        "time_to_first_token": {"unit": "ms", "avg": 125.0},
        "output_sequence_length": {"unit": "tokens", "avg": 24.0},
        "http_dns_lookup": {"unit": "ms", "avg": 3.0},
        "input_config": {"output_tokens": {"mean": 30}},
    }
    result = _json(tmp_path, value)
    assert values(only(result), "ttft", "mean") == [0.125]
    assert values(only(result), "output_tokens", "mean") == [24.0]
    assert [c.key for c in only(result).metrics()] == ["ttft", "output_tokens"]
    assert "http_dns_lookup.avg (ms)" in result.files[0].unrecognised


def test_lists_that_are_not_read_are_listed(tmp_path: Path) -> None:
    """As vLLM's ``itls``: a list of gaps for each request."""
    run = {"model": "m", "ttfts": [0.1, 0.2], "itls": [[0.01, 0.02], [0.03]], "odd": [1, 2, 3]}
    result = _json(tmp_path, [run, run])
    assert set(result.files[0].unrecognised) == {"itls (lists)", "odd"}
    assert {len(b) for b in result.batches} == {2}


@pytest.mark.parametrize("scatter", [0.0, 0.4])
def test_prefill_and_decode_rates_in_one_column(tmp_path: Path, scatter: float) -> None:
    """As llama-bench: ``avg_ts`` is of the prompt or of the answer, by the tokens of its row."""
    rows = [
        {"model_filename": "m.gguf", "n_prompt": p, "n_gen": g, "avg_ns": int(t * 1e9),
         "stddev_ns": int(scatter * t * 1e9), "avg_ts": (p + g) / t * (1 + scatter**2),
         "stddev_ts": 1.5}
        for p, g, t in ((512, 0, 2.0), (0, 128, 4.0))
    ]  # fmt: skip
    batch = only(_json(tmp_path, rows))
    more = 1 + scatter**2
    assert values(batch, "prefill_throughput", "mean") == [pytest.approx(256.0 * more), None]
    assert values(batch, "decode_throughput", "mean") == [None, pytest.approx(32.0 * more)]
    assert values(batch, "decode_throughput", "sd") == [None, 1.5]


def test_a_point_in_time_is_no_rate(tmp_path: Path) -> None:
    rows = [
        {"model": "m", "n_prompt": 512, "n_gen": 0, "avg_ns": 2_000_000_000, "avg_ts": ts}
        for ts in (1700000000.5, 1700000003.5)
    ]
    result = _json(tmp_path, rows)
    assert [c.key for c in only(result).metrics()] == ["duration"]
    assert "avg_ts" in result.files[0].unrecognised


def test_a_mark_of_failure_behind_a_column_of_two_rates_is_read(tmp_path: Path) -> None:
    rows = [
        {"model": "m", "n_prompt": p, "n_gen": g, "avg_ns": int(t * 1e9), "avg_ts": (p + g) / t,
         "timed_out": late}
        for p, g, t, late in ((512, 0, 2.0, False), (0, 128, 4.0, True))
    ]  # fmt: skip
    batch = only(_json(tmp_path, rows))
    assert batch.outcomes == ["", "timed_out is true"]
    assert column(batch, "decode_throughput", "mean").role == "metric"


def test_a_rate_of_one_request_is_known_by_any_count_of_its_tokens(tmp_path: Path) -> None:
    rows = [
        {"model": "m", "tokens": n, "e2e_latency_s": t, "output_throughput_tokens_per_s": n / t}
        for n, t in ((30, 1.5), (45, 3.0), (50, 2.0))
    ]
    assert values(only(_json(tmp_path, rows)), "wall_throughput") == [20.0, 15.0, 25.0]
