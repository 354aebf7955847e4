"""Stored runs as a folder of run files, for the verbs that read folders."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from chimera.cli.bench_store import opened_store, store_option
from chimera.errors import InputError
from chimera.measure.export import run_file_lines
from chimera.store.contract import Store

STORED_PLACES = (
    "a place in run/ID.jsonl is a line of the stored run ID, as `chimera runs export ID` prints it"
)
_NAMED = 3  # runs that a title names; of more it gives the count


class Source(msgspec.Struct, frozen=True):
    """A folder to read, what to call it, and where its report goes; "" for the usual."""

    folder: str
    shown: str = ""
    output: str = ""


def source_options(function: Callable[..., None]) -> Callable[..., None]:
    """FOLDER, or the options that choose stored runs instead."""
    for add in (
        store_option,
        click.option("--experiment", metavar="NAME", help="All stored runs of this experiment."),
        click.option("--run", "runs", metavar="ID", multiple=True,
                     help='A stored run instead of FOLDER: an id, its beginning, or "latest"; '
                     "may be given several times."),
        click.argument("folder", type=click.Path(), required=False),
    ):  # fmt: skip
        function = add(function)
    return function


@contextmanager
def source_of(asked: dict[str, Any]) -> Iterator[Source]:
    """What the options of ``source_options`` mean; they are taken out of ``asked``.

    Stored runs are written as run files into a folder that is gone afterwards; the files are
    called run/ID.jsonl, which is what `chimera runs export ID -o` writes, line for line.

    Raises:
        InputError: nothing is given, or a folder and stored runs, or there is no such run.
    """
    folder, runs = asked.pop("folder"), asked.pop("runs")
    experiment, url = asked.pop("experiment"), asked.pop("store")
    if folder is not None and (runs or experiment is not None or url is not None):
        raise InputError("FOLDER and stored runs (--run, --experiment, --store) exclude each other")
    if folder is not None:
        yield Source(folder)
        return
    if not runs and experiment is None:
        raise InputError("give a FOLDER, or stored runs: --run ID, --run latest, --experiment NAME")
    with (
        opened_store(url, existing=True) as store,
        tempfile.TemporaryDirectory(prefix="chimera-runs-") as made,
    ):
        ids = _chosen(store, runs, experiment)
        shown = _shown(ids, runs, experiment)
        name = _plain(shown.removeprefix("run "))
        place = Path(made) / "run"
        place.mkdir()
        for run_id in ids:
            _write(store, run_id, place)
        yield Source(made, shown, f"{name}-report")


def _chosen(store: Store, runs: Sequence[str], experiment: str | None) -> list[str]:
    ids = [store.find(name) for name in runs]
    if experiment is not None:
        found = [run.id for run in store.runs(experiment=experiment)]
        if not found:
            raise InputError(f"no run of an experiment {experiment!r} in the store")
        ids += found
    return list(dict.fromkeys(ids))


def _shown(ids: Sequence[str], runs: Sequence[str], experiment: str | None) -> str:
    if experiment is not None and not runs:
        return f"experiment {experiment}".replace("/", "-")
    named = ", ".join(f"run {run_id}" for run_id in ids[:_NAMED])
    return (named if len(ids) <= _NAMED else f"{len(ids)} runs").replace("/", "-")


def _write(store: Store, run_id: str, place: Path) -> None:
    path = place / f"{_plain(run_id)}.jsonl"
    with path.open("xb") as out:
        out.writelines(run_file_lines(store, run_id))
    # The file is as old as the run: what is said of it is the same tomorrow.
    begun = datetime.fromisoformat(store.header(run_id).zero_utc).timestamp()
    os.utime(path, (begun, begun))


def _plain(text: str) -> str:
    """As the name of a file: an id of an imported run may be any text."""
    return re.sub(r"[^\w.+-]+", "-", text).lstrip(".")[:120] or "run"
