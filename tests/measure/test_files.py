"""requests.csv and environment.json say what the records say."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import msgspec
import pytest

from chimera.errors import OutputError
from chimera.measure.files import COLUMNS, requests_csv, write_side_files
from chimera.record.request import ErrorClass, Failure, Request
from chimera.record.runfile import RunFile
from tests.measure.samples import END, MS, REQUEST, START, a_run

COLD = msgspec.structs.replace(REQUEST, phase="cold", repeat=0)
FAILED = msgspec.structs.replace(
    REQUEST,
    index=2,
    start_ns=2_000 * MS,
    sent_ns=None,
    first_token_ns=None,
    token_ns=(),
    chunk_tokens=None,
    output_tokens=None,
    finish_reason=None,
    error=Failure(ErrorClass.CONNECT, "refused, twice\nor more"),
)


def a_file(*requests: Request) -> RunFile:
    numbered = [msgspec.structs.replace(r, index=i) for i, r in enumerate(requests)]
    return RunFile(run=a_run(), starts=(START,), requests=tuple(numbered), end=END)


def rows(file: RunFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(requests_csv(file))))


def test_a_row_per_request() -> None:
    cold, warm, failed = rows(a_file(COLD, REQUEST, FAILED))
    assert tuple(cold) == COLUMNS
    assert warm == {
        "run_id": "20260102T030405Z-abcdef",
        "model": "m",
        "quantization": "Q4_K_M",
        "engine": "llamacpp",
        "engine_version": "1.2",
        "num_ctx": "512",
        "num_thread": "2",
        "prompt_id": "short",
        "repeat": "1",
        "phase": "measured",
        "started_at": "2026-01-02T03:04:05.000000Z",
        "prompt_tokens": "30",
        "output_tokens": "4",
        "ttft_s": "0.1",
        "tpot_s": "0.0133333333",
        "e2e_latency_s": "0.14",
        "concurrency": "1",
        "request_rate": "",
        "first_answer_s": "",
        "server_queue_s": "",
        "server_total_s": "",
        "load_s": "",
        "server_prefill_s": "0.08",
        "server_decode_s": "0.045",
        "decode_tokens_per_s": "75",
        "prefill_tokens_per_s": "250",
        "finish_reason": "length",
        "error": "",
    }
    assert (cold["phase"], cold["load_s"]) == ("cold", "0.5")
    assert (failed["error"], failed["started_at"]) == ("connect", "2026-01-02T03:04:07.000000Z")
    assert {failed[name] for name in ("ttft_s", "tpot_s", "e2e_latency_s", "load_s")} == {""}


def test_a_load_is_told_once() -> None:
    assert [row["load_s"] for row in rows(a_file(COLD, COLD, REQUEST))] == ["0.5", "", ""]


def test_both_files_are_written(tmp_path: Path) -> None:
    file = a_file(REQUEST)
    write_side_files(tmp_path, file)
    assert sorted(os.listdir(tmp_path)) == ["environment.json", "requests.csv"]
    assert (tmp_path / "requests.csv").read_text() == requests_csv(file)
    written = json.loads((tmp_path / "environment.json").read_text())
    assert written["environment"] == json.loads(msgspec.json.encode(file.run.environment))
    assert written["after"] == {"pressure": None, "load_average": None}


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"requests\.csv"):
        write_side_files(tmp_path / "gone", a_file(REQUEST))
    (tmp_path / "requests.csv").mkdir()
    with pytest.raises(OutputError, match=r"requests\.csv"):
        write_side_files(tmp_path, a_file(REQUEST))
    assert os.listdir(tmp_path) == ["requests.csv"]
