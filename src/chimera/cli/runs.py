"""``chimera runs``: list, show, tag, delete, export and import stored runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from chimera.cli.bench_store import opened_store, store_option
from chimera.cli.words import aligned, visible
from chimera.errors import InputError
from chimera.measure.export import FORMATS, export_run, exported, format_of, import_run
from chimera.measure.names import names_of
from chimera.record.run import Run
from chimera.record.runfile import RunFile
from chimera.store.contract import Store, StoredRun

_HEAD = ("id", "experiment", "model", "engine", "requests", "failed", "ended", "tags")


class _Group(click.Group):
    """Without a verb it lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("-h", "--help")):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(name="runs", cls=_Group)
def command() -> None:
    """List, show, tag, delete, export and import stored runs.

    ID is a run's id, the beginning of one, or "latest". Without a verb the runs are listed.
    """


def _json_option(function: Callable[..., None]) -> Callable[..., None]:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


@command.command(name="list")
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment.")
@click.option("--tag", metavar="TAG", help="Only runs with this tag.")
@click.option("--model", metavar="NAME", help="Only runs of this model.")
@click.option("--engine", metavar="NAME", help="Only runs of this engine.")
@click.option(
    "--limit", type=click.IntRange(1, 1_000_000_000), help="At most so many, the newest first."
)
@store_option
@_json_option
def list_(store: str | None, as_json: bool, **wanted: Any) -> None:
    """List runs, the newest first."""
    with opened_store(store, existing=True) as opened:
        runs = opened.runs(**wanted)
    if as_json:
        _print_json(runs)
    elif runs:
        for line in aligned([_HEAD, *map(_row, runs)]):
            click.echo(line)
    else:
        click.echo("no run; `chimera bench` makes one", err=True)


@command.command()
@click.argument("name", metavar="ID")
@store_option
@_json_option
def show(name: str, store: str | None, as_json: bool) -> None:
    """Show what was measured, how it ended, and what is known of the machine."""
    with opened_store(store, existing=True) as opened:
        run_id = opened.find(name)
        stored, file = _stored(opened, run_id), opened.read(run_id)
    if as_json:
        _print_json({"stored": stored, "run": file.run, "end": file.end, "notes": file.notes})
        return
    for label, text in _about(stored, file):
        click.echo(f"{label:<14} {visible(text)}")


@command.command()
@click.argument("name", metavar="ID")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@store_option
def tag(name: str, tags: tuple[str, ...], store: str | None) -> None:
    """Add tags to a run."""
    if any(not text.strip() for text in tags):
        raise InputError("a tag is a word, not an empty text")
    with opened_store(store, existing=True) as opened:
        opened.tag(opened.find(name), tags)


@command.command()
@click.argument("name", metavar="ID")
@click.argument("tags", metavar="TAG...", nargs=-1, required=True)
@store_option
def untag(name: str, tags: tuple[str, ...], store: str | None) -> None:
    """Take tags from a run."""
    with opened_store(store, existing=True) as opened:
        opened.untag(opened.find(name), tags)


@command.command()
@click.argument("names", metavar="ID...", nargs=-1, required=True)
@click.option("--yes", is_flag=True, help="Do not ask.")
@store_option
def delete(names: tuple[str, ...], yes: bool, store: str | None) -> None:
    """Remove runs and all of their samples, for good."""
    with opened_store(store, existing=True) as opened:
        ids = list(dict.fromkeys(map(opened.find, names)))
        if not yes:
            _ask([_stored(opened, run_id) for run_id in ids])
        for run_id in ids:
            opened.delete(run_id)
            click.echo(f"deleted {visible(run_id)}")


@command.command()
@click.argument("name", metavar="ID")
@click.option("--output", "-o", type=click.Path(path_type=Path), metavar="PATH",
              help="File to write; without it text goes to standard output.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS),
              help="By default what PATH ends in; jsonl without PATH.")  # fmt: skip
@click.option("--mlflow", "uri", metavar="URI", help="Make a run on this MLflow server as well.")
@click.option("--mlflow-experiment", metavar="NAME",
              help="Where there; by default the run's experiment, or chimera.")  # fmt: skip
