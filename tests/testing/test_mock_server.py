"""The mock server from outside, over real sockets: what it sends is what it says it sent."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from chimera.testing.mock_server import MockServer
from tests.testing.wire_client import (
    CHAT,
    PATHS,
    QUICK,
    ask,
    ask_defaults,
    body_for,
    connected,
    events,
    get,
    has_ended,
    in_parallel,
    last_truth,
    metric,
    numbered,
    open_stream,
    post,
    raw_exchange,
    raw_request,
    text,
    texts,
    thought,
    wait_until,
)


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.mark.parametrize("path", PATHS)
class TestEveryDialect:
    def test_streams_numbered_tokens_and_ends(self, server: MockServer, path: str) -> None:
        body = ask(server, path, "")
        assert texts(path, body) == [f" t{n}" for n in range(8)]
        assert has_ended(path, body)

    def test_several_tokens_in_an_event(self, server: MockServer, path: str) -> None:
        body = ask(server, path, "chunk=3")
        assert texts(path, body) == [numbered(0, 3), numbered(3, 6), numbered(6, 8)]
        assert last_truth(server).write_tokens == [3, 3, 2]

    def test_the_request_may_ask_for_fewer(self, server: MockServer, path: str) -> None:
        limit: dict[str, Any] = {"max_tokens": 5}
        if path.startswith("/api"):
            limit = {"options": {"num_predict": 5}}
        body = ask(server, path, "", **limit)
        assert "".join(texts(path, body)) == numbered(0, 5)
        assert b'"length"' in body
        assert last_truth(server).tokens == 5

    def test_whole_answer(self, server: MockServer, path: str) -> None:
        response, body = post(server, path, body_for(path, f"mock?{QUICK}", stream=False))
        assert response.getheader("Content-Type") == "application/json"
        assert numbered(0, 8) in body.decode()
        assert len(json.loads(body)) > 3
        truth = last_truth(server)
        assert (truth.stream, truth.write_tokens, truth.tokens) == (False, [8], 8)

    def test_empty_events_come_first(self, server: MockServer, path: str) -> None:
        plain, empty = (events(path, ask(server, path, query)) for query in ("", "empty=3"))
        assert len(empty) == len(plain) + 3
        assert [text(path, event) for event in empty[:3]] == ["", "", ""]

    def test_flat_out(self, server: MockServer, path: str) -> None:
        body = ask(server, path, "flat=1&tokens=1000&chunk=2")
        assert sum(part.count("t") for part in texts(path, body)) == 1000
        assert has_ended(path, body)
        assert last_truth(server).tokens == 1000

    def test_truth_is_what_was_sent(self, server: MockServer, path: str) -> None:
        before_ns = time.monotonic_ns()
        response, _ = post(
            server, path, body_for(path, f"mock?{QUICK}&ttft_ms=30"), {"X-Request-Id": "abc"}
        )
        after_ns = time.monotonic_ns()
        truth = server.truth().by_id()["abc"]
        assert response.getheader("X-Request-Id") == "abc"
        assert (truth.path, truth.outcome, truth.status, truth.fault) == (path, "done", 200, None)
        assert (truth.tokens, truth.write_tokens, truth.prompt_tokens) == (8, [1] * 8, 3)
        stamps = [before_ns, truth.arrival_ns, *truth.write_ns, truth.end_ns or 0, after_ns]
        assert stamps == sorted(stamps)
        assert all(w >= p for p, w in zip(truth.planned_ns, truth.write_ns, strict=True))
        assert truth.planned_ns[0] == truth.arrival_ns + 30_000_000
        gaps = {b - a for a, b in pairwise(truth.planned_ns)}
        assert gaps == {1_000_000}
        assert truth.ttft_ns is not None
        assert truth.ttft_ns >= 30_000_000


class TestOpenAI:
    def test_the_role_comes_first_and_usage_last(self, server: MockServer) -> None:
        body = ask(server, CHAT, "", stream_options={"include_usage": True})
        first, *tokens, finish, usage = events(CHAT, body)
        assert first["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert len(tokens) == 8
        assert finish["choices"][0]["finish_reason"] == "stop"
        assert usage["choices"] == []
        assert usage["usage"] == {"prompt_tokens": 3, "completion_tokens": 8, "total_tokens": 11}
        assert len({event["id"] for event in (first, *tokens, finish, usage)}) == 1

    @pytest.mark.parametrize(("query", "said"), [("usage=none", 0), ("usage=wrong", 15)])
    def test_usage_may_be_missing_or_wrong(self, server: MockServer, query: str, said: int) -> None:
        body = ask(server, CHAT, query, stream_options={"include_usage": True})
        found = [event["usage"] for event in events(CHAT, body) if "usage" in event]
        assert [usage["completion_tokens"] for usage in found] == ([said] if said else [])
        assert last_truth(server).tokens == 8

    def test_no_usage_unless_asked(self, server: MockServer) -> None:
        assert b"usage" not in ask(server, CHAT, "")

    def test_timings_as_llama_server(self, server: MockServer) -> None:
        truth_and_timings = []
        for fields in ({}, {"stream_options": {"include_usage": True}}):
            last = events(CHAT, ask(server, CHAT, "timings=1", **fields))[-1]
            truth_and_timings.append((last_truth(server), last["timings"]))
        for truth, timings in truth_and_timings:
            assert (timings["prompt_n"], timings["predicted_n"]) == (3, 8)
            took_ns = truth.write_ns[-1] - truth.write_ns[0]
            assert timings["predicted_ms"] == pytest.approx(took_ns / 1e6)
            assert timings["prompt_ms"] == pytest.approx((truth.ttft_ns or 0) / 1e6)

    def test_reasoning_then_text(self, server: MockServer) -> None:
        found = events(CHAT, ask(server, CHAT, "reasoning=3&chunk=2"))
        assert "".join(thought(CHAT, event) for event in found) == numbered(0, 3)
        assert "".join(text(CHAT, event) for event in found) == numbered(3, 8)
        assert last_truth(server).write_tokens == [2, 1, 2, 2, 1]

    def test_comments_between_events(self, server: MockServer) -> None:
        body = ask(server, CHAT, "comments=1")
        assert body.count(b"\n: mock\n") == 9
        assert texts(CHAT, body) == texts(CHAT, ask(server, CHAT, ""))

    def test_the_user_field_is_an_id_too(self, server: MockServer) -> None:
        ask(server, CHAT, "", user="someone\r\nX: y")
        assert last_truth(server).id == "someone\r\nX: y"

    def test_models(self, server: MockServer) -> None:
        status, body = get(server, "/v1/models")
        assert status == 200
        assert json.loads(body)["data"][0]["id"] == "mock"


class TestOllama:
    def test_the_last_line_has_the_servers_times(self, server: MockServer) -> None:
        last = events("/api/generate", ask(server, "/api/generate", ""))[-1]
        truth = last_truth(server)
        assert (last["done"], last["done_reason"], last["load_duration"]) == (True, "stop", 0)
        assert (last["prompt_eval_count"], last["eval_count"]) == (3, 8)
        assert last["eval_duration"] == truth.write_ns[-1] - truth.write_ns[0]
        assert last["prompt_eval_duration"] == truth.ttft_ns
        assert last["total_duration"] == truth.write_ns[-1] - truth.arrival_ns

    def test_without_usage_no_counts(self, server: MockServer) -> None:
        last = events("/api/chat", ask(server, "/api/chat", "usage=none"))[-1]
        assert last["done"]
        assert "eval_count" not in last

    @pytest.mark.parametrize("path", ["/api/chat", "/api/generate"])
    def test_thinking(self, server: MockServer, path: str) -> None:
        found = events(path, ask(server, path, "reasoning=3"))
        assert "".join(thought(path, event) for event in found) == numbered(0, 3)
        assert "".join(text(path, event) for event in found) == numbered(3, 8)

    def test_about_the_server(self, server: MockServer) -> None:
        assert "version" in json.loads(get(server, "/api/version")[1])
        assert json.loads(get(server, "/api/tags")[1])["models"][0]["name"] == "mock"
        shown = json.loads(post(server, "/api/show", {"model": "mock"})[1])
        assert shown["details"]["quantization_level"] == "Q4_0"
        assert post(server, "/api/show", {})[0].status == 400

    def test_an_empty_prompt_loads_and_unloads(self, server: MockServer) -> None:
        path = "/api/generate"
        for fields, reason in (({}, "load"), ({"keep_alive": 0}, "unload")):
            _, body = post(server, path, {"model": "other?load_ms=5", **fields})
            assert json.loads(body)["done_reason"] == reason
            names = [model["name"] for model in json.loads(get(server, "/api/ps")[1])["models"]]
            assert ("other" in names) == (reason == "load")


class TestSchedule:
    def test_a_seed_repeats_its_gaps(self, server: MockServer) -> None:
        plans = []
        for seed in (1, 1, 2):
            body = body_for(CHAT, f"mock?{QUICK}&dist=exp&seed={seed}")
            post(server, CHAT, body, {"X-Request-Id": "same"})
            plan = last_truth(server).planned_ns
            plans.append([b - a for a, b in pairwise(plan)])
        assert plans[0] == plans[1] != plans[2]
        assert len(set(plans[0])) > 1

    def test_jitter_stays_within_its_share(self, server: MockServer) -> None:
        ask(server, CHAT, "jitter=0.5")
        plan = last_truth(server).planned_ns
        gaps = [b - a for a, b in pairwise(plan)]
        assert all(500_000 <= gap <= 1_500_000 for gap in gaps)
        assert len(set(gaps)) > 1

    def test_the_head_comes_when_asked(self, server: MockServer) -> None:
        for query, early in (("ttft_ms=500", True), ("ttft_ms=100&lead_ms=0", False)):
            with connected(server) as connection:
                body = json.dumps(body_for(CHAT, f"mock?tokens=1&{query}"))
                connection.request("POST", CHAT, body)
                response = connection.getresponse()
                head_ns = time.monotonic_ns()
                response.read()
            assert (head_ns < last_truth(server).planned_ns[0]) == early

    def test_the_first_request_for_a_model_waits_for_its_load(self) -> None:
        with MockServer(load_ms=60, ttft_ms=2, itl_ms=1, tokens=2) as server:
            for model in ("a", "a?chunk=2", "b"):
                post(server, "/api/chat", body_for("/api/chat", model))
            loads = [request.load_ns for request in server.truth().requests]
        assert loads == [60_000_000, 0, 60_000_000]

    def test_a_queue_of_answers_that_take_no_time(self) -> None:
        defaults = "ttft_ms=0&itl_ms=0&tokens=1"
        with MockServer(max_streams=1, defaults=defaults) as server:
            request = raw_request(CHAT, body_for(CHAT, ""), "Connection: close")
            held = open_stream(server, "mock?fault=stall&after=0")
            wait_until(lambda: metric(server, "num_requests_running") == 1)
            waiting = [open_stream(server, "mock?close=1") for _ in range(300)]
            wait_until(lambda: metric(server, "num_requests_waiting") == 300)
            held.close()
            for connection in waiting:
                received = b""
                while piece := connection.recv(65536):
                    received += piece
                connection.close()
                assert received.endswith(b"data: [DONE]\n\n")
            assert raw_exchange(server, request)[1] == "closed"

    def test_more_than_the_streams_queue(self) -> None:
        with MockServer(max_streams=1, ttft_ms=80, itl_ms=1, tokens=2) as server:
            bodies = in_parallel(3, lambda _: ask_defaults(server))
            truth = server.truth().requests
        assert all(has_ended(CHAT, body) for body in bodies)
        ends = [request.end_ns or 0 for request in truth]
        assert truth[0].queue_ns == 0
        assert all(r.queue_ns > 0 for r in truth[1:])
        assert all(after.write_ns[0] > end for end, after in zip(ends, truth[1:], strict=False))


class TestTruthAndMetrics:
    def test_the_kernel_stamps_the_arrival(self, server: MockServer) -> None:
        ask(server, CHAT, "")
        expected = "kernel" if sys.platform == "linux" else "read"
        assert last_truth(server).arrival_source == expected

    def test_summary_and_clear(self) -> None:
        with MockServer(ttft_ms=20, itl_ms=1, tokens=4) as server:
            assert server.summary().ttft_mean_ns is None
            ask_defaults(server)
            summary = server.summary()
            assert (summary.n, summary.done, summary.tokens) == (1, 1, 4)
            assert summary.ttft_mean_ns == server.truth().requests[0].ttft_ns
            assert (summary.lag_max_ns or 0) >= (summary.lag_p50_ns or 0) >= 0
            assert 0 < summary.cpu_s < summary.wall_s
            assert summary.starved_s is None or summary.starved_s >= 0
            server.clear()
            assert server.truth().requests == []
            assert server.truth().pid == server.pid

    def test_metrics_in_vllms_names(self) -> None:
        with MockServer(max_streams=1, defaults=QUICK) as server:
            assert metric(server, "prompt_tokens_total") == 0
            ask_defaults(server)
            held = [open_stream(server, "mock?fault=stall&after=2") for _ in range(3)]
            wait_until(lambda: metric(server, "num_requests_waiting") == 2)
            wait_until(lambda: metric(server, "generation_tokens_total") == 10)
            assert metric(server, "num_requests_running") == 1
            assert metric(server, "time_to_first_token_seconds_count") == 2
            assert metric(server, "time_to_first_token_seconds_sum") > 0.004
            for connection in held:
                connection.close()
            wait_until(lambda: metric(server, "num_requests_running") == 0)
            assert metric(server, "num_requests_waiting") == 0
            assert metric(server, "prompt_tokens_total") >= 6

    def test_a_client_that_leaves(self, server: MockServer) -> None:
        connection = open_stream(server, "mock?ttft_ms=5&itl_ms=5&tokens=100000")
        connection.recv(100)
        connection.close()
        wait_until(lambda: last_truth(server).outcome == "aborted")

    def test_a_client_that_does_not_read(self, server: MockServer) -> None:
        connection = open_stream(server, "mock?ttft_ms=0&flat=1&tokens=200000")
        wait_until(lambda: last_truth(server).blocked > 0)
        received = b""
        while not received.endswith(b"\r\n0\r\n\r\n"):
            received = received[-10:] + connection.recv(1 << 20)
        connection.close()
        assert last_truth(server).tokens == 200_000
        assert last_truth(server).outcome == "done"
