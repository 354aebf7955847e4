"""The timelines of a duel: a repeat, alone beside together, and the whole of it."""

from __future__ import annotations

from chimera.agents.duel.figures import DURATION, Figures
from chimera.agents.duel.speedup import wall_s, whole
from chimera.agents.duel.turn import PHASES, Turn
from chimera.facts.text import Num, spans
from chimera.report.document import Block, Lane, Paragraph, Section, Timeline
from chimera.report.sections.common import sentence, term

_SHOWN = PHASES[:-1]  # what is left over is what no bar covers


def course(figures: Figures) -> Section:
    """Both agents' phases, alone and together."""
    blocks: list[Block] = []
    phases = sorted(whole(figures, "together"), key=wall_s)
    if phases:
        turns = phases[(len(phases) - 1) // 2]
        blocks.append(_one_repeat(figures, turns))
    blocks.append(_whole_course(figures))
    if not phases:
        blocks.insert(0, Paragraph((sentence("No phase together was whole."),)))
    return Section("course", spans("When what went on"), tuple(blocks))


def _one_repeat(figures: Figures, together: list[Turn]) -> Timeline:
    """The repeat with the middle wall time: each agent in the round before, and together."""
    repeat = together[0].repeat
    which = figures.count((("repeat", str(repeat)),), "repeat", repeat,
                          "position in the order of the duel")  # fmt: skip
    start = min(t.start_s for t in together)
    lanes = []
    for name in figures.names:
        before = next((t for t in figures.duel.of(name, "alone") if t.repeat == repeat - 1), None)
        if before is not None:
            lanes.append(_lane(figures, before, f"agent {name}", "alone before", before.start_s))
    lanes += [
        _lane(figures, turn, f"agent {turn.agent}", "together", start)
        for turn in sorted(together, key=lambda t: t.agent)
    ]
    return Timeline(
        spans("Repeat ", Num(which), ", the one with the middle wall time"), _SHOWN, tuple(lanes),
        spans("Seconds from each workflow's beginning; in a gap nothing of the legend went on."),
    )  # fmt: skip


def _lane(figures: Figures, turn: Turn, label: str, group: str, zero: float) -> Lane:
    fact = figures.single(
        (("repeat", str(turn.repeat)), ("agent", turn.agent), ("setting", group)),
        DURATION.metric, turn.total_s, "s", [turn], DURATION.field,
    )  # fmt: skip
    stretches = tuple((s.phase, s.start_s - zero, s.end_s - zero) for s in turn.segments)
    return Lane(label, stretches, fact, group)


def _whole_course(figures: Figures) -> Timeline:
    lanes = []
    for name in figures.names:
        own = [t for t in figures.duel.turns if t.agent == name]
        stretches = tuple((s.phase, s.start_s, s.end_s) for t in own for s in t.segments)
        lanes.append(Lane(f"agent {name}", stretches))
    note = term(
        "Seconds from the duel's beginning. Warm-up comes first; where the lanes are busy at the "
        "same time the agents work together."
    )
    return Timeline(spans("The whole duel"), _SHOWN, tuple(lanes), spans(note))