@store_option
def export(
    name: str,
    *,
    output: Path | None,
    form: str | None,
    uri: str | None,
    mlflow_experiment: str | None,
    store: str | None,
) -> None:
    """Write a run as a file: jsonl (the run file), json, csv or parquet (a row per request)."""
    if form == "parquet" and output is None:
        raise InputError("parquet is no text; give a file with -o")
    kind = form or (format_of(output) if output else "jsonl")
    with opened_store(store, existing=True) as opened:
        run_id = opened.find(name)
        if output is not None:
            export_run(opened, run_id, output, kind)
            click.echo(f"wrote {visible(str(output))}", err=True)
        elif form or not uri:
            for piece in exported(opened, run_id, kind):
                click.echo(piece, nl=False)
        if uri:
            _to_mlflow(opened, run_id, uri, mlflow_experiment)


@command.command(name="import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True,
                type=click.Path(path_type=Path))  # fmt: skip
@store_option
@_json_option
def import_(paths: tuple[Path, ...], store: str | None, as_json: bool) -> None:
    """Store run files, or the folders of benches that hold one.

    A run that is there already, or more of it, is left as it is; another one of its id is refused.
    """
    done = []
    with opened_store(store) as opened:
        for path in paths:
            found = import_run(opened, path)
            done.append(found)
            for note in found.notes:
                click.echo(f"{visible(found.path)}: {note}", err=True)
            if not as_json:
                what = "imported" if found.new else "was there already, with the same content:"
                if found.fuller:
                    what = "nothing to do, the store holds more of it than this file:"
                click.echo(f"{what} {visible(found.run_id)} ({found.requests} requests)")
    if as_json:
        _print_json(done)


def _to_mlflow(store: Store, run_id: str, uri: str, experiment: str | None) -> None:
    from chimera.measure.export_mlflow import export_to_mlflow

    stored = _stored(store, run_id)
    goal = experiment or stored.experiment or "chimera"
    there = export_to_mlflow(store, run_id, uri, goal, stored.tags)
    click.echo(f"run {there} of MLflow's experiment {visible(goal)}", err=True)


def _ask(runs: Sequence[StoredRun]) -> None:
    if not sys.stdin.isatty():
        raise InputError("deleting asks on a terminal, and there is none; give --yes")
    for run in runs:
        click.echo(f"{visible(run.id)}  {visible(run.model)}  {run.requests} requests", err=True)
    click.confirm("Delete for good?", abort=True, err=True)


def _stored(store: Store, run_id: str) -> StoredRun:
    found = [run for run in store.runs() if run.id == run_id]
    if not found:
        raise InputError(f"no run {run_id!r}: it was deleted meanwhile")
    return found[0]


def _row(run: StoredRun) -> tuple[str, ...]:
    cells = (run.id, run.experiment, run.model, run.engine, run.requests, run.failed)
    return (*(visible(str(cell)) for cell in cells), run.ended, visible(", ".join(run.tags)))


def _about(stored: StoredRun, file: RunFile) -> list[tuple[str, str]]:
    run: Run = file.run
    machine = run.environment
    lines = [
        ("run", run.id),
        ("begun", run.zero_utc),
        ("experiment", run.experiment),
        ("tags", ", ".join(stored.tags)),
        ("model", " ".join(filter(None, (run.model.name, run.model.quantization)))),
        ("engine", f"{run.engine} {run.engine_version or ''}".rstrip()),
        ("target", run.target),
        ("workload", f"{run.workload.name}, {len(run.workload.prompts)} prompts"),
        *(("configuration", name) for name in names_of(run.configurations).values()),
        ("requests", f"{stored.requests}, {stored.failed} failed"),
        ("ended", stored.ended),
        ("machine", f"{machine.cpu_model or 'CPU not known'}, {machine.os}"),
        ("command", run.command),
        *(("note", note) for note in (file.end.notes if file.end else file.notes)),
    ]
    return [(label, text) for label, text in lines if text]


def _print_json(value: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
