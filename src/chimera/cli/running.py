"""Running an agent on a folder and writing its report: what ``report`` and ``demo`` share."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
import msgspec

from chimera.agents.agent import Agent, Grade
from chimera.agents.asking import Budget
from chimera.agents.calls import CALLS_FILE
from chimera.agents.persona import load_persona
from chimera.agents.workflow import Work, without_records, work
from chimera.cli.words import visible
from chimera.cli.writing import told_of, writing_of
from chimera.engines.base import Engine, Options
from chimera.engines.targets import open_target
from chimera.errors import InputError, MissingExtra
from chimera.facts.fact import Fact
from chimera.facts.text import Sentence
from chimera.ingest.readers.own_output import MARKDOWN_MARK
from chimera.report.build import build_report
from chimera.report.document import Report
from chimera.report.html import to_html
from chimera.report.json_report import to_json
from chimera.report.markdown import to_markdown
from chimera.report.sections.writing import Written
from chimera.report.writing import write_report

NUM_CTX = 8192
CALLS_FORMAT = "chimera-calls"


class Terminal:
    """What is said while it works: on standard error, only where somebody watches."""

    def __init__(self) -> None:
        self.watched = sys.stderr.isatty()
        self._last = 0.0

    def say(self, what: str) -> None:
        """One step begins."""
        if self.watched:
            click.echo(f"\r\x1b[K{what} ...", err=True, nl=False)

    def progress(self, done: int, total: int, name: str) -> None:
        """A file begins; shown at most ten times a second."""
        now = time.monotonic()
        if self.watched and (now - self._last > 0.1 or done == total):
            self._last = now
            width = 24
            bar = "#" * (width * done // max(total, 1))
            shown = name if len(name) <= 40 else "..." + name[-37:]
            shown = shown.encode("ascii", "replace").decode()
            line = f"\r\x1b[K[{bar:<{width}}] {done}/{total} {shown}"
            click.echo(line, err=True, nl=False)

    def done(self) -> None:
        """Clear the line."""
        if self.watched:
            click.echo("\r\x1b[K", err=True, nl=False)


def default_output(folder: str) -> Path:
    """Where a report goes when nobody says: beside where the command was started."""
    name = Path(folder).resolve().name or "folder"
    return Path(f"{name}-report")


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """How a report is to be written. ``target`` None writes without any model.

    ``shown`` is what the folder is called in it, "" for its own name.
    """

    persona: str
    output: Path | None
    target: str | None
    options: Options
    as_json: bool
    max_file_mb: int = 256
    shown: str = ""
    grade: Grade = "choose"
    budget: Budget = Budget()


def run_report(folder: str, how: Writing) -> Path:
    """Write the report of ``folder`` and say where it is. Returns the HTML file's path.

    Raises ChimeraError, also after the report of a folder that holds documents alone.
    """
    if how.max_file_mb <= 0:
        raise InputError(f"--max-file-mb {how.max_file_mb} must be above 0")
    agent = Agent(
        load_persona(how.persona),
        how.target,
        how.options if how.target else Options(),
        grade=how.grade,
        budget=how.budget,
    )
    goal = how.output or default_output(folder)
    engine: Engine | None = open_target(how.target, how.options) if how.target else None
    terminal = Terminal()
    with closing(engine) if engine else nullcontext(), _hint_without_model():
        done = work(
            folder,
            agent,
            engine,
            progress=terminal.progress,
            say=terminal.say,
            max_bytes=how.max_file_mb * 1_000_000,
            exclude=str(goal.resolve()),
            shown=how.shown,
        )
    terminal.say("writing the report")
    report, contract, written = build_report(done)
    files = report_files(done, report, contract, written)
    paths = write_report(goal, files)
    terminal.done()
    html = goal / "report.html"
    if how.as_json:
        click.echo(files["report.json"])
    else:
        _tell(done, html, paths, contract)
    if not done.facts.ingest.batches:  # a report on documents alone lists them, and no more
        raise InputError(without_records(done.facts.ingest))
    return html


def rendered(report: Report, extra: dict[str, Any]) -> dict[str, bytes]:
    """A report in its three forms by file name; ``extra`` is what report.json holds beside it."""
    return {
        "report.md": f"{MARKDOWN_MARK}\n{to_markdown(report)}".encode(),
        "report.html": to_html(report).encode(),
        "report.json": to_json(report, extra),
    }


def report_files(
    done: Work, report: Report, contract: list[tuple[str, bool, Sentence]], written: Written
) -> dict[str, bytes]:
    """All files of an agent's report by name, its calls among them."""
    return rendered(report, _extra(done, contract, written)) | {CALLS_FILE: _calls(done)}


@contextmanager
def _hint_without_model() -> Iterator[None]:
    """Who lacks the model's packages can still have the report."""
    try:
        yield
    except MissingExtra as error:
        raise MissingExtra(f"{error}, or write without a model: --no-model") from None


def _extra(
    done: Work, contract: list[tuple[str, bool, Sentence]], written: Written
) -> dict[str, Any]:
    """What report.json holds beside the numbers."""
    return {
        "folder": done.facts.ingest.folder,
        "persona": done.agent.persona.name,
        "contract": [{"demand": d, "met": m, "found": f.text} for d, m, f in contract],
        "sentences": msgspec.structs.asdict(written),
        "times_s": msgspec.structs.asdict(done.times),
        "engine_error": done.engine_error,
        "writing": writing_of(done),
        "findings": [
            {
                "key": f.key,
                "severity": f.severity,
                "title": "".join(s.text for s in f.title),
                "facts": [x.id for x in f.facts],
            }
            for f in done.facts.findings
        ],
        "files": [msgspec.structs.asdict(f) for f in done.facts.ingest.files],
    }


def _calls(done: Work) -> bytes:
    """Every call whole, a line each, after a line that says what this is."""
    head = {"format": CALLS_FORMAT, "version": 1, "calls": len(done.calls)}
    lines = [json.dumps(head)]
    lines += [msgspec.json.encode(call).decode() for call in done.calls]
    return ("\n".join(lines) + "\n").encode()


def _tell(
    done: Work, html: Path, paths: list[Path], contract: list[tuple[str, bool, Sentence]]
) -> None:
    counts = done.facts.counts
    click.echo(
        f"{_counted(counts.files, 'file')}, {_counted(counts.records, 'record')} "
        f"({counts.failed.value} failed), {len(done.facts.findings)} findings"
    )
    for report in done.facts.ingest.files:
        if report.outcome == "rejected":
            click.echo(f"rejected  {visible(report.name)}: {visible(report.reason)}")
    unmet = [demand for demand, met, _ in contract if not met]
    for demand in unmet:
        click.echo(f"contract  not met: {demand}")
    for line in told_of(done):
        click.echo(line)
    click.echo(f"report    {html}")
    others = ", ".join(sorted(p.name for p in paths if p != html))
    click.echo(f"beside it {others}")


def _counted(fact: Fact, what: str) -> str:
    return f"{fact.value} {what}" + ("" if fact.value == 1 else "s")
