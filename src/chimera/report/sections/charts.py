"""Charts of what was measured: a row a subject or configuration, the samples and their mean."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.agents.workflow import Work
from chimera.facts.dataset import Condition, Sample, Subject, condition_label, subject_label
from chimera.facts.fact import Fact
from chimera.facts.measures import Members, configured, headline_scope, members_of
from chimera.facts.text import Spans, spans
from chimera.record.vocabulary import metric_better, metric_label
from chimera.report.document import Chart, Mark
from chimera.report.sections.common import populations, shown_unit, term

CHARTED = ("decode_throughput", "token_rate", "wall_throughput", "output_throughput", "ttft")
_LOG_FROM = 20.0


def model_charts(work: Work, subjects: Sequence[Subject]) -> list[Chart]:
    """Throughput and TTFT by model."""
    book, data = work.facts.book, work.facts.data
    charts = []
    for metric in CHARTED:
        marks = []
        for subject in populations(work, subjects):
            members = _members(data.good(subject), metric)
            if members:
                fact = book.find(subject, metric, "mean", headline_scope(metric, members))
                if fact is not None:
                    marks.append(Mark(subject_label(subject), fact, _places(members)))
        if marks:
            charts.append(_chart(marks, spans(term(metric_label(metric)), " by model")))
    return charts


def configuration_charts(
    work: Work, subject: Subject, conditions: Sequence[Condition]
) -> list[Chart]:
    """Throughput and TTFT of one subject by configuration, in the order given."""
    book, data = work.facts.book, work.facts.data
    charts = []
    for metric in CHARTED:
        marks = []
        for condition in conditions:
            samples = [s for s in data.good(subject) if s.parameters == condition]
            members = _members(samples, metric)
            if not members:
                continue
            about = configured(subject, condition)
            fact = book.find(about, metric, "mean", headline_scope(metric, members))
            if fact is not None:
                marks.append(Mark(condition_label(condition), fact, _places(members)))
        if len(marks) > 1:
            charts.append(_chart(marks, spans(term(metric_label(metric)), " by configuration")))
    return charts


def _members(samples: list[Sample], metric: str) -> Members:
    for (key, unit), members in members_of(samples).items():
        if key == metric and unit:
            return members
    return []


def _places(members: Members) -> tuple[tuple[float, str, str], ...]:
    """Value, place and kind of each sample, as a chart's mark holds them."""
    return tuple(
        (c.values[s.index], s.batch.place(s.index), "cold" if s.phase == "cold" else "")
        for s, c in members
    )


def _chart(marks: list[Mark], title: Spans) -> Chart:
    facts: list[Fact] = [m.fact for m in marks]
    unit = shown_unit(facts)
    factor = 1000.0 if unit == "ms" and facts[0].unit == "s" else 1.0
    scaled = tuple(
        Mark(m.label, m.fact, tuple((v * factor, at, kind) for v, at, kind in m.samples), m.group)
        for m in marks
    )
    values = [v for m in scaled for v, _, _ in m.samples if v > 0]
    log = bool(values) and max(values) > _LOG_FROM * min(values)
    cold = any(kind == "cold" for m in scaled for _, _, kind in m.samples)
    note: Spans = ()
    if cold and any(f.scope == "warm" for f in facts):
        note = spans("Hollow dots are cold starts; the mean is of warm records.")
    return Chart(title, unit, scaled, metric_better(facts[0].metric), log, note)
