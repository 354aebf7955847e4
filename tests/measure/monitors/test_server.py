"""What a server reports about itself, from real HTTP servers."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chimera.measure.monitors.monitors import Monitors
from chimera.measure.monitors.server import ServerMetrics, watch_server
from chimera.measure.monitors.server_metrics import known_values
from chimera.measure.monitors.source import Unavailable
from tests.engines.fault_server import HANG, FaultServer, reply
from tests.measure.monitors.metrics_server import metrics_server
from tests.measure.monitors.watching import collect, rounds, watcher_pid

SECRET = "sk-7f3a9c-never-seen"
# The names are vLLM's and SGLang's; the values are ours.
VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 4.0
vllm:num_requests_waiting{engine="0",model_name="m"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="m",reason="capacity"} 2.0
vllm:gpu_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:gpu_prefix_cache_hits_total{engine="0",model_name="m"} 64.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 64.0
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 256.0
vllm:num_preemptions_total{engine="0",model_name="m"} 1.0
vllm:prompt_tokens_total{engine="0",model_name="m"} 1.5e+06
vllm:generation_tokens_total{engine="0",model_name="m"} NaN
vllm:time_to_first_token_seconds_bucket{engine="0",le="0.1",model_name="m"} 5.0
vllm:time_to_first_token_seconds_sum{engine="0",model_name="m"} 2.5
vllm:time_to_first_token_seconds_count{engine="0",model_name="m"} 5.0
vllm:e2e_request_latency_seconds_sum{engine="0",model_name="m"} 10.0
vllm:e2e_request_latency_seconds_count{engine="0",model_name="m"} 5.0
python_gc_objects_collected_total{generation="0"} 7.0
"""
SGLANG = """\
sglang:num_running_reqs{dp_rank="0",model_name="m",priority="",tp_rank="0"} 5.0
sglang:num_running_reqs{dp_rank="0",model_name="m",priority="",tp_rank="1"} 5.0
sglang:num_running_reqs{dp_rank="0",model_name="m",priority="1",tp_rank="0"} 2.0
sglang:num_running_reqs{dp_rank="1",model_name="m",priority="",tp_rank="2"} 1.0
sglang:num_queue_reqs{model_name="m",tp_rank="0"} 0.0
sglang:token_usage{model_name="m",tp_rank="0"} 0.5
sglang:cached_tokens_total{cache_source="device",model_name="m"} 10.0
sglang:cached_tokens_total{cache_source="host",model_name="m"} 4.0
sglang:num_retracted_requests_total{model_name="m",tp_rank="0"} 3.0
"""
LLAMA = """\
llamacpp:prompt_tokens_total 112
llamacpp:prompt_tokens_cached_total 194
llamacpp:tokens_predicted_total 48
llamacpp:prompt_tokens_seconds 0
llamacpp:requests_processing 1
llamacpp:requests_deferred 0
"""


def test_vllm() -> None:
    assert known_values(VLLM) == {
        "requests_running": 7,  # of both engines
        "requests_waiting": 2,
        "kv_cache_usage_percent": 75,  # of the fuller one
        "prefix_cache_hit_tokens_total": 64,  # under two names, counted once
        "prefix_cache_query_tokens_total": 256,
        "preemptions_total": 1,
        "prompt_tokens_total": 1.5e6,
        "ttft_s_sum": 2.5,
        "ttft_s_count": 5,
        "e2e_s_sum": 10,
        "e2e_s_count": 5,
    }


def test_sglang() -> None:
    """Ranks of a replica and the parts by priority repeat what the whole says already."""
    assert known_values(SGLANG) == {
        "requests_running": 6,
        "requests_waiting": 0,
        "kv_cache_usage_percent": 50,
        "prefix_cache_hit_tokens_total": 14,
        "preemptions_total": 3,
    }


def test_llama_server_tells_evaluated_tokens() -> None:
    assert known_values(LLAMA) == {
        "requests_running": 1,
        "requests_waiting": 0,
        "evaluated_prompt_tokens_total": 112,
        "prefix_cache_hit_tokens_total": 194,
        "generation_tokens_total": 48,
    }


