"""What ``chimera bench`` shows: its progress on stderr, its table on stdout."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from chimera.measure.progress import Live
from chimera.measure.summary import Cell, ColdStart, Mean, Summary

# Our own load on all CPUs makes some of it; beyond this something else ran as well.
_NOTABLE_PRESSURE = 0.10
_MISSING = "—"
_CELL_HEADER = (
    "num_ctx",
    "threads",
    "prompt",
    "n",
    "failed",
    "TTFT ms",
    "decode tokens/s",
    "prefill tokens/s (server)",
)
_COLD_HEADER = ("num_ctx", "threads", "load s", "first TTFT ms", "")


class Progress:
    """One line that renews itself on a terminal; now and then a plain one in a pipe."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._next_s = 0.0
        self._error = ""
        self._begun = time.monotonic()

    def __call__(self, live: Live) -> None:
        now = time.monotonic()
        if live.last_error and live.last_error != self._error:
            self._error = live.last_error
            self.end()
            click.echo(f"failed: {live.last_error}", err=True)
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r{_line(live)[:width]:<{width}}", err=True, nl=False)
        elif now >= self._next_s:
            # Rarer and rarer, so that a long run fills no log.
            self._next_s = now + max(5.0, (now - self._begun) / 4)
            click.echo(_line(live), err=True)

    def end(self) -> None:
        """Clear the line, so that what follows stands alone."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r{'':<{width}}\r", err=True, nl=False)


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


def bench_table(summary: Summary, folder: Path | None) -> str:
    """The summary as text: measured cells, cold starts, failures, and where it all is."""
    counted = f"{summary.requests} requests, {summary.failed} failed"
    lines = [
        f"{summary.model} on {summary.engine}: {counted}",
        "",
        "Mean of n warm requests and its 95% interval (Student's t):",
        *_aligned([_CELL_HEADER, *map(_cell_row, summary.cells)]),
        "",
        "Cold starts, one each:",
        *_aligned([_COLD_HEADER, *map(_cold_row, summary.cold_starts)]),
        "",
    ]
    if summary.failures:
        counts = ", ".join(f"{count} {name}" for name, count in summary.failures.items())
        lines += [f"Failures, left out of the means: {counts}.", ""]
    if summary.pressure is not None and summary.pressure > _NOTABLE_PRESSURE:
        waited = f"For {summary.pressure:.0%} of the run some program had to wait for a CPU"
        lines += [f"{waited}; unless it was this bench alone, measure on a quiet machine.", ""]
    place, what = (folder, folder) if folder else ("the store", f"--run {summary.run_id}")
    return "\n".join([*lines, f"Every sample is in {place}; next: chimera report {what}"])


def _cell_row(cell: Cell) -> tuple[str, ...]:
    return (
        str(cell.options.get("num_ctx", "default")),
        str(cell.options.get("num_thread", "default")),
        cell.prompt_id,
        str(cell.n),
        str(cell.failed),
        _interval(cell.metrics["ttft_s"], 1000),
        _interval(cell.metrics["decode_tokens_per_s"]),
        _interval(cell.metrics["prefill_tokens_per_s"]),
    )


def _cold_row(cold: ColdStart) -> tuple[str, ...]:
    return (
        str(cold.options.get("num_ctx", "default")),
        str(cold.options.get("num_thread", "default")),
        _MISSING if cold.load_s is None else f"{cold.load_s:.3g}",
        _MISSING if cold.ttft_s is None else f"{cold.ttft_s * 1000:.4g}",
        f"failed: {cold.error}" if cold.error else "",
    )


def _interval(mean: Mean | None, scale: float = 1) -> str:
    if mean is None:
        return _MISSING
    if mean.ci95 is None:
        return f"{mean.mean * scale:.4g}"
    low, high = mean.ci95
    return f"{mean.mean * scale:.4g} [{low * scale:.4g}, {high * scale:.4g}]"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
