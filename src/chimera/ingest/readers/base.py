"""What every reader has: a look at the content that says whether it is its own, then the reading.

A reader turns text into raw tables and says what it refused. It names what it recognises in its
docstring and never guesses.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chimera.ingest.tables import Note, RawTable

Tables = tuple[list[RawTable], str]  # the tables; why there are none, "" when there are


class Content(msgspec.Struct):
    """The text of one file. ``type`` is what its name says ("CSV", "JSON" ...).

    ``notes`` takes what a reader of the report must know.
    """

    file: str
    type: str
    text: str
    notes: list[Note]

    def note(
        self, kind: str, rows: tuple[int, ...] = (), column: str = "", detail: str = ""
    ) -> None:
        """Add a data note about this file."""
        self.notes.append(Note(kind, self.file, rows, column, detail))


class Reader(msgspec.Struct, frozen=True):
    """A format. ``sniff`` must be cheap: every file is shown to it."""

    name: str
    sniff: Callable[[Content], bool]
    read: Callable[[Content], Tables]
