"""A run from its first engine to its end: blocks in random order, and every request kept.

A block is one configuration in one repeat, under its load. The first request after a start is
the cold one and set apart, and so are warm-up requests. A failed request is recorded and the
run goes on; a block ends early when nothing gets through, and the run when that happens to
every configuration of a repeat. Ctrl-C keeps what was measured.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Literal

from chimera.engines.base import Measurable
from chimera.engines.targets import Access, open_target
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.wire import Wire
from chimera.errors import EngineError, InputError, MissingExtra, OutputError
from chimera.measure.blocks import Blocks
from chimera.measure.client import ClientWatch
from chimera.measure.clock import RunClock
from chimera.measure.code_version import code_version
from chimera.measure.crew import ProcessCrew, Setup
from chimera.measure.environment import (
    HostName,
    capture_environment,
    read_load_average,
    read_pressure,
    utc_now,
)
from chimera.measure.interrupts import InterruptGate
from chimera.measure.keeper import Keeper
from chimera.measure.names import named_options, names_of, without_folder
from chimera.measure.plan import BenchPlan, block_order, load_of
from chimera.measure.progress import OnProgress
from chimera.measure.recording import start_failed, started
from chimera.measure.resume import check_same
from chimera.measure.search import SHARE, good_share, highest_meeting, step_line, verdict
from chimera.measure.spool import Spool
from chimera.measure.until import is_narrow, why_stopped
from chimera.measure.watching import Watching
from chimera.record.request import RunEnd
from chimera.record.run import Configuration, Options, Run, SelfTest
from chimera.record.runfile import RunFile, Sink

OpenEngine = Callable[[str, Options, int], Measurable]
OpenSink = Callable[[Run], Sink]


def run_bench(  # noqa: PLR0913 - by name, and each has a default
    plan: BenchPlan,
    open_sink: OpenSink,
    *,
    command: str,
    host: HostName = "hash",
    open_engine: OpenEngine = open_target,
    access: Access | None = None,
    instrument: SelfTest | None = None,
    on_progress: OnProgress | None = None,
    resume: RunFile | None = None,
    unsaved: Path | None = None,
) -> RunFile:
    """Do what ``plan`` says; every record goes to the sink as soon as it is there.

    ``open_sink`` is called once the first engine has said which model it serves. ``command``
    is recorded as the command line, ``instrument`` as this client's self-test. ``access`` is
    what further client processes open the target with, as ``open_engine`` does in this one.
    ``resume`` is an earlier part of the run: what is missing of it is done, and its header is
    the one that ``open_sink`` gets. Requests that have ended wait in the folder ``unsaved``
    until the sink is sure of them, for ``recovery``; None lets a kill take them. The result is
    what the sink was given; after Ctrl-C its end says "interrupted".

    Raises:
        InputError: the plan or target cannot be used, or is not that of the run to resume.
        OutputError: the sink cannot be written; what it holds by then is kept.
        EngineError: no engine of the grid could be started; nothing is written.
        KeyboardInterrupt: stopped before the first engine was there; nothing is written.
    """
    with closing(Loop()) as loop:
        keeper = Keeper(loop, on_progress)
        bench = _Bench(plan, open_sink, command, host, open_engine, loop, keeper)
        bench.access = access or Access()
        bench.instrument = instrument
        bench.unsaved = unsaved
        if resume is not None:
            bench.restore(resume)
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
        keeper: Keeper,
    ) -> None:
        self.access = Access()
        self.instrument: SelfTest | None = None
        self.unsaved: Path | None = None
        self._spool: Spool | None = None
        self._plan = plan
        self._open_sink = open_sink
        self._command = command
        self._open_engine = open_engine
        self._loop = loop
        self._keeper = keeper
        self._crew: ProcessCrew | None = None
        self._watching: Watching | None = None
        self._configurations = plan.configurations()
        self._names = names_of(self._configurations)
        self._environment = capture_environment(host)
        self._gate = InterruptGate(loop.wake)
        self._held = ExitStack()
        self._wire = Wire(loop)
        self._clock = RunClock()
        self._blocks = Blocks(plan, loop, self._wire, self._clock, self._gate, keeper)
        self._earlier: Run | None = None
        self._first_error: EngineError | None = None
        self._client = ClientWatch()
        self._notes: list[str] = []
        self._in_vain = False
        keeper.planned = self._planned
        keeper.active = lambda: self._wire.active

    def restore(self, earlier: RunFile) -> None:
        """Take over an earlier part of the run."""
        check_same(earlier.run, earlier.blocks, self._plan)
        self._earlier = earlier.run
        self._clock = RunClock(earlier.run.zero_utc)
        self._blocks = Blocks(
            self._plan, self._loop, self._wire, self._clock, self._gate, self._keeper
        )
        self._keeper.restore(earlier)
        self._notes.append(
            f"resumed at {utc_now()}, with {len(earlier.requests)} requests kept from before; "
            "the two parts are joined by the wall clock"
        )

    # --- the course of a run

    def run(self) -> RunFile:
        with self._gate.installed(), self._held:
            self._held.callback(self._wire.close)
            try:
                self._start_all()
                self._watch()
                self._hire()
                self._keeper.show_regularly()
                if self._plan.search:
                    self._search()
                else:
                    self._repeat()
            except KeyboardInterrupt:
                self._gate.stopped = True
            return self._finish()

    def _start_all(self) -> None:
        slots = max((c.concurrency or 1 for c in self._configurations), default=1)
        for configuration in self._configurations:
            options = configuration.options
            if self._gate.stopped or options in self._blocks.engines:
                continue
            engine = self._open_engine(self._plan.target, options, slots)
            self._held.callback(engine.close)
            if self._start(configuration, engine):
                self._blocks.alone(configuration, self._plan.workload.prompts[0], "cold", 0)

    def _watch(self) -> None:
        """Monitors, unless they are not wanted."""
        engines = list(self._blocks.engines.values())
        if self._plan.watch and engines and not self._gate.stopped:
            watching = Watching(engines[0], self._loop, self._keeper, self._clock)
            self._watching = self._held.enter_context(watching)

    def _hire(self) -> None:
        """More processes, where asked for."""
        if self._plan.processes < 2 or not self._blocks.engines or self._gate.stopped:
            return
        if any(engine.pid is not None for engine in self._blocks.engines.values()):
            raise InputError(
                "--processes needs a server that runs by itself; the embedded engine is "
                "reached by the process that started it alone"
            )
        clock, access = self._clock, self.access
        setup = Setup(
            plan=self._plan,
            access=access,
            zero_utc=clock.zero_utc,
            zero_ns=clock.zero_ns,
            unsaved=self._spool.folder if self._spool else None,
        )
        size, keeper = self._plan.processes, self._keeper
        crew = self._held.enter_context(ProcessCrew(size, setup, self._loop, keeper, self._gate))
        self._crew = self._blocks.crew = crew
        keeper.flushed = self._flushed

    def _flushed(self) -> None:
        """The store is sure of all that it got."""
        for part in (self._spool, self._crew):
            if part is not None:
                part.flushed()

    def _start(self, configuration: Configuration, engine: Measurable) -> bool:
        """Start one engine and record it; False if it failed."""
        begun = self._clock.now()
        self._keeper.say(f"starting {self._names[configuration.index]}")
        try:
            with self._gate.waiting():
                load = engine.start()
                if self._keeper.header is None:
                    self._begin(engine)
        except (MissingExtra, InputError, OutputError):
            raise  # what holds for one holds for all
        except EngineError as error:
            self._first_error = self._first_error or error
            self._keeper.add(start_failed(configuration.index, begun, str(error)))
            self._keeper.say(f"failed: {error}")
            return False
        self._blocks.take_on(configuration.options, engine)
        for name in configuration.options.as_set():
            if name in engine.cannot and name not in ("seed", "temperature"):
                said = f"{name} has no effect on this target: {engine.cannot[name]}"
                if said not in self._notes:
                    self._notes.append(said)
        self._keeper.add(started(configuration.index, load, self._clock))
        return True

    def _begin(self, engine: Measurable) -> None:
        """Write the first line, now that a started engine can say which model it serves."""
        header = self._earlier or self._described(engine)
        sink = self._open_sink(header)
        self._held.callback(sink.close)
        self._keeper.begin(header, sink)
        if self.unsaved is not None:
            spool = Spool(self.unsaved / header.id, self._clock)
            self._held.callback(spool.close)
            self._blocks.spool, self._keeper.flushed = spool, spool.flushed
            self._spool = spool

    def _described(self, engine: Measurable) -> Run:
        return Run(
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
            instrument=self.instrument,
            not_learnt={} if engine.version else {"engine_version": "the server does not say"},
        )

    def _search(self) -> None:
        """Only the loads that it takes to find the highest one that meets the limits."""
        plan = self._plan
        for first in range(0, len(self._configurations), len(plan.loads)):
            if self._configurations[first].options not in self._blocks.engines:
                continue  # its start failed, and is recorded
            shares: dict[int, float] = {}
            best = highest_meeting(len(plan.loads), partial(self._meets, first, shares))
            if self._gate.stopped:
                return
            self._tell_step(first, shares, None)
            found = verdict(plan.loads, best, shares, plan.slo)
            several = len(self._configurations) > len(plan.loads)
            options = named_options(self._configurations)[first]
            self._notes.append(f"{options}: {found}" if several else found)

    def _meets(self, first: int, shares: dict[int, float], step: int) -> bool:
        """Whether a load meets the limits in all of its repeats together."""
        configuration, begun = self._configurations[first + step], len(self._keeper.requests)
        self._tell_step(first, shares, step)
        for repeat in range(1, self._plan.repeats + 1):
            if not self._gate.stopped:
                self._blocks.send(configuration, repeat)
        share = good_share(self._keeper.requests[begun:], self._plan.slo)
        shares[step] = share or 0.0
        return not self._gate.stopped and shares[step] >= SHARE

    def _tell_step(self, first: int, shares: dict[int, float], following: int | None) -> None:
        """Say what the last step of a search gave, now that the next one is known."""
        if not shares or self._gate.stopped:
            return
        last, share = list(shares.items())[-1]
        loads, options = self._plan.loads, named_options(self._configurations)[first]
        line = step_line(loads[last], share, None if following is None else loads[following])
        several = len(self._configurations) > len(loads)
        self._keeper.tell(f"{options}: {line}" if several else line)

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
                if self._keeper.is_complete(index, repeat):
                    got_through = True
                elif configuration.options in self._blocks.engines:
                    got_through |= self._blocks.send(configuration, repeat)
            if not got_through and not self._gate.stopped:
                self._in_vain = True
                self._notes.append(
                    f"stopped in repeat {repeat}, in which no request got through; put the "
                    "server right and go on with --resume"
                )
                return
            if until and repeat >= plan.repeats:
                count = len(self._configurations)
                if is_narrow(plan, self._keeper.requests, count) or repeat == most:
                    self._notes.append(why_stopped(plan, self._keeper.requests, repeat))
                    return

    def _planned(self) -> int | None:
        plan = self._plan
        if plan.until_percent is not None or plan.search:
            return None
        sizes = [plan.block_size(load_of(c)) for c in self._configurations]
        if None in sizes:
            return None
        starts = len({c.options for c in self._configurations})
        warm = self._blocks.warm_ups() * len(sizes)
        return starts + plan.repeats * (sum(size or 0 for size in sizes) + warm)

    def _how_ended(self) -> Literal["complete", "interrupted", "errors"]:
        if self._gate.stopped:
            return "interrupted"
        return "errors" if self._in_vain else "complete"

    def _finish(self) -> RunFile:
        header = self._keeper.header
        if header is None:
            if self._gate.stopped or self._first_error is None:
                raise KeyboardInterrupt
            raise self._first_error
        times = self._wire.clock_steps + (self._crew.clock_steps if self._crew else 0)
        if times:
            self._notes.append(f"the wall clock was set {times} time(s) during the run")
        watching = self._watching
        if watching is not None:
            watching.close()
        end = RunEnd(
            requests=len(self._keeper.requests),
            failed=sum(1 for request in self._keeper.requests if request.error is not None),
            planned=self._planned() or len(self._keeper.requests),
            stopped=self._how_ended(),
            end_ns=self._clock.now(),
            pressure=read_pressure(),
            load_average=read_load_average(),
            client=self._client.cost(
                self._wire, self._keeper.requests, self._crew, watching.cpu_s if watching else None
            ),
            not_watched=watching.monitors.not_watched if watching else {"all": "not asked for"},
            notes=tuple(self._notes),
        )
        self._keeper.add(end)
        self._keeper.flush()
        self._keeper.show()
        return self._keeper.file(header, end)


_NO_MARKS = str.maketrans("", "", "-:")
