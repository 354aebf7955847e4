"""Duels whose every time is known, to work their figures out by hand."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.agents.agent import Agent
from chimera.agents.duel.contest import Duel
from chimera.agents.duel.plan import Kind, Plan, Side
from chimera.agents.duel.turn import Turn
from chimera.agents.persona import load_persona
from chimera.engines.base import Options
from chimera.measure.environment import capture_environment


def sides(*targets: str, **options: int) -> list[Side]:
    persona = load_persona("insight")
    given = Options(**options)  # type: ignore[arg-type]
    return [Side("ABCDEFGH"[i], Agent(persona, target, given)) for i, target in enumerate(targets)]


def plan(**changes: object) -> Plan:
    given: dict[str, object] = {
        "folder": "somewhere/results",
        "scenario": "chimera_homo",
        "sides": tuple(sides("llamacpp", "llamacpp")),
    }
    return Plan(**(given | changes))  # type: ignore[arg-type]


def turn(
    number: int, agent: str, kind: Kind, repeat: int, start: float, total: float, error: str = ""
) -> Turn:
    return Turn(
        number=number, agent=agent, kind=kind, repeat=repeat, start_s=start, total_s=total,
        phases_s={"load": total / 4, "decode": total / 2, "other": total / 4}, ttft_s=total / 10,
        throughput=100 / total, output_tokens=10, error=error, engine_cpu_s=total,
    )  # fmt: skip


def duel(
    alone: Sequence[Sequence[float]],
    together: Sequence[Sequence[float]],
    failed: frozenset[tuple[str, int]] = frozenset(),
    names: str = "AB",
) -> Duel:
    """Rounds alone and phases together, each with one duration an agent; ``failed`` are (agent,
    repeat) of phases together whose model did not do its part.
    """
    turns: list[Turn] = []
    at = 0.0
    for repeat in range(max(len(alone), len(together) + 1)):
        if 0 < repeat <= len(together):
            for name, total in zip(names, together[repeat - 1], strict=True):
                error = "it died" if (name, repeat) in failed else ""
                turns.append(turn(len(turns), name, "together", repeat, at, total, error))
            at += max(together[repeat - 1]) + 1
        for name, total in zip(names, alone[repeat] if repeat < len(alone) else (), strict=False):
            turns.append(turn(len(turns), name, "alone", repeat, at, total))
            at += total + 1
    whole = plan(sides=tuple(sides(*["llamacpp"] * len(names))), repeats=len(together))
    return Duel(whole, capture_environment(), turns, {}, [], {"all": "a test"}, "2026-01-01T00:00Z")
