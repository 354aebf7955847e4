"""What a duel is to do: who takes part, with which settings, and the order of its phases."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from random import Random
from string import ascii_uppercase
from typing import Literal

import msgspec

from chimera.agents.agent import Agent
from chimera.engines.base import Options
from chimera.engines.option_names import kind_of
from chimera.engines.targets import Access
from chimera.errors import InputError
from chimera.ingest.folder import MAX_BYTES

Kind = Literal["warm-up", "alone", "together"]
AS_GIVEN = "as_given"
SCENARIOS = ("baseline_vs_chimera", "chimera_hetero", "chimera_homo")
MOST_AGENTS = 8
MOST_FINDINGS = 2  # enough to choose between, and a workflow of seconds on two cores
# How many prompt tokens the second of two tuned agents evaluates at once: one way of tuning
# against another (the first takes the engine's own choice).
_OTHER_BATCH = 64
_TUNABLE = ("llamacpp", "ollama")
_TITLES = {
    "baseline_vs_chimera": "baseline against tuned",
    "chimera_hetero": "tuned in different ways",
    "chimera_homo": "tuned alike",
    AS_GIVEN: "settings as given",
}


class Side(msgspec.Struct, frozen=True):
    """One agent of a duel, called by a letter. ``access`` says where its server's key is."""

    name: str
    agent: Agent
    access: Access = Access()

    @property
    def target(self) -> str:
        """What its engine is opened with; an agent of a duel always has one."""
        return self.agent.target or "llamacpp"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One scenario of a duel.

    Every agent works ``repeats`` times together with the others, and alone before the first,
    between, and after the last of these. ``seed`` sets the orders. ``most_findings`` is how many
    findings the model is asked about, None for all. ``exclude`` and ``max_bytes`` as in
    ``workflow.work``. ``experiment`` is what its runs are called by in the store.
    """

    folder: str
    scenario: str
    sides: tuple[Side, ...]
    repeats: int = 3
    warmup: int = 1
    seed: int = 0
    most_findings: int | None = MOST_FINDINGS
    max_bytes: int = MAX_BYTES
    exclude: str = ""
    experiment: str = ""
    watch: bool = True

    @property
    def title(self) -> str:
        """The scenario in words."""
        return _TITLES[self.scenario]


class Step(msgspec.Struct, frozen=True):
    """One phase: ``sides`` work at the same time, in the order in which they are started.

    ``repeat`` numbers the phases together from 1, and the rounds alone from 0: round 0 is before
    the first phase together, round n after the n-th. It is 0 for warm-up.
    """

    kind: Kind
    repeat: int
    sides: tuple[str, ...]


def steps_of(plan: Plan, warm: Collection[tuple[str, Options]] = ()) -> list[Step]:
    """The phases in their order: warm-up, then alone and together in turn, alone at both ends.

    Each phase together thus has every agent alone before it and after it, and a slow drift of the
    machine meets both alike. Who comes first in a round, and who is started first in a phase
    together, is drawn anew each time by the plan's seed. ``warm`` are the targets and options
    that need no warm-up any more.
    """
    random = Random(f"{plan.seed}:{plan.scenario}")  # noqa: S311 - an order, not a secret
    names = [side.name for side in plan.sides]

    def drawn() -> tuple[str, ...]:
        return tuple(sorted(names, key=lambda _: random.random()))

    seen, steps = set(warm), []
    for side in plan.sides:
        if (key := (side.target, side.agent.options)) not in seen:
            seen.add(key)
            steps += [Step("warm-up", 0, (side.name,))] * plan.warmup
    for repeat in range(plan.repeats + 1):
        if repeat:
            steps.append(Step("together", repeat, drawn()))
        steps += [Step("alone", repeat, (name,)) for name in drawn()]
    return steps


def check(plan: Plan) -> None:
    """Refuse a plan that cannot be carried out. Raises InputError."""
    if not 2 <= len(plan.sides) <= MOST_AGENTS:
        raise InputError(f"a duel has 2 to {MOST_AGENTS} agents, not {len(plan.sides)}")
    if plan.repeats < 1 or plan.warmup < 0:
        raise InputError("a duel needs 1 repeat at least, and no fewer than 0 for warm-up")
    if plan.most_findings is not None and plan.most_findings < 1:
        raise InputError("the model must be asked about 1 finding at least")


def usable_cores() -> int:
    """The cores that this process may run on."""
    try:
        return len(os.sched_getaffinity(0))
    except (AttributeError, OSError):
        return os.cpu_count() or 1


def sides_of(scenario: str, given: Sequence[Side], cores: int) -> tuple[Side, ...]:
    """The agents with the settings of a scenario; what an agent has set itself stays.

    Tuned is an engine on this machine's processors that has a share of the cores of its own
    (``num_thread``). In ``baseline_vs_chimera`` A has the engine's own settings and the others
    are tuned; in ``chimera_homo`` all are tuned alike; in ``chimera_hetero`` all but A evaluate
    the prompt in smaller batches as well. Engines that take no such settings keep theirs.

    Raises:
        InputError: there is no such scenario.
    """
    if scenario == AS_GIVEN:
        return tuple(given)
    if scenario not in SCENARIOS:
        raise InputError(f"no scenario {scenario!r}; there are {', '.join(SCENARIOS)}")
    share = max(1, cores // max(1, len(given)))
    done = []
    for place, side in enumerate(given):
        settings: dict[str, int] = {}
        if scenario != "baseline_vs_chimera" or place:
            settings["num_thread"] = share
        if scenario == "chimera_hetero" and place:
            settings["num_batch"] = _OTHER_BATCH
        if kind_of(side.target) not in _TUNABLE:
            settings = {}
        own = side.agent.options
        new = {k: v for k, v in settings.items() if getattr(own, k) is None}
        options = msgspec.structs.replace(own, **new)
        agent = msgspec.structs.replace(side.agent, options=options)
        done.append(msgspec.structs.replace(side, agent=agent))
    return tuple(done)


def letter(place: int) -> str:
    """The name of the agent at a place from 0: A, B, C ..."""
    return ascii_uppercase[place]
