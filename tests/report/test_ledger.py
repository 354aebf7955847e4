"""The ledger, and the check that nothing is printed that no fact carries."""

from __future__ import annotations

import msgspec
import pytest

from chimera.errors import UnboundNumber
from chimera.facts.fact import Fact
from chimera.facts.text import Name, Num, Sentence, Span, Text, spans
from chimera.report.document import Chart, Details, Mark, Paragraph, Report, Section, Table
from chimera.report.ledger import ledger, verify
from chimera.report.number_words import number_word
from tests.report.sample_report import Sample
from tests.report.samples import fact, hostile_report, said


def report_of(*blocks: object, facts: dict[str, Fact] | None = None) -> Report:
    section = Section("s", spans("Section"), blocks)  # type: ignore[arg-type]
    return Report(spans("Title"), (), (section,), facts or {})


def smuggled(text: str) -> Text:
    """Literal text that was never checked, as broken code could make it."""
    made = Text("")
    msgspec.structs.force_setattr(made, "text", text)
    return made


def paragraph(*parts: str | Span) -> Paragraph:
    return Paragraph((said(*parts),))


def test_the_ledger_lists_every_number_in_reading_order() -> None:
    a, b, c = fact(1.5, "s", n=3, ci95=(1.0, 2.0)), fact(7), fact("gemma", "")
    report = report_of(
        paragraph("Took ", Num(a), " on ", Num(c), "."),
        Details(spans("More ", Num(b)), (paragraph("n ", Num(a, "n")),)),
        Chart(spans("Chart"), "ms", (Mark("gemma3:1b", a),)),
    )
    found = [(p.index, p.text, p.section, p.fact, p.field) for p in ledger(report)]
    assert found == [
        (0, "1.5 s", "s", a.id, "value"),
        (1, "gemma", "s", c.id, "value"),
        (2, "7", "s", b.id, "value"),
        (3, "3", "s", a.id, "n"),
        (4, "1500", "s", a.id, "value"),
        (5, "1000", "s", a.id, "ci_low"),
        (6, "2000", "s", a.id, "ci_high"),
        (7, "3", "s", a.id, "n"),
    ]


def test_title_and_meta_come_first_with_an_empty_section() -> None:
    one = fact(12)
    report = Report(spans("Report on ", Num(one)), (("Files", spans(Num(one))),), ())
    assert [(p.text, p.section) for p in ledger(report)] == [("12", ""), ("12", "")]


def test_sound_reports_pass() -> None:
    verify(Sample().report())
    verify(hostile_report())


def test_a_value_that_its_id_was_not_computed_from_is_refused() -> None:
    wrong = msgspec.structs.replace(fact(41.0, "s"), value=42.0)
    with pytest.raises(UnboundNumber, match="not what its id was computed from"):
        verify(report_of(paragraph("Took ", Num(wrong), ".")))


@pytest.mark.parametrize(
    "change", [{"unit": "ms"}, {"n": 400}, {"ci95": (40.9, 41.1)}, {"n_failed": 0}]
)
def test_a_fact_that_differs_from_the_known_one_is_refused(change: dict[str, object]) -> None:
    known = fact(41.0, "s", n=4, n_failed=2)
    changed = msgspec.structs.replace(known, **change)
    with pytest.raises(UnboundNumber, match="share the id"):
        verify(report_of(paragraph("Took ", Num(changed)), facts={known.id: known}))
    with pytest.raises(UnboundNumber, match="share the id"):
        verify(report_of(paragraph("Took ", Num(changed), " and ", Num(known))))


def test_an_operand_is_checked_as_well() -> None:
    operand = fact(2.0, "s")
    wrong = msgspec.structs.replace(operand, value=3.0)
    ratio = fact(0.5, "ratio", operands=(operand.id,))
    verify(report_of(paragraph("Ratio ", Num(ratio)), facts={operand.id: operand}))
    with pytest.raises(UnboundNumber):
        verify(report_of(paragraph("Ratio ", Num(ratio)), facts={operand.id: wrong}))


