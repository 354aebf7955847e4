"""Hand-written records for contract suites and benchmarks: a run, and requests that are told
apart by their index.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chimera.measure.environment import capture_environment
from chimera.record.request import (
    Block,
    EngineStart,
    ErrorClass,
    Failure,
    Request,
    RunEnd,
    ServerPhases,
    Watched,
)
from chimera.record.run import (
    Code,
    Configuration,
    ModelIdentity,
    Options,
    Plan,
    Prompt,
    Run,
    Workload,
)

MS = 1_000_000

START = EngineStart(
    configuration=0, start_ns=0, ready_ns=900 * MS, server_load_ns=None, num_ctx=512
)
BLOCK = Block(
    configuration=0,
    repeat=1,
    start_ns=0,
    end_ns=5 * MS,
    planned=3,
    requests=3,
    failed=1,
    stopped="complete",
)
WATCHED = Watched(t_ns=3 * MS, source="cpu", values={"busy_percent": 12.5})


def sample_run(run_id: str = "20260102T030405Z-abcdef", **changes: Any) -> Run:
    """A run with one configuration and one prompt."""
    run = Run(
        id=run_id,
        zero_utc="2026-01-02T03:04:05.000000Z",
        target="llamacpp",
        engine="llamacpp",
        engine_version="1.2",
        model=ModelIdentity(name="m", quantization="Q4_K_M", not_learnt={"sha256": "a test"}),
        configurations=(Configuration(index=0, options=Options(num_ctx=512, num_thread=2)),),
        workload=Workload("built-in", "00", (Prompt("short", "11", 9),)),
        plan=Plan(
            load="closed", repeats=1, order="blocks", order_seed=0, request={"max_tokens": 4}
        ),
        code=Code(version="0", git_commit=None, git_dirty=None, not_learnt={"git_commit": "test"}),
        command="chimera bench",
        environment=capture_environment(),
    )
    return msgspec.structs.replace(run, **changes)


def sample_request(index: int, tokens: int = 4, *, failed: bool = False) -> Request:
    """The ``index``-th request of a run; equal arguments give equal requests."""
    begun = index * 100 * MS
    stamps = tuple(begun + 40 * MS + n * 7 * MS + index % 1000 for n in range(tokens))
    return Request(
        index=index,
        configuration=0,
        prompt_id="short",
        repeat=1,
        phase="measured",
        intended_start_ns=None,
        start_ns=begun,
        connected_ns=begun + 10,
        sent_ns=begun + 20,
        first_byte_ns=begun + 30 * MS,
        first_token_ns=stamps[0] if stamps else None,
        first_answer_ns=stamps[0] if stamps else None,
        token_ns=stamps,
        chunk_tokens=(1,) * tokens,
        end_ns=begun + 50 * MS + tokens * 7 * MS,
        prompt_tokens=30,
        cached_tokens=10,
        evaluated_tokens=20,
        output_tokens=None if failed else tokens,
        tokens_basis=None if failed else "server",
        finish_reason=None if failed else "length",
        server=ServerPhases(prefill_ns=80 * MS, decode_ns=45 * MS),
        error=Failure(ErrorClass.TIMEOUT, "too slow") if failed else None,
    )


def sample_end(requests: int, failed: int = 0, *, interrupted: bool = False) -> RunEnd:
    """The end of a run of so many requests."""
    return RunEnd(
        requests=requests,
        failed=failed,
        planned=requests,
        stopped="interrupted" if interrupted else "complete",
        end_ns=10_000 * MS,
        pressure=None,
        load_average=None,
    )
