"""Performance analysis: the table of key metrics, charts, comparisons, configurations."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.agents.workflow import Work
from chimera.facts.dataset import Subject, condition_label, subject_label
from chimera.facts.fact import Fact
from chimera.facts.measures import headline_scope
from chimera.facts.prompts import prompt_label, prompted
from chimera.facts.text import Name, Num, Sentence, Spans, spans
from chimera.record.vocabulary import metric_label
from chimera.report.document import Block, Chart, Details, Paragraph, Table
from chimera.report.sections.charts import model_charts
from chimera.report.sections.common import (
    EMPTY_CELL,
    interval_cell,
    n_cell,
    named_subjects,
    number,
    populations,
    sentence,
    shown_unit,
    term,
)
from chimera.report.sections.configurations import configurations
from chimera.report.sections.others import claims_table, summary_table

KEY_METRICS = (
    "decode_throughput",
    "token_rate",
    "wall_throughput",
    "output_throughput",
    "prefill_throughput",
    "request_throughput",
    "goodput",
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
_SCOPES = {"all": "all", "warm": "warm", "cold": "cold starts"}


def performance(work: Work) -> tuple[Block, ...]:
    """Tables and charts of what was measured; empty when nothing was."""
    subjects = named_subjects(work)[:_MAX_SUBJECTS]
    blocks: list[Block] = []
    table = _key_metrics(work, subjects)
    if table:
        blocks.append(table)
        blocks.append(
            Paragraph(
                (sentence("The interval is of the mean (", term("95 %"), ", Student's t over the "
                          "means of repeats where these are named, otherwise over records); ",
                          term("TTFT"), " and other times leave cold starts out where there are "
                          "warm records, and say so."),
                 *_apart(work, subjects), *_of_blocks(work))
            )
        )  # fmt: skip
    swept = configurations(work, subjects)
    if len(subjects) > 1 or not any(isinstance(b, Chart) for b in swept):
        blocks.extend(model_charts(work, subjects))
    if work.facts.data.common:
        shared = condition_label(work.facts.data.common)
        blocks.append(Paragraph((sentence("Set alike for every record: ", Name(shared), "."),)))
    comparisons = _comparisons(work)
    if comparisons:
        blocks.append(comparisons)
    blocks.extend(_by_prompt(work, subjects))
    blocks.extend(swept)
    blocks.extend(summary_table(work))
    claims = claims_table(work)
    if claims:
        blocks.append(claims)
    if not blocks:
        blocks.append(Paragraph((sentence("There are no measurements to analyse."),)))
    return tuple(blocks)


def _apart(work: Work, subjects: list[Subject]) -> tuple[Sentence, ...]:
    """That records at several loads are not pooled, where there are any."""
    if len(populations(work, subjects)) == len(subjects):
        return ()
    return (
        sentence("Records at several loads (concurrency, request rate) are no sample of one "
                 "thing, so each load has figures of its own."),
    )  # fmt: skip


def _of_blocks(work: Work) -> tuple[Sentence, ...]:
    """What the throughputs of a run are of, where there are any."""
    if not work.facts.data.blocks:
        return ()
    terms = ("output_throughput", "request_throughput", "goodput")
    first, second, third = (term(metric_label(key)) for key in terms)
    return (
        sentence("In runs, ", first, ", ", second, " and ", third, " are those of blocks (one "
                 "configuration in one repeat, all requests together), which ", term("n"),
                 " counts then."),
    )  # fmt: skip


def _rows_of(
    work: Work, subject: Subject, metrics: Sequence[str]
) -> list[tuple[Fact, Fact | None]]:
    """(mean, median) of each key metric, in the scope to look at and in all records."""
    found: dict[str, list[tuple[Fact, Fact | None]]] = {}
    book = work.facts.book
    for (metric, _), members in work.facts.data.measured(subject).items():
        if metric not in metrics:
            continue
        scope = headline_scope(metric, members)
        for s in dict.fromkeys((scope, "all")):
            mean = book.find(subject, metric, "mean", s)
            if mean is not None:
                pair = (mean, book.find(subject, metric, "median", s))
                found.setdefault(metric, []).append(pair)
    return [pair for metric in metrics for pair in found.get(metric, [])]


def _key_metrics(work: Work, subjects: list[Subject]) -> Table | None:
    rows: list[tuple[Spans, ...]] = []
    apart = populations(work, subjects)
    measured = dict.fromkeys(m for s in apart for m, _ in work.facts.data.measured(s))
    # Where nothing of it was measured, whatever was measured instead is shown.
    metrics = [m for m in KEY_METRICS if m in measured] or list(measured)
    found = [(subject, pair) for subject in apart for pair in _rows_of(work, subject, metrics)]
    units = {
        metric: "ms" if shown_unit([min(same, key=_size)]) == "ms" else same[0].unit
        for metric in metrics
        if (same := [m for _, (m, _) in found if m.metric == metric])
    }
    for subject, (mean, median) in found:
        unit = units[mean.metric] if mean.unit == "s" else mean.unit
        rows.append(
            (
                spans(Name(subject_label(subject))),
                spans(term(metric_label(mean.metric)), " (", _SCOPES[mean.scope], ")"),
                number(mean, unit, strong=True),
                interval_cell(mean, unit),
                number(median, unit),
                EMPTY_CELL if unit == "1" else spans(term(unit or "unit not stated")),
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


def _by_prompt(work: Work, subjects: list[Subject]) -> list[Block]:
    """The means of each prompt, for subjects that were asked a few prompts several times."""
    book, data = work.facts.book, work.facts.data
    rows = []
    for subject in populations(work, subjects):
        for prompt in dict.fromkeys(s.prompt for s in data.good(subject) if s.prompt):
            about = prompted(subject, prompt)
            for metric in (*KEY_METRICS[:3], "ttft", "e2e_latency"):
                fact = book.find(about, metric, "mean", "warm")
                if fact is None or not fact.unit:
                    continue
                unit = "ms" if fact.unit == "s" else fact.unit
                rows.append(
                    (
                        spans(Name(subject_label(subject))),
                        spans(Name(prompt_label(prompt))),
                        spans(term(metric_label(metric))),
                        number(fact, unit, strong=True),
                        interval_cell(fact, unit),
                        spans(term(unit)),
                        n_cell(fact),
                    )
                )
    if not rows:
        return []
    titles = ("Subject", "Prompt", "Metric", "Mean", "Interval", "Unit", "n")
    numeric = (False, False, False, True, True, False, True)
    caption = spans("By prompt, warm records")
    table = Table(tuple(spans(t) for t in titles), tuple(rows[:_MAX_SUMMARIES]), caption, numeric)
    return [table] if len(subjects) == 1 else [Details(spans("By prompt"), (table,))]
