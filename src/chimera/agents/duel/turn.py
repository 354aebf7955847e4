"""What one workflow of one agent took: its phases, on one clock for the whole duel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from chimera.agents.duel.plan import Kind
from chimera.agents.duel.recorder import Exchange, Recorder
from chimera.measure.clock import RunClock
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import ErrorClass, Failure, Phase, Request, ServerPhases
from chimera.stats.describe import mean

PhaseName = Literal["ingest", "load", "queue", "prefill", "wait", "decode", "other"]
PHASES: tuple[PhaseName, ...] = get_args(PhaseName)


class Segment(msgspec.Struct, frozen=True):
    """A stretch of one phase, in seconds since the duel's zero."""

    phase: PhaseName
    start_s: float
    end_s: float


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One workflow of one agent, in one phase of a duel. Times in seconds since the duel's zero.

    ``number`` counts the turns of the scenario from 0, ``kind`` and ``repeat`` as in ``Step``.
    ``total_s`` is the workflow from the moment when all were let go, without the rendering.

    ``phases_s`` holds the sums over the workflow's calls, None for what nobody tells: ``load`` is
    the start of the engine, and what the server reports of loading within a call; ``queue`` the
    wait for a first token without the load and the prefill that the server reports, the network
    included; ``prefill`` by the server's clock; ``wait`` both
    in one, where the server does not tell them apart (and None where it does); ``decode``
    from the first token to the end of an answer; ``other`` what is left: counting tokens,
    choosing, waiting for a processor.

    ``ttft_s`` is the mean over the calls; ``throughput`` the output tokens after each call's
    first over the time from its first to its last token, in tokens/s. ``engine_cpu_s`` is the
    CPU time of an engine that this program started, None of a server elsewhere. ``error`` is ""
    where the model did its part.
    """

    number: int
    agent: str
    kind: Kind
    repeat: int
    start_s: float
    total_s: float
    phases_s: dict[PhaseName, float | None]
    ttft_s: float | None = None
    throughput: float | None = None
    calls: int = 0
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    engine_cpu_s: float | None = None
    error: str = ""
    segments: tuple[Segment, ...] = ()

    @property
    def end_s(self) -> float:
        """When the workflow ended."""
        return self.start_s + self.total_s


def request_of(
    index: int, exchange: Exchange, prompt_id: str, phase: Phase, repeat: int, clock: RunClock
) -> Request | None:
    """What a run keeps of one call; None where nothing was sent."""
    done, failure = exchange.done, exchange.failure
    if done is None:
        return None
    error = None
    if failure is not None:
        error = Failure(failure.error_class or ErrorClass.SERVER_ERROR, failure.text)
    return Request(
        index=index,
        configuration=0,
        prompt_id=prompt_id,
        repeat=repeat,
        phase=phase,
        intended_start_ns=None,
        start_ns=clock.since_zero(done.start_ns),
        connected_ns=clock.optional(done.connected_ns),
        reused=done.reused,
        sent_ns=clock.optional(done.sent_ns),
        first_byte_ns=clock.optional(done.first_byte_ns),
        first_token_ns=clock.optional(done.first_token_ns),
        first_answer_ns=clock.optional(done.first_answer_ns),
        token_ns=tuple(clock.since_zero(stamp) for stamp in done.token_ns),
        chunk_tokens=done.chunk_tokens,
        end_ns=clock.since_zero(done.end_ns),
        lag_ns=done.lag_ns,
        stamped_by=done.stamped_by,
        prompt_tokens=done.prompt_tokens,
        cached_tokens=done.cached_tokens,
        evaluated_tokens=done.evaluated_tokens,
        output_tokens=done.output_tokens,
        tokens_basis=done.tokens_basis,
        reasoning_tokens=done.reasoning_tokens,
        finish_reason=done.finish_reason,
        reloaded=done.reloaded,
        server=ServerPhases(
            load_ns=done.server_load_ns,
            queue_ns=done.server_queue_ns,
            prefill_ns=done.server_prefill_ns,
            decode_ns=done.server_decode_ns,
            total_ns=done.server_total_ns,
        ),
        error=error,
    )


class Taken(msgspec.Struct):
    """One workflow as it was timed: its agent, its recorder, when it began and ended (ns)."""

    agent: str
    recorder: Recorder
    begun_ns: int
    ended_ns: int
    error: str
    engine_cpu_s: float | None = None


def turn_of(
    number: int, kind: Kind, repeat: int, taken: Taken, requests: Sequence[Request], clock: RunClock
) -> Turn:
    """The turn that a workflow was. ``requests`` are its calls, on the duel's clock."""
    start = clock.since_zero(taken.begun_ns) / 1e9
    total = (taken.ended_ns - taken.begun_ns) / 1e9
    segments = _segments(start, taken.recorder, requests, clock)
    good = [r for r in requests if r.error is None]
    firsts = [v for r in good if (v := ttft_s(r)) is not None]
    return Turn(
        number=number,
        agent=taken.agent,
        kind=kind,
        repeat=repeat,
        start_s=start,
        total_s=total,
        phases_s=_sums(total, segments),
        ttft_s=mean(firsts) if firsts else None,
        throughput=_throughput(good),
        calls=len(requests),
        prompt_tokens=_sum([r.prompt_tokens for r in good]),
        cached_tokens=_sum([r.cached_tokens for r in good]),
        output_tokens=_sum([r.output_tokens for r in good]),
        engine_cpu_s=taken.engine_cpu_s,
        error=taken.error,
        segments=segments,
    )


