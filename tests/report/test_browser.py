"""The page in a real browser: on a desk, on a phone, in the dark, on paper, without script."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from chimera.facts.book import FactBook
from chimera.facts.fact import Origin
from chimera.facts.text import Name, Num, spans
from chimera.report.document import Report, Section, Table
from chimera.report.html import to_html
from tests.report.sample_report import Sample
from tests.report.samples import hostile_report

pytestmark = pytest.mark.browser

Open = Callable[..., Any]

_CONTRAST = """
const parse = (c) => c.match(/[\\d.]+/g).map(Number);
const light = (c) => {
  const [r, g, b] = parse(c).map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (e) => {
  for (let at = e; at; at = at.parentElement) {
    const c = getComputedStyle(at).backgroundColor;
    if (parse(c)[3] !== 0) return c;
  }
  return "rgb(255, 255, 255)";
};
return [...document.querySelectorAll("h1,h2,p,dt,dd,th,td,a,code,bdi,summary,small,pre,h3,li")]
  .filter((e) => e.offsetParent).map((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 80)];
  }).sort((x, y) => x[0] - y[0])[0];
"""


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Any:
    """Open a report as a file; afterwards the browser's log must hold nothing."""

    def opened(
        report: Report, width: int = 1280, *, dark: bool = False, script: bool = True, at: str = ""
    ) -> Any:
        path = tmp_path / "report.html"
        path.write_text(to_html(report), encoding="utf-8")
        command = browser.execute_cdp_cmd
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        command("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        command("Emulation.setEmulatedMedia", {"features": [scheme, still]})
        command("Emulation.setScriptExecutionDisabled", {"value": not script})
        browser.get("about:blank")
        browser.get(path.as_uri() + at)
        return browser

    browser.get_log("browser")
    yield opened
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert browser.get_log("browser") == []


def panel(page: Any) -> Any:
    return page.find_element(By.ID, "panel")


def number(page: Any, text: str) -> Any:
    return next(a for a in page.find_elements(By.CSS_SELECTOR, "main a.n") if a.text == text)


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("make", [Sample().report, Sample(10, 4, 30).report, hostile_report])
def test_nothing_overflows(show: Open, make: Callable[[], Report], width: int) -> None:
    page = show(make(), width)
    for _ in range(2):  # first as it opens, then with everything unfolded
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        page.execute_script("document.querySelectorAll('details').forEach((d) => d.open = true)")


@pytest.mark.parametrize("width", [360, 390])
def test_a_date_in_a_table_breaks_once_at_most(show: Open, width: int) -> None:
    """Between the day and the time of day, as an inventory of long names shows it on a phone."""
    date = FactBook().add(
        (), "last modified", "max", "2026-11-24 22:53:49 UTC", "", origins=(Origin("a.json", ""),)
    )
    files = spans(
        *(x for i in range(4) for x in (Name(f"a_rather_long_folder/file_{i}.json"), " "))
    )
    row = (spans(Name("Markdown", code=False)), (Num(date),), files)
    header = (spans("Type"), spans("Last modified"), spans("First files"))
    table = Table(header, (row,), ())
    section = Section("files", spans("Files"), (table,))
    page = show(Report(spans("Dates"), (), (section,), {date.id: date}), width)
    lines = "return arguments[0].getClientRects().length"
    (link,) = page.find_elements(By.CSS_SELECTOR, "td a.n")
    assert page.execute_script(lines, link) <= 2
    first = page.find_element(By.CSS_SELECTOR, "tbody td")
    assert first.rect["width"] < 110  # a short name needs no room that the date lacks


def test_a_number_opens_its_fact_and_escape_closes_it(show: Open) -> None:
    page = show(Sample().report())
    assert not panel(page).is_displayed()
    link = number(page, "112.043 tokens/s")
    link.click()
    assert panel(page).is_displayed()
    shown = panel(page).text
    for words in (
        "112.043 tokens/s",
        "decode throughput, mean",
        "llama3.1:8b-instruct-q4_0",
        "num_ctx=512",
        "mean(eval_rate) over rows 2-6",
        "column eval_rate · rows 2-6 · sha256 ",
        "bench_num_ctx=512.csv",
        "n\n5",
    ):
        assert words in shown
    assert page.switch_to.active_element == panel(page)
    assert page.current_url.endswith(link.get_attribute("href").rpartition("#")[2])
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not panel(page).is_displayed()
    assert page.switch_to.active_element == link
    assert page.current_url.endswith("#report")


def test_it_works_from_the_keyboard(show: Open) -> None:
    page = show(Sample().report(), 360)
    link = number(page, "2.366")
    page.execute_script("arguments[0].focus()", link)
    ActionChains(page).send_keys(Keys.ENTER).perform()
    assert "Computed from" in panel(page).text
    assert "computed from other values, not measured" in panel(page).text
    ActionChains(page).send_keys(Keys.TAB).perform()
    assert page.switch_to.active_element.get_attribute("id") == "panel-close"
    ActionChains(page).send_keys(Keys.ENTER).perform()
    assert not panel(page).is_displayed()
    assert page.switch_to.active_element == link


def test_on_a_phone_the_number_stays_in_sight(show: Open) -> None:
    page = show(Sample().report(), 390)
    link = page.find_elements(By.CSS_SELECTOR, "td a.n")[4]
    page.execute_script("arguments[0].scrollIntoView({block: 'end'})", link)
    page.execute_script("arguments[0].click()", link)
    assert link.rect["y"] + link.rect["height"] - page.execute_script("return scrollY") < (
        panel(page).rect["y"] - page.execute_script("return scrollY")
    )


def test_on_a_desk_the_number_stays_in_sight(show: Open) -> None:
    page = show(Sample(10, 2, 3).report())
    for link in page.find_elements(By.CSS_SELECTOR, "tbody tr:nth-child(3) a.n"):
        page.execute_script("arguments[0].click()", link)
        right = "return arguments[0].getBoundingClientRect().right"
        assert page.execute_script(right, link) <= 1280 - 400


def test_operands_lead_on_and_back_returns(show: Open) -> None:
    page = show(Sample().report())
    number(page, "2.366").click()
    panel(page).find_element(By.CSS_SELECTOR, "li a").click()
    assert panel(page).find_element(By.TAG_NAME, "h2").text == "112.043 tokens/s"
    page.back()
    assert panel(page).find_element(By.TAG_NAME, "h2").text == "2.366"
    page.back()
    assert not panel(page).is_displayed()


def test_the_field_that_was_clicked_is_marked(show: Open) -> None:
    page = show(Sample().report())
    page.find_element(By.CSS_SELECTOR, "main a[data-field=n]").click()
    assert panel(page).find_element(By.CLASS_NAME, "hit").text == "5"


def test_a_mark_in_a_chart_opens_its_fact(show: Open) -> None:
    sample = Sample()
    page = show(sample.report())
    mark = page.find_element(By.CSS_SELECTOR, f'.plot svg a[href="#{sample.rows[1][2].id}"] circle')
    ActionChains(page).scroll_to_element(mark).move_to_element(mark).click().perform()
    assert "num_ctx=1024" in panel(page).text


def test_an_address_with_a_fact_opens_it(show: Open) -> None:
    sample = Sample()
    key = sample.rows[4][2].id
    page = show(sample.report(), at=f"#{key}")
    assert panel(page).is_displayed()
    assert key in panel(page).text
    assert page.execute_script("return scrollY") > 300  # at the number, not at the list of facts
    page = show(sample.report(), at="#nonsense")
    assert not panel(page).is_displayed()


def test_hostile_facts_stay_text_in_the_panel(show: Open) -> None:
    page = show(hostile_report())
    for link in page.find_elements(By.CSS_SELECTOR, "p a.n, td a.n"):
        page.execute_script("arguments[0].click()", link)
        kinds = page.execute_script(
            "return [...document.querySelectorAll('#panel-body *')].map((e) => e.localName)"
        )
        assert set(kinds) <= {
            "h2",
            "h3",
            "p",
            "dl",
            "dt",
            "dd",
            "pre",
            "code",
            "ul",
            "li",
            "a",
            "span",
        }
    [script] = page.find_elements(By.CSS_SELECTOR, "script:not([type])")
    assert "alert" not in script.get_attribute("textContent")


def test_without_script_the_facts_can_be_read(show: Open) -> None:
    sample = Sample()
    key = sample.rows[4][2].id
    page = show(sample.report(), script=False, at=f"#{key}")
    item = page.find_element(By.ID, key)
    assert item.is_displayed()
    assert "bench_num_ctx=1024.csv:2-6 [eval_rate]" in item.text
    assert 0 <= page.execute_cdp_cmd(
        "DOM.getBoxModel", {"nodeId": _node(page, f"#{key}")}
    )["model"]["content"][1] < 900  # fmt: skip


def _node(page: Any, selector: str) -> Any:
    root = page.execute_cdp_cmd("DOM.getDocument", {})["root"]["nodeId"]
    found = page.execute_cdp_cmd("DOM.querySelector", {"nodeId": root, "selector": selector})
    return found["nodeId"]


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_can_be_told_from_its_ground(show: Open, dark: bool) -> None:
    page = show(Sample().report(), dark=dark)
    ground = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(253, 253, 251)") is not dark
    for what in ("2.366", "5"):
        number(page, what).click()
        ratio, where = page.execute_script(_CONTRAST)
        assert ratio >= 4.5, where


def test_it_prints_whole(show: Open) -> None:
    page = show(Sample().report(), dark=True)
    number(page, "2.366").click()
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    shown = page.find_element(By.TAG_NAME, "body").text
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert "You are a careful analyst." in shown
    assert "results/llama3.1_8b-instruct-q4_0/bench_num_ctx=512.csv:2-6 [eval_rate]" in shown
    assert "Every number is a link" not in shown
    assert not panel(page).is_displayed()
    assert page.execute_script("return getComputedStyle(document.body).color") == "rgb(26, 29, 33)"
    printed = base64.b64decode(page.print_page())
    assert printed.startswith(b"%PDF")
