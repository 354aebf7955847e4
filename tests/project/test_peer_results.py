"""The result files of the clients that benchmarks/bench_client compares, shortened from a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.clients import Reported, read_aiperf, read_chimera, read_llama_benchy

CHIMERA = """
{"run_id":"20261125T003250Z-0ceac2","model":"mock","requests":2049,"failed":0,"configurations":[
{"index":0,"concurrency":512,"n":2048,"failed":0,"metrics":{
"ttft_s":{"n":2048,"mean":0.2034786226899414,"p95":0.21400767355,"p99":0.22312945054},
"tpot_s":{"n":2048,"mean":0.020159921151149018,"p99":0.02052863830531915}}}]}
"""
LLAMA_BENCHY = """
{"version": "0.4.0", "latency_mode": "none", "max_concurrency": 512, "benchmarks": [
{"concurrency": 512, "prompt_size": 32, "response_size": 48,
 "tg_req_throughput": {"mean": 49.0, "std": 1.0, "values": [50.0, 50.0, 40.0]},
 "e2e_ttft": {"mean": 220.0, "std": 8.2, "values": [210.0, 230.0, 220.0]}}]}
"""
AIPERF = """
{"schema_version": "1.4", "aiperf_version": "0.13.0",
 "request_count": {"unit": "requests", "avg": 2048.0},
 "time_to_first_token": {"unit": "ms", "avg": 359.4030522563476, "p50": 340.1, "p99": 730.2239},
 "inter_token_latency": {"unit": "ms", "avg": 21.463413448533075, "p99": 28.2}}
"""


@pytest.mark.parametrize(
    ("read", "file", "text", "requests", "mean_ms", "p99_ms", "gap_ms"),
    [
        (read_chimera, "stdout", CHIMERA, 2048, 203.4786, 223.1295, 20.1599),
        (read_llama_benchy, "result.json", LLAMA_BENCHY, 3, 220.0, 229.8, 65 / 3),
        (
            read_aiperf,
            "artifacts/profile_export_aiperf.json",
            AIPERF,
            2048,
            359.403,
            730.2239,
            21.4634,
        ),
    ],
)
def test_what_a_client_reports_is_read_in_milliseconds(
    tmp_path: Path,
    read: Callable[[Path], Reported],
    file: str,
    text: str,
    requests: int,
    mean_ms: float,
    p99_ms: float,
    gap_ms: float,
) -> None:
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found: Reported = read(tmp_path)
    assert found.requests == requests
    assert found.ttft_mean_ms == pytest.approx(mean_ms, rel=1e-5)
    assert found.ttft_p99_ms == pytest.approx(p99_ms, rel=1e-5)
    assert found.gap_mean_ms == pytest.approx(gap_ms, rel=1e-5)
