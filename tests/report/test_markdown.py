"""Markdown: what it looks like, and that no name from the data means anything in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marko.ext.gfm import gfm

from chimera.facts.text import Name, Num, Sentence, spans
from chimera.report.document import Bullets, Paragraph, Report, Section
from chimera.report.ledger import ledger
from chimera.report.markdown import to_markdown
from chimera.report.markdown_text import code, fenced, line, plain
from chimera.report.names import visible
from tests.report.sample_report import Sample
from tests.report.samples import HOSTILE, fact, hostile_report, said

# Nothing that a report of ours prints is read as one of these.
FORBIDDEN = {
    "HTMLBlock", "InlineHTML", "Link", "Image", "AutoLink", "Url", "LinkRefDef", "SetextHeading",
    "ThematicBreak", "Strikethrough", "CodeBlock", "LineBreak", "Quote",
}  # fmt: skip

nasty = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("`|\\<>&;#*_[]()!~$:/@.-+=\"'\n\r\t 1a")), st.characters()
    ),
    max_size=30,
)


def elements(node: Any) -> Iterator[Any]:
    yield node
    children = getattr(node, "children", None)
    if isinstance(children, list):
        for child in children:
            yield from elements(child)


def shape(markdown: str) -> list[str]:
    return [type(e).__name__ for e in elements(gfm.parse(markdown))]


def shown_text(node: Any) -> str:
    """What a reader sees of an element, entities and escapes resolved."""
    import html

    if type(node).__name__ == "RawText":
        return html.unescape(str(node.children)) if node.escape else str(node.children)
    children = node.children
    return str(children) if isinstance(children, str) else "".join(map(shown_text, children))


def test_a_whole_report_reads_well() -> None:
    text = to_markdown(Sample(models=1, configs=1).report())
    assert text.startswith("# Inference performance of local models\n\n- **Folder:** `results/")
    assert "\n## 1. Executive summary\n\n`llama3.1:8b-instruct-q4_0` is **1** times" in text
    assert (
        "\n## Appendix\n\n### Persona prompt\n\nWhat the model was asked:\n\n```text\nYou" in text
    )
    assert "\n1. Reloads explain the slow first requests: 2.4 s on average.\n2. The" in text
    assert "**Decode throughput by model and options** (higher is better)\n\n|" in text
    assert "| tokens/s |       95% interval |   n |\n" in text
    assert "A record as it stands in `results/run.jsonl:12`\n\n```json\n{" in text
    assert "\n\n\n" not in text
    assert text.endswith("```\n")


def test_numbers_of_sections_count_numbered_sections_only() -> None:
    sections = tuple(Section(k, spans(k.upper()), (), numbered=k != "b") for k in ("a", "b", "c"))
    text = to_markdown(Report(spans("T"), (), sections))
    assert re.findall(r"^## .*", text, re.MULTILINE) == ["## 1. A", "## B", "## 2. C"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_change_nothing(name: str) -> None:
    wanted = shape(to_markdown(hostile_report(("name",))))
    found = shape(to_markdown(hostile_report((name,))))
    assert not FORBIDDEN & set(found)
    if not set(name) & set("|@`"):  # those are set as plain text, or as code, on purpose
        assert [e for e in found if e.startswith(("Table", "List", "Head"))] == [
            e for e in wanted if e.startswith(("Table", "List", "Head"))
        ]


@given(nasty.filter(lambda s: visible(s).strip()))
def test_no_name_means_anything(name: str) -> None:
    found = shape(to_markdown(hostile_report((name,))))
    assert not FORBIDDEN & set(found)
    assert found.count("TableRow") == 5
    assert found.count("TableCell") == 3 * 3 + 2 * 5
    assert found.count("Heading") == 4


@given(nasty)
def test_a_plain_name_is_shown_as_it_is(name: str) -> None:
    [paragraph] = [e for e in elements(gfm.parse(line("x " + plain(name) + " x"))) if
                   type(e).__name__ == "Paragraph"]  # fmt: skip
    assert shown_text(paragraph).split() == f"x {visible(name)} x".split()


@given(nasty.filter(lambda s: visible(s).strip()))
def test_a_code_span_is_shown_as_it_is(name: str) -> None:
    spans_found = [e for e in elements(gfm.parse(f"x {code(name)} x")) if
                   type(e).__name__ == "CodeSpan"]  # fmt: skip
    assert [e.children for e in spans_found] == [visible(name)]


@given(nasty, nasty)
def test_a_fence_holds_any_text(text: str, language: str) -> None:
    found = list(elements(gfm.parse(fenced(text, language) + "\n\nafter")))
    kinds = [type(e).__name__ for e in found]
    assert kinds.count("FencedCode") == 1
    assert kinds[-2:] == ["Paragraph", "RawText"]


def test_neighbouring_code_spans_stay_apart() -> None:
    report = Report((), (), (Section("s", (), (Paragraph((Sentence((Name("a"), Name("b"))),)),)),))
    assert "`a`b" in to_markdown(report)


def test_bold_is_dropped_where_it_would_not_be_read_as_bold() -> None:
    one = fact(5, "1")
    sentence = said("x", Num(one, strong=True), "y, ", Num(one, strong=True), ".")
    text = to_markdown(Report((), (), (Section("s", (), (Paragraph((sentence,)),)),)))
    assert "x5y, **5**." in text


def test_a_line_that_begins_with_a_number_is_no_list() -> None:
    sentence = said(Num(fact(12)), ". That is all.")
    items = Bullets(((sentence,),), ordered=True)
    text = to_markdown(Report((), (), (Section("s", (), (Paragraph((sentence,)), items)),)))
    assert "\n12\\. That is all.\n\n1. 12\\. That is all.\n" in text


def digits_outside_names(text: str, names: set[str]) -> list[str]:
    """Every numeral that a reader sees, code, names and the numbers of lists left out."""
    text = re.sub(r"^(`{3,})[^\n]*\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    text = re.sub(r"^(## )?\d+\. ", "", text, flags=re.MULTILINE)
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", "", text)
    return re.findall(r"[+-]?\d[\d,.]*\d|[+-]?\d", text)


def test_every_digit_belongs_to_a_number_of_the_ledger() -> None:
    for sample in (Sample(), Sample(10, 4, 12)):
        report = sample.report()
        names = {"95% interval", *sample.models, *sample.configs}
        printed = [re.findall(r"[+-]?\d[\d,.]*\d|[+-]?\d", p.text) for p in ledger(report)]
        expected = [number for numbers in printed for number in numbers]
        assert digits_outside_names(to_markdown(report), names) == expected
        assert len(expected) > 100
