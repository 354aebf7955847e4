"""``chimera selftest``: what this client adds to the truth on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from platformdirs import user_cache_dir

from chimera.cli.bench_options import whole_numbers
from chimera.measure.selftest import LEVELS, Level, SelfTestReport, keep_selftest, run_selftest

_HEADER = (
    "streams",
    "requests",
    "TTFT bias mean",
    "TTFT bias p99",
    "ITL bias",
    "load delivered",
    "client CPU",
    "server lag p99",
)


@click.command(name="selftest")
@click.option(
    "--streams",
    metavar="N,...",
    callback=whole_numbers,
    help="How many streams at once; several levels.  [default: 1,32,128,512]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(streams: tuple[int, ...], as_json: bool) -> None:
    """Measure this client's own bias, against a mock server that knows the truth.

    The result is kept, and recorded with every later run on this machine.
    """

    def on_level(level: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{level} streams ...", err=True, nl=False)

    report = run_selftest(tuple(sorted(set(streams))) or LEVELS, on_level)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", err=True, nl=False)
    if len(streams) == 0:
        keep_selftest(report, cache_folder())
    click.echo(msgspec.json.encode(report) if as_json else _table(report))


def cache_folder() -> Path:
    """Where the newest self-test is kept."""
    return Path(user_cache_dir("chimera"))


def _table(report: SelfTestReport) -> str:
    rows = [_HEADER, *map(_row, report.levels)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADER))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(
        [
            "This client against a server that knows the truth (bias: measured - true):",
            *lines,
            f"A second of the client's CPU takes {report.chunks_per_cpu_s:,.0f} streamed chunks.",
        ]
    )


def _row(level: Level) -> tuple[str, ...]:
    return (
        str(level.streams),
        str(level.requests) + (f" ({level.failed} failed)" if level.failed else ""),
        f"{level.ttft_bias_mean_ns / 1e6:+.3f} ms",
        f"{level.ttft_bias_p99_ns / 1e6:+.3f} ms",
        f"{level.itl_bias_percent:+.3f}%",
        f"{level.delivered:.2%}",
        f"{level.client_cpu_share:.1%}",
        f"{level.server_lag_p99_ns / 1e6:.2f} ms",
    )
