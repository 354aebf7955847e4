"""What ``chimera bench`` shows: its progress on stderr, its result on stdout."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import suppress

import click

from chimera.measure.progress import Live
from chimera.measure.summary import (
    Comparison,
    ConfigurationSummary,
    Distribution,
    Interval,
    Start,
    Summary,
    TimeShares,
)

_MISSING = "—"
_WIDTH = 100
_PARTS = ("connect", "queue", "load", "prefill", "decode", "rest")
_NAMES = {"ttft_s": "TTFT", "decode_tokens_per_s": "decode throughput"}


class Progress:
    """One line that renews itself on a terminal; now and then a plain one in a pipe."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._next_s = 0.0
        self._error = self._result = ""
        self._begun = time.monotonic()

    def __call__(self, live: Live) -> None:
        now = time.monotonic()
        if live.last_error and live.last_error != self._error:
            self._error = live.last_error
            self.end()
            _show(f"failed: {live.last_error}")
        if live.result != self._result:
            self._result = live.result
            self.end()
            _show(live.result)
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            _show(f"\r{_line(live)[:width]:<{width}}", nl=False)
        elif now >= self._next_s:
            # Rarer and rarer, so that a long run fills no log.
            self._next_s = now + max(5.0, (now - self._begun) / 4)
            _show(_line(live))

    def end(self) -> None:
        """Clear the line, so that what follows stands alone."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            _show(f"\r{'':<{width}}\r", nl=False)


def _show(text: str, nl: bool = True) -> None:
    """On standard error; that it cannot be written to ends no measurement."""
    with suppress(OSError):
        click.echo(text, err=True, nl=nl)


def _line(live: Live) -> str:
    """A run in one line: how far, how fast, what goes wrong."""
    of = "" if live.planned is None else f"/{live.planned}"
    parts = [f"{live.done}{of} requests"]
    if live.failed:
        parts.append(f"{live.failed} failed")
    if live.active > 1:
        parts.append(f"{live.active} active")
    if live.output_tokens_per_s is not None:
        parts.append(f"{live.output_tokens_per_s:.0f} tokens/s")
    if live.ttft_s is not None:
        parts.append(f"TTFT {live.ttft_s * 1000:.0f} ms")
    if live.left_s is not None and live.left_s >= 1:
        parts.append(f"about {live.left_s:.0f} s left")
    return ", ".join(parts) + (f" | {live.text}" if live.text else "")


def bench_text(summary: Summary, following: str) -> str:
    """The end of a run as text. ``following`` is its last line: where it is, what is next."""
    counted = f"{summary.requests} requests, {summary.failed} failed"
    shown = [one for one in summary.configurations if one.n or one.failed]
    lines = [f"{summary.model} on {summary.engine}: {counted}", ""]
    if any(one.n for one in shown):
        lines += _table(shown)
    lines += _starts(summary.starts)
    lines += _verdicts(summary.comparisons, shown)
    lines += _time(shown)
    lines += _client(summary)
    if summary.failures:
        counts = ", ".join(f"{count} {name}" for name, count in summary.failures.items())
        lines.append(f"Failures, left out of the means: {counts}.")
    lines += [_wrapped("Note: ", note) for note in summary.notes]
    lines += [_wrapped("Warning: ", warning) for warning in summary.warnings]
    if not summary.certain:
        lines.append("The numbers above are not certain: see the warnings.")
    return "\n".join([*lines, "", following])


def _table(shown: Sequence[ConfigurationSummary]) -> list[str]:
    gaps = "ITL ms" if all(one.gaps_are == "tokens" for one in shown) else "chunk gap ms"
    header = ["configuration", "n", "failed", "TTFT ms", gaps, "decode tok/s", "output tok/s"]
    good = any(one.goodput_per_s for one in shown)
    rows = [[*header, "goodput/s"] if good else header]
    for one in shown:
        ttft, decode = one.metrics["ttft_s"], one.metrics["decode_tokens_per_s"]
        row = [one.name, str(one.n), str(one.failed), _spread(ttft, 1000)]
        row += [_spread(one.gaps_s, 1000), _spread(decode), _interval(one.output_tokens_per_s)]
        rows.append([*row, _interval(one.goodput_per_s)] if good else row)
    repeats = max((d.repeats for one in shown if (d := one.metrics["ttft_s"])), default=0)
    what = (
        f"± half its 95% interval between the {repeats} repeats"
        if repeats > 2
        else "no interval: fewer than 3 repeats"
    )
    over = _over(shown, "output tok/s and goodput/s" if good else "output tok/s")
    return [f"Mean of n warm requests, {what}:", *_aligned(rows), *over, "", *_tails(shown)]


def _over(shown: Sequence[ConfigurationSummary], what: str) -> list[str]:
    """What an open loop's throughputs are divided by, which is not the time of its arrivals."""
    if all(one.arrival == "closed" for one in shown):
        return []
    text = (
        f"{what} are over the time to the last answer, the wait for it included: a short block "
        "gives less than the rate that it offers; longer ones (--seconds) come nearer."
    )
    return [_wrapped("", text)]


