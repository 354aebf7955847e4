"""``chimera ingest FOLDER``: what each file holds, and what was noted about it."""

from __future__ import annotations

import click
import msgspec

from chimera.cli.running import Terminal
from chimera.cli.words import visible
from chimera.errors import InputError
from chimera.facts.notes import EXPLAINED
from chimera.ingest import ingest_folder


@click.command(name="ingest")
@click.argument("folder", type=click.Path())
@click.option("--notes", is_flag=True, help="Show the data notes too, with file and rows.")
@click.option("--max-file-mb", type=int, default=256, show_default=True,
              help="Files larger than this are rejected by name.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print files and notes as JSON.")
def command(folder: str, notes: bool, max_file_mb: int, as_json: bool) -> None:
    """Read every file of FOLDER and show its outcome: samples, summaries, document, rejected."""
    if max_file_mb <= 0:
        raise InputError(f"--max-file-mb {max_file_mb} must be above 0")
    terminal = Terminal()
    result = ingest_folder(folder, progress=terminal.progress, max_bytes=max_file_mb * 1_000_000)
    terminal.done()
    if as_json:
        content = {"folder": result.folder, "files": result.files, "notes": result.notes,
                   "skipped": result.skipped}  # fmt: skip
        click.echo(msgspec.json.format(msgspec.json.encode(content), indent=2))
        return
    width = min(60, max((len(f.name) for f in result.files), default=0))
    for report in result.files:
        counts = (
            (report.n_records, "record", "records"),
            (report.n_failed, "failed", "failed"),
            (report.n_repeated, "copy", "copies"),
            (report.n_summaries, "summary row", "summary rows"),
        )
        held = [_counted(*kind) for kind in counts if kind[0]]
        said = ", ".join(held) or visible(report.reason)
        click.echo(f"{report.outcome:<18} {visible(report.name):<{width}}  {said}")
        if report.unrecognised:
            names = ", ".join(visible(n) for n in report.unrecognised[:8])
            more = ", ..." if len(report.unrecognised) > 8 else ""
            click.echo(f"{'':<18} {'':<{width}}  not recognised: {names}{more}")
    for skipped in result.skipped:
        click.echo(f"{'left out':<18} {visible(skipped)}")
    if notes:
        click.echo()
        for note in result.notes:
            what, done = EXPLAINED.get(note.kind, (note.kind, ""))
            lines = f":{','.join(map(str, note.rows[:8]))}" if note.rows else ""
            about = " | ".join(visible(p) for p in (note.column, note.detail, note.other) if p)
            click.echo(
                f"{visible(note.file)}{lines}: {what} ({done})" + (f" [{about}]" if about else "")
            )
    rows = sum(f.n_records for f in result.files)
    hint = "" if notes else " (--notes shows them)"
    totals = (
        (len(result.files), "file", "files"),
        (rows, "record", "records"),
        (len(result.notes), "data note", "data notes"),
    )
    click.echo("\n" + ", ".join(_counted(*total) for total in totals) + hint)


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
