"""What columns say beyond their numbers: rates that follow, failures, phases, units, settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chimera.ingest.cells import parse_number
from chimera.ingest.names import read_name
from tests.ingest.folders import column, kinds, only, read, values


def test_rates_follow_from_an_api_dump_in_nanoseconds(tmp_path: Path) -> None:
    rows = [
        {
            "model": "m:1b",
            "prompt_eval_count": 26,
            "prompt_eval_duration": 130_000_000,
            "eval_count": count,
            "eval_duration": 4_000_000_000,
        }
        for count in (200, 0, 210)
    ]
    result = read(tmp_path, a__json=json.dumps(rows))
    batch = only(result)
    assert values(batch, "decode_throughput") == [50.0, None, 52.5]
    rate = column(batch, "decode_throughput")
    assert (rate.name, rate.unit_from) == ("eval_count / eval_duration", "derived")
    assert rate.unit == "tokens/s"
    assert rate.raw == rate.values
    assert batch.column("prefill_throughput") is None  # a cache may have answered a part of it
    derived = {n.column for n in result.notes if n.kind == "derived-rate"}
    assert derived == {"eval_count / eval_duration"}


def test_cached_tokens_were_not_evaluated(tmp_path: Path) -> None:
    text = "prompt_tokens,cached_tokens,prefill_time_s,eval_rate\n100,60,2,9.5\n50,0,1,9.6\n"
    result = read(tmp_path, a__csv=text)
    assert values(only(result), "prefill_throughput") == [20.0, 50.0]
    assert {n.kind for n in result.notes if n.kind == "derived-rate"} == {"derived-rate"}


@pytest.mark.parametrize(
    ("name", "good", "bad", "reason"),
    [
        ("timed_out", "false", "true", "timed_out is true"),
        ("timeout", "False", "True", "timeout is true"),
        ("is_failed", "false", "true", "is_failed is true"),
        ("error", "False", "True", "error is true"),
        ("finish_reason", "stop", "abort", "finish_reason is abort"),
        ("exit_code", "0", "1", "exit code 1"),
    ],
)
def test_marks_of_failure(tmp_path: Path, name: str, good: str, bad: str, reason: str) -> None:
    text = f"model,ttft_s,{name}\nm,0.1,{good}\nm,0.2,{bad}\n"
    result = read(tmp_path, a__csv=text)
    assert only(result).outcomes == ["", reason]
    assert result.files[0].unrecognised == ()


def test_a_timeout_in_seconds_is_no_mark(tmp_path: Path) -> None:
    assert only(read(tmp_path, a__csv="ttft_s,timeout\n0.1,30\n0.2,30\n")).outcomes == ["", ""]


def test_exit_codes_come_with_the_times_beside_them(tmp_path: Path) -> None:
    run = {"command": "x", "times": [1.5, 0.2, 1.6], "exit_codes": [0, 1, 0]}
    result = read(tmp_path, a__json=json.dumps({"results": [run]}))
    samples = next(b for b in result.batches if len(b) == 3)
    assert samples.outcomes == ["", "exit code 1", ""]


def test_blank_records_fail_only_beside_measured_ones(tmp_path: Path) -> None:
    blank = read(tmp_path, a__csv="model,ttft_s\nm,\nn,\n")
    assert not blank.batches
    beside = read(tmp_path, a__csv="model,ttft_s\nm,0.1\nn,\n")
    assert only(beside).outcomes == ["", "no value was recorded"]


def test_other_things_of_a_family_are_no_records(tmp_path: Path) -> None:
    value = {"results": {"arc": {"acc": 0.25}}, "versions": {"arc": "2.0"}}
    batch = only(read(tmp_path, a__json=json.dumps(value)))
    assert (len(batch), batch.outcomes) == (1, [""])


def test_a_second_header_row_is_no_record(tmp_path: Path) -> None:
    text = "run,TTFT,Latency\nx,Mean,Median\na,0.1,0.5\nb,0.2,0.6\n"
    assert only(read(tmp_path, a__csv=text)).rows == [3, 4]


@pytest.mark.parametrize(
    ("name", "role", "key"),
    [
        ("Modell", "identity", "model"),
        ("modèle", "identity", "model"),
        ("Fehler", "status", "error"),
        ("Kontext (num_ctx)", "parameter", "num_ctx"),
        ("Antwort (latency)", "metric", "e2e_latency"),
        ("Foo (tokens)", "unknown", "Foo (tokens)"),
        ("E2E latency [s]", "metric", "e2e_latency"),
        ("Zeit bis zum ersten Token (ms)", "metric", "ttft"),
        ("load_average", "unknown", "load_average"),
        ("mean_load_s", "metric", "load_time"),
        ("Temperatur", "parameter", "temperature"),
        ("Läufe", "status", "repeat"),
        ("input_token_throughput", "metric", "input_throughput"),
    ],
)
def test_names(name: str, role: str, key: str) -> None:
    reading = read_name(name)
    assert (reading.role, reading.key) == (role, key)


@pytest.mark.parametrize("name", ["decode_tps", "eval_tps", "prompt_eval_tps", "mean_output_tps"])
def test_a_phase_per_second_is_in_tokens(name: str) -> None:
    assert read_name(name).unit == "tokens/s"


def test_a_bare_tps_may_be_of_transactions() -> None:
    assert (read_name("tps").key, read_name("tps").unit) == ("token_rate", "")


def test_a_remark_can_say_the_phase(tmp_path: Path) -> None:
    text = "ttft_s,Anmerkung\n0.9,kalt\n0.3,Aufwärmen\n0.2,cold but quick\n0.2,\n"
    assert only(read(tmp_path, a__csv=text)).phases == ["cold", "warm-up", "", ""]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1m2s", 62.0),
        ("1h3m4.5s", 3784.5),
        ("2m0.5s", 120.5),
        ("1.5s", 1.5),
        ("350ms", 0.35),
        ("12.3µs", 1.23e-05),
    ],
)
def test_go_durations(text: str, seconds: float) -> None:
    parsed = parse_number(text)
    assert parsed is not None
    assert parsed[1] == "s"
    assert parsed[0] * parsed[2] == pytest.approx(seconds)


def test_timings_of_llama_cpp_are_tokens_per_second() -> None:
    for name, key in (("predicted", "decode_throughput"), ("prompt", "prefill_throughput")):
        reading = read_name(f"{name}_per_second")
        assert (reading.key, reading.unit) == (key, "tokens/s")


@pytest.mark.parametrize(("mean", "scale"), [(150.0, 1.0), (0.15, 1e-3), (151.0, 0.0)])
def test_a_mean_beside_a_list_names_its_unit(tmp_path: Path, mean: float, scale: float) -> None:
    value = {"mean_ttft_ms": mean, "ttfts": [0.1, 0.2]}
    result = read(tmp_path, a__json=json.dumps(value))
    ttft = column(next(b for b in result.batches if b.kind == "sample"), "ttft")
    wanted = ("s", scale, "equal mean") if scale else ("", 1.0, "")
    assert (ttft.unit, ttft.scale, ttft.unit_from) == wanted


def test_what_was_configured_was_not_measured(tmp_path: Path) -> None:
    row = {"ttft_s": 0.1, "config": {"scenario": {"duration": 30}, "num_ctx": 512}}
    result = read(tmp_path, a__json=json.dumps([row, row | {"ttft_s": 0.2}]))
    batch = only(result)
    assert [c.key for c in batch.metrics()] == ["ttft"]
    assert values(batch, "num_ctx") == [512, 512]
    assert "config.scenario.duration" in result.files[0].unrecognised


def test_a_summary_needs_evidence_that_it_is_derived(tmp_path: Path) -> None:
    rows = "output_tokens,ttft_s\n150,0.1234567\n150,0.2345679\n"
    few = "mean_output_tokens\n150\n"
    many = "mean_output_tokens,mean_ttft_s\n150,0.1790123\n"
    result = read(tmp_path, individual_a_7b__csv=rows, summary_a_7b__csv=few)
    assert "derived-summary" not in kinds(result)
    assert "derived-summary" not in kinds(
        read(tmp_path, summary_a_7b__csv="", summary_b_7b__csv=many)
    )
    assert "derived-summary" in kinds(read(tmp_path, summary_a_7b__csv=many))