def _tails(shown: Sequence[ConfigurationSummary]) -> list[str]:
    """Percentiles, where there are enough requests for any."""
    rows = [["configuration", "TTFT p50", "p95", "p99", "E2E p50", "p95", "p99 (ms)"]]
    for one in shown:
        first, whole = one.metrics["ttft_s"], one.metrics["e2e_latency_s"]
        if first is None or whole is None or first.p95 is None:
            continue
        values = [first.median, first.p95, first.p99, whole.median, whole.p95, whole.p99]
        rows.append([one.name, *map(_milliseconds, values)])
    return [*_aligned(rows), ""] if len(rows) > 1 else []


def _milliseconds(seconds: float | None) -> str:
    return _MISSING if seconds is None else _number(seconds * 1000)


def _starts(starts: Sequence[Start]) -> list[str]:
    rows = []
    for start in starts:
        load = "load not told" if start.load_s is None else f"load {start.load_s:.3g} s"
        first = "" if start.ttft_s is None else f"first TTFT {start.ttft_s * 1000:.4g} ms"
        rows.append([start.name, load, first if not start.error else f"failed: {start.error}"])
    return ["Cold starts, set apart:", *_aligned(rows), ""] if rows else []


def _verdicts(
    comparisons: Sequence[Comparison], shown: Sequence[ConfigurationSummary]
) -> list[str]:
    names = {one.index: one.name for one in shown}
    lines = []
    for one in comparisons:
        what, scale = _NAMES[one.metric], 1000 if one.metric == "ttft_s" else 1
        unit = "ms" if one.metric == "ttft_s" else "tokens/s"
        best, other = names[one.best], names[one.next]
        if one.certain and one.difference is not None and one.ci95 is not None:
            low, high = sorted(abs(bound) * scale for bound in one.ci95)
            lines.append(
                f"{what}: {best} is better than {other} by "
                f"{abs(one.difference) * scale:.3g} {unit} [{low:.3g}, {high:.3g}]."
            )
        else:
            lines.append(f"{what}: {best} and {other}, the next best, cannot be told apart.")
    return [*(_wrapped("", line) for line in lines), ""] if lines else []


def _time(shown: Sequence[ConfigurationSummary]) -> list[str]:
    rows = [["configuration", *_PARTS]]
    rows += [[one.name, *_shares(one.time)] for one in shown if one.time is not None]
    times = [one.time for one in shown if one.time is not None]
    if all(t.prefill_s is None and t.decode_s is None and t.load_s is None for t in times):
        return []
    lines = ["Where the mean request's time goes (rest: network, and what nobody tells):"]
    return [*lines, *_aligned(rows), ""]


def _shares(time: TimeShares) -> list[str]:
    seconds = [getattr(time, f"{part}_s") for part in _PARTS]
    total = time.total_s or 1.0
    return [_MISSING if part is None else f"{part / total:.1%}" for part in seconds]


def _client(summary: Summary) -> list[str]:
    client = summary.client
    if client is None or client.wall_s <= 0:
        return []
    parts = [f"{client.cpu_s / client.wall_s:.1%} of a core"]
    if client.lag_p99_ns is not None:
        parts.insert(0, f"reads at most {client.lag_p99_ns / 1e6:.2f} ms late (p99)")
    if client.dispatch_p99_ns is not None:
        parts.append(f"sends {client.dispatch_p99_ns / 1e6:.2f} ms late (p99)")
    if client.watching_cpu_s is not None:
        parts.append(f"watching {client.watching_cpu_s / client.wall_s:.1%}")
    lines = [_wrapped("This client: ", ", ".join(parts) + ".")]
    test = summary.instrument
    if test is not None:
        text = (
            f"bias of TTFT {test.ttft_bias_mean_ns / 1e6:+.3f} ms, of its p99 "
            f"{test.ttft_bias_p99_ns / 1e6:+.3f} ms, of ITL {test.itl_bias_percent:+.3f}% at "
            f"{test.streams} streams ({test.captured_utc[:10]})."
        )
        lines.append(_wrapped("Its self-test: ", text))
    return lines


def _spread(found: Distribution | None, scale: float = 1) -> str:
    if found is None:
        return _MISSING
    return _with_bounds(found.mean, found.ci95_repeats, scale)


def _interval(found: Interval | None, scale: float = 1) -> str:
    return _MISSING if found is None else _with_bounds(found.mean, found.ci95, scale)


def _with_bounds(mean: float, bounds: tuple[float, float] | None, scale: float) -> str:
    """A mean with half its interval, which is symmetric (Student's t)."""
    if bounds is None:
        return _number(mean * scale)
    return f"{_number(mean * scale)} ±{_number((bounds[1] - bounds[0]) / 2 * scale, 2)}"


def _number(value: float, digits: int = 4) -> str:
    """With so many significant digits, and never as a power of ten."""
    text = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e" in text and abs(value) >= 1 else text


def _wrapped(first: str, text: str) -> str:
    return textwrap.fill(first + text, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
