"""What ``chimera duel`` shows: its progress on stderr, its result on stdout."""

from __future__ import annotations

import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from chimera.agents.duel.contest import Progress as Live
from chimera.agents.duel.figures import DURATION
from chimera.agents.duel.plan import Plan
from chimera.cli.words import aligned
from chimera.facts.fact import Fact
from chimera.facts.text import Num
from chimera.report.duel.combined import Combined

_EVERY_S = 15.0
_WIDTH = 100


class Progress:
    """One line that renews itself on a terminal; now and then a plain one in a pipe."""

    def __init__(self, scenarios: int) -> None:
        self._scenarios = scenarios
        self._live = sys.stderr.isatty()
        self._next_s = 0.0
        self._front = ""

    def scenario(self, place: int, plan: Plan) -> None:
        """A scenario begins; ``place`` counts from 0."""
        of = f" ({place + 1} of {self._scenarios})" if self._scenarios > 1 else ""
        self._front = f"{plan.scenario}{of}"

    def __call__(self, live: Live) -> None:
        who = " and ".join(sorted(live.step.sides))
        left = "" if live.left_s is None else f", about {live.left_s:.0f} s left"
        text = f"{self._front}: {who} {live.step.kind}, {live.place} of {live.steps} done{left}"
        now = time.monotonic()
        with suppress(OSError):
            if self._live:
                width = shutil.get_terminal_size().columns - 1
                click.echo(f"\r{text[:width]:<{width}}", err=True, nl=False)
            elif now >= self._next_s:
                self._next_s = now + _EVERY_S
                click.echo(text, err=True)

    def end(self) -> None:
        """Clear the line, so that what follows stands alone."""
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            with suppress(OSError):
                click.echo(f"\r{'':<{width}}\r", err=True, nl=False)


def tell(done: Sequence[Combined], output: Path, planned: int) -> None:
    """The result as text: a table of the scenarios, a line on each, and where the reports are.

    Of several scenarios that were ``planned`` each has a folder of its own.
    """
    rows = [["scenario", "alone, in turn", "together", "speedup", "efficiency", "earlier formula"]]
    for one in done:
        found = one.speedup
        facts = (found.alone, found.wall, found.speedup, found.efficiency, found.earlier)
        rows.append([one.figures.duel.plan.scenario, *map(_short, facts)])
    for line in aligned(rows):
        click.echo(line)
    click.echo("")
    for one in done:
        figures = one.figures
        parts = [f"{figures.duel.plan.scenario}: {one.verdict}."]
        for name in figures.names:
            factor = figures.factor(name, DURATION)
            if isinstance(factor.value, float):
                parts.append(f"{name} took {factor.value:.2f} times as long as alone.")
        click.echo(textwrap.fill(" ".join(parts), _WIDTH, subsequent_indent="  "))
    click.echo("")
    click.echo(f"report     {output / 'report.html'}")
    if planned > 1:
        names = ", ".join(one.figures.duel.plan.scenario for one in done)
        click.echo(f"beside it  {names}: each with its combined report and the agents' own")
    elif done[0].figures.duel.works:
        names = ", ".join(f"agent-{n.lower()}" for n in done[0].figures.names)
        click.echo(f"beside it  {names}: the agents' own reports")


def _short(fact: Fact) -> str:
    value = Num(fact).text
    if fact.ci95 is None:
        return value
    low = Num(fact, "ci_low", with_unit=False).text
    return f"{value} [{low}, {Num(fact, 'ci_high', with_unit=False).text}]"
