"""HTML: one file that needs nothing, in which nothing from the data is markup."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chimera.errors import UnboundNumber
from chimera.facts.text import Name, Num, spans
from chimera.report.document import Report, Section, Table
from chimera.report.html import to_html
from chimera.report.ledger import ledger
from chimera.report.names import visible
from tests.report.sample_report import Sample
from tests.report.samples import HOSTILE, fact, hostile_report

TAGS = """
html head meta title style body a div nav ol ul li main header h1 h2 h3 p section dl dt dd bdi code
strong b i small span table thead tbody tr th td figure figcaption svg g circle line path text pre
details summary aside button script
"""
ATTRIBUTES = """
lang charset http-equiv content name class href id data-field aria-label aria-labelledby aria-hidden
role tabindex hidden type open viewbox width height d x x1 x2 y y1 y2 cx cy r
"""

nasty = st.text(
    alphabet=st.one_of(
        st.sampled_from(list("<>&\"'`/=!-;:()[]{}\\ \n\t\r\0ascriptonload]]>")), st.characters()
    ),
    min_size=1,
    max_size=40,
)


class Page(HTMLParser):
    """The tags with their attributes in order, and the text, of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.odd: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.odd.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.text += data

    def handle_comment(self, data: str) -> None:
        self.odd.append(data)

    def unknown_decl(self, data: str) -> None:
        self.odd.append(data)


def skeleton(page: Page) -> list[tuple[str, tuple[str, ...]]]:
    """Tags and names of attributes; cells lose their class, which depends on a name's length."""
    return [(tag, tuple(a for a in attrs if tag not in ("td", "th"))) for tag, attrs in page.tags]


def embedded(html: str) -> dict[str, Any]:
    [data] = re.findall(r'<script type="application/json" id="fact-data">(.*?)</script>', html)
    loaded: dict[str, Any] = json.loads(data)
    return loaded


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    check_inert(name)


@settings(max_examples=60)
@given(nasty)
def test_any_name_is_text(name: str) -> None:
    check_inert(name)


def check_inert(name: str) -> None:
    html = to_html(hostile_report((name,)))
    html.encode()
    page = Page(html)
    assert page.odd == []
    assert page.open == []
    assert {tag for tag, _ in page.tags} <= set(TAGS.split())
    assert {a for _, attrs in page.tags for a in attrs} <= set(ATTRIBUTES.split())
    assert skeleton(page) == skeleton(Page(to_html(hostile_report(("name",)))))
    hrefs = [attrs["href"] for _, attrs in page.tags if "href" in attrs]
    assert all(h is not None and re.fullmatch(r"#[A-Za-z0-9-]+", h) for h in hrefs)
    assert page.text.count(visible(name)) >= 20
    assert [visible(name), visible(name)] in embedded(html)["files"]


def test_the_page_needs_nothing_and_allows_nothing() -> None:
    html = to_html(Sample().report())
    assert not re.search(r"""[ "](src|srcset|href)="(?!#)|url\(|@import|https?:""", html)
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    [style] = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    hashes = [b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in (style, script)]
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "innerHTML" not in script
    assert " style=" not in html


def test_every_number_links_to_its_fact_in_data_and_list() -> None:
    report = Sample().report()
    html = to_html(report)
    page = Page(html)
    ids = {attrs.get("id") for tag, attrs in page.tags if tag == "li"}
    facts = embedded(html)["facts"]
    for printed in ledger(report):
        assert printed.fact in facts
        assert printed.fact in ids
        assert f'href="#{printed.fact}"' in html
    assert {attrs["href"] for _, attrs in page.tags if "href" in attrs} <= {
        f"#{attrs['id']}" for _, attrs in page.tags if "id" in attrs
    }


def test_a_fact_is_embedded_in_full() -> None:
    sample = Sample(models=1, configs=1)
    report = sample.report()
    data = embedded(to_html(report))
    one = sample.rows[0][2]
    assert one.ci95 is not None
    entry = data["facts"][one.id]
    assert entry["value"] == repr(one.value)
    assert entry["ci"] == [repr(v) for v in one.ci95]
    assert dict(data["subjects"][entry["subject"]]) == one.subject
    [[file, rows, column, pointer]] = data["sources"][entry["source"]]
    assert data["files"][file] == [one.origins[0].file, one.origins[0].sha256]
    assert (rows, column, pointer) == ("2-6", "eval_rate", None)


def test_ids_of_sections_are_unique_and_plain() -> None:
    names = ("a", "A", "a!", "<b>", "", "Ünï")
    report = Report((), (), tuple(Section(n, spans("x"), ()) for n in names))
    found = re.findall(r'<section id="(s-[^"]*)"', to_html(report))
    assert found == ["s-a", "s-a-2", "s-a-3", "s-b", "s-section", "s-n"]


def test_a_short_row_is_filled_and_numbers_stand_right() -> None:
    one = fact(1.25, "s")
    table = Table(
        (spans("a"), spans("b")), ((spans(Name("x")), spans(Num(one))), (spans(Name("y")),))
    )
    html = to_html(Report((), (), (Section("s", (), (table,)),)))
    assert '<tr><th>a</th><th class="r">b</th></tr>' in html
    assert '<td class="k s"><code>y</code></td><td class="r"></td></tr>' in html


def test_a_wrong_number_stops_the_page() -> None:
    import msgspec

    wrong = msgspec.structs.replace(fact(41.0, "s"), value=42.0)
    with pytest.raises(UnboundNumber):
        to_html(Report(spans("Took ", Num(wrong)), (), ()))


def test_a_big_report_stays_well_below_a_megabyte() -> None:
    report = Sample(10, 13, 40).report()
    assert len(report.facts) > 390
    assert len(to_html(report).encode()) < 850_000
