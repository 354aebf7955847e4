"""``chimera doctor``: look a target over before measuring it."""

from __future__ import annotations

import sys
from typing import Any

import click
import msgspec

from chimera.cli import naming
from chimera.cli.numbers import FiniteRange
from chimera.engines.option_names import check_names
from chimera.engines.targets import open_target
from chimera.measure.doctor import Check, Examination, examine
from chimera.measure.plan import options_of

EXIT_NOT_MEASURABLE = 4
_MARKS = {"ok": ("ok", "green"), "missing": ("--", "yellow"), "failed": ("!!", "red")}


@click.command(name="doctor")
@click.argument("target", default="llamacpp")
@click.option(
    "--timeout",
    type=FiniteRange(0.1),
    default=60.0,
    show_default=True,
    help="Limit of each of its two requests, in seconds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
@naming.key_options
@naming.config_option
@click.pass_context
def command(ctx: click.Context, /, target: str, timeout: float, as_json: bool, **key: Any) -> None:
    """Look a target over: is it there, does it stream, what does it count and tell.

    Two short requests are sent. What is missing limits what a benchmark can know; what failed
    has to be put right first.
    """
    config = naming.config_of(ctx)
    named = config.target(target)
    for warning in check_names(named.target, named.options):
        click.echo(f"chimera: warning: {warning}", err=True)
    options = options_of(named.options)
    access = naming.access_of(named, config, key)
    found = examine(
        named.target, lambda: open_target(named.target, options, access=access), timeout
    )
    click.echo(msgspec.json.encode(found) if as_json else _table(found))
    if not found.measurable:
        ctx.exit(EXIT_NOT_MEASURABLE)


def _table(found: Examination) -> str:
    width = max(len(check.name) for check in found.checks)
    lines = [f"  {_mark(check)}  {check.name:<{width}}  {check.text}" for check in found.checks]
    missing = sum(check.result == "missing" for check in found.checks)
    if not found.measurable:
        last = "It cannot be measured like this."
    elif missing:
        last = f"It can be measured; {missing} thing(s) will not be known."
    else:
        last = "It can be measured, and everything will be known."
    return "\n".join([found.target, *lines, f"{last} ({found.seconds:.1f} s)"])


def _mark(check: Check) -> str:
    text, colour = _MARKS[check.result]
    return click.style(text, fg=colour) if sys.stdout.isatty() else text
