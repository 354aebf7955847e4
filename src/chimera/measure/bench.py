"""A run from its first engine to its end: blocks in random order, and every request kept.

A block is one configuration in one repeat, under its load. The first request after a start is
the cold one and set apart, and so are warm-up requests. A failed request is recorded and the
run goes on; a block ends early when nothing gets through, and the run when that happens to
every configuration of a repeat. Ctrl-C keeps what was measured.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial

from chimera.engines.base import CompletionRequest, Measurable, Message
from chimera.engines.targets import open_target
from chimera.engines.wire.call import Call
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.errors import EngineError, InputError, MissingExtra, OutputError
from chimera.measure.arrivals import intended_starts
from chimera.measure.client import ClientWatch
from chimera.measure.clock import RunClock
from chimera.measure.code_version import code_version
from chimera.measure.environment import (
    HostName,
    capture_environment,
    read_load_average,
    read_pressure,
)
from chimera.measure.interrupts import InterruptGate
from chimera.measure.load import Ended, Sender
from chimera.measure.plan import BenchPlan, block_order, block_prompts, load_of
from chimera.measure.progress import Live, OnProgress, Tally
from chimera.measure.recording import Step, recorded, start_failed, started
from chimera.measure.until import is_narrow, why_stopped
from chimera.measure.workload import WorkloadPrompt
from chimera.record.request import Block, EngineStart, Phase, Request, RunEnd
from chimera.record.run import Configuration, Options, Run
from chimera.record.runfile import Line, RunFile, Sink

OpenEngine = Callable[[str, Options, int], Measurable]
OpenSink = Callable[[Run], Sink]

_LIVE_NS = 250_000_000
_FAILURES_IN_A_ROW = 20


def run_bench(
    plan: BenchPlan,
    open_sink: OpenSink,
    *,
    command: str,
    host: HostName = "hash",
    open_engine: OpenEngine = open_target,
    on_progress: OnProgress | None = None,
) -> RunFile:
    """Do what ``plan`` says; every record goes to the sink as soon as it is there.

    ``open_sink`` is called once the first engine has said which model it serves. ``command``
    is recorded as the command line. The result is what the sink was given; after Ctrl-C its
    end says "interrupted".

    Raises:
        InputError: the plan or target cannot be used.
        OutputError: the sink cannot be written; what it holds by then is kept.
        EngineError: no engine of the grid could be started; nothing is written.
        KeyboardInterrupt: stopped before the first engine was there; nothing is written.
    """
    with closing(Loop()) as loop:
        bench = _Bench(plan, open_sink, command, host, open_engine, loop)
        bench.on_progress = on_progress
        return bench.run()


class _Bench:
    def __init__(
        self,
        plan: BenchPlan,
        open_sink: OpenSink,
        command: str,
        host: HostName,
        open_engine: OpenEngine,
        loop: Loop,
    ) -> None:
        self._plan = plan
        self._open_sink = open_sink
        self._command = command
        self._open_engine = open_engine
        self._loop = loop
        self.on_progress: OnProgress | None = None
        self._configurations = plan.configurations()
        self._environment = capture_environment(host)
        self._clock = RunClock()
        self._gate = InterruptGate(loop.wake)
        self._held = ExitStack()
        self._wire = Wire(loop)
        self._engines: dict[Options, Measurable] = {}
        self._warm: set[Options] = set()
        self._lines: list[Line] = []
        self._requests: list[Request] = []
        self._sink: Sink | None = None
        self._header: Run | None = None
        self._first_error: EngineError | None = None
        self._tally = Tally()
        self._client = ClientWatch()
        self._notes: list[str] = []
        self._doing = ""
        self._index = 0
        self._in_a_row = 0

    # --- the course of a run

    def run(self) -> RunFile:
        with self._gate.installed(), self._held:
            self._held.callback(self._wire.close)
            try:
                self._start_all()
                self._show_regularly()
                self._repeat()
            except KeyboardInterrupt:
                self._gate.stopped = True
            return self._finish()

    def _start_all(self) -> None:
        slots = max((c.concurrency or 1 for c in self._configurations), default=1)
        for configuration in self._configurations:
            options = configuration.options
            if self._gate.stopped or options in self._engines:
                continue
            engine = self._open_engine(self._plan.target, options, slots)
            self._held.callback(engine.close)
            if self._start(configuration, engine):
                self._alone(configuration, self._plan.workload.prompts[0], "cold", 0)

    def _start(self, configuration: Configuration, engine: Measurable) -> bool:
        """Start one engine and record it; False if it failed."""
        begun = self._clock.now()
        self._say(f"starting {named(configuration)}")
        try:
            with self._gate.waiting():
                load = engine.start()
                if self._sink is None:
                    self._begin(engine)
        except (MissingExtra, InputError, OutputError):
            raise  # what holds for one holds for all
        except EngineError as error:
            self._first_error = self._first_error or error
            self._keep(start_failed(configuration.index, begun, str(error)))
            self._say(f"failed: {error}")
            return False
        self._engines[configuration.options] = engine
        self._keep(started(configuration.index, load, self._clock))
        return True

    def _begin(self, engine: Measurable) -> None:
        """Write the first line, now that a started engine can say which model it serves."""
        self._header = Run(
            id=f"{self._clock.zero_utc[:19].translate(_NO_MARKS)}Z-{secrets.token_hex(3)}",
            zero_utc=self._clock.zero_utc,
            target=without_folder(self._plan.target),
            experiment=self._plan.experiment,
            engine=engine.name,
            engine_version=engine.version,
            model=engine.model(),
            configurations=self._configurations,
            workload=self._plan.workload.recorded(),
            plan=self._plan.recorded(),
            code=code_version(),
            command=self._command,
            environment=self._environment,
            server=engine.about(),
            not_learnt={} if engine.version else {"engine_version": "the server does not say"},
        )
        self._sink = self._open_sink(self._header)
        self._held.callback(self._sink.close)
        for line in self._lines:
            self._sink.add(line)

    def _repeat(self) -> None:
        """Every configuration once in each repeat, until there are enough."""
        plan, until = self._plan, self._plan.until_percent is not None
        most = plan.most_repeats if until else plan.repeats
        for repeat in range(1, most + 1):
            got_through = False
            for index in block_order(plan, len(self._configurations), repeat):
                configuration = self._configurations[index]
                if self._gate.stopped:
                    return
                if configuration.options in self._engines:
                    got_through |= self._block(configuration, repeat)
            if not got_through and not self._gate.stopped:
                self._notes.append(f"stopped in repeat {repeat}: no request got through")
                return
            if until and repeat >= plan.repeats:
                count = len(self._configurations)
                if is_narrow(plan, self._requests, count) or repeat == most:
                    self._notes.append(why_stopped(plan, self._requests, repeat))
                    return

    # --- one block

    def _block(self, configuration: Configuration, repeat: int) -> bool:
        """Send a block and record it; whether anything got through."""
        plan = self._plan
        self._doing = f"repeat {repeat}, {named(configuration)}"
        self._in_a_row = 0
        for _ in range(self._warm_ups()):
            self._alone(configuration, plan.workload.prompts[0], "warmup", repeat)
        load, first = load_of(configuration), len(self._requests)
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
        mine = self._requests[first:]
        failed = sum(1 for request in mine if request.error is not None)
        enough = count is None or len(mine) >= count
        self._keep(
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

    def _warm_ups(self) -> int:
        """Where configurations share a server, each block begins by bringing back its own."""
        if self._plan.warmup is not None:
            return self._plan.warmup
        shared = any(engine.pid is None for engine in self._engines.values())
        return 1 if shared and len(self._engines) > 1 else 0

    def _alone(
        self, configuration: Configuration, prompt: WorkloadPrompt, phase: Phase, repeat: int
    ) -> None:
        """One request by itself: cold, or to warm."""
        self._sender(configuration, phase, repeat).closed(iter([prompt]), 1)

    def _sender(self, configuration: Configuration, phase: Phase, repeat: int) -> Sender:
        engine = self._engines[configuration.options]
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
        self._tally.add(request)
        self._keep(request)

    # --- what is kept and shown

    def _keep(self, line: Line) -> None:
        self._lines.append(line)
        if isinstance(line, Request):
            self._requests.append(line)
        if self._sink is not None:
            self._sink.add(line)
            self._loop.later(self._flush)

    def _flush(self) -> None:
        if self._sink is not None:
            self._sink.flush()

    def _planned(self) -> int | None:
        plan = self._plan
        if plan.until_percent is not None:
            return None
        sizes = [plan.block_size(load_of(c)) for c in self._configurations]
        if None in sizes:
            return None
        starts = len({c.options for c in self._configurations})
        warm = self._warm_ups() * len(sizes)
        return starts + plan.repeats * (sum(size or 0 for size in sizes) + warm)

    def _say(self, text: str) -> None:
        self._doing = text
        if self.on_progress is not None:
            self.on_progress(self._live())

    def _live(self) -> Live:
        return self._tally.live(self._planned(), self._wire.active, self._doing)

    def _show_regularly(self) -> None:
        if self.on_progress is None:
            return
        self.on_progress(self._live())
        self._loop.at(time.monotonic_ns() + _LIVE_NS, self._show_regularly)

    def _finish(self) -> RunFile:
        if self._sink is None or self._header is None:
            if self._gate.stopped or self._first_error is None:
                raise KeyboardInterrupt
            raise self._first_error
        if self._wire.clock_steps:
            times = self._wire.clock_steps
            self._notes.append(f"the wall clock was set {times} time(s) during the run")
        end = RunEnd(
            requests=len(self._requests),
            failed=sum(1 for request in self._requests if request.error is not None),
            planned=self._planned() or len(self._requests),
            stopped="interrupted" if self._gate.stopped else "complete",
            end_ns=self._clock.now(),
            pressure=read_pressure(),
            load_average=read_load_average(),
            client=self._client.cost(self._wire, self._requests),
            notes=tuple(self._notes),
        )
        self._keep(end)
        self._sink.flush()
        if self.on_progress is not None:
            self.on_progress(self._live())
        return RunFile(
            run=self._header,
            starts=tuple(line for line in self._lines if isinstance(line, EngineStart)),
            requests=tuple(self._requests),
            end=end,
            blocks=tuple(line for line in self._lines if isinstance(line, Block)),
        )


_NO_MARKS = str.maketrans("", "", "-:")


def named(configuration: Configuration) -> str:
    """A configuration in a few words: its options and load, without what all runs set."""
    parts = [
        f"{name}={value}"
        for name, value in configuration.options.as_set().items()
        if name not in ("temperature", "seed")
    ]
    if configuration.arrival != "closed":
        rate = configuration.request_rate
        parts.append(configuration.arrival + ("" if rate is None else f" {rate:g}/s"))
    elif configuration.concurrency != 1:
        parts.append(f"concurrency={configuration.concurrency}")
    return " ".join(parts) or "the default configuration"


def without_folder(target: str) -> str:
    """A model file's folder says where it lies on this machine, not which model it is."""
    kind, colon, rest = target.partition(":")
    if kind != "llamacpp" or not rest:
        return target
    return f"{kind}{colon}{rest.replace(chr(92), '/').rpartition('/')[2]}"
