"""The annotated page: the report's own text, every claim marked, nothing of it run."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.audit import LABELS, Audit, Claim
from chimera.audit.annotated import to_html
from chimera.report.names import visible
from tests.audit.samples import TEXT, sample

_PIECES = st.sampled_from(
    ["# ", "## h\n", "- ", "1. ", "> ", "| a | b |\n|---|--:|\n", "| 1 | 2 |\n", "```\n", "**",
     "`", "[x](y 1)", "<b>", "</b>", "<script>alert(1)</script>", "<table><tr><td>", "</table>",
     "<!--", "-->", "&amp;", "&", "\n", "\n\n", "    ", "\t", "14.11", " ms ", "a", "\\|", "|",
     "\r\n", "\r", "\f", "\0", "\u202e", "\u200b", "\ud800", "---\n", "</article>", '"', "'",
     "<pre>\n", "<li>"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(_PIECES, max_size=25).map("".join), st.text(max_size=60))


@st.composite
def audits(draw: st.DrawFn, name: str = "report.md") -> Audit:
    text = draw(TEXTS)
    claims = []
    for _ in range(draw(st.integers(0, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, len(text)))
        label = draw(st.sampled_from(LABELS))
        right = draw(st.sampled_from([None, "1.5", "2 ms", "beta"]))
        claims.append(Claim(start=start, end=end, text=text[start:end], kind="number",
                            label=label, reason="<i>why", right=right))  # fmt: skip
    return Audit(name=name, text=text, claims=tuple(claims))


class Page(HTMLParser):
    """The text, the tags and the marked text of the report on a page, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.marked = "", set[str](), dict[str, str]()
        self._inside = self._after_pre = False
        self._mark = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside |= ("id", "source") in attrs
        if self._inside:
            self.tags.add(tag)
            self._after_pre = tag == "pre"
            if tag == "mark":
                self._mark = dict(attrs)["data-c"] or ""

    def handle_endtag(self, tag: str) -> None:
        self._mark = "" if tag == "mark" else self._mark
        self._inside &= tag != "article"

    def handle_data(self, data: str) -> None:
        if self._inside:
            data = data.removeprefix("\n") if self._after_pre else data
            self._after_pre = False
            self.text += data
            if self._mark:
                self.marked[self._mark] = self.marked.get(self._mark, "") + data


def expected(text: str) -> str:
    return visible(text.replace("\r\n", "\n").replace("\r", "\n"), keep="\n\t")


_ALLOWED = {"article", "div", "p", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody",
            "tr", "td", "th", "code", "em", "strong", "s", "br", "hr", "span", "mark", "a", "h2",
            "h3", "h4", "h5", "h6"}  # fmt: skip


@pytest.mark.parametrize("name", ["report.md", "report.html"])
@given(data=st.data())
def test_any_text_is_shown_whole_and_nothing_of_it_runs(data: st.DataObject, name: str) -> None:
    audit = data.draw(audits(name))
    page = Page(to_html(audit))
    assert page.text == expected(audit.text)
    assert page.tags <= _ALLOWED


def test_the_marks_hold_the_words_of_the_claims() -> None:
    page = Page(to_html(sample()))
    words = {str(i): c.text for i, c in enumerate(sample().claims, start=1)}
    assert page.marked == words


def test_of_claims_that_overlap_the_wrong_one_is_marked() -> None:
    text = "It is 5 s."
    claims = tuple(
        Claim(start=0, end=9, text=text[:9], kind="cause", label=label, reason=label)
        for label in ("supported", "contradicted")
    )
    assert Page(to_html(Audit(name="r.md", text=text, claims=claims))).marked == {"2": text[:9]}


def test_tables_headings_and_lists_are_such() -> None:
    assert {"table", "th", "td", "ol", "li", "pre", "h2", "strong"} <= Page(to_html(sample())).tags
    source = (
        "<html><script>if (1 < 2) {}</script><h1>R</h1><table><tr><td>5&nbsp;ms<td>6</table>"
        "<ul><li>a<li>b</ul><p onclick='x'>14"
    )
    page = Page(to_html(Audit(name="x", text=source, claims=())))
    assert {"table", "tr", "td", "ul", "li", "p", "h2"} <= page.tags
    assert page.text == source


@pytest.mark.parametrize(
    "text",
    [">" * 5000 + " 5 ms", "- " * 3000 + "5", "[" * 20000 + "5", "1" * 1_000_000, "*a " * 5000,
     "<div>" * 5000 + "5", "<a '" * 20000, "<!--" * 20000, "| a |\n|---|\n| 5 |\n\n" * 2000,
     "[a](" * 20000, "| a |\n|---|\n| 5 |\n\n" * 20000],
    ids=["quotes", "lists", "brackets", "digits", "stars", "divs", "tags", "comments", "tables",
         "links", "more tables"],
)  # fmt: skip
@pytest.mark.parametrize("name", ["r.md", "r.html"])
def test_hostile_text_is_shown_all_the_same(text: str, name: str) -> None:
    claim = Claim(start=len(text) - 1, end=len(text), text="5", kind="number",
                  label="fabricated", reason="nowhere")  # fmt: skip
    page = Page(to_html(Audit(name=name, text=text, claims=(claim,))))
    assert page.text == text
    assert page.marked == {"1": text[-1]}


def test_the_evidence_of_each_claim_is_on_the_page() -> None:
    page = to_html(sample())
    for words in ("114.2 tokens/s", "runs.csv", "row 7", "column eval_rate", "num_ctx=512",
                  "mean(eval_rate)", "line 3, column 29"):  # fmt: skip
        assert words in page
    assert "http" not in page.replace("http-equiv", "").replace("http://x.test/77", "").replace(
        "http://x.test/", ""
    )
    assert TEXT.count("<b>") == 1
    assert "<b>more" not in page
