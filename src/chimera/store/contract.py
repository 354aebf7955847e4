"""What every store does.

A run begins with its header and then grows line by line. A line that has been flushed survives
a kill of any process at any moment. One process writes a run at a time; any number may read
and write other runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Protocol, Self

import msgspec

from chimera.record.run import Run
from chimera.record.runfile import Line, RunFile, Sink


class StoredRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is listed: nothing of its samples is read for it.

    ``ended`` is "complete", "interrupted" or "errors", as ``RunEnd.stopped``, and "unfinished"
    where there is none: the run was killed, or still goes on. ``created`` is its zero in UTC,
    ISO 8601.
    """

    id: str
    created: str
    experiment: str
    model: str
    engine: str
    target: str
    requests: int
    failed: int
    ended: str
    tags: tuple[str, ...] = ()


class Store(Protocol):
    """A store of runs. Close it when done; it is a context manager.

    Raises, in all of its methods: StoreError where the database refuses. A password that its
    URL holds is in no message.
    """

    def begin(self, run: Run, *, tags: Sequence[str] = ()) -> Sink:
        """A new run. InputError if there is one of that id."""
        ...

    def resume(self, run_id: str) -> tuple[RunFile, Sink]:
        """What a run that is not complete holds, and a sink that goes on with it.

        InputError if there is no such run, or it is complete.
        """
        ...

    def read(self, run_id: str) -> RunFile:
        """A whole run. InputError if there is none, FormatError if it is broken."""
        ...

    def lines(self, run_id: str) -> Iterator[Line]:
        """The lines of a run after its header, in their order, a chunk at a time.

        InputError if there is no such run, FormatError if it is broken.
        """
        ...

    def header(self, run_id: str) -> Run:
        """What holds for a whole run. InputError if there is none, FormatError if broken."""
        ...

    def runs(
        self,
        *,
        experiment: str | None = None,
        tag: str | None = None,
        model: str | None = None,
        engine: str | None = None,
        limit: int | None = None,
    ) -> list[StoredRun]:
        """Runs that have all of what is given, the newest first."""
        ...

    def find(self, name: str) -> str:
        """The id that ``name`` stands for: itself, a unique beginning of it, or "latest".

        InputError if there is none, or more than one.
        """
        ...

    def tag(self, run_id: str, tags: Sequence[str]) -> None:
        """Add tags; those that it has already are no error."""
        ...

    def untag(self, run_id: str, tags: Sequence[str]) -> None:
        """Take tags away; those that it does not have are no error."""
        ...

    def delete(self, run_id: str) -> None:
        """Remove a run and all of its samples. InputError if there is none."""
        ...

    def close(self) -> None:
        """Let go of the database. A second call does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
