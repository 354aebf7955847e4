"""The ledger of printed numbers, and the last check before a report is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

import msgspec

from chimera.errors import UnboundNumber
from chimera.facts.fact import Fact, fact_id
from chimera.facts.numbers import MISSING, convert
from chimera.facts.text import Name, Num, Spans, Text, field_value
from chimera.report.document import Chart, Mark, Report
from chimera.report.number_words import number_word
from chimera.report.walk import block_spans, blocks, printed_spans, used_facts

_NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")


class Printed(msgspec.Struct, frozen=True):
    """One number as it stands in the report.

    ``index`` counts from 0 in reading order. ``section`` is the section's key, "" for the
    title and the lines under it. ``field`` is the field of the fact that is printed.
    """

    index: int
    text: str
    section: str
    fact: str
    field: str


def ledger(report: Report) -> list[Printed]:
    """Every number that the report prints, in reading order, charts included."""
    numbers = (
        (key, span) for key, some in printed_spans(report) for span in some if isinstance(span, Num)
    )
    return [Printed(i, n.text, key, n.fact.id, n.field) for i, (key, n) in enumerate(numbers)]


def verify(report: Report) -> None:
    """Check the whole report again, whoever built it; fails closed.

    Raises UnboundNumber when a printed number's fact is not what its id was computed from or
    differs from the fact of that id in ``report.facts``, when a number does not print its fact's
    value, when our own words hold a numeral or a number word, and when a chart has a mark
    without a value.
    """
    for label, _ in report.meta:
        _check_words((label,), "the lines under the title")
    for key, some in _sequences(report):
        where = f"section {key!r}" if key else "the head of the report"
        for kind, run in groupby(some, type):
            if kind is Text:
                _check_words((s.text for s in run if isinstance(s, Text)), where)
            elif kind is Num:
                for span in run:
                    assert isinstance(span, Num)
                    _check_number(span, where)
            elif kind is not Name:
                raise UnboundNumber(f"{where} holds a {kind.__name__}, which is no span")
    for key, block in blocks(report):
        if isinstance(block, Chart):
            for mark in block.marks:
                _check_mark(mark, key)
    _check_facts(report)


def _sequences(report: Report) -> Iterator[tuple[str, Spans]]:
    yield "", report.title
    yield from (("", value) for _, value in report.meta)
    yield from ((s.key, s.title) for s in report.sections)
    for key, block in blocks(report):
        yield from ((key, s) for s in block_spans(block))


def _check_words(parts: Iterator[str] | tuple[str, ...], where: str) -> None:
    # Neighbours are read as one, so that a word cannot hide in two spans.
    text = "".join(parts)
    if found := number_word(text):
        raise UnboundNumber(
            f"{where} says {found!r} in its own words ({text.strip()!r}); "
            "only a fact may carry a number"
        )


def _check_number(num: Num, where: str) -> None:
    try:
        printed = num.text
        agrees = _agrees(num, printed)
    except (KeyError, ValueError, TypeError) as error:
        raise UnboundNumber(
            f"{where}: {num.field} of fact {num.fact.id} cannot be printed in {num.unit!r} "
            f"(its unit is {num.fact.unit!r}): {error}"
        ) from error
    if not agrees:
        raise UnboundNumber(
            f"{where} prints {printed!r} for {num.field} of fact {num.fact.id}, "
            f"which is {field_value(num.fact, num.field)!r}"
        )


def _agrees(num: Num, printed: str) -> bool:
    """Whether the printed text, read back, is the field's value up to rounding."""
    value = field_value(num.fact, num.field)
    if value is None:
        return printed == MISSING
    if isinstance(value, str):
        return printed == value
    if value - value != 0:  # not finite
        return printed == MISSING
    found = _NUMBER.match(printed)
    if found is None:
        return False
    if num.field in ("value", "ci_low", "ci_high"):
        # The unit as a reader takes it: the one printed, else the one that the table's header
        # names, which is the fact's own unless the span asks for another.
        unit = printed[found.end() :].strip() or num.unit or num.fact.unit
        value = convert(float(value), num.fact.unit, unit)
    # Four significant digits below one, three decimals or seven digits above (facts/numbers.py).
    rounding = abs(value) * 5.1e-4 if abs(value) < 1 else max(5.1e-4, abs(value) * 6e-7)
    return abs(float(found.group().replace(",", "")) - value) <= rounding


def _check_mark(mark: Mark, key: str) -> None:
    value = mark.fact.value
    if not isinstance(value, int | float) or value - value != 0:
        raise UnboundNumber(
            f"section {key!r} draws fact {mark.fact.id} ({mark.label!r}), "
            f"whose value is {value!r}: {mark.fact.why_none or 'it is not a number'}"
        )


def _check_facts(report: Report) -> None:
    seen: dict[str, Fact] = {}
    for _, some in printed_spans(report):
        for span in some:
            if isinstance(span, Num):
                _check_same(seen.setdefault(span.fact.id, span.fact), span.fact)
    for key, fact in used_facts(report).items():
        expected = fact_id(
            fact.subject,
            fact.metric,
            fact.statistic,
            fact.scope,
            fact.value,
            fact.origins,
            fact.operands,
        )
        if fact.id != expected or key != fact.id:
            raise UnboundNumber(
                f"fact {fact.id} ({fact.metric}, {fact.statistic}) is not what its id was "
                f"computed from: its content gives {expected}"
            )
        _check_same(report.facts.get(fact.id, fact), fact)


def _check_same(known: Fact, fact: Fact) -> None:
    if known is not fact and known != fact:
        raise UnboundNumber(
            f"two facts share the id {fact.id}: {known.metric}, {known.statistic} is "
            f"{known.value!r} {known.unit}, and {fact.metric}, {fact.statistic} is "
            f"{fact.value!r} {fact.unit}"
        )
