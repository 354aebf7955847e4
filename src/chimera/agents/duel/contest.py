"""Carrying out a duel: phase after phase, every workflow in a thread of its own.

A workflow waits for its server nearly all of the time. All that take part in a phase wait at one
gate and are let go together. Ctrl-C ends the phase that is under way; what was done before stays.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

import msgspec

from chimera.agents.duel.plan import Plan, Side, Step, check, steps_of
from chimera.agents.duel.recorder import Recorder
from chimera.agents.duel.turn import Taken, Turn, request_of, turn_of
from chimera.agents.workflow import Work, work
from chimera.engines.base import Engine, Options
from chimera.engines.option_names import kind_of
from chimera.engines.targets import open_target
from chimera.errors import ChimeraError, EngineError
from chimera.measure.clock import RunClock
from chimera.measure.environment import capture_environment
from chimera.measure.monitors.monitors import Monitors
from chimera.measure.monitors.sample import Sample
from chimera.record.environment import Environment
from chimera.record.request import Phase, Request

OpenEngine = Callable[[Side], Engine]
_LOOK_S = 0.1


class Done(msgspec.Struct, frozen=True):
    """A turn with its calls, what the agent made of them, and the prompt of each kind of call."""

    turn: Turn
    work: Work
    requests: tuple[Request, ...]
    prompts: dict[str, str]
    recorder: Recorder
    clock: RunClock


class Progress(msgspec.Struct, frozen=True):
    """How far a duel is: ``place`` of ``steps`` phases are done; ``left_s`` None if unknown."""

    step: Step
    place: int
    steps: int
    left_s: float | None


class Duel(msgspec.Struct):
    """What was done. ``last`` is each agent's work in the last phase together that was whole.

    ``interrupted`` says that it was stopped before its end. ``watched`` are the monitors'
    readings, times since the duel's zero in seconds as (time, source, values);
    ``not_watched`` says of each source that was not there why.
    """

    plan: Plan
    environment: Environment
    turns: list[Turn]
    works: dict[int, Work]
    watched: list[tuple[float, str, dict[str, float]]]
    not_watched: dict[str, str]
    zero_utc: str
    interrupted: bool = False

    def of(self, agent: str, kind: str) -> list[Turn]:
        """An agent's turns of one kind, in the order of their repeats."""
        own = [t for t in self.turns if t.agent == agent and t.kind == kind]
        return sorted(own, key=lambda t: t.repeat)


def opened(side: Side) -> Engine:
    """The engine of an agent, not yet started."""
    return open_target(side.target, side.agent.options, access=side.access)


def run_duel(
    plan: Plan,
    *,
    open_engine: OpenEngine = opened,
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_turn: Callable[[Done], None] = lambda _: None,
    warm: set[tuple[str, Options]] | None = None,
    environment: Environment | None = None,
) -> Duel:
    """Do what ``plan`` says. ``on_turn`` gets each turn when its phase has ended whole.

    ``warm`` are targets and options that were warmed up before; those warmed here are added.
    ``environment`` is this machine as it was captured, None to capture it now. Ctrl-C
    ends it early and marks it as interrupted.

    Raises:
        InputError: the plan cannot be carried out, or the folder holds nothing to report on.
        EngineError: an agent's engine could not do its part when it was warmed up.
        MissingExtra: an engine's package is not installed.
    """
    check(plan)
    contest = _Contest(plan, open_engine, on_progress, on_turn, set() if warm is None else warm)
    return contest.run(environment or capture_environment())


