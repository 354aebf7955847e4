"""Sending blocks and single requests to their engines, and recording what comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

from chimera.engines.base import CompletionRequest, Measurable, Message
from chimera.engines.wire.call import Call
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.measure.arrivals import intended_starts
from chimera.measure.clock import RunClock
from chimera.measure.interrupts import InterruptGate
from chimera.measure.keeper import Keeper
from chimera.measure.load import Ended, Sender
from chimera.measure.names import named
from chimera.measure.plan import BenchPlan, block_prompts, load_of
from chimera.measure.recording import Step, recorded
from chimera.measure.workload import WorkloadPrompt
from chimera.record.request import Block, Phase
from chimera.record.run import Configuration, Options

_FAILURES_IN_A_ROW = 20  # after so many a block ends: nothing gets through


class Blocks:
    """One block after another. ``engines`` are those that started, by their options."""

    def __init__(
        self,
        plan: BenchPlan,
        loop: Loop,
        wire: Wire,
        clock: RunClock,
        gate: InterruptGate,
        keeper: Keeper,
    ) -> None:
        self._plan = plan
        self._loop = loop
        self._wire = wire
        self._clock = clock
        self._gate = gate
        self._keeper = keeper
        self.engines: dict[Options, Measurable] = {}
        self._warm: set[Options] = set()
        self._index = 0
        self._in_a_row = 0

    def send(self, configuration: Configuration, repeat: int) -> bool:
        """Send a block and record it; whether anything got through."""
        plan = self._plan
        self._keeper.doing = f"repeat {repeat}, {named(configuration)}"
        self._in_a_row = 0
        for _ in range(self.warm_ups()):
            self.alone(configuration, plan.workload.prompts[0], "warmup", repeat)
        load, first = load_of(configuration), len(self._keeper.requests)
        count = plan.block_size(load)
        self._in_a_row = 0
        sender = self._sender(configuration, "measured", repeat)
        begun = self._clock.now()
        if load.arrival == "closed":
            assert load.concurrency is not None
            until = None
            if count is None and plan.seconds is not None:
                until = time.monotonic_ns() + round(plan.seconds * 1e9)
            sender.closed(self._prompts(configuration, repeat, count), load.concurrency, until)
        else:
            prompts = list(self._prompts(configuration, repeat, count))
            seed = f"{plan.seed}:{repeat}:{configuration.index}:arrivals"
            trace = [prompt.at_s for prompt in prompts] if load.arrival == "trace" else []
            starts = intended_starts(load.arrival, load.request_rate, len(prompts), seed, trace)
            sender.open(prompts, starts)
        return self._close_block(configuration, repeat, begun, first, count)

    def _close_block(
        self, configuration: Configuration, repeat: int, begun: int, first: int, count: int | None
    ) -> bool:
        mine = self._keeper.requests[first:]
        failed = sum(1 for request in mine if request.error is not None)
        enough = count is None or len(mine) >= count
        self._keeper.add(
            Block(
                configuration=configuration.index,
                repeat=repeat,
                start_ns=min((r.start_ns for r in mine), default=begun),
                end_ns=max((r.end_ns for r in mine), default=self._clock.now()),
                planned=len(mine) if count is None else count,
                requests=len(mine),
                failed=failed,
                stopped="interrupted" if self._gate.stopped else "complete" if enough else "errors",
            )
        )
        return failed < len(mine)

    def _prompts(
        self, configuration: Configuration, repeat: int, count: int | None
    ) -> Iterator[WorkloadPrompt]:
        prompts = self._plan.workload.prompts
        if configuration.arrival == "trace":
            yield from prompts
            return
        order = block_prompts(self._plan, configuration.index, repeat, count)
        yield from (prompts[place] for place in order)

    def warm_ups(self) -> int:
        """Where configurations share a server, each block begins by bringing back its own."""
        if self._plan.warmup is not None:
            return self._plan.warmup
        shared = any(engine.pid is None for engine in self.engines.values())
        return 1 if shared and len(self.engines) > 1 else 0

    def alone(
        self, configuration: Configuration, prompt: WorkloadPrompt, phase: Phase, repeat: int
    ) -> None:
        """One request by itself: cold, or to warm."""
        self._sender(configuration, phase, repeat).closed(iter([prompt]), 1)

    def _sender(self, configuration: Configuration, phase: Phase, repeat: int) -> Sender:
        engine = self.engines[configuration.options]
        take = partial(self._take, engine, configuration, phase, repeat)
        return Sender(self._loop, self._wire, partial(self._prepared, engine), take, self._stop)

    def _prepared(self, engine: Measurable, prompt: WorkloadPrompt) -> Call:
        plan = self._plan
        return engine.prepare(
            CompletionRequest(
                prompt=prompt.text,
                messages=tuple(Message(m.role, m.content) for m in prompt.messages),
                json_schema=prompt.json_schema,
                max_tokens=prompt.max_tokens or plan.max_tokens,
                cache_prompt=plan.cache_prompt,
                ignore_eos=plan.ignore_eos,
                timeout_s=plan.timeout_s,
                stall_s=plan.stall_s,
            )
        )

    def _stop(self) -> str:
        """Why the block must end now; "" while it may go on."""
        if self._gate.stopped:
            return "interrupted by the user"
        if self._in_a_row >= _FAILURES_IN_A_ROW:
            return f"the block was ended after {self._in_a_row} failures in a row"
        return ""

    def _take(
        self,
        engine: Measurable,
        configuration: Configuration,
        phase: Phase,
        repeat: int,
        ended: Ended,
    ) -> None:
        """Record a request that has ended."""
        # The first request that gets through is the cold one, whatever the plan called it.
        if configuration.options not in self._warm:
            phase, repeat = "cold", 0
        step = Step(configuration.index, ended.prompt, 0 if phase != "measured" else repeat, phase)
        request = recorded(self._index, step, ended, engine, self._clock)
        self._index += 1
        if request.error is None:
            self._warm.add(configuration.options)
            self._in_a_row = 0
        else:
            self._in_a_row += 1
        self._keeper.add(request)
