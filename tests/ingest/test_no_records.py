"""What stands among records and is none, and what is one although it holds no value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ingest.folders import kinds, only, read, values


def _lines(*values: dict[str, Any]) -> str:
    return "".join(json.dumps(v) + "\n" for v in values)


def test_pieces_of_a_stream_are_no_failures(tmp_path: Path) -> None:
    """As Ollama's API: words one by one, and the figures with the last."""
    piece = {"model": "m", "response": "word", "done": False}
    last = {"model": "m", "response": "", "done": True, "eval_count": 3,
            "eval_duration": 15_000_000, "total_duration": 902_221_716}  # fmt: skip
    result = read(tmp_path, a__jsonl=_lines(piece, piece, last, piece, last))
    batch = only(result)
    assert (batch.rows, batch.outcomes) == ([3, 5], ["", ""])
    assert values(batch, "decode_throughput") == [pytest.approx(200.0)] * 2
    assert "stream-pieces" in kinds(result)


def test_a_total_below_pieces_of_a_stream_is_named_by_its_own_line(tmp_path: Path) -> None:
    piece = {"name": "a", "ttft_ms": None, "done": False}
    rows = [{"name": n, "ttft_ms": t, "done": True} for n, t in (("a", 90.0), ("total", 95.0))]
    result = read(tmp_path, a__jsonl=_lines(piece, *rows))
    assert only(result).rows == [2]
    assert [n.rows for n in result.notes if n.kind == "total-row"] == [(3,)]


LOG = (
    {"level": "info", "request": {"model": "m"}, "metrics": {"ttft_ms": 90.0}},
    {"level": "error", "request": {"model": "m"}, "metrics": None,
     "error": {"code": 503, "message": "overloaded"}},
    {"level": "info", "msg": "shutdown"},
)  # fmt: skip


def test_other_lines_of_a_log_are_no_failures(tmp_path: Path) -> None:
    result = read(tmp_path, a__jsonl=_lines(*LOG, LOG[0]))
    assert (only(result).rows, only(result).outcomes) == ([1, 2, 4], ["", "overloaded", ""])
    assert "other-lines" in kinds(result)
    assert {"error.code", "error.message"}.isdisjoint(result.files[0].unrecognised)


def test_a_record_that_names_its_model_but_lost_its_values_has_failed(tmp_path: Path) -> None:
    result = read(tmp_path, a__jsonl=_lines({"model": "m", "ttft_ms": 90.0}, {"model": "m"}))
    assert only(result).outcomes == ["", "no value was recorded"]


def test_numbers_of_a_table_without_a_metric_are_listed(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="metric_name,metric_value\nhttp_reqs,1.5\n")
    assert result.files[0].unrecognised == ("metric_value",)


def test_a_summary_of_no_record_has_not_failed(tmp_path: Path) -> None:
    """As inference-perf: what failed is summed up too, and nothing did."""
    value = {
        "successes": {"count": 3, "request_latency": {"mean": 0.5, "p99": 0.75}},
        "failures": {"count": 0, "request_latency": None},
    }
    result = read(tmp_path, a__json=json.dumps(value))
    assert [b.outcomes for b in result.batches] == [[""]]
    assert "empty-summary" in kinds(result)


def test_a_summary_of_requests_of_which_none_completed_has_failed(tmp_path: Path) -> None:
    rows = [{"requests": 5, "completed": n, "mean_ttft_s": t} for n, t in ((5, 0.5), (0, None))]
    batch = only(read(tmp_path, a__json=json.dumps(rows)))
    assert batch.outcomes == ["", "no value was recorded"]


def test_what_was_set_is_not_measured_however_deep_it_stands(tmp_path: Path) -> None:
    value = {
        "config": {"data": [{"prompt_tokens": 48, "output_tokens": 24}]},
        "requests": [{"ttft_s": 0.5}, {"ttft_s": 0.75}],
    }
    assert values(only(read(tmp_path, a__json=json.dumps(value))), "ttft") == [0.5, 0.75]


def test_the_model_of_a_processor_is_no_language_model(tmp_path: Path) -> None:
    value = {"machine_info": {"cpu": {"model": 2}}, "tokenizer": {"name": "t"}, "ttft_s": 0.5}
    batch = only(read(tmp_path, a__json=json.dumps(value)))
    assert batch.column("model") is None
    assert batch.column("test") is None


def test_a_point_in_time_is_no_time(tmp_path: Path) -> None:
    rows = [
        {"model": "m", "first_token_time": 1795462149.5 + i, "time_to_first_token_ms": 125.0 + i}
        for i in range(3)
    ]
    batch = only(read(tmp_path, a__json=json.dumps(rows)))
    assert values(batch, "ttft") == [0.125, 0.126, 0.127]


def test_of_namesakes_the_one_with_a_unit_counts(tmp_path: Path) -> None:
    rows = [{"a": {"ttft": 7.5 + i}, "b": {"ttft_ms": 125.0 + i}} for i in range(2)]
    assert values(only(read(tmp_path, a__json=json.dumps(rows))), "ttft") == [0.125, 0.126]