class _Contest:
    def __init__(
        self,
        plan: Plan,
        open_engine: OpenEngine,
        on_progress: Callable[[Progress], None],
        on_turn: Callable[[Done], None],
        warm: set[tuple[str, Options]],
    ) -> None:
        self._plan = plan
        self._open = open_engine
        self._on_progress = on_progress
        self._on_turn = on_turn
        self._warm = warm
        self._sides = {side.name: side for side in plan.sides}
        self._spent: Counter[str] = Counter()  # seconds by kind of phase
        self._met: Counter[str] = Counter()  # phases by kind
        self._clock = RunClock()
        self._duel: Duel

    def run(self, environment: Environment) -> Duel:
        self._duel = Duel(
            self._plan, environment, [], {}, [], {"all": "not asked for"}, self._clock.zero_utc
        )
        steps = steps_of(self._plan, self._warm)
        with ExitStack() as held:
            try:
                monitors = held.enter_context(Monitors()) if self._plan.watch else None
                for place, step in enumerate(steps):
                    self._on_progress(Progress(step, place, len(steps), self._left(steps[place:])))
                    begun = time.monotonic()
                    self._keep(step, self._phase(step))
                    self._spent[step.kind] += time.monotonic() - begun  # type: ignore[assignment]
                    self._met[step.kind] += 1
                    self._take(monitors)
            except KeyboardInterrupt:
                self._duel.interrupted = True
                self._take(monitors)
        return self._duel

    def _left(self, steps: list[Step]) -> float | None:
        """Seconds for what is left, by what such phases took so far."""
        known = {k: self._spent[k] / n for k, n in self._met.items()}
        if not known or "alone" not in known:
            return None
        together = known.get("together", known["alone"] * 2)
        return sum(together if s.kind == "together" else known["alone"] for s in steps)

    def _take(self, monitors: Monitors | None) -> None:
        if monitors is None:
            return
        self._duel.watched += [_seen(s, self._clock) for s in monitors.drain()]
        self._duel.not_watched = dict(monitors.not_watched)

    def _phase(self, step: Step) -> list[tuple[Taken, Work]]:
        """Let the agents of a phase go together, and wait for all of them.

        Raises what a workflow raised, and KeyboardInterrupt; the engines are closed by then.
        """
        gate = threading.Barrier(len(step.sides))
        runners = [_Runner(self._sides[name], self._open, self._plan, gate) for name in step.sides]
        try:
            for runner in runners:
                runner.start()
            for runner in runners:
                while runner.is_alive():
                    runner.join(_LOOK_S)
        finally:
            gate.abort()
            for runner in runners:
                runner.recorder.close()
        for runner in runners:
            if runner.raised is not None:
                raise runner.raised
        return [runner.result() for runner in runners]

    def _keep(self, step: Step, done: list[tuple[Taken, Work]]) -> None:
        for taken, made in done:
            if step.kind == "warm-up":
                side = self._sides[taken.agent]
                if taken.error:
                    raise EngineError(f"agent {side.name} ({side.target}): {taken.error}")
                self._warm.add((side.target, side.agent.options))
            number = len(self._duel.turns)
            requests, prompts = _requests(step, taken, made, self._clock)
            turn = turn_of(number, step.kind, step.repeat, taken, requests, self._clock)
            self._duel.turns.append(turn)
            if step.kind == "together":
                self._duel.works[number] = made
            self._on_turn(Done(turn, made, requests, prompts, taken.recorder, self._clock))


class _Runner(threading.Thread):
    """One workflow. A daemon: after Ctrl-C nobody waits for a server that does not answer."""

    def __init__(self, side: Side, opener: OpenEngine, plan: Plan, gate: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self._side = side
        self._plan = plan
        self._gate = gate
        # The embedded engine starts afresh each time, so nothing is in its cache.
        line = "" if kind_of(side.target) == "llamacpp" else f"Run {secrets.token_hex(4)}."
        self.recorder = Recorder(opener(side), line)
        self.raised: BaseException | None = None
        self._work: Work | None = None
        self._begun = self._ended = 0
        self._cpu_s: float | None = None

    def run(self) -> None:
        plan = self._plan
        try:
            self._gate.wait()
            self._begun = time.monotonic_ns()
            self._work = work(
                plan.folder,
                self._side.agent,
                self.recorder,
                max_bytes=plan.max_bytes,
                exclude=plan.exclude,
                most_findings=plan.most_findings,
            )
            self._ended = time.monotonic_ns()
            self._cpu_s = _cpu_s(getattr(self.recorder, "pid", None))
        except threading.BrokenBarrierError:
            self.raised = EngineError("the phase was stopped before it began")
        except (ChimeraError, OSError) as error:
            self.raised = error
        except Exception as error:  # noqa: BLE001 - it is raised again where it is waited for
            self.raised = error

    def result(self) -> tuple[Taken, Work]:
        assert self._work is not None
        taken = Taken(
            self._side.name, self.recorder, self._begun, self._ended, self._work.engine_error,
            self._cpu_s,
        )  # fmt: skip
        return taken, self._work


def _cpu_s(pid: int | None) -> float | None:
    """The CPU time of a process so far; None where there is none of ours to look at."""
    if pid is None:
        return None
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def _requests(
    step: Step, taken: Taken, made: Work, clock: RunClock
) -> tuple[tuple[Request, ...], dict[str, str]]:
    """The calls of a workflow as requests, and the prompt of each kind of call."""
    purposes = {call.prompt: call.purpose for call in made.calls}
    cold = taken.recorder.load is not None and taken.recorder.load.cold
    requests, prompts = [], {}
    for index, exchange in enumerate(taken.recorder.exchanges):
        purpose = purposes.get(exchange.prompt, "call")
        prompts[purpose] = exchange.prompt
        phase: Phase = "warmup" if step.kind == "warm-up" else "measured"
        if phase == "measured" and cold and index == 0:
            phase = "cold"
        repeat = step.repeat + (step.kind == "alone") if phase == "measured" else 0
        request = request_of(index, exchange, purpose, phase, repeat, clock)
        if request is not None:
            requests.append(request)
    return tuple(requests), prompts


def _seen(sample: Sample, clock: RunClock) -> tuple[float, str, dict[str, float]]:
    return clock.since_zero(sample.t_ns) / 1e9, sample.source, sample.values
