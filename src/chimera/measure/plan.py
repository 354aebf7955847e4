"""What a bench is to do: the grid of configurations, and the order of the requests."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import Any

import msgspec

from chimera.errors import InputError
from chimera.measure.workloads import Workload, WorkloadPrompt
from chimera.record.run import Configuration, Options, Phase, Plan


class BenchPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A bench of one client in a closed loop.

    An empty ``num_ctx`` or ``num_thread`` leaves that option unset. ``seed`` sets both the
    order of the requests and the sampling. ``max_tokens`` holds for prompts without a limit of
    their own. ``timeout_s`` limits each request.
    """

    target: str
    workload: Workload
    num_ctx: tuple[int, ...] = ()
    num_thread: tuple[int, ...] = ()
    repeats: int = 5
    max_tokens: int = 64
    seed: int = 0
    timeout_s: float = 300.0

    def configurations(self) -> tuple[Configuration, ...]:
        """The grid: every context size with every number of threads.

        Temperature 0 makes every repeat do the same work.

        Raises:
            InputError: a value that no engine takes.
        """
        for name, values in (("context size", self.num_ctx), ("threads", self.num_thread)):
            if any(value < 1 for value in values):
                raise InputError(f"{name} must be at least 1, not {min(values)}")
            if len(set(values)) != len(values):
                raise InputError(f"{name}: a value stands twice in {values}")
        if self.repeats < 1 or self.max_tokens < 1:
            raise InputError("repeats and max tokens must be at least 1")
        grid = product(self.num_ctx or (None,), self.num_thread or (None,))
        return tuple(
            Configuration(
                index=index,
                options=Options(num_ctx=ctx, num_thread=threads, temperature=0.0, seed=self.seed),
            )
            for index, (ctx, threads) in enumerate(grid)
        )

    def recorded(self) -> Plan:
        """As it stands in a run's record."""
        return Plan(
            load="closed",
            concurrency=1,
            repeats=self.repeats,
            order="interleaved",
            order_seed=self.seed,
            request={**self._limits(), "ignore_eos": True, "cache_prompt": False},
        )

    def limit(self, prompt: WorkloadPrompt) -> int:
        """How many tokens the answer to ``prompt`` has."""
        return self.max_tokens if prompt.max_tokens is None else prompt.max_tokens

    def notes(self) -> tuple[str, ...]:
        """What the workload says, and what of it such a bench does not do."""
        prompts = self.workload.prompts
        undone = (
            (any(p.messages for p in prompts), "chats are sent as one text, turn after turn"),
            (
                any(p.json_schema for p in prompts),
                "answers are not bound to the prompts' JSON schemas",
            ),
            (
                any(p.at_s is not None for p in prompts),
                "the times of the trace are not kept: one request follows another",
            ),
        )
        return (*self.workload.notes, *(said for holds, said in undone if holds))

    def _limits(self) -> dict[str, Any]:
        """One number where it holds for all prompts, else each prompt's own."""
        limits = {prompt.id: self.limit(prompt) for prompt in self.workload.prompts}
        if len(set(limits.values())) == 1:
            return {"max_tokens": next(iter(limits.values()))}
        return {"max_tokens": None, "max_tokens_by_prompt": limits}


class Step(msgspec.Struct, frozen=True):
    """One request to be sent."""

    configuration: int
    prompt: WorkloadPrompt
    repeat: int
    phase: Phase


def cold_step(plan: BenchPlan, configuration: int) -> Step:
    """The first request of an engine, sent right after its start: the first prompt."""
    return Step(configuration, plan.workload.prompts[0], 0, "cold")


def measured_steps(plan: BenchPlan) -> list[Step]:
    """Every configuration with every prompt once per repeat, each repeat shuffled anew.

    Interleaved, so that a slow drift of the machine meets all configurations alike instead
    of looking like a difference between them. The same seed gives the same order.
    """
    random = Random(plan.seed)  # noqa: S311 - an order, not a secret
    steps: list[Step] = []
    for repeat in range(1, plan.repeats + 1):
        cells = [
            Step(configuration.index, prompt, repeat, "measured")
            for configuration in plan.configurations()
            for prompt in plan.workload.prompts
        ]
        random.shuffle(cells)
        steps += cells
    return steps
