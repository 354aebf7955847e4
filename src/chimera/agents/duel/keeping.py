"""The calls of a duel as runs of the store: for each agent one run alone, and one together."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from hashlib import sha256

from msgspec.structs import replace

from chimera.agents.duel.contest import Done, Duel
from chimera.agents.duel.plan import Plan, Side
from chimera.measure.code_version import code_version
from chimera.measure.environment import read_load_average, read_pressure
from chimera.measure.names import without_folder
from chimera.record import run as record
from chimera.record.environment import Environment
from chimera.record.request import EngineStart, RunEnd, Watched
from chimera.record.runfile import Sink

OpenSink = Callable[[record.Run, tuple[str, ...]], Sink]
_NO_MARKS = str.maketrans("", "", "-:")


class _Kept:
    def __init__(self, sink: Sink, run_id: str) -> None:
        self.sink = sink
        self.run_id = run_id
        self.spans: list[tuple[float, float]] = []
        self.requests = 0
        self.failed = 0


class Keeper:
    """Writes each turn as soon as it is whole. ``open_sink`` gets a run and its tags.

    A run's workload says who works and whether alone, so that a report on the experiment tells
    the two apart. Times are on the duel's clock.
    """

    def __init__(
        self, plan: Plan, command: str, environment: Environment, open_sink: OpenSink
    ) -> None:
        self._plan = plan
        self._command = command
        self._environment = environment
        self._open = open_sink
        self._kept: dict[tuple[str, str], _Kept] = {}

    @property
    def run_ids(self) -> dict[tuple[str, str], str]:
        """The run of each agent and kind ("alone" or "together")."""
        return {key: kept.run_id for key, kept in self._kept.items()}

    def keep(self, done: Done) -> None:
        """Add a turn to its run. Raises StoreError."""
        turn = done.turn
        kind = "together" if turn.kind == "together" else "alone"
        key = (turn.agent, kind)
        kept = self._kept.get(key)
        if kept is None:
            run = self._run(done, kind)
            tags = ("duel", self._plan.scenario, f"agent {turn.agent}", kind)
            kept = self._kept[key] = _Kept(self._open(run, tags), run.id)
            load = done.recorder.load
            if load is not None:
                kept.sink.add(
                    EngineStart(
                        configuration=0,
                        start_ns=max(0, done.clock.since_zero(load.start_ns)),
                        ready_ns=done.clock.since_zero(load.ready_ns),
                        server_load_ns=load.server_load_ns,
                        num_ctx=load.num_ctx,
                    )
                )
        for request in done.requests:
            kept.sink.add(replace(request, index=kept.requests))
            kept.requests += 1
            kept.failed += request.error is not None
        kept.spans.append((turn.start_s, turn.end_s))
        kept.sink.flush()

    def finish(self, duel: Duel) -> None:
        """Add what the monitors saw and how it ended, and let go of the runs."""
        for (agent, kind), kept in self._kept.items():
            for at, source, values in duel.watched:
                if any(start <= at <= end for start, end in kept.spans):
                    kept.sink.add(Watched(t_ns=round(at * 1e9), source=source, values=values))
            kept.sink.add(
                RunEnd(
                    requests=kept.requests,
                    failed=kept.failed,
                    planned=kept.requests,
                    stopped="interrupted" if duel.interrupted else "complete",
                    end_ns=round(max(end for _, end in kept.spans) * 1e9),
                    pressure=read_pressure(),
                    load_average=read_load_average(),
                    not_watched=duel.not_watched,
                    notes=(f"agent {agent} of a duel, {kind}: {self._plan.title}",),
                )
            )
            kept.sink.flush()
        self.close()

    def close(self) -> None:
        """Let go of the runs; those that ``finish`` has not ended were broken off."""
        for kept in self._kept.values():
            kept.sink.close()

    def _run(self, done: Done, kind: str) -> record.Run:
        side = next(s for s in self._plan.sides if s.name == done.turn.agent)
        zero = done.clock.zero_utc
        model = done.work.model
        return record.Run(
            id=f"{zero[:19].translate(_NO_MARKS)}Z-{secrets.token_hex(3)}",
            zero_utc=zero,
            target=without_folder(side.target),
            experiment=self._plan.experiment,
            engine=done.work.engine or "unknown",
            engine_version=done.work.engine_version or None,
            model=model or record.ModelIdentity(
                name=side.target, not_learnt={"name": "the engine did not start: the target"}
            ),
            configurations=(record.Configuration(index=0, options=side.agent.options),),
            workload=_workload(self._plan, side, kind, done.prompts),
            plan=record.Plan(
                load="closed",
                repeats=self._plan.repeats + (kind == "alone"),
                order="blocks",
                order_seed=self._plan.seed,
                request={},
                warmup=self._plan.warmup if kind == "alone" else 0,
            ),
            code=code_version(),
            command=self._command,
            environment=self._environment,
            not_learnt={} if done.work.engine_version else {"engine_version": "it does not say"},
        )  # fmt: skip


def _workload(plan: Plan, side: Side, kind: str, prompts: dict[str, str]) -> record.Workload:
    own = tuple(
        record.Prompt(purpose, sha256(text.encode()).hexdigest(), len(text))
        for purpose, text in prompts.items()
    )
    whole = sha256(repr(sorted(prompts.items())).encode()).hexdigest()
    return record.Workload(f"duel {plan.scenario}: agent {side.name} {kind}", whole, own)
