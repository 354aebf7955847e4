"""Charts: horizontal dot plots as inline SVG that stay legible at any width.

Horizontal places are percentages, so that a plot stretches without its text being scaled;
labels and values are HTML beside the plot, above it on a phone. All colours come from the
page's style sheet.
"""

from __future__ import annotations

from chimera.facts.numbers import convert, format_plain
from chimera.facts.text import Num
from chimera.report.axis import Axis, axis_for
from chimera.report.document import Chart, Mark
from chimera.report.html_text import inline, name, number, text
from chimera.report.walk import drawn_marks, mark_numbers

Sample = tuple[float, str, str]

# Most samples drawn for one mark, and fewest when a page has very many.
MOST_SAMPLES = 200
_FEWEST_SAMPLES = 8
_DOT_BYTES = 75  # of a sample's markup besides the name of its place
# A row in CSS pixels: the mark with its interval above, the samples in a lane of their own below,
# so that neither hides the other.
_HEIGHT = 34
_MARK_Y = 10
_SAMPLES_Y = 23
_JITTER = 12
# The fractional part of multiples of the golden ratio never bunches up.
_GOLDEN = 0.6180339887498949
_THINNED = (
    "Where a row has too many samples to draw, an evenly spaced part of them is drawn; "
    "its value and interval rest on all of them."
)


def sample_limit(charts: list[Chart], budget: int = 250_000) -> int:
    """How many samples to draw for a mark so that all charts together stay in ``budget`` bytes."""
    marks = [m for chart in charts for m in chart.marks if m.samples]
    sizes = [(len(m.samples), _DOT_BYTES + len(m.samples[0][1])) for m in marks]
    limit = MOST_SAMPLES
    while limit > _FEWEST_SAMPLES and sum(min(n, limit) * b for n, b in sizes) > budget:
        limit = max(_FEWEST_SAMPLES, int(limit * 0.85))
    return limit


def thinned(samples: tuple[Sample, ...], limit: int) -> list[Sample]:
    """At most ``limit`` samples by value: evenly spaced ranks, the extremes always among them.

    Cold starts are few and are the point of drawing them, so they go first.
    """
    finite = [s for s in samples if s[0] - s[0] == 0]
    cold = _spaced([s for s in finite if s[2] == "cold"], limit)
    return cold + _spaced([s for s in finite if s[2] != "cold"], max(limit - len(cold), 2))


def _spaced(samples: list[Sample], limit: int) -> list[Sample]:
    ordered = sorted(samples)
    if len(ordered) <= limit:
        return ordered
    return [ordered[round(i * (len(ordered) - 1) / (limit - 1))] for i in range(limit)]


def chart_html(chart: Chart, limit: int = MOST_SAMPLES) -> str:
    """One chart as a figure. Marks without a value are skipped; "" when none is left."""
    marks = drawn_marks(chart)
    if not marks:
        return ""
    samples = [thinned(m.samples, limit) for m in marks]
    axis = axis_for(_extent(chart, marks, samples), chart.log)
    ticks = f'<div class="axis"><svg aria-hidden="true">{tick_labels(axis)}</svg></div>'
    rows = [f'<div class="grid" aria-hidden="true"><svg>{grid(axis)}</svg></div>']
    if len(marks) > 15:
        rows.append(ticks)
    group = ""
    for mark, some in zip(marks, samples, strict=True):
        if mark.group != group:
            group = mark.group
            rows.append(f'<div class="group">{name(group, code=False)}</div>')
        rows.append(_row(chart, mark, some, axis))
    rows.append(ticks)
    is_thinned = any(len(s) < len(m.samples) for s, m in zip(samples, marks, strict=True))
    return (
        f'<figure class="chart"><figcaption>{_caption(chart, axis)}{_legend(marks)}</figcaption>'
        f'<div class="plot">{"".join(rows)}</div>{_note(chart, is_thinned)}</figure>'
    )


def _extent(chart: Chart, marks: list[Mark], samples: list[list[Sample]]) -> list[float]:
    """What the axis has to hold. The lower end of an interval cannot open a logarithmic axis."""
    values = [s[0] for some in samples for s in some]
    for mark in marks:
        values.append(_value(mark, chart.unit, mark.fact.value))
        if mark.fact.ci95 is not None:
            low, high = (_value(mark, chart.unit, v) for v in mark.fact.ci95)
            values += [high] if chart.log and low <= 0 else [low, high]
    return values


def _value(mark: Mark, unit: str, value: object) -> float:
    assert isinstance(value, int | float)  # drawn_marks leaves no other
    return convert(float(value), mark.fact.unit, unit) if unit else float(value)


def _caption(chart: Chart, axis: Axis) -> str:
    about = [] if chart.unit in ("", "1", "ratio") else [text(chart.unit)]
    about += [f"{chart.better} is better"] if chart.better else []
    about += ["logarithmic axis"] if axis.log else []
    more = f' <span class="q">{", ".join(about)}</span>' if about else ""
    return f'<span class="t">{inline(chart.title)}</span>{more}'


