"""The first, small bench: one client, closed loop, a grid of configurations.

All engines of the grid are started one after another and stay open; an idle one costs
nothing. The first request of each is its cold start and set apart. Then every configuration
meets every prompt, interleaved in random order. A failed request is recorded and the run
goes on; Ctrl-C keeps what was measured.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from chimera.engines.base import CompletionRequest, Engine, ErrorClass, RequestFailed
from chimera.engines.targets import open_target
from chimera.errors import EngineError, InputError, MissingExtra, OutputError
from chimera.measure.clock import RunClock
from chimera.measure.code_version import code_version
from chimera.measure.environment import (
    HostName,
    capture_environment,
    read_load_average,
    read_pressure,
)
from chimera.measure.interrupts import InterruptGate
from chimera.measure.plan import BenchPlan, Step, cold_step, measured_steps
from chimera.measure.recording import (
    failed_request,
    recorded_request,
    start_failed,
    started,
)
from chimera.record.run import (
    Configuration,
    EngineStart,
    Options,
    Phase,
    Request,
    Run,
    RunEnd,
)
from chimera.record.runfile import RunFile, RunWriter

OpenEngine = Callable[[str, Options], Engine]
# done, planned, what was just done
OnProgress = Callable[[int, int, str], None]


def run_bench(
    plan: BenchPlan,
    path: Path,
    *,
    command: str,
    host: HostName = "hash",
    open_engine: OpenEngine = open_target,
    on_progress: OnProgress | None = None,
) -> RunFile:
    """Do what ``plan`` says and keep every request in a run file at ``path``.

    ``command`` is recorded as the command line. The result is what the file holds; after
    Ctrl-C its end says "interrupted".

    Raises:
        InputError: the plan or target cannot be used, or there is a run at ``path``.
        OutputError: the file cannot be written; what it holds by then is kept.
        EngineError: no engine of the grid could be started; nothing is written.
        KeyboardInterrupt: stopped before the first engine was there; nothing is written.
    """
    bench = _Bench(plan, path, command, host, open_engine, on_progress or (lambda *_: None))
    return bench.run()


class _Bench:
    def __init__(
        self,
        plan: BenchPlan,
        path: Path,
        command: str,
        host: HostName,
        open_engine: OpenEngine,
        on_progress: OnProgress,
    ) -> None:
        self._plan = plan
        self._path = path
        self._command = command
        self._open_engine = open_engine
        self._on_progress = on_progress
        self._configurations = plan.configurations()
        self._steps = measured_steps(plan)
        self._planned = len(self._configurations) + len(self._steps)
        self._environment = capture_environment(host)
        self._clock = RunClock()
        self._gate = InterruptGate()
        self._open = ExitStack()
        self._engines: dict[int, Engine] = {}
        self._warm: set[int] = set()
        self._starts: list[EngineStart] = []
        self._requests: list[Request] = []
        self._writer: RunWriter | None = None
        self._first_error: EngineError | None = None
        self._header: Run | None = None

    def run(self) -> RunFile:
        if self._path.exists():  # said before anything is started; the writer guards it again
            raise InputError(f"{self._path} holds a run already; choose another folder")
        with self._gate.installed(), self._open:
            try:
                self._start_all()
                self._measure_all()
            except KeyboardInterrupt:
                self._gate.stopped = True
            return self._finish()

    def _start_all(self) -> None:
        for configuration in self._configurations:
            if self._gate.stopped:
                return
            engine = self._open_engine(self._plan.target, configuration.options)
            self._open.callback(engine.close)
            if self._start(configuration, engine):
                self._send(cold_step(self._plan, configuration.index))

    def _start(self, configuration: Configuration, engine: Engine) -> bool:
        """Start one engine and record it; False if it failed."""
        begun = self._clock.now()
        self._on_progress(len(self._requests), self._planned, f"starting {_named(configuration)}")
        try:
            with self._gate.waiting():
                load = engine.start()
                if self._writer is None:
                    self._begin(engine)
        except (MissingExtra, InputError, OutputError):
            raise  # what holds for one holds for all
        except EngineError as error:
            self._first_error = self._first_error or error
            self._keep(start_failed(configuration.index, begun, str(error)))
            self._on_progress(len(self._requests), self._planned, f"failed: {error}")
            return False
        self._engines[configuration.index] = engine
        self._keep(started(configuration.index, load, self._clock))
        return True

    def _begin(self, engine: Engine) -> None:
        """Write the first line, now that a started engine can say which model it serves."""
        self._header = Run(
            id=f"{self._clock.zero_utc[:19].translate(_NO_MARKS)}Z-{secrets.token_hex(3)}",
            zero_utc=self._clock.zero_utc,
            target=_without_folder(self._plan.target),
            engine=engine.name,
            engine_version=engine.version,
            model=engine.model(),
            configurations=self._configurations,
            workload=self._plan.workload.recorded(),
            plan=self._plan.recorded(),
            code=code_version(),
            command=self._command,
            environment=self._environment,
            not_learnt={} if engine.version else {"engine_version": "the server does not say"},
        )
        self._writer = RunWriter(self._path, self._header)
        self._open.callback(self._writer.close)
        for start in self._starts:
            self._writer.add(start)

    def _measure_all(self) -> None:
        for step in self._steps:
            if self._gate.stopped:
                return
            if step.configuration in self._engines:
                self._send(step)

    def _send(self, step: Step) -> None:
        """Send one request and record what became of it."""
        engine = self._engines[step.configuration]
        # The first request that gets through is the cold one, whatever the plan called it.
        phase: Phase = step.phase if step.configuration in self._warm else "cold"
        index = len(self._requests)
        request = CompletionRequest(
            prompt=step.prompt.as_text(),
            max_tokens=self._plan.limit(step.prompt),
            cache_prompt=False,
            ignore_eos=True,
            timeout_s=self._plan.timeout_s,
        )
        begun = time.monotonic_ns()
        try:
            with self._gate.waiting():
                done = engine.complete(request)
        except RequestFailed as error:
            record = failed_request(index, step, phase, error, begun, self._clock)
        except KeyboardInterrupt:
            self._gate.stopped = True
            stopped = RequestFailed(ErrorClass.CANCELLED, "interrupted by the user")
            record = failed_request(index, step, phase, stopped, begun, self._clock)
        else:
            record = recorded_request(index, step, phase, done, self._clock)
            self._warm.add(step.configuration)
        self._keep(record)
        said = f"{_named(self._configurations[step.configuration])} {step.prompt.id}"
        failed = f" failed: {record.error.error_class}" if record.error else ""
        self._on_progress(len(self._requests), self._planned, said + failed)

    def _keep(self, record: EngineStart | Request) -> None:
        if isinstance(record, Request):
            self._requests.append(record)
        else:
            self._starts.append(record)
        if self._writer is not None:
            self._writer.add(record)

    def _finish(self) -> RunFile:
        if self._writer is None or self._header is None:
            if self._gate.stopped or self._first_error is None:
                raise KeyboardInterrupt
            raise self._first_error
        end = RunEnd(
            requests=len(self._requests),
            failed=sum(1 for request in self._requests if request.error is not None),
            planned=self._planned,
            stopped="interrupted" if self._gate.stopped else "complete",
            end_ns=self._clock.now(),
            pressure=read_pressure(),
            load_average=read_load_average(),
        )
        self._writer.add(end)
        return RunFile(
            run=self._header,
            starts=tuple(self._starts),
            requests=tuple(self._requests),
            end=end,
        )


_NO_MARKS = str.maketrans("", "", "-:")


def _named(configuration: Configuration) -> str:
    options = configuration.options
    parts = [
        f"{name}={value}"
        for name, value in (("num_ctx", options.num_ctx), ("num_thread", options.num_thread))
        if value is not None
    ]
    return " ".join(parts) or "the default configuration"


def _without_folder(target: str) -> str:
    """A model file's folder says where it lies on this machine, not which model it is."""
    kind, colon, rest = target.partition(":")
    return f"{kind}{colon}{Path(rest).name}" if rest else target
