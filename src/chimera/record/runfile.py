"""The file of one run: JSON lines, versioned, complete up to the last line at any moment.

    line 1      {"format": "chimera-run", "version": 1, "run": {...}}    a ``Run``
    then        {"type": "start", ...}      an ``EngineStart`` per configuration
                {"type": "request", ...}    a ``Request`` each, in the order of their end
                {"type": "block", ...}      a ``Block`` after its last request
                {"type": "watched", ...}    a ``Watched`` per monitor and moment
    last        {"type": "end", ...}        a ``RunEnd``; missing if the program was killed

Every line is one write, so a kill loses at most what had not been added by then.
``docs/run-format.md`` describes each field; change both together.

History of the format:

    1   first version
    2   loads (closed and open), blocks, monitors, connections, reasoning, the client's own lag
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import msgspec

from chimera.errors import FormatError, InputError, OutputError
from chimera.record.request import Block, EngineStart, Request, RunEnd, Watched
from chimera.record.run import Run

FORMAT = "chimera-run"
VERSION = 2

Line = EngineStart | Request | Block | Watched | RunEnd


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The first line."""

    format: str
    version: int
    run: Run


class _AnyHeader(msgspec.Struct, frozen=True):
    """As much of the first line as every version has."""

    format: str
    version: int


class Sink(Protocol):
    """Where a run's records go while it is measured."""

    def add(self, line: Line) -> None:
        """Take one record. Raises OutputError when it cannot be kept."""
        ...

    def flush(self) -> None:
        """When this returns, a kill of the program loses nothing that was added."""
        ...

    def close(self) -> None:
        """Flush and let go; a second call does nothing."""
        ...


class RunFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds. ``end`` is None if the run was killed before its end.

    ``notes`` says what is wrong with the file without making it useless.
    """

    run: Run
    starts: tuple[EngineStart, ...]
    requests: tuple[Request, ...]
    end: RunEnd | None
    blocks: tuple[Block, ...] = ()
    watched: tuple[Watched, ...] = ()
    notes: tuple[str, ...] = ()


class RunWriter:
    """Writes a run file, line by line. Each line reaches the system before ``add`` returns."""

    @staticmethod
    def refuse_existing(path: Path) -> None:
        """Raise InputError if there is a run at ``path``, before anything is measured."""
        if path.exists():
            raise InputError(f"{path} holds a run already; choose another folder")

    def __init__(self, path: Path, run: Run) -> None:
        """Make the file and write its first line.

        Raises:
            InputError: there is such a file already; a run is never overwritten.
            OutputError: it cannot be made or written.
        """
        self._path = path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._handle = os.open(path, flags, 0o644)
        except FileExistsError:
            raise InputError(f"{path} holds a run already; choose another folder") from None
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        self._open = True
        try:
            self._write(Header(FORMAT, VERSION, run))
        except OutputError:
            self.close()
            with suppress(OSError):
                path.unlink()
            raise

    def add(self, line: Line) -> None:
        """Append one record.

        Raises:
            OutputError: the disk is full, or the file cannot be written.
        """
        self._write(line)

    def flush(self) -> None:
        """Do nothing: each line has reached the system already."""

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._open:
            self._open = False
            os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write(self, line: Line | Header) -> None:
        data = msgspec.json.encode(line) + b"\n"
        try:
            while data:
                data = data[os.write(self._handle, data) :]
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            why = "the disk is full" if full else error.strerror or str(error)
            raise OutputError(
                f"cannot write {self._path}: {why}; what was measured before is kept"
            ) from error


def read_run(path: Path) -> RunFile:
    """Read a run file.

    A last line that was cut off by a kill is left out and noted; anything else that is not
    as described is an error.

    Raises:
        InputError: the file cannot be read.
        FormatError: it is no run file, newer than this program, or broken; names the line.
    """
    run, records, notes = read_lines(path)
    return assemble(str(path), run, records, notes)


def read_lines(path: Path) -> tuple[Run, list[Line], list[str]]:
    """The header of a run file, its lines in their order, and notes; as ``read_run``.

    Each line is as described; whether they fit together, ``assemble`` finds out.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    lines = data.split(b"\n")
    cut = lines.pop()  # b"" after a whole last line
    if not lines:
        raise FormatError(f"{path}:1: not a run file: no whole line")
    run = _read_header(path, lines[0])
    records = [_read_line(path, n, line) for n, line in enumerate(lines[1:], start=2)]
    notes = [f"line {len(lines) + 1} was cut off and is left out"] if cut else []
    return run, records, notes


def _read_header(path: Path, line: bytes) -> Run:
    try:
        header = msgspec.json.decode(line, type=_AnyHeader)
    except msgspec.MsgspecError as error:
        raise FormatError(f"{path}:1: not a run file: {error}") from None
    if header.format != FORMAT:
        raise FormatError(f"{path}:1: not a run file: its format is {header.format!r}")
    if header.version > VERSION:
        raise FormatError(
            f"{path}:1: version {header.version} of the run format is newer than this program, "
            f"which reads up to {VERSION}; update chimera-lab"
        )
    if header.version < 1:
        raise FormatError(f"{path}:1: there is no version {header.version} of the run format")
    try:
        return msgspec.json.decode(line, type=Header).run
    except msgspec.MsgspecError as error:
        raise FormatError(f"{path}:1: {error}") from None


def _read_line(path: Path, number: int, line: bytes) -> Line:
    try:
        return _decoder.decode(line)
    except msgspec.MsgspecError as error:
        raise FormatError(f"{path}:{number}: {error}") from None


_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def assemble(path: str, run: Run, records: Sequence[Line], notes: list[str]) -> RunFile:
    """A run from its header and its lines, in order; ``path`` names them in an error.

    Raises:
        FormatError: the lines contradict each other.
    """
    known = {configuration.index for configuration in run.configurations}
    starts: list[EngineStart] = []
    requests: dict[int, Request] = {}
    blocks: list[Block] = []
    watched: list[Watched] = []
    end: RunEnd | None = None
    for number, record in enumerate(records, start=2):
        if end is not None:
            raise FormatError(f"{path}:{number}: a line after the end line")
        if isinstance(record, RunEnd):
            end = record
            continue
        if isinstance(record, Watched):
            watched.append(record)
            continue
        if record.configuration not in known:
            raise FormatError(f"{path}:{number}: no configuration {record.configuration} in line 1")
        if isinstance(record, EngineStart):
            starts.append(record)
        elif isinstance(record, Block):
            blocks.append(record)
        elif record.index in requests:
            raise FormatError(f"{path}:{number}: request {record.index} stands twice")
        else:
            requests[record.index] = record
    if end is None:
        notes.append("no end line: the run was ended from outside, or still goes on")
    else:
        _check_counts(path, len(records) + 1, end, requests)
    return RunFile(
        run=run,
        starts=tuple(starts),
        requests=tuple(requests.values()),
        end=end,
        blocks=tuple(blocks),
        watched=tuple(watched),
        notes=tuple(notes),
    )


def _check_counts(path: str, number: int, end: RunEnd, requests: dict[int, Request]) -> None:
    failed = sum(1 for request in requests.values() if request.error is not None)
    if (end.requests, end.failed) != (len(requests), failed):
        raise FormatError(
            f"{path}:{number}: the end line counts {end.requests} requests, {end.failed} failed; "
            f"the file holds {len(requests)}, {failed} failed"
        )
