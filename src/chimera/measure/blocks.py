"""Sending blocks and single requests to their engines, and recording what comes back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Protocol

import msgspec

from chimera.engines.base import CompletionRequest, Measurable, Message
from chimera.engines.wire.call import Call
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.measure.arrivals import intended_starts
from chimera.measure.clock import RunClock
from chimera.measure.interrupts import InterruptGate
from chimera.measure.keeper import Keeper
from chimera.measure.load import Ended, Sender
from chimera.measure.names import names_of
from chimera.measure.plan import BenchPlan, block_prompts, load_of
from chimera.measure.recording import Step, recorded
from chimera.measure.resume import done_in_block
from chimera.measure.spool import Spool
from chimera.measure.workloads import WorkloadPrompt
from chimera.record.request import Block, Phase
from chimera.record.run import Configuration, Options

# A block ends after so many failures in a row: before anything got through, and afterwards.
_MOST_IN_VAIN, _MOST_IN_A_ROW = 20, 100


class Share(msgspec.Struct, frozen=True):
    """What one process is to send of a block.

    ``places`` of prompts in the workload, in order; None for no end. In a closed loop
    ``clients`` and ``until_ns``; in an open one ``starts_ns``, after ``zero_ns``. The latter
    two are monotonic.
    """

    places: list[int] | None
    clients: int
    starts_ns: list[int] | None
    zero_ns: int
    until_ns: int | None = None


class Crew(Protocol):
    """Several processes that share the sending."""

    def work(self, configuration: Configuration, repeat: int, share: Share) -> None: ...


class Blocks:
    """One block after another. ``engines`` are those that started, by their options.

    ``crew`` does the sending where one process is not enough. ``spool`` keeps what has ended
    until it is recorded.
    """

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
        self._names = names_of(plan.configurations())
        self._loop = loop
        self._wire = wire
        self._clock = clock
        self._gate = gate
        self._keeper = keeper
        self.engines: dict[Options, Measurable] = {}
        self._warm: set[Options] = set()
        self._in_vain, self._got_through = 0, False
        self.crew: Crew | None = None
        self.spool: Spool | None = None

    def take_on(self, options: Options, engine: Measurable, *, warm: bool = False) -> None:
        """An engine that has started; ``warm`` if its first request has been answered."""
        self.engines[options] = engine
        if warm:
            self._warm.add(options)

    def send(self, configuration: Configuration, repeat: int) -> bool:
        """Send a block, or what an earlier part of the run has left of it, and record it.

        Returns whether anything got through.
        """
        plan = self._plan
        self._keeper.doing = f"repeat {repeat}, {self._names[configuration.index]}"
        for _ in range(self.warm_ups()):
            self.alone(configuration, plan.workload.prompts[0], "warmup", repeat)
        load, first = load_of(configuration), len(self._keeper.requests)
        done = done_in_block(self._keeper.requests, configuration.index, repeat)
        count = plan.block_size(load)
        begun = self._clock.now()
        share = self._share(configuration, repeat, count, done)
        if self.crew is None:
            self.work(configuration, repeat, share)
        else:
            self.crew.work(configuration, repeat, share)
        left = None if count is None else count - len(done)
        return self._close_block(configuration, repeat, begun, first, left)

    def work(self, configuration: Configuration, repeat: int, share: Share) -> None:
        """Send a share of a block, or all of it, and record each request."""
        self._in_vain, self._got_through = 0, False
        sender = self._sender(configuration, "measured", repeat)
        prompts = self._plan.workload.prompts
        if share.starts_ns is not None:
            assert share.places is not None
            sender.open([prompts[place] for place in share.places], share.starts_ns, share.zero_ns)
            return
        places: Iterable[int] = share.places or ()
        if share.places is None:
            places = block_prompts(self._plan, configuration.index, repeat, None)
        sender.closed((prompts[place] for place in places), share.clients, share.until_ns)

    def _share(
        self, configuration: Configuration, repeat: int, count: int | None, done: Sequence[str]
    ) -> Share:
        """All of a block, without what is ``done`` of it."""
        plan, load, now = self._plan, load_of(configuration), time.monotonic_ns()
        if load.arrival != "closed":
            places, starts = self._open_schedule(configuration, repeat, count)
            kept = _without(list(zip(places, starts, strict=True)), done, plan)
            left = [place for place, _ in kept]
            first = kept[0][1] if kept else 0
            return Share(left, 0, [start - first for _, start in kept], now)
        assert load.concurrency is not None
        if count is None:
            assert plan.seconds is not None
            return Share(None, load.concurrency, None, now, now + round(plan.seconds * 1e9))
        order = list(block_prompts(plan, configuration.index, repeat, count))
        left = [place for place, _ in _without([(p, 0) for p in order], done, plan)]
        return Share(left, load.concurrency, None, now)

    def _open_schedule(
        self, configuration: Configuration, repeat: int, count: int | None
    ) -> tuple[list[int], list[int]]:
        """(places of the prompts, when each starts): ns after the block's beginning."""
        plan, load = self._plan, load_of(configuration)
        seed = f"{plan.seed}:{repeat}:{configuration.index}:arrivals"
        if load.arrival == "trace":
            times = [prompt.at_s for prompt in plan.workload.prompts]
            starts = intended_starts("trace", None, len(times), seed, times)
            return sorted(range(len(times)), key=lambda i: times[i] or 0.0), starts
        places = list(block_prompts(plan, configuration.index, repeat, count))
        starts = intended_starts(load.arrival, load.request_rate, len(places), seed)
        return places, starts

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
        return failed < len(mine) or not mine  # nothing was left of it: nothing failed

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
        sender = Sender(self._loop, self._wire, partial(self._prepared, engine), take, self._stop)
        if self.spool is not None:
            sender.ended = partial(self._ended, self.spool, configuration.index, phase, repeat)
        return sender

    def _ended(
        self, spool: Spool, configuration: int, phase: Phase, repeat: int, ended: Ended
    ) -> None:
        """Make sure of a request whose record is not made yet."""
        spool.add(Step(configuration, ended.prompt, repeat, phase), ended)

    def _prepared(self, engine: Measurable, prompt: WorkloadPrompt) -> Call:
        plan = self._plan
        call = engine.prepare(
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
        if self.spool is not None:
            call.before_decoding = self.spool.part
        return call

    def _stop(self) -> str:
        """Why the block must end now; "" while it may go on."""
        if self._gate.stopped:
            return "interrupted by the user"
        most = _MOST_IN_A_ROW if self._got_through else _MOST_IN_VAIN
        if self._in_vain >= most:
            return f"the block was ended after {self._in_vain} failures in a row"
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
        index = self._keeper.next_index
        request = recorded(index, step, ended, engine, self._clock)
        if request.error is None:
            self._warm.add(configuration.options)
            self._in_vain, self._got_through = 0, True
        else:
            self._in_vain += 1
        self._keeper.add(request)
        if self.spool is not None:
            self.spool.recorded(ended.exchange)


def _without(
    planned: list[tuple[int, int]], done: Sequence[str], plan: BenchPlan
) -> list[tuple[int, int]]:
    """What is left of (place, start) when prompts of the ids in ``done`` have been sent."""
    sent = Counter(done)
    left = []
    for place, start in planned:
        prompt = plan.workload.prompts[place].id
        if sent[prompt] > 0:
            sent[prompt] -= 1
        else:
            left.append((place, start))
    return left