@pytest.mark.parametrize("text", ["41", "n²", "½", "٣", "Ⅳ", "forty-one", "Twice", "by half"])
def test_a_number_in_our_own_words_is_refused(text: str) -> None:
    here = (smuggled("It is "), smuggled(text), smuggled(" as fast."))
    for block in (
        Paragraph((Sentence(here),)),
        Table((here,), ()),
        Table(((),), (((), here),)),
        Table((), (), caption=here),
        Chart(here, "s", ()),
        Chart((), "s", (), note=here),
        Details(here, ()),
        Details((), (Details((), (Paragraph((Sentence(here),)),)),)),
    ):
        with pytest.raises(UnboundNumber):
            verify(report_of(block))
    with pytest.raises(UnboundNumber):
        verify(Report(here, (), ()))
    with pytest.raises(UnboundNumber):
        verify(Report((), (("", here),), ()))
    with pytest.raises(UnboundNumber):
        verify(Report((), ((text, ()),), ()))
    with pytest.raises(UnboundNumber):
        verify(Report((), (), (Section("s", here, ()),)))


def test_a_number_word_cannot_hide_in_two_spans() -> None:
    with pytest.raises(UnboundNumber):
        verify(report_of(paragraph("It is for", "ty percent faster.")))
    verify(report_of(paragraph("for ", Name("ty"))))


def test_a_value_that_leaves_its_unit_to_a_header_is_printed_in_the_facts_unit() -> None:
    short = fact(0.25, "s")
    verify(report_of(paragraph("Took ", Num(short))))  # printed as milliseconds, and says so
    verify(report_of(paragraph("Took ", Num(short, unit="ms", with_unit=False))))
    verify(report_of(paragraph("Took ", Num(short, unit="s", with_unit=False))))
    with pytest.raises(UnboundNumber, match="prints '250'"):
        verify(report_of(paragraph("Took ", Num(short, with_unit=False))))


def test_a_unit_that_the_value_cannot_have_is_refused() -> None:
    with pytest.raises(UnboundNumber, match="cannot be printed"):
        verify(report_of(paragraph("Took ", Num(fact(1.0, "tokens"), unit="ms"))))


def test_a_value_that_is_no_number_is_none_and_not_nan() -> None:
    with pytest.raises(UnboundNumber):
        verify(report_of(paragraph("Took ", Num(fact(float("nan"), "s")))))
    verify(report_of(paragraph("Took ", Num(fact(None, "s")))))


@pytest.mark.parametrize("value", [None, "fast", float("nan"), float("inf")])
def test_a_mark_without_a_value_is_refused(value: float | str | None) -> None:
    mark = Mark("gemma", fact(value, "s", why_none="never finished"))
    with pytest.raises(UnboundNumber, match="whose value is"):
        verify(report_of(Chart(spans("Chart"), "s", (mark,))))


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.0, "s", None),
        (-0.00001234567, "s", None),
        (1e-9, "s", None),
        (0.126845525, "s", "ms"),
        (1234567.891, "bytes", "MB"),
        (99999.99999, "tokens/s", None),
        (0.34567891, "ratio", "%"),
        (10**15, "1", None),
        (-17, "1", None),
    ],
)
def test_every_way_of_printing_agrees_with_its_value(
    value: float | int, unit: str, shown: str | None
) -> None:
    one = fact(value, unit)
    for sign in (False, True):
        verify(report_of(paragraph("Is ", Num(one, unit=shown, sign=sign), ".")))


@pytest.mark.parametrize(
    "text",
    [
        "one run per configuration",
        "the first request, the second, the last",
        "someone often weighs the attempt",
        "the interval excludes zero",
        "on behalf of whoever asked",
        "tent, tend, sixth sense",
        "a quarterly report",
    ],
)
def test_words_that_only_look_like_numbers_are_allowed(text: str) -> None:
    assert number_word(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Forty-one",
        "TWICE as fast",
        "a dozen",
        "hundreds of",
        "two\u2011thirds",
        "a third of the requests",
        "three quarters",
        "zero failures",
        "doubled",
        "ｔｗｉｃｅ",
        "tw\u200bice",
        "a tenth of",
        "tenfold",
        "ten-fold",
        "thirty percent",
        "a couple of runs",
    ],
)
def test_number_words_are_found(text: str) -> None:
    assert number_word(text) is not None