def _sum(values: Sequence[int | None]) -> int | None:
    known = [v for v in values if v is not None]
    return sum(known) if known and len(known) == len(values) else None


def _throughput(requests: Sequence[Request]) -> float | None:
    """Tokens after the first over the time that they took; None where no call has two."""
    tokens, seconds = 0, 0.0
    for request in requests:
        if request.output_tokens is not None and len(request.token_ns) > 1:
            tokens += request.output_tokens - 1
            seconds += (request.token_ns[-1] - request.token_ns[0]) / 1e9
    return tokens / seconds if tokens > 0 and seconds > 0 else None


def _segments(
    start: float, recorder: Recorder, requests: Sequence[Request], clock: RunClock
) -> tuple[Segment, ...]:
    found: list[Segment] = []
    if recorder.waited_ns is not None:
        begun, ready = (clock.since_zero(ns) / 1e9 for ns in recorder.waited_ns)
        found += [Segment("ingest", start, begun), Segment("load", begun, ready)]
    for request in requests:
        sent, first = request.sent_ns, request.first_token_ns
        if sent is None:
            continue
        if first is None:
            found.append(Segment("wait", sent / 1e9, request.end_ns / 1e9))
            continue
        if (prefill := request.server.prefill_ns) is None:
            found.append(Segment("wait", sent / 1e9, first / 1e9))
        else:
            evaluates = max(sent, first - max(prefill, 0))
            loads = max(sent, evaluates - max(request.server.load_ns or 0, 0))
            found.append(Segment("queue", sent / 1e9, loads / 1e9))
            found.append(Segment("load", loads / 1e9, evaluates / 1e9))
            found.append(Segment("prefill", evaluates / 1e9, first / 1e9))
        found.append(Segment("decode", first / 1e9, request.end_ns / 1e9))
    return tuple(s for s in found if s.end_s > s.start_s)


def _sums(total: float, segments: Sequence[Segment]) -> dict[PhaseName, float | None]:
    found: dict[PhaseName, float | None] = {}
    for phase in PHASES[:-1]:
        own = [s.end_s - s.start_s for s in segments if s.phase == phase]
        found[phase] = sum(own) if own else None
    if found["wait"] is not None and found["prefill"] is not None:
        # Told apart in some calls and not in others: neither sum is of all calls.
        found["queue"] = found["prefill"] = found["wait"] = None
    found["other"] = max(0.0, total - sum(s.end_s - s.start_s for s in segments))
    return found
