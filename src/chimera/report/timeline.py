"""Timelines: what was going on when, as bars that stretch with the page."""

from __future__ import annotations

from chimera.facts.numbers import format_plain
from chimera.facts.text import Num
from chimera.report.axis import Axis, axis_for
from chimera.report.charts import grid, key, tick_labels
from chimera.report.document import Lane, Timeline
from chimera.report.html_text import inline, name, number, text

_HEIGHT = 18
_COLOURS = 6


def timeline_html(timeline: Timeline) -> str:
    """One timeline as a figure; "" where it has no lane."""
    if not timeline.lanes:
        return ""
    axis = axis_for([0.0, *(end for lane in timeline.lanes for _, _, end in lane.stretches)])
    colours = {phase: f"g{i % _COLOURS}" for i, phase in enumerate(timeline.phases)}
    drawn = {phase for lane in timeline.lanes for phase, _, _ in lane.stretches}
    keys = "".join(
        key(f'<rect class="{colour}" x="1" y="3" width="14" height="10"/>', phase)
        for phase, colour in colours.items()
        if phase in drawn
    )
    rows = [f'<div class="grid" aria-hidden="true"><svg>{grid(axis)}</svg></div>']
    group = ""
    for lane in timeline.lanes:
        if lane.group != group:
            group = lane.group
            rows.append(f'<div class="group">{name(group, code=False)}</div>')
        rows.append(_row(lane, axis, colours))
    rows.append(f'<div class="axis"><svg aria-hidden="true">{tick_labels(axis)}</svg></div>')
    note = f'<p class="note">{inline(timeline.note)}</p>' if timeline.note else ""
    return (
        f'<figure class="chart"><figcaption><span class="t">{inline(timeline.title)}</span>'
        f'<span class="q">s</span><span class="key">{keys}</span></figcaption>'
        f'<div class="plot">{"".join(rows)}</div>{note}</figure>'
    )


def _row(lane: Lane, axis: Axis, colours: dict[str, str]) -> str:
    value = "" if lane.fact is None else f"<b>{number(Num(lane.fact))}</b>"
    bars = "".join(_bar(phase, start, end, axis, colours) for phase, start, end in lane.stretches)
    return (
        f'<div class="row"><div class="l">{name(lane.label, code=False)}</div>'
        f'<div class="v">{value}</div>'
        f'<div class="d w"><svg height="{_HEIGHT}">{bars}</svg></div></div>'
    )


def _bar(phase: str, start: float, end: float, axis: Axis, colours: dict[str, str]) -> str:
    left, right = axis.percent(start), axis.percent(end)
    words = f"{phase}: {format_plain(end - start)} s, from {format_plain(start)} s"
    return (
        f'<rect class="{colours.get(phase, "g0")}" x="{left:.2f}%" y="1" '
        f'width="{max(right - left, 0.05):.2f}%" height="{_HEIGHT - 2}">'
        f"<title>{text(words)}</title></rect>"
    )
