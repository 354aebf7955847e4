"""Hand-written records and an engine without a model, for tests of what is done with them."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import msgspec

from chimera.engines.base import (
    Completion,
    CompletionRequest,
    Load,
    ModelIdentity,
    OnToken,
    Options,
)
from chimera.measure.environment import capture_environment
from chimera.record.request import EngineStart, Request, RunEnd, ServerPhases
from chimera.record.run import Code, Configuration, Plan, Prompt, Run, Workload

MS = 1_000_000

# Sent at 1 ms, tokens at 101, 111, 121 and 141 ms.
REQUEST = Request(
    index=0,
    configuration=0,
    prompt_id="short",
    repeat=1,
    phase="measured",
    intended_start_ns=None,
    start_ns=0,
    sent_ns=1 * MS,
    first_byte_ns=2 * MS,
    first_token_ns=101 * MS,
    token_ns=(101 * MS, 111 * MS, 121 * MS, 141 * MS),
    chunk_tokens=(1, 1, 1, 1),
    end_ns=150 * MS,
    prompt_tokens=30,
    cached_tokens=10,
    evaluated_tokens=20,
    output_tokens=4,
    tokens_basis="server",
    finish_reason="length",
    server=ServerPhases(prefill_ns=80 * MS, decode_ns=45 * MS),
)
START = EngineStart(
    configuration=0, start_ns=0, ready_ns=900 * MS, server_load_ns=500 * MS, num_ctx=512
)
END = RunEnd(
    requests=1,
    failed=0,
    planned=1,
    stopped="complete",
    end_ns=10_000 * MS,
    pressure=None,
    load_average=None,
)


def a_run(**changes: Any) -> Run:
    """A run with one configuration and one prompt."""
    run = Run(
        id="20260102T030405Z-abcdef",
        zero_utc="2026-01-02T03:04:05.000000Z",
        target="llamacpp",
        engine="llamacpp",
        engine_version="1.2",
        model=ModelIdentity(name="m", quantization="Q4_K_M", not_learnt={"sha256": "a test"}),
        configurations=(Configuration(index=0, options=Options(num_ctx=512, num_thread=2)),),
        workload=Workload("built-in", "00", (Prompt("short", "11", 9),)),
        plan=Plan(
            load="closed",
            concurrency=1,
            repeats=1,
            order="interleaved",
            order_seed=0,
            request={"max_tokens": 4},
        ),
        code=Code(version="0", git_commit=None, git_dirty=None, not_learnt={"git_commit": "test"}),
        command="chimera bench",
        environment=capture_environment(),
    )
    return msgspec.structs.replace(run, **changes)


class ScriptedEngine:
    """An engine that answers at once; ``script`` may raise for the n-th request (from 0)."""

    name = "scripted"
    version = "1"

    def __init__(
        self, options: Options, script: Callable[[int, CompletionRequest], None] | None = None
    ) -> None:
        self.options = options
        self.requests: list[CompletionRequest] = []
        self.started = 0
        self.closed = False
        self._script = script or (lambda *_: None)

    def start(self) -> Load:
        self.started += 1
        now = time.monotonic_ns()
        return Load(
            start_ns=now,
            ready_ns=now + 1,
            server_load_ns=7,
            cold=True,
            num_ctx=self.options.num_ctx,
        )

    def model(self) -> ModelIdentity:
        return ModelIdentity(name="scripted-model", not_learnt={"file": "there is none"})

    def count_tokens(self, text: str) -> int | None:
        return len(text)

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        self.requests.append(request)
        self._script(len(self.requests) - 1, request)
        now = time.monotonic_ns()
        return Completion(
            text="ab",
            start_ns=now,
            sent_ns=now,
            first_byte_ns=now + 1,
            first_token_ns=now + 2,
            token_ns=(now + 2, now + 3),
            chunk_tokens=(1, 1),
            end_ns=now + 4,
            prompt_tokens=5,
            cached_tokens=0,
            evaluated_tokens=5,
            output_tokens=2,
            finish_reason="length",
            server_load_ns=None,
            server_prefill_ns=1,
            server_decode_ns=1,
            raw_request={},
            raw_reply=None,
        )

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
