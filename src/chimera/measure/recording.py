"""From what an engine brought back to what a run keeps of it."""

from __future__ import annotations

import time

from chimera.engines.base import Completion, Load, RequestFailed
from chimera.measure.clock import RunClock
from chimera.measure.plan import Step
from chimera.record.request import EngineStart, ErrorClass, Failure, Phase, Request, ServerPhases


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


def recorded_request(
    index: int,
    step: Step,
    phase: Phase,
    done: Completion,
    clock: RunClock,
    error: Failure | None = None,
) -> Request:
    """The record of a request that was sent, whole or, with ``error``, in part."""
    return Request(
        index=index,
        configuration=step.configuration,
        prompt_id=step.prompt.id,
        repeat=step.repeat,
        phase=phase,
        intended_start_ns=None,
        start_ns=clock.since_zero(done.start_ns),
        sent_ns=clock.optional(done.sent_ns),
        first_byte_ns=clock.optional(done.first_byte_ns),
        first_token_ns=clock.optional(done.first_token_ns),
        token_ns=tuple(clock.since_zero(t) for t in done.token_ns),
        chunk_tokens=done.chunk_tokens,
        end_ns=clock.since_zero(done.end_ns),
        prompt_tokens=done.prompt_tokens,
        cached_tokens=done.cached_tokens,
        evaluated_tokens=done.evaluated_tokens,
        output_tokens=done.output_tokens,
        tokens_basis=None if done.output_tokens is None else "server",
        finish_reason=done.finish_reason,
        server=ServerPhases(
            load_ns=done.server_load_ns,
            prefill_ns=done.server_prefill_ns,
            decode_ns=done.server_decode_ns,
        ),
        error=error,
    )


def failed_request(
    index: int, step: Step, phase: Phase, error: RequestFailed, start_ns: int, clock: RunClock
) -> Request:
    """The record of a request that failed; ``start_ns`` (monotonic) is when it was begun."""
    done = error.partial or _nothing(start_ns)
    failure = Failure(error.error_class, error.text)
    return recorded_request(index, step, phase, done, clock, failure)


def _nothing(start_ns: int) -> Completion:
    """A completion of which nothing came until now."""
    return Completion(
        text="",
        start_ns=start_ns,
        sent_ns=None,
        first_byte_ns=None,
        first_token_ns=None,
        token_ns=(),
        chunk_tokens=None,
        end_ns=time.monotonic_ns(),
        prompt_tokens=None,
        cached_tokens=None,
        evaluated_tokens=None,
        output_tokens=None,
        finish_reason=None,
        server_load_ns=None,
        server_prefill_ns=None,
        server_decode_ns=None,
        raw_request={},
        raw_reply=None,
    )
