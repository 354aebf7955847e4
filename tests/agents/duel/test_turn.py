"""A workflow's time in phases, from stamps that are known."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chimera.agents.duel.recorder import Exchange, Recorder
from chimera.agents.duel.turn import Taken, Turn, request_of, turn_of
from chimera.engines.base import Completion, CompletionRequest, ErrorClass, RequestFailed
from chimera.engines.base import Message as Turns
from chimera.measure.clock import RunClock
from chimera.testing.scripted_engine import ScriptedEngine

S = 1_000_000_000
CLOCK = RunClock(zero_ns=0)


def completion(sent: int, first: int, end: int, prefill: int | None) -> Completion:
    """Times in tenths of a second."""
    tenth = S // 10
    base = ScriptedEngine(lambda _: "a b c").complete(CompletionRequest(prompt="p"))
    return replace(
        base, start_ns=sent * tenth, sent_ns=sent * tenth, first_token_ns=first * tenth,
        token_ns=(first * tenth, end * tenth), end_ns=end * tenth,
        server_prefill_ns=None if prefill is None else prefill * tenth, output_tokens=3,
    )  # fmt: skip


def turn(*completions: Completion) -> Turn:
    recorder = Recorder(ScriptedEngine(lambda _: "a"))
    recorder.waited_ns = (11 * S // 10, 15 * S // 10)
    requests = [
        r for i, c in enumerate(completions)
        if (r := request_of(i, Exchange("p", c, None), "analysis", "measured", 1, CLOCK))
    ]  # fmt: skip
    return turn_of(0, "alone", 1, Taken("A", recorder, S, 4 * S, ""), requests, CLOCK)


def test_the_phases_of_a_workflow_add_up_to_its_time() -> None:
    found = turn(completion(16, 20, 25, prefill=3), completion(26, 28, 39, prefill=2))
    assert found.total_s == pytest.approx(3.0)
    want = {"ingest": 0.1, "load": 0.4, "queue": 0.1, "prefill": 0.5, "decode": 1.6, "other": 0.3}
    assert {k: v for k, v in found.phases_s.items() if v is not None} == pytest.approx(want)
    assert found.phases_s["wait"] is None
    assert sum(want.values()) == pytest.approx(found.total_s)
    assert found.ttft_s == pytest.approx(0.3)
    assert found.throughput == pytest.approx(4 / 1.6)


def test_a_load_within_a_call_is_load_and_not_queue() -> None:
    reloading = replace(completion(16, 24, 25, prefill=3), server_load_ns=4 * S // 10)
    phases = turn(reloading).phases_s
    assert phases["load"] == pytest.approx(0.4 + 0.4)
    assert phases["queue"] == pytest.approx(0.1)
    assert phases["prefill"] == pytest.approx(0.3)


def test_where_nobody_tells_the_prefill_the_wait_is_one() -> None:
    found = turn(completion(16, 20, 25, prefill=None))
    assert found.phases_s["wait"] == pytest.approx(0.4)
    assert found.phases_s["queue"] is None
    assert found.phases_s["prefill"] is None


def test_where_only_some_calls_tell_it_there_is_no_sum_of_either() -> None:
    found = turn(completion(16, 20, 25, prefill=None), completion(26, 28, 39, prefill=2))
    assert found.phases_s["wait"] is None
    assert found.phases_s["queue"] is None
    assert found.phases_s["prefill"] is None


def test_a_turn_without_an_answer_has_no_times_of_one() -> None:
    found = turn()
    assert (found.ttft_s, found.throughput, found.output_tokens) == (None, None, None)
    assert found.phases_s["decode"] is None


def test_a_line_in_front_is_sent_and_counted_but_the_prompt_stays_as_it_was_asked() -> None:
    engine = ScriptedEngine(lambda _: "a")
    recorder = Recorder(engine, "Run 1.")
    recorder.complete(CompletionRequest(prompt="hello"))
    recorder.complete(CompletionRequest(messages=(Turns("user", "hi"), Turns("user", "there"))))
    assert engine.requests[0].prompt == "Run 1.\nhello"
    assert [m.content for m in engine.requests[1].messages] == ["Run 1.\nhi", "there"]
    assert recorder.exchanges[0].prompt == "hello"
    assert recorder.count_tokens("x" * 40) == engine.count_tokens("Run 1.\n" + "x" * 40)


def test_a_call_that_failed_is_kept_and_passed_on() -> None:
    def die(_: CompletionRequest) -> str:
        raise RequestFailed(ErrorClass.ENGINE_DIED, "gone")

    recorder = Recorder(ScriptedEngine(die))
    with pytest.raises(RequestFailed):
        recorder.complete(CompletionRequest(prompt="hello"))
    assert recorder.exchanges[0].failure is not None
    assert request_of(0, recorder.exchanges[0], "call", "measured", 1, CLOCK) is None
