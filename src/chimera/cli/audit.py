"""``chimera audit REPORT...``: check reports against the data that they claim to describe."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from chimera.audit import Audit, Auditor
from chimera.audit.as_json import as_json
from chimera.audit.suggest import suggest
from chimera.cli.audit_output import show_one, show_summary
from chimera.cli.audit_reports import Given, find_reports, ledger_of, read_report
from chimera.cli.bench_store import store_option
from chimera.cli.running import Terminal
from chimera.cli.stored import source_of
from chimera.cli.words import visible
from chimera.errors import InputError
from chimera.ingest import ingest_folder
from chimera.report.writing import write_report


@click.command(name="audit")
@click.argument("reports", metavar="REPORT...", nargs=-1, required=True)
@click.option("--data", type=click.Path(), metavar="FOLDER",
              help="The data that the reports describe; without it they are checked against "
              "themselves alone.")  # fmt: skip
@click.option("--run", "runs", metavar="ID", multiple=True,
              help='A stored run instead of a folder: an id, its beginning, or "latest"; '
              "may be given several times.")  # fmt: skip
@click.option("--experiment", metavar="NAME", help="All stored runs of this experiment.")
@store_option
@click.option("--all", "everything", is_flag=True, help="List supported claims as well.")
@click.option("--json", "as_lines", is_flag=True,
              help="Print one JSON object a line, one for each report.")  # fmt: skip
@click.option("--suggest", "suggesting", is_flag=True,
              help="Print the right values as a unified diff of one report.")  # fmt: skip
@click.option("--html", type=click.Path(path_type=Path), metavar="PATH",
              help="Write the report with every claim marked: a file, or a folder "
              "for several reports.")  # fmt: skip
@click.option("--strict", is_flag=True,
              help="Exit with 1 where a claim is contradicted, misattributed, inconsistent or "
              "fabricated.")  # fmt: skip
def command(
    *,
    reports: tuple[str, ...],
    everything: bool,
    as_lines: bool,
    suggesting: bool,
    html: Path | None,
    strict: bool,
    **asked: Any,
) -> None:
    """Check reports claim by claim against the data that they describe.

    REPORT is a Markdown or HTML file, a folder of them, or - for standard input.
    """
    if suggesting and as_lines:
        raise InputError("--suggest and --json both print on standard output; give one of them")
    found = find_reports(reports)
    if suggesting and len(found) > 1:
        raise InputError(f"--suggest takes one report and {len(found)} are given")
    goals = _goals(html, found) if html else []
    terminal = Terminal()
    audits: list[Audit] = []
    wrong = False
    with auditor_for(asked, terminal) as auditor:
        for i, given in enumerate(found):
            if len(found) > 1:
                terminal.progress(i, len(found), given.name)
            audit = auditor.audit(read_report(given), name=given.name, ledger=ledger_of(given))
            wrong = wrong or any(claim.is_bad for claim in audit.claims)
            if goals:
                _write_page(goals[i], audit)
            if as_lines:
                terminal.done()
                click.echo(json.dumps(as_json(audit), ensure_ascii=False))
            else:
                audits.append(audit)
    terminal.done()
    if suggesting:
        _suggest(audits[0])
    elif len(audits) == 1:
        show_one(audits[0], everything=everything)
    elif audits:
        show_summary(audits)
    if html:
        click.echo(f"page{'s' if len(goals) > 1 else ''}  {html}", err=True)
    if strict and wrong:
        raise click.exceptions.Exit(1)


@contextmanager
def auditor_for(asked: dict[str, Any], terminal: Terminal) -> Iterator[Auditor]:
    """The auditor of the folder or the stored runs that were asked for, or of no data at all."""
    folder = asked.pop("data")
    chosen = {"folder": folder, **asked}
    if not any(chosen.values()):
        yield Auditor(None)
        return
    if folder is not None and not Path(folder).is_dir():
        raise InputError(f"--data {folder!r} is no folder; give the folder that holds the results")
    terminal.say("reading the data")
    with source_of(chosen) as source:
        ingest = ingest_folder(source.folder, progress=terminal.progress)
        auditor = Auditor.of(ingest, source.shown or str(source.folder))
        yield auditor


def _goals(html: Path, found: Sequence[Given]) -> list[Path]:
    """Where the page of each report goes; a folder for several, by their names."""
    if len(found) == 1 and not html.is_dir():
        return [html]
    goals, taken = [], set()
    for given in found:
        base = name = given.name.replace("/", "-").replace("\\", "-").lstrip(".") or "report"
        number = 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        goals.append(html / f"{name}.audit.html")
    return goals


def _write_page(goal: Path, audit: Audit) -> None:
    from chimera.audit.annotated import to_html

    write_report(goal.parent, {goal.name: to_html(audit).encode()})


def _suggest(audit: Audit) -> None:
    done = suggest(audit)
    click.echo(done.diff, nl=False)
    for claim in done.left:
        line = audit.line(claim.start)
        click.echo(
            f"not changed  line {line}: {visible(claim.text)}  {claim.label}: "
            f"{visible(claim.reason)}",
            err=True,
        )
    click.echo(f"{len(done.changed)} changed, {len(done.left)} left as they are", err=True)
