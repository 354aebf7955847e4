"""What the sections share: sentences, cells, and what they are built from."""

from __future__ import annotations

from collections.abc import Iterable

from chimera.agents.workflow import Work
from chimera.facts.dataset import Subject
from chimera.facts.fact import Fact, Origin
from chimera.facts.measures import headline_scope
from chimera.facts.text import Name, Num, Sentence, Span, Spans, spans

EMPTY_CELL: Spans = spans("—")


def sentence(*parts: str | Span) -> Sentence:
    """A sentence of code's own wording."""
    return Sentence(spans(*parts))


def term(text: str) -> Name:
    """A term of the field or of the program, printed plainly."""
    return Name(text, code=False)


def own_fact(work: Work, metric: str, value: float | int | None, unit: str, how: str) -> Fact:
    """A fact about this report itself; a value of None is one that was not measured."""
    return work.facts.book.add(
        (("agent", "this report"),),
        metric,
        "count" if unit == "1" else "value",
        value,
        unit,
        scope="this report",
        origins=(Origin("(this run)", ""),),
        expression=how,
        why_none="" if value is not None else "not measured",
    )


def number(fact: Fact | None, unit: str | None = None, strong: bool = False) -> Spans:
    """A cell with a fact's value in ``unit``, which the table's header names."""
    if fact is None:
        return EMPTY_CELL
    if unit is None:
        return (Num(fact, strong=strong),)
    return (Num(fact, unit=unit, with_unit=False, strong=strong),)


def interval_cell(fact: Fact | None, unit: str) -> Spans:
    """A cell with the interval of a fact, in ``unit``."""
    if fact is None or fact.ci95 is None:
        return EMPTY_CELL
    low = Num(fact, "ci_low", unit=unit, with_unit=False)
    high = Num(fact, "ci_high", unit=unit, with_unit=False)
    return spans(low, " to ", high)


def n_cell(fact: Fact | None) -> Spans:
    """A cell with the number of records behind a fact."""
    return EMPTY_CELL if fact is None or fact.n is None else (Num(fact, "n"),)


def headline(work: Work, subject: Subject, metric: str) -> Fact | None:
    """The mean that a reader should look at first for a subject's metric."""
    data, book = work.facts.data, work.facts.book
    for (key, _), members in data.measured(subject).items():
        if key == metric:
            return book.find(subject, metric, "mean", headline_scope(metric, members))
    return None


def populations(work: Work, subjects: Iterable[Subject]) -> list[Subject]:
    """The subjects, each at every load that its records were taken at where that varies."""
    return [p for s in subjects for p in work.facts.data.populations(s)]


def named_subjects(work: Work) -> list[Subject]:
    """The subjects whose model is known; all of them when none is."""
    subjects = list(work.facts.data.by_subject)
    named = [s for s in subjects if s[0][0] == "model"]
    return named or subjects


def shown_unit(facts: list[Fact]) -> str:
    """One unit for a column or chart of facts: milliseconds when all times are below 2 s."""
    unit = facts[0].unit
    values = [abs(f.value) for f in facts if isinstance(f.value, (int, float))]
    if unit == "s" and values and max(values) < 2.0:
        return "ms"
    return unit
