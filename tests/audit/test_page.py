"""The annotated page in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from chimera.audit.annotated import to_html
from tests.audit.samples import TEXT, sample
from tests.audit.test_annotated import expected
from tests.report.test_browser import _CONTRAST

pytestmark = pytest.mark.browser
Show = Callable[..., Any]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Show]:
    """Open a page as a file; afterwards the browser's log must hold nothing."""

    def opened(at: str = "", width: int = 1280, *, dark: bool = False, script: bool = True) -> Any:
        path = tmp_path / "page.html"
        path.write_text(to_html(sample()), encoding="utf-8")
        command = browser.execute_cdp_cmd
        size = {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": width < 600}
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


def test_the_browser_reads_the_reports_own_text(show: Show) -> None:
    page = show()
    source = "return document.getElementById('source').textContent"
    assert page.execute_script(source) == expected(TEXT)
    assert "**" not in page.find_element(By.ID, "source").text
    marked = {m.text for m in page.find_elements(By.CSS_SELECTOR, "#source mark")}
    assert marked == {c.text for c in sample().claims}


def test_a_claim_opens_its_evidence_and_escape_closes_it(show: Show) -> None:
    page = show()
    link = page.find_element(By.CSS_SELECTOR, "#source mark.contradicted a")
    link.click()
    for words in ("contradicted", "114.2 tokens/s", "runs.csv", "row 7", "num_ctx=512", "line 3"):
        assert words in panel(page).text
    assert page.current_url.endswith("#c1")
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not panel(page).is_displayed()
    assert page.switch_to.active_element == link
    ActionChains(page).send_keys(Keys.ENTER).perform()
    assert panel(page).is_displayed()
    ActionChains(page).send_keys("n").perform()
    assert "unverifiable" in panel(page).text


@pytest.mark.parametrize("width", [390, 1280])
def test_an_address_with_a_claim_opens_it_in_sight(show: Show, width: int) -> None:
    page = show("#c7", width)
    assert "cut off instead of rounded" in panel(page).text
    page.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    box = "return arguments[0].getBoundingClientRect()"
    mark = page.execute_script(box, page.find_element(By.CSS_SELECTOR, "mark.derivable"))
    over = page.execute_script(box, panel(page))
    assert mark["top"] >= 0
    assert mark["bottom"] <= over["top"] or mark["right"] <= over["left"]
    assert page.execute_script("return document.documentElement.scrollWidth") <= width


def test_a_label_is_filtered(show: Show) -> None:
    page = show()
    page.find_element(By.CSS_SELECTOR, "#filter input[value=contradicted]").click()
    off = page.find_elements(By.CSS_SELECTOR, "#source mark.off")
    assert [mark.text for mark in off] == ["14.11 tokens/s"]
    off[0].find_element(By.TAG_NAME, "a").click()
    assert not panel(page).is_displayed()
    page.find_element(By.ID, "next").click()
    assert "unverifiable" in panel(page).text


def test_without_script_the_evidence_can_be_read(show: Show) -> None:
    page = show("#c1", script=False)
    assert "114.2 tokens/s" in page.find_element(By.ID, "c1").text


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_can_be_told_from_its_ground(show: Show, dark: bool) -> None:
    page = show("#c1", dark=dark)
    ratio, where = page.execute_script(_CONTRAST)
    assert ratio >= 4.5, where
