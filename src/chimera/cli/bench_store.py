"""Where ``chimera bench`` puts a run: the store, a folder, or both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import click

from chimera.errors import InputError, OutputError, StoreError
from chimera.measure.files import RUN_FILE
from chimera.record.run import Run
from chimera.record.runfile import Line, RunFile, RunWriter, Sink
from chimera.store.contract import Store
from chimera.store.opening import VARIABLE, open_store, unsaved_folder


def store_option(function: Callable[..., None]) -> Callable[..., None]:
    """The option ``--store`` of every command that reads or writes stored runs."""
    return click.option(
        "--store",
        metavar="URL",
        help="Where runs are kept: a file, or postgresql://user@host/database; by default "
        f"what {VARIABLE} says, or a file in your data folder.",
    )(function)


@contextmanager
def opened_store(url: str | None, *, existing: bool = False) -> Iterator[Store]:
    """As ``open_store``, with what killed runs of this machine have left brought in before."""
    with open_store(url, existing=existing) as store:
        unsaved = unsaved_folder(url)
        if unsaved.is_dir() and any(unsaved.iterdir()):
            from chimera.measure.recovery import recover

            for run_id, count in recover(store, unsaved).items():
                said = f"{count} requests that a kill of run {run_id} had kept from the store"
                click.echo(f"chimera: note: {said} are now in it", err=True)
        yield store


class Both:
    """A sink that gives each line to several others."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    def add(self, line: Line) -> None:
        """See ``Sink.add``."""
        for sink in self._sinks:
            sink.add(line)

    def flush(self) -> None:
        """See ``Sink.flush``."""
        for sink in self._sinks:
            sink.flush()

    def close(self) -> None:
        """See ``Sink.close``: one that fails keeps none of the others open."""
        first: OutputError | None = None
        for sink in self._sinks:
            try:
                sink.close()
            except OutputError as error:
                first = first or error
        if first is not None:
            raise first


class Place:
    """Where one run goes. ``earlier`` is what there is of a run that goes on, ``unsaved`` where
    its requests wait for the store; None without one.
    """

    def __init__(
        self, store: Store | None, resume: str | None, folder: Path | None, unsaved: Path | None
    ) -> None:
        self.folder = folder
        self.unsaved = unsaved
        self.earlier: RunFile | None = None
        self._store = store
        if store is not None and resume is not None:
            # Only read for now: whether the plan is that of the run is not known yet.
            self.earlier = store.read(store.find(resume))
            if self.earlier.end is not None and self.earlier.end.stopped == "complete":
                raise InputError(f"run {self.earlier.run.id} is complete: nothing is left to do")

    def begin(self, run: Run) -> Sink:
        """The sink of ``run``, for ``run_bench``."""
        sinks: list[Sink] = []
        if self._store is not None:
            sinks.append(self._goes_on(self._store, run.id) or self._store.begin(run))
        if self.folder is not None:
            writer = RunWriter(self.folder / RUN_FILE, run)
            sinks.append(writer)
            if self._store is not None:
                for line in self._store.lines(run.id):
                    writer.add(line)
        return Both(*sinks)

    def _goes_on(self, store: Store, run_id: str) -> Sink | None:
        """The sink of a run that is resumed."""
        if self.earlier is None:
            return None
        now, sink = store.resume(run_id)
        if len(now.requests) != len(self.earlier.requests):
            raise StoreError(f"another program writes run {run_id} as well")
        return sink

    def how_to_go_on(self, run_id: str) -> str:
        """The end of a sentence about a run that was stopped."""
        if self._store is None:
            return f" in {self.folder}"
        return f"; go on with the same options and --resume {run_id}"


@contextmanager
def keeping(
    url: str | None, no_store: bool, resume: str | None, output: Path | None
) -> Iterator[Place]:
    """Open where a run goes before anything is measured.

    A folder that nothing was written to is removed again.

    Raises:
        InputError: the options contradict each other, or there is a run in the folder.
        OutputError: the store cannot be opened, or the folder cannot be made.
    """
    if no_store and (url or resume):
        raise InputError(f"--no-store and {'--store' if url else '--resume'} exclude each other")
    folder = output
    if folder is None and no_store:
        folder = Path(f"bench-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    if folder is not None:
        RunWriter.refuse_existing(folder / RUN_FILE)
    try:
        with nullcontext() if no_store else opened_store(url) as store:
            if folder is not None:
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    why = error.strerror or error
                    raise OutputError(f"cannot make {folder}: {why}") from error
            yield Place(store, resume, folder, None if no_store else unsaved_folder(url))
    except BaseException:
        if folder is not None:
            with suppress(OSError):  # not empty: it was there before, or a run was begun
                folder.rmdir()
        raise
