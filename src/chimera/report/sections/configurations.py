"""The configurations of each swept subject: table and charts, the highest throughput first."""

from __future__ import annotations

from chimera.agents.workflow import Work
from chimera.facts.dataset import Condition, Subject, condition_label, subject_label
from chimera.facts.measures import configured, headline_scope, members_of
from chimera.facts.text import Name, Spans, spans
from chimera.record.vocabulary import metric_label
from chimera.report.document import Block, Details, Paragraph, Table
from chimera.report.sections.charts import configuration_charts
from chimera.report.sections.common import EMPTY_CELL, n_cell, number, sentence, term

_SHOWN = 10
_RATES = ("decode_throughput", "token_rate", "wall_throughput", "output_throughput")


def configurations(work: Work, subjects: list[Subject]) -> list[Block]:
    """The configurations of each swept subject, the highest throughput first."""
    blocks: list[Block] = []
    book = work.facts.book
    for subject in subjects:
        metric = next((m for m in _RATES if book.find(subject, m, "mean") is not None), None)
        if metric is None:
            continue
        rows = _rows(work, subject, metric)
        if len(rows) < 2:
            continue
        rows.sort(key=lambda r: -r[0])
        of_blocks = _of_blocks(work, subject)
        header = (
            spans("Configuration"),
            spans(term(f"{metric_label(metric)} ({_unit(work, subject, metric)})")),
            spans(term("TTFT (ms)")),
            spans(term("TTFT of")),
            spans("n"),
            *(spans(term(f"{metric_label(m)} ({_unit(work, subject, m)})")) for m in of_blocks),
        )
        table = Table(
            header,
            tuple(cells for _, _, cells in rows[:_SHOWN]),
            (),
            (False, True, True, False, True, *(True for _ in of_blocks)),
        )
        more = (
            Paragraph(
                (sentence("The others are listed by ", Name("chimera facts"), ", as facts with a "
                          "configuration."),)
            ),
        ) if len(rows) > _SHOWN else ()  # fmt: skip
        title = spans("Configurations of ", Name(subject_label(subject)), " by throughput")
        charts = configuration_charts(work, subject, [c for _, c, _ in rows[:_SHOWN]])
        blocks.extend(charts if len(subjects) == 1 else ())
        folded = charts if len(subjects) > 1 else ()
        blocks.append(Details(title, (table, *more, *folded)))
    return blocks


def _rows(
    work: Work, subject: Subject, metric: str
) -> list[tuple[float, Condition, tuple[Spans, ...]]]:
    """(throughput, settings, cells) of each configuration, in the order of the records."""
    book, data = work.facts.book, work.facts.data
    scope, of_blocks = _scope(work, subject, metric), _of_blocks(work, subject)
    rows: list[tuple[float, Condition, tuple[Spans, ...]]] = []
    for condition in dict.fromkeys(s.parameters for s in data.good(subject)):
        about = configured(subject, condition)
        rate = book.find(about, metric, "mean", scope) or book.find(about, metric, "mean")
        if rate is None or not isinstance(rate.value, float):
            continue
        ttft = book.find(about, "ttft", "mean", "warm") or book.find(about, "ttft", "mean")
        cold = ttft is not None and "cold start mixed in" in ttft.flags
        kind = spans("cold starts too" if cold else "warm records")
        cells = (
            spans(Name(condition_label(condition))),
            number(rate, rate.unit),
            number(ttft, "ms") if ttft and ttft.unit == "s" else EMPTY_CELL,
            kind if ttft else EMPTY_CELL,
            n_cell(rate),
            *(number(book.find(about, m, "mean"), unit) for m, unit in of_blocks.items()),
        )
        rows.append((rate.value, condition, cells))
    return rows


def _of_blocks(work: Work, subject: Subject) -> dict[str, str]:
    """The metrics that a run has of whole blocks, with their units."""
    return dict(members_of(work.facts.data.blocks_of(subject)))


def _unit(work: Work, subject: Subject, metric: str) -> str:
    """The unit that the files give the metric, which is not always its own."""
    fact = work.facts.book.find(subject, metric, "mean")
    return (fact.unit if fact else "") or "unit not stated"


def _scope(work: Work, subject: Subject, metric: str) -> str:
    """The scope in which the subject's metric is shown everywhere else."""
    for (key, _), members in work.facts.data.measured(subject).items():
        if key == metric:
            return headline_scope(metric, members)
    return "all"
