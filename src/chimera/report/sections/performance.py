"""Performance analysis: the table of key metrics, charts, comparisons, configurations."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.dataset import Subject, condition_label, subject_label
from chimera.facts.fact import Fact
from chimera.facts.measures import configured, headline_scope, members_of
from chimera.facts.text import Name, Num, Spans, spans
from chimera.record.vocabulary import METRICS, metric_better, metric_label
from chimera.report.document import Block, Chart, Details, Mark, Paragraph, Table
from chimera.report.sections.common import (
    EMPTY_CELL,
    interval_cell,
    n_cell,
    named_subjects,
    number,
    sentence,
    shown_unit,
    term,
)

KEY_METRICS = (
    "decode_throughput",
    "token_rate",
    "wall_throughput",
    "output_throughput",
    "prefill_throughput",
    "request_throughput",
    "ttft",
    "tpot",
    "e2e_latency",
    "generation_time",
)
_CHARTED = ("decode_throughput", "token_rate", "wall_throughput", "output_throughput", "ttft")
_MAX_SUBJECTS = 24
_MAX_CONFIGURATIONS = 40
_SHOWN_CONFIGURATIONS = 10
_MAX_SUMMARIES = 60
_SCOPES = {"all": "all records", "warm": "warm records", "cold": "cold starts"}


def performance(work: Work) -> tuple[Block, ...]:
    """Tables and charts of what was measured; empty when nothing was."""
    subjects = named_subjects(work)[:_MAX_SUBJECTS]
    blocks: list[Block] = []
    table = _key_metrics(work, subjects)
    if table:
        blocks.append(table)
        blocks.append(
            Paragraph(
                (sentence("The interval is of the mean (", term("95 %"), ", Student's t over "
                          "records); ", term("TTFT"), " and other times leave cold starts out "
                          "where there are warm records, and say so."),)
            )
        )  # fmt: skip
    blocks.extend(_charts(work, subjects))
    comparisons = _comparisons(work)
    if comparisons:
        blocks.append(comparisons)
    blocks.extend(_configurations(work, subjects))
    blocks.extend(_summaries(work))
    claims = _claims(work)
    if claims:
        blocks.append(claims)
    if not blocks:
        blocks.append(Paragraph((sentence("There are no measurements to analyse."),)))
    return tuple(blocks)


def _rows_of(work: Work, subject: Subject) -> list[tuple[Fact, Fact | None]]:
    """(mean, median) of each key metric, in the scope to look at and in all records."""
    found: dict[str, list[tuple[Fact, Fact | None]]] = {}
    book = work.facts.book
    for (metric, _), members in members_of(work.facts.data.good(subject)).items():
        if metric not in KEY_METRICS:
            continue
        scope = headline_scope(metric, members)
        for s in dict.fromkeys((scope, "all")):
            mean = book.find(subject, metric, "mean", s)
            if mean is not None:
                pair = (mean, book.find(subject, metric, "median", s))
                found.setdefault(metric, []).append(pair)
    return [pair for metric in KEY_METRICS for pair in found.get(metric, [])]


def _key_metrics(work: Work, subjects: list[Subject]) -> Table | None:
    rows: list[tuple[Spans, ...]] = []
    found = [(subject, pair) for subject in subjects for pair in _rows_of(work, subject)]
    units = {
        metric: "ms" if shown_unit([min(same, key=_size)]) == "ms" else same[0].unit
        for metric in KEY_METRICS
        if (same := [m for _, (m, _) in found if m.metric == metric])
    }
    for subject, (mean, median) in found:
        unit = units[mean.metric] if mean.unit == "s" else mean.unit
        rows.append(
            (
                spans(Name(subject_label(subject))),
                spans(term(metric_label(mean.metric)), ", ", _SCOPES[mean.scope]),
                number(mean, unit, strong=True),
                interval_cell(mean, unit),
                number(median, unit),
                spans(term(unit or "unit not stated")),
                n_cell(mean),
                (Num(mean, "n_failed"),),
            )
        )
    if not rows:
        return None
    header = tuple(
        spans(t) for t in ("Subject", "Metric", "Mean", "Interval", "Median", "Unit", "n", "Failed")
    )
    numeric = (False, False, True, True, True, False, True, True)
    return Table(header, tuple(rows), spans("Key metrics"), numeric)


def _size(fact: Fact) -> float:
    return abs(fact.value) if isinstance(fact.value, (int, float)) else 0.0


def _charts(work: Work, subjects: list[Subject]) -> list[Block]:
    charts: list[Block] = []
    for metric in _CHARTED:
        marks = []
        for subject in subjects:
            mark = _mark(work, subject, metric)
            if mark:
                marks.append(mark)
        if marks:
            charts.append(_chart(metric, marks, spans(term(metric_label(metric)), " by model")))
    if len(subjects) == 1 or not charts:
        for subject in subjects[:1]:
            charts.extend(_configuration_charts(work, subject))
    return charts


def _chart(metric: str, marks: list[Mark], title: Spans) -> Chart:
    unit = shown_unit([m.fact for m in marks])
    factor = 1000.0 if unit == "ms" and marks[0].fact.unit == "s" else 1.0
    scaled = tuple(
        Mark(
            m.label,
            m.fact,
            tuple((v * factor, place, kind) for v, place, kind in m.samples),
            m.group,
        )
        for m in marks
    )
    values = [v for m in scaled for v, _, _ in m.samples if v > 0]
    log = bool(values) and max(values) > 20 * min(values)
    cold = any(kind == "cold" for m in scaled for _, _, kind in m.samples)
    note = (
        spans("Hollow dots are cold starts; the mean is of warm records.")
        if (cold and any(m.fact.scope == "warm" for m in marks))
        else ()
    )
    return Chart(title, unit, scaled, metric_better(metric), log, note)


def _mark(work: Work, subject: Subject, metric: str) -> Mark | None:
    for (key, unit), members in members_of(work.facts.data.good(subject)).items():
        if key == metric and unit:
            fact = work.facts.book.find(subject, metric, "mean", headline_scope(metric, members))
            if fact is None:
                return None
            samples = tuple(
                (c.values[s.index], s.batch.place(s.index), "cold" if s.phase == "cold" else "")
                for s, c in members
            )
            return Mark(subject_label(subject), fact, samples)
    return None


def _configuration_charts(work: Work, subject: Subject) -> list[Block]:
    """TTFT and throughput by configuration, for a folder about one subject."""
    data, book = work.facts.data, work.facts.book
    conditions = list(dict.fromkeys(s.parameters for s in data.good(subject) if s.parameters))
    if not 2 <= len(conditions) <= _MAX_CONFIGURATIONS:
        return []
    charts: list[Block] = []
    for metric in _CHARTED:
        marks = []
        for condition in conditions:
            about = configured(subject, condition)
            samples = [s for s in data.good(subject) if s.parameters == condition]
            for (key, unit), members in members_of(samples).items():
                if key != metric or not unit:
                    continue
                fact = book.find(about, metric, "mean", headline_scope(metric, members))
                if fact is not None:
                    places = tuple(
                        (
                            c.values[s.index],
                            s.batch.place(s.index),
                            "cold" if s.phase == "cold" else "",
                        )
                        for s, c in members
                    )
                    marks.append(Mark(condition_label(condition), fact, places))
        if len(marks) > 1:
            title = spans(term(metric_label(metric)), " by configuration")
            charts.append(_chart(metric, marks, title))
    return charts


def _comparisons(work: Work) -> Details | None:
    rows = []
    for c in work.facts.comparisons:
        if c.difference is None or c.mean_a is None or c.mean_b is None:
            continue
        unit = shown_unit([c.mean_a, c.mean_b])
        verdict = "certain" if c.certain else "cannot be told apart"
        rows.append(
            (
                spans(term(metric_label(c.metric))),
                spans(Name(subject_label(c.a))),
                number(c.mean_a, unit),
                spans(Name(subject_label(c.b))),
                number(c.mean_b, unit),
                number(c.difference, unit, strong=True),
                interval_cell(c.difference, unit),
                spans(term(unit)),
                n_cell(c.difference),
                spans(verdict),
            )
        )
    if not rows:
        return None
    titles = ("Metric", "Ahead", "Mean", "Behind", "Mean", "Difference", "Interval", "Unit",
              "Conditions", "Verdict")  # fmt: skip
    numeric = (False, False, True, False, True, True, True, False, True, False)
    table = Table(tuple(spans(t) for t in titles), tuple(rows), (), numeric)
    return Details(spans("Every comparison over shared conditions"), (table,))


def _configurations(work: Work, subjects: list[Subject]) -> list[Block]:
    """The configurations of each swept subject, the highest throughput first."""
    blocks: list[Block] = []
    book, data = work.facts.book, work.facts.data
    for subject in subjects:
        rows: list[tuple[float, tuple[Spans, ...]]] = []
        metric = next(
            (m for m in KEY_METRICS[:4] if book.find(subject, m, "mean") is not None), None
        )
        if metric is None:
            continue
        for condition in dict.fromkeys(s.parameters for s in data.good(subject)):
            about = configured(subject, condition)
            rate = book.find(about, metric, "mean")
            if rate is None or not isinstance(rate.value, float):
                continue
            ttft = book.find(about, "ttft", "mean", "warm") or book.find(about, "ttft", "mean")
            cold = ttft is not None and "cold start mixed in" in ttft.flags
            rows.append(
                (
                    rate.value,
                    (
                        spans(Name(condition_label(condition))),
                        number(rate, rate.unit),
                        number(ttft, "ms") if ttft and ttft.unit == "s" else EMPTY_CELL,
                        spans("cold start" if cold else "warm") if ttft else EMPTY_CELL,
                        n_cell(rate),
                    ),
                )
            )
        if len(rows) < 2:
            continue
        rows.sort(key=lambda r: -r[0])
        header = (
            spans("Configuration"),
            spans(term(f"{metric_label(metric)} ({METRICS[metric].unit})")),
            spans(term("TTFT (ms)")),
            spans("First request"),
            spans("n"),
        )
        table = Table(
            header,
            tuple(r for _, r in rows[:_SHOWN_CONFIGURATIONS]),
            (),
            (False, True, True, False, True),
        )
        more = (
            Paragraph(
                (sentence("The others are listed by ", Name("chimera facts"), ", as facts with a "
                          "configuration."),)
            ),
        ) if len(rows) > _SHOWN_CONFIGURATIONS else ()  # fmt: skip
        title = spans("Configurations of ", Name(subject_label(subject)), " by throughput")
        blocks.append(Details(title, (table, *more)))
    return blocks


def _summaries(work: Work) -> list[Block]:
    """Summaries of other tools whose rows are not here."""
    rows = []
    for row in work.facts.summaries:
        about = dict(row.subject)
        about.pop("file", None)
        label = ", ".join(f"{k} {v}" for k, v in about.items() if k != "at") or about.get("at", "")
        if row.failure:
            rows.append((spans(Name(row.file)), spans(Name(label)) if label else EMPTY_CELL,
                         spans("failed"), spans(Name(row.failure[:60], code=False)), EMPTY_CELL,
                         EMPTY_CELL, EMPTY_CELL))  # fmt: skip
            continue
        for (metric, statistic), fact in row.facts.items():
            if statistic not in ("mean", "value", "p50", "p95", "p99") or fact.value is None:
                continue
            unit = shown_unit([fact])
            rows.append(
                (
                    spans(Name(row.file)),
                    spans(Name(label)) if label else EMPTY_CELL,
                    spans(term(f"{statistic} {metric_label(metric)}")),
                    number(fact, unit),
                    interval_cell(fact, unit),
                    spans(term(unit or "not stated")),
                    n_cell(fact),
                )
            )
    if not rows:
        return []
    titles = ("File", "About", "Metric", "Value", "Interval", "Unit", "n")
    numeric = (False, False, False, True, True, False, True)
    table = Table(tuple(spans(t) for t in titles), tuple(rows[:_MAX_SUMMARIES]), (), numeric)
    hidden = len(rows) > _MAX_SUMMARIES
    note = Paragraph(
        (sentence("Only the first rows are shown; ", Name("chimera facts"), " lists the rest."),)
    )
    return [
        Details(
            spans("Summaries of other tools, as they stand in their files"),
            (table, note) if hidden else (table,),
        )
    ]


def _claims(work: Work) -> Details | None:
    claims = work.facts.claims.contradictions
    if not claims:
        return None
    rows = []
    for c in claims[:_MAX_SUMMARIES]:
        unit = shown_unit([c.claimed, c.actual])
        rows.append(
            (
                spans(Name(f"{c.file}:{c.line}")),
                spans(Name(c.about)),
                spans(term(metric_label(c.claimed.metric))),
                number(c.claimed, unit),
                number(c.actual, unit, strong=True),
                spans(term(unit)),
                number(c.matching),
            )
        )
    titles = ("Document", "About", "Metric", "Claimed", "Closest record", "Unit", "Records")
    numeric = (False, False, False, True, True, False, True)
    table = Table(tuple(spans(t) for t in titles), tuple(rows), (), numeric)
    return Details(spans("Values in documents that the records contradict"), (table,))
