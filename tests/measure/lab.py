"""A laboratory for benches: real runs against a mock server, into one file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from chimera.engines.base import CompletionRequest, Measurable
from chimera.engines.targets import open_target
from chimera.engines.wire.call import Call
from chimera.measure.bench import run_bench
from chimera.measure.plan import BenchPlan
from chimera.measure.progress import Live
from chimera.measure.workloads import open_workload
from chimera.record.run import Options
from chimera.record.runfile import RunFile, RunWriter
from chimera.testing.mock_server import MockServer

QUICK = "mock?ttft_ms=2&itl_ms=1&tokens=4"
WORKLOAD = open_workload("built-in:short,medium")


class Lab:
    """Runs benches against a mock server, into one file."""

    def __init__(self, folder: Path, server: MockServer, model: str = QUICK) -> None:
        self.path = folder / "run.jsonl"
        self.target = f"openai:{model}@{server.url}/v1"
        self.seen: list[Live] = []

    def plan(self, **changes: Any) -> BenchPlan:
        given: dict[str, Any] = {
            "target": self.target,
            "workload": WORKLOAD,
            "repeats": 3,
            "max_tokens": 4,
            "watch": False,
            "timeout_s": 20.0,
        }
        return BenchPlan(**(given | changes))

    def run(self, plan: BenchPlan | None = None, **how: Any) -> RunFile:
        return run_bench(
            plan or self.plan(),
            lambda run: RunWriter(self.path, run),
            command="chimera bench",
            **({"on_progress": self.seen.append} | how),
        )


def wrapped(change: Callable[[Measurable], None]) -> Callable[[str, Options, int], Measurable]:
    """Opens real engines and lets a test change each."""

    def open_engine(target: str, options: Options, slots: int) -> Measurable:
        engine = open_target(target, options, slots)
        change(engine)
        return engine

    return open_engine


def spoilt(fault: str) -> Callable[[str, Options, int], Measurable]:
    """Opens engines that start on a good model, and then ask for a fault with every request."""

    def spoil(engine: Measurable) -> None:
        prepare = engine.prepare

        def spoilt_one(request: CompletionRequest) -> Call:
            call = prepare(request)
            head, _, body = call.data.partition(b"\r\n\r\n")
            body = body.replace(b'"mock?', f'"mock?fault={fault}&'.encode())
            lines = [
                f"Content-Length: {len(body)}".encode() if b"Content-Length" in line else line
                for line in head.split(b"\r\n")
            ]
            call.data = b"\r\n".join(lines) + b"\r\n\r\n" + body
            return call

        engine.prepare = spoilt_one  # type: ignore[method-assign]

    return wrapped(spoil)
