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
