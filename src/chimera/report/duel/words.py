"""What the sections of a duel's report share: cells, intervals, and differences in words."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.agents.duel.figures import DURATION, THROUGHPUT, TTFT, Measure, certain
from chimera.facts.fact import Fact
from chimera.facts.numbers import display_unit
from chimera.facts.text import Name, Num, Sentence, Span, Spans, spans
from chimera.report.document import Bullets
from chimera.report.sections.common import term
from chimera.report.walk import INTERVAL

APART = "cannot be told apart"
_MORE = {
    DURATION.metric: ("takes longer", "takes less time"),
    TTFT.metric: ("waits longer for the first token", "has the first token sooner"),
    THROUGHPUT.metric: ("decodes faster", "decodes slower"),
}


def value(fact: Fact, *, sign: bool = False, strong: bool = False) -> Spans:
    """A cell with a fact's value; a share in percent."""
    return (Num(fact, unit=unit_of(fact), sign=sign, strong=strong),)


def unit_of(fact: Fact) -> str | None:
    """The unit that a share is printed in; None leaves the choice to the number."""
    return "%" if fact.unit == "ratio" and fact.metric.startswith("share of") else None


def bounds(fact: Fact) -> Spans:
    """A cell with an interval, or why there is none."""
    if fact.ci95 is None:
        return spans(term(fact.why_none or fact.ci_why or "no interval"))
    unit = unit_of(fact) or display_unit(fact.value, fact.unit)  # the value's own
    low = Num(fact, "ci_low", unit=unit, with_unit=False)
    return (low, *spans(" to "), Num(fact, "ci_high", unit=unit, with_unit=False))


def with_interval(fact: Fact, *, strong: bool = True, sign: bool = False) -> tuple[Span, ...]:
    """A value and its interval in a sentence; that it has none is left to the tables."""
    number: tuple[Span, ...] = (Num(fact, unit=unit_of(fact), strong=strong, sign=sign),)
    if fact.ci95 is None:
        return number
    return (*number, *spans(" (", INTERVAL, " "), *bounds(fact), *spans(")"))


def count_cell(fact: Fact) -> Spans:
    """A cell with how many values are behind a fact."""
    return spans("—") if fact.n is None else (Num(fact, "n"),)


def sign_in_words(fact: Fact, b: str, measure: Measure, a: str) -> Spans:
    """What a difference b - a says, or why it says nothing."""
    if fact.value is None:
        return spans(term(f"not known: {fact.why_none}"))
    if fact.ci95 is None:
        return spans(term(f"no verdict: {fact.ci_why}"))
    if not certain(fact):
        return spans(term(f"{b} and {a} {APART}"))
    more, less = _MORE[measure.metric]
    assert isinstance(fact.value, int | float)
    return spans(term(f"{b} {more if fact.value > 0 else less} than {a}"))


def header(*titles: str | Name) -> tuple[Spans, ...]:
    """The head of a table."""
    return tuple(spans(t) for t in titles)


def points(said: Sequence[Sentence]) -> Bullets:
    """A list with a sentence in each of its points."""
    return Bullets(tuple((one,) for one in said))


def listed(names: list[str]) -> str:
    """Names in a row: "A, B and C"."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
