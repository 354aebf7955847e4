"""Runs made by hand, for what stores and exports them."""

from __future__ import annotations

from typing import Any

import msgspec

from chimera.record.environment import Environment, Gpu, Pressure
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
from chimera.record.runfile import Line

MS = 1_000_000
S = 1_000 * MS


def a_run(number: int = 0, **changes: Any) -> Run:
    """A run that began ``number`` seconds after 2026-01-02 03:04:05."""
    run = Run(
        id=f"20260102T0304{5 + number:02}Z-{number:06x}",
        zero_utc=f"2026-01-02T03:04:{5 + number:02}.000000Z",
        target="llamacpp",
        engine="llamacpp",
        engine_version="1.2",
        model=ModelIdentity(name="gemma3", quantization="Q4_K_M", not_learnt={"sha256": "a test"}),
        configurations=(
            Configuration(index=0, options=Options(num_ctx=512, num_thread=2)),
            Configuration(index=1, options=Options(num_ctx=512), concurrency=4),
        ),
        workload=Workload("built-in", "00", (Prompt("short", "11", 9),)),
        plan=Plan(
            load="closed", repeats=2, order="blocks", order_seed=0, request={"max_tokens": 4}
        ),
        code=Code(version="0", git_commit=None, git_dirty=None, not_learnt={"git_commit": "test"}),
        command="chimera bench",
        environment=Environment(
            captured_utc="2026-01-02T03:04:04.000000Z",
            host="0a1b",
            os="Linux",
            machine="x86_64",
            cpu_model="a processor",
            physical_cores=1,
            logical_cpus=2,
            usable_cpus=2,
            cpu_quota=1.5,
            memory_bytes=1 << 34,
            gpus=(Gpu(name="a card", driver="1", memory_bytes=1 << 33),),
            python="CPython 3.11",
            packages={"click": "8"},
            pressure=Pressure(avg10=0.5, avg60=0.25, total_us=10),
            load_average=(0.1, 0.2, 0.3),
            not_learnt={},
        ),
    )
    return msgspec.structs.replace(run, **changes)


def a_request(index: int = 0, tokens: int = 4, **changes: Any) -> Request:
    """A request sent at its index in seconds; its tokens come 10 ms apart, the first after 100."""
    sent = index * S + MS
    times = tuple(sent + (100 + 10 * i) * MS for i in range(tokens))
    request = Request(
        index=index,
        configuration=0,
        prompt_id="short",
        repeat=1,
        phase="measured",
        intended_start_ns=None,
        start_ns=sent - MS,
        sent_ns=sent,
        first_byte_ns=sent + 2 * MS,
        first_token_ns=times[0] if times else None,
        token_ns=times,
        chunk_tokens=(1,) * tokens,
        end_ns=sent + 900 * MS,
        prompt_tokens=30,
        cached_tokens=0,
        evaluated_tokens=30,
        output_tokens=tokens,
        tokens_basis="server",
        finish_reason="length",
        server=ServerPhases(prefill_ns=80 * MS, decode_ns=45 * MS),
    )
    return msgspec.structs.replace(request, **changes)


def some_lines(end: bool = True) -> list[Line]:
    """Every type of line: three requests, one of which failed."""
    failed = a_request(
        1, 0, error=Failure(ErrorClass.CONNECT, "refused"), chunk_tokens=None, sent_ns=None
    )
    lines: list[Line] = [
        EngineStart(
            configuration=0, start_ns=0, ready_ns=900, server_load_ns=500 * MS, num_ctx=512
        ),
        a_request(0, phase="cold", repeat=0),
        Watched(t_ns=S, source="cpu", values={"busy_percent": 12.5}),
        failed,
        a_request(2),
        Block(
            configuration=0,
            repeat=1,
            start_ns=S,
            end_ns=3 * S,
            planned=2,
            requests=2,
            failed=1,
            stopped="complete",
        ),
    ]
    return [*lines, the_end(3, 1)] if end else lines


def the_end(requests: int, failed: int = 0, **changes: Any) -> RunEnd:
    """The last line of a run of so many requests."""
    end = RunEnd(
        requests=requests,
        failed=failed,
        planned=requests,
        stopped="complete",
        end_ns=(requests + 1) * S,
        pressure=Pressure(avg10=0.5, avg60=0.25, total_us=20),
        load_average=(0.1, 0.2, 0.3),
    )
    return msgspec.structs.replace(end, **changes)