def test_it_is_one_source_among_the_others() -> None:
    with (
        metrics_server(lambda headers: (200, LLAMA)) as url,
        Monitors(interval_s=0.05, metrics_url=url) as monitors,
    ):
        seen = collect(monitors, lambda seen: bool(rounds(seen, "server")))
    assert "server" in monitors.watched
    assert rounds(seen, "server")[0]["generation_tokens_total"] == 48


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, LLAMA, "HTTP status 404"),
        (302, LLAMA, "HTTP status 302"),  # never followed: the key would go along
        (200, "<html>welcome</html>", "without any metric that is known"),
        (200, "", "without any metric that is known"),
    ],
)
def test_a_server_without_metrics_is_not_watched(status: int, body: str, reason: str) -> None:
    with (
        metrics_server(lambda headers: (status, body)) as url,
        Monitors(interval_s=0.05, metrics_url=url) as monitors,
    ):
        assert reason in monitors.not_watched["server"]
        assert "server" not in monitors.watched


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_a_connection_that_closes_is_made_anew(protocol: str) -> None:
    with metrics_server(lambda headers: (200, LLAMA), protocol) as url:
        source = ServerMetrics(url, {})
        assert source.read() == source.read() == known_values(LLAMA)
        source.close()


def test_a_server_that_hangs_is_left() -> None:
    with (
        FaultServer(HANG) as hanging,
        pytest.raises(Unavailable, match="it takes too long"),
    ):
        ServerMetrics(f"http://127.0.0.1:{hanging.port}/metrics", {}, limit_s=0.2)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", reply("200 OK", b"\xff\0")])
def test_nonsense_is_no_metric(answer: bytes) -> None:
    with FaultServer(answer) as broken, pytest.raises(Unavailable):
        ServerMetrics(f"http://127.0.0.1:{broken.port}/metrics", {}, limit_s=2.0)


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "http://", "http://[x", "http://a:b/", "127.0.0.1"]
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(Unavailable, match="metrics address is no"):
        ServerMetrics(url, {})


def test_an_outage_is_told_once_and_its_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Done(Exception):
        pass

    answers = iter([{"a": 1.0}, None, None, None, None, {"a": 2.0}])

    class Flaky(ServerMetrics):
        def __init__(self) -> None:
            pass

        def read(self) -> dict[str, float]:
            values = next(answers, {})
            if values is None:
                raise Unavailable("gone")
            if not values:
                raise Done
            return values

    monkeypatch.setattr(time, "sleep", lambda s: None)
    said: list[tuple[dict[str, float] | None, str | None]] = []
    with pytest.raises(Done):
        watch_server(Flaky(), 1.0, lambda t_ns, values, reason: said.append((values, reason)))
    assert said == [
        ({"a": 1.0}, None),
        (None, "it answered at first, then not: gone"),
        ({"a": 2.0}, None),
    ]


def _echo(headers: dict[str, str]) -> tuple[int, str]:
    """A server that repeats the key in every place it can."""
    return 401, f"wrong key: {headers.get('Authorization')}"


def _good(headers: dict[str, str]) -> tuple[int, str]:
    return (200, LLAMA) if headers.get("Authorization") == f"Bearer {SECRET}" else (401, "")


@pytest.mark.parametrize("case", ["good", "refused", "bad header", "in the address", "unreachable"])
def test_the_key_is_never_seen(case: str, capfd: pytest.CaptureFixture[str]) -> None:
    key = f"Bearer {SECRET}\n" if case == "bad header" else f"Bearer {SECRET}"
    with metrics_server(_good if case == "good" else _echo) as url:
        if case == "in the address":
            url = url.replace("http://", f"http://user:{SECRET}@") + f"?key={SECRET}"
        if case == "unreachable":
            url = f"http://127.0.0.1:9/{SECRET}"
        monitors = Monitors(
            interval_s=0.05, metrics_url=url, metrics_headers={"Authorization": key}
        )
        with monitors:
            proc = Path(f"/proc/{watcher_pid(monitors)}")
            listing = b"".join(
                (proc / name).read_bytes()
                for name in ("cmdline", "environ", "comm")
                if (proc / name).exists()
            )
            want = "server" if case == "good" else "cpu"
            seen = collect(monitors, lambda seen: bool(rounds(seen, want)))
    assert ("server" in monitors.watched) == (case == "good")
    assert SECRET.encode() not in listing
    shown = [repr(monitors), repr(vars(monitors)), repr(seen), repr(monitors.close())]
    assert SECRET not in "".join([*shown, *capfd.readouterr()])
