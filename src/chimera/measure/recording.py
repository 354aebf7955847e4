"""From what an engine brought back to what a run keeps of it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from chimera.engines.base import Completion, Load, RequestFailed
from chimera.engines.wire.call import Exchange
from chimera.measure.clock import RunClock
from chimera.measure.load import Ended
from chimera.measure.workloads import WorkloadPrompt
from chimera.record.request import (
    EngineStart,
    ErrorClass,
    Failure,
    Phase,
    Request,
    ServerPhases,
)


class Step(msgspec.Struct, frozen=True):
    """What a request was for."""

    configuration: int
    prompt: WorkloadPrompt
    repeat: int
    phase: Phase


def started(configuration: int, load: Load, clock: RunClock) -> EngineStart:
    """The record of an engine that started."""
    return EngineStart(
        configuration=configuration,
        start_ns=clock.since_zero(load.start_ns),
        ready_ns=clock.since_zero(load.ready_ns),
        server_load_ns=load.server_load_ns,
        num_ctx=load.num_ctx,
    )


def start_failed(configuration: int, start_ns: int, text: str) -> EngineStart:
    """The record of an engine that did not start; ``start_ns`` since the run's zero."""
    return EngineStart(
        configuration=configuration,
        start_ns=start_ns,
        ready_ns=None,
        server_load_ns=None,
        num_ctx=None,
        error=Failure(ErrorClass.ENGINE_START, text),
    )


class Finishes(Protocol):
    """As much of an engine as judges an exchange that has ended; see ``Measurable``."""

    def finish(self, exchange: Exchange) -> Completion: ...


def recorded(index: int, step: Step, ended: Ended, engine: Finishes, clock: RunClock) -> Request:
    """The record of a request that ended, whole, in part, or before it was sent.

    A request in which the server loaded its model is a cold one.
    """
    if ended.exchange is None:
        assert ended.refused is not None
        return _request(index, step, ended, None, ended.refused, clock)
    failed: RequestFailed | None = None
    done: Completion | None
    try:
        done = engine.finish(ended.exchange)
    except RequestFailed as error:
        failed, done = error, error.partial
    return _request(index, step, ended, done, failed, clock)


def _request(
    index: int,
    step: Step,
    ended: Ended,
    done: Completion | None,
    failed: RequestFailed | None,
    clock: RunClock,
) -> Request:
    error = None if failed is None else Failure(failed.error_class, failed.text, failed.http_status)
    begun = clock.since_zero(ended.begun_ns)
    intended = clock.optional(ended.intended_ns)
    if done is None:
        return _unsent(index, step, begun, intended, clock.now(), error)
    zero = clock.since_zero(0)
    return Request(
        index=index,
        configuration=step.configuration,
        prompt_id=step.prompt.id,
        repeat=step.repeat,
        phase="cold" if done.reloaded and step.phase == "measured" else step.phase,
        intended_start_ns=intended,
        start_ns=begun,
        connected_ns=clock.optional(done.connected_ns),
        reused=done.reused,
        sent_ns=clock.optional(done.sent_ns),
        first_byte_ns=clock.optional(done.first_byte_ns),
        first_token_ns=clock.optional(done.first_token_ns),
        first_answer_ns=clock.optional(done.first_answer_ns),
        token_ns=tuple([stamp + zero for stamp in done.token_ns]),
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


def _unsent(
    index: int, step: Step, begun: int, intended: int | None, ended: int, error: Failure | None
) -> Request:
    """A request of which nothing came, and perhaps nothing was sent."""
    return Request(
        index=index,
        configuration=step.configuration,
        prompt_id=step.prompt.id,
        repeat=step.repeat,
        phase=step.phase,
        intended_start_ns=intended,
        start_ns=begun,
        sent_ns=None,
        first_byte_ns=None,
        first_token_ns=None,
        token_ns=(),
        chunk_tokens=None,
        end_ns=ended,
        prompt_tokens=None,
        cached_tokens=None,
        evaluated_tokens=None,
        output_tokens=None,
        tokens_basis=None,
        finish_reason=None,
        error=error,
    )
