"""Charts: axes, thinning, and what is drawn where."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.facts.text import spans
from chimera.report.axis import axis_for
from chimera.report.charts import chart_html, sample_limit, thinned
from chimera.report.document import Chart, Mark
from tests.report.samples import fact

finite = st.floats(-1e12, 1e12, allow_subnormal=False)
positive = st.floats(1e-9, 1e12)


@given(st.lists(finite, min_size=1, max_size=20))
def test_a_linear_axis_holds_its_values_with_few_ticks(values: list[float]) -> None:
    axis = axis_for(values)
    room = (axis.high - axis.low) * 1e-8
    assert axis.low <= min(values) + room
    assert axis.high >= max(values) - room
    assert 4 <= len(axis.ticks) <= 6
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert all(2 <= axis.percent(v) <= 98 for v in values)


@given(st.lists(positive, min_size=1, max_size=20))
def test_a_logarithmic_axis_holds_its_values_with_few_ticks(values: list[float]) -> None:
    axis = axis_for(values, log=True)
    assert axis.log
    assert axis.low <= min(values) * (1 + 1e-8)
    assert axis.high >= max(values) * (1 - 1e-8)
    assert 2 <= len(axis.ticks) <= 7
    assert all(2 <= axis.percent(v) <= 98 for v in values)


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ((47.3, 113.5), (40, 60, 80, 100, 120)),
        ((3.0, 97.0), (0, 20, 40, 60, 80, 100)),
        ((0.1, 0.4), (0, 0.1, 0.2, 0.3, 0.4)),
        ((100.0, 100.0), (95, 97.5, 100, 102.5, 105)),
        ((0.0, 0.0), (-1, -0.5, 0, 0.5, 1)),
    ],
)
def test_ticks_are_round(values: tuple[float, ...], ticks: tuple[float, ...]) -> None:
    assert axis_for(values).ticks == pytest.approx(ticks)


def test_a_logarithmic_axis_leaves_little_room() -> None:
    assert axis_for((0.12, 11.4), log=True).ticks == pytest.approx((0.1, 0.3, 1, 3, 10, 30))


def test_zero_has_no_logarithm() -> None:
    assert not axis_for((0.0, 5.0), log=True).log


def test_thinning_keeps_extremes_and_cold_starts() -> None:
    samples = tuple((float(i * 7919 % 5000), f"a:{i}", "") for i in range(5000))
    samples += ((1e6, "a:1", "cold"), (float("nan"), "a:2", ""))
    drawn = thinned(samples, 200)
    assert len(drawn) == 200
    assert drawn == thinned(tuple(reversed(samples)), 200)
    values = [v for v, _, kind in drawn if kind == ""]
    assert (min(values), max(values)) == (0.0, 4999.0)
    assert (1e6, "a:1", "cold") in drawn


def chart(marks: tuple[Mark, ...], **more: object) -> Chart:
    return Chart(spans("Chart"), "ms", marks, **more)  # type: ignore[arg-type]


def test_a_row_shows_label_value_interval_samples_and_count() -> None:
    one = fact(0.5, "s", statistic="mean", n=12, ci95=(0.25, 0.75))
    html = chart_html(
        chart((Mark("gemma3:1b", one, ((400.0, "a.csv:2", ""), (600.0, "a.csv:3", "cold"))),))
    )
    assert "<bdi>gemma3:1b</bdi>" in html
    assert f'<b><a class="n" href="#{one.id}">500</a></b>' in html
    assert f'n <a class="n" href="#{one.id}" data-field="n">12</a>' in html
    assert "<title>a.csv:2, 400 ms</title>" in html
    assert '<g class="c"><circle cx="78.8%"' in html
    assert "<title>a.csv:3, 600 ms, cold start</title>" in html
    assert "<title>gemma3:1b: mean 500 ms, 95% interval 250 to 750</title>" in html
    assert "mean and its 95% interval" in html


def test_marks_without_a_value_are_skipped() -> None:
    none = Mark("none", fact(None, "s", why_none="failed"))
    text = Mark("text", fact("fast", "s"))
    some = Mark("some", fact(1.0, "s"))
    assert chart_html(chart((none, text))) == ""
    html = chart_html(chart((none, some, text)))
    assert html.count('class="row"') == 1
    assert "none" not in html


def test_groups_are_headed_once() -> None:
    marks = tuple(Mark(f"m{i}", fact(float(i + 1), "s"), group="ab"[i // 2]) for i in range(4))
    assert re.findall(r'class="group"><bdi>(.)', chart_html(chart(marks))) == ["a", "b"]


def test_an_interval_below_zero_does_not_open_a_logarithmic_axis() -> None:
    mark = Mark("a", fact(1.0, "s", ci95=(-0.5, 2.5)), ((900.0, "f:1", ""),))
    html = chart_html(chart((mark,), log=True))
    assert "logarithmic axis" in html


def test_thousands_of_samples_are_thinned_and_it_is_said() -> None:
    samples = tuple((float(i), f"results/some/folder/run.csv:{i}", "") for i in range(3000))
    marks = tuple(Mark(f"m{i}", fact(1.5, "s", n=3000), samples) for i in range(40))
    big = chart(marks)
    limit = sample_limit([big])
    html = chart_html(big, limit)
    assert len(html) < 350_000
    assert "an evenly spaced part of them is drawn" in html
    assert html.count("<title>results") == 40 * limit
    one = chart_html(chart(marks[:1]))
    assert one.count("<title>results") == 200


def test_the_same_chart_is_drawn_the_same_way() -> None:
    samples = tuple((float(i % 7), f"a:{i}", "") for i in range(500))
    one = chart((Mark("m", fact(3.0, "s"), samples),))
    assert chart_html(one) == chart_html(one)
