"""Speedup and efficiency of working together, against each agent measured alone."""

from __future__ import annotations

import msgspec

from chimera.agents.duel.figures import DURATION, SCOPE, Figures
from chimera.agents.duel.turn import Turn
from chimera.facts.fact import Fact
from chimera.stats.ratio import Ratio, ratio_of_means


class Speedup(msgspec.Struct, frozen=True):
    """The facts of working together; a value of None says why it is not known.

    ``alone`` is the mean of the rounds in which each agent worked alone, one after the other;
    ``wall`` the mean of the phases together, from the common start to the last end. ``earlier``
    is the sum of the durations while working together over ``wall``.
    """

    alone: Fact
    wall: Fact
    speedup: Fact
    efficiency: Fact
    earlier: Fact
    agents: Fact
    first_round: Fact | None
    last_round: Fact | None


def speedup_of(figures: Figures) -> Speedup:
    """Speedup = time alone, one after the other / time together; efficiency = speedup / agents."""
    count = len(figures.names)
    rounds = whole(figures, "alone")
    phases = whole(figures, "together")
    sums = [sum(t.total_s for t in turns) for turns in rounds]
    walls = [wall_s(turns) for turns in phases]
    alone = figures.values(
        (("setting", "alone"),), "time one after the other", "s",
        list(zip(rounds, sums, strict=True)), "sum of the agents' durations alone, mean",
    )  # fmt: skip
    wall = figures.values(
        (("setting", "together"),), "wall time", "s", list(zip(phases, walls, strict=True)),
        "last end minus common start, mean",
    )  # fmt: skip
    ratio = ratio_of_means(sums, walls)
    speedup = _ratio_fact(figures, "speedup", ratio, alone, wall, f"{alone.id} / {wall.id}")
    shared = _shared(ratio, count)
    efficiency = _ratio_fact(
        figures, "efficiency", shared, alone, wall, f"{speedup.id} / {count} agents"
    )
    earlier = figures.values(
        (("setting", "together"),), "sum of concurrent durations over wall time", "ratio",
        [(turns, sum(t.total_s for t in turns) / wall_s(turns)) for turns in phases],
        "sum of durations together / wall time, mean",
    )  # fmt: skip
    agents = figures.count((("setting", "together"),), "agents", count)
    ends = [
        figures.single((("setting", name),), "time one after the other", sums[i], "s", rounds[i],
                       DURATION.field)
        for name, i in (("first round alone", 0), ("last round alone", -1))
    ] if len(rounds) > 1 else [None, None]  # fmt: skip
    return Speedup(alone, wall, speedup, efficiency, earlier, agents, ends[0], ends[1])


def wall_s(turns: list[Turn]) -> float:
    """From the first start to the last end of turns that ran together."""
    return max(t.end_s for t in turns) - min(t.start_s for t in turns)


def whole(figures: Figures, setting: str) -> list[list[Turn]]:
    """The rounds alone or phases together in which every agent's model did its part."""
    by_repeat: dict[int, list[Turn]] = {}
    for name in figures.names:
        for turn in figures.duel.of(name, setting):
            by_repeat.setdefault(turn.repeat, []).append(turn)
    return [
        turns
        for _, turns in sorted(by_repeat.items())
        if len(turns) == len(figures.names) and not any(t.error for t in turns)
    ]


def _shared(ratio: Ratio | None, count: int) -> Ratio | None:
    if ratio is None:
        return None
    ci = None if ratio.ci95 is None else (ratio.ci95[0] / count, ratio.ci95[1] / count)
    return Ratio(ratio.value / count, ci, ratio.why)


def _ratio_fact(
    figures: Figures, metric: str, ratio: Ratio | None, alone: Fact, wall: Fact, how: str
) -> Fact:
    return figures.book.add(
        (("setting", "together against alone"),), metric, "ratio",
        None if ratio is None else ratio.value, "ratio", scope=SCOPE, n=wall.n,
        ci95=None if ratio is None else ratio.ci95, ci_why="" if ratio is None else ratio.why,
        operands=(alone, wall), origins=(*alone.origins, *wall.origins), expression=how,
        why_none="" if ratio is not None else "there is no repeat in which all worked, alone and "
        "together",
    )  # fmt: skip