def _legend(marks: list[Mark]) -> str:
    kinds = {s[2] for m in marks for s in m.samples}
    statistics = {m.fact.statistic for m in marks}
    center = text(statistics.pop()) if len(statistics) == 1 else "value"
    has_interval = any(m.fact.ci95 is not None for m in marks)
    keys = (
        [key('<g class="s"><circle cx="8" cy="8" r="3.5"/></g>', "sample")]
        if kinds - {"cold"}
        else []
    )
    if "cold" in kinds:
        keys.append(key('<g class="c"><circle cx="8" cy="8" r="3.5"/></g>', "cold start"))
    bar = '<path class="i" d="M1 8H23M1 4V12M23 4V12"/>' if has_interval else ""
    words = f"{center} and its 95% interval" if has_interval else center
    keys.append(key(f'{bar}<circle class="m" cx="12" cy="8" r="4"/>', words, 24))
    return f'<span class="key">{"".join(keys)}</span>'


def key(shape: str, words: str, width: int = 16) -> str:
    """One entry of a legend."""
    return (
        f'<span><svg width="{width}" height="16" viewBox="0 0 {width} 16" aria-hidden="true">'
        f"{shape}</svg>{words}</span>"
    )


def _note(chart: Chart, is_thinned: bool) -> str:
    words = inline(chart.note)
    if is_thinned:
        words = f"{words} {_THINNED}".strip()
    return f'<p class="note">{words}</p>' if words else ""


def grid(axis: Axis) -> str:
    """The lines of an axis's ticks, as SVG."""
    places = (f"{axis.percent(t):.2f}%" for t in axis.ticks)
    return "".join(f'<line x1="{x}" x2="{x}" y1="0" y2="100%"/>' for x in places)


def tick_labels(axis: Axis) -> str:
    """The values of an axis's ticks, as SVG."""
    return "".join(
        f'<text x="{axis.percent(t):.2f}%" y="14">{text(format_plain(t))}</text>'
        for t in axis.ticks
    )


def _row(chart: Chart, mark: Mark, samples: list[Sample], axis: Axis) -> str:
    numbers = mark_numbers(mark, chart.unit)
    count = f"<small>n {number(numbers.n)}</small>" if numbers.n else ""
    dots = [(s[2] == "cold", _dot(s, i, chart.unit, axis)) for i, s in enumerate(samples)]
    warm = "".join(dot for is_cold, dot in dots if not is_cold)
    cold = "".join(dot for is_cold, dot in dots if is_cold)
    drawn = (f'<g class="s">{warm}</g>' if warm else "") + (f'<g class="c">{cold}</g>' * bool(cold))
    return (
        f'<div class="row"><div class="l">{name(mark.label, code=False)}</div>'
        f'<div class="v"><b>{number(numbers.value)}</b>{count}</div>'
        f'<div class="d"><svg height="{_HEIGHT}">{drawn}{_mean(chart, mark, axis)}</svg></div>'
        "</div>"
    )


def _dot(sample: Sample, index: int, unit: str, axis: Axis) -> str:
    value, where, kind = sample
    y = _SAMPLES_Y + ((index * _GOLDEN + 0.5) % 1 - 0.5) * _JITTER
    words = f"{where}, {format_plain(value)}{_unit(unit)}" + (", cold start" * (kind == "cold"))
    return (
        f'<circle cx="{axis.percent(value):.1f}%" cy="{y:.1f}" r="3">'
        f"<title>{text(words)}</title></circle>"
    )


def _mean(chart: Chart, mark: Mark, axis: Axis) -> str:
    """The mark itself and its interval, as a link to its fact."""
    numbers = mark_numbers(mark, chart.unit)
    x = f"{axis.percent(_value(mark, chart.unit, mark.fact.value)):.2f}%"
    words = f"{mark.label}: {mark.fact.statistic} {numbers.value.text}{_unit(chart.unit)}"
    bar = ""
    if numbers.interval and mark.fact.ci95:
        words += _interval_words(numbers.interval)
        a, b = (f"{axis.percent(_value(mark, chart.unit, v)):.2f}%" for v in mark.fact.ci95)
        caps = "".join(
            f'<line x1="{e}" x2="{e}" y1="{_MARK_Y - 6}" y2="{_MARK_Y + 6}"/>' for e in (a, b)
        )
        line = f'<line x1="{a}" x2="{b}" y1="{_MARK_Y}" y2="{_MARK_Y}"/>'
        bar = f'<g class="i">{line}{caps}</g>'
    return (
        f'<a href="#{text(mark.fact.id)}" tabindex="-1">{bar}'
        f'<circle class="m" cx="{x}" cy="{_MARK_Y}" r="3.7"/><title>{text(words)}</title></a>'
    )


def _interval_words(interval: tuple[Num, Num]) -> str:
    return f", 95% interval {interval[0].text} to {interval[1].text}"


def _unit(unit: str) -> str:
    return "" if unit in ("", "1", "ratio") else f" {unit}"
