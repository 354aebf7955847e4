"""Timelines: bars where the stretches are, the same in every form."""

from __future__ import annotations

import re

from chimera.facts.book import FactBook
from chimera.facts.fact import Origin
from chimera.facts.text import spans
from chimera.report.document import Lane, Report, Section, Timeline
from chimera.report.html import to_html
from chimera.report.ledger import ledger
from chimera.report.markdown import to_markdown

STRETCHES = (("load", 0.0, 2.0), ("decode", 4.0, 8.0))


def report(*lanes: Lane) -> Report:
    timeline = Timeline(spans("When"), ("load", "wait", "decode"), lanes, spans("A note."))
    return Report(spans("T"), (), (Section("s", spans("S"), (timeline,)),))


def lane(label: str = "agent <b>", group: str = "") -> Lane:
    fact = FactBook().add(
        (), "duration", "value", 8.5, "s", origins=(Origin("(this run)", ""),), expression="e"
    )
    return Lane(label, STRETCHES, fact, group)


def test_a_bar_is_where_its_stretch_is() -> None:
    page = to_html(report(lane()))
    bars = [
        (float(x), float(w))
        for x, w in re.findall(r'<rect class="g\d" x="([\d.]+)%" y="1" width="([\d.]+)%"', page)
    ]
    (load_x, load_w), (decode_x, decode_w) = bars
    assert abs(decode_w - 2 * load_w) < 0.05
    assert abs((decode_x - load_x) - 2 * load_w) < 0.05
    assert "agent &lt;b&gt;" in page
    assert "load: 2 s, from 0 s" in page


def test_the_legend_names_what_is_drawn_and_nothing_else() -> None:
    for text in (to_html(report(lane())), to_markdown(report(lane()))):
        assert "load" in text
        assert "decode" in text
        assert "wait" not in text


def test_markdown_draws_the_same_with_letters() -> None:
    text = to_markdown(report(lane("agent A", "alone")))
    (bar,) = re.findall(r"`([a-z.]+)`", text)
    assert len(bar) == 72
    assert [bar.count(c) for c in "l.d"] == [18, 18, 36]
    assert "alone, agent A" in text
    assert "8.5 s" in text


def test_its_numbers_are_in_the_ledger_and_its_scale_is_not() -> None:
    assert [n.text for n in ledger(report(lane()))] == ["8.5 s"]


def test_without_lanes_there_is_no_figure() -> None:
    assert "<figure" not in to_html(report())
    assert "| " not in to_markdown(report())
