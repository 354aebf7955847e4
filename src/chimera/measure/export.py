"""A stored run as a file, and a run file as a stored run.

jsonl is the run file of docs/run-format.md, line for line; json is one document
{format, version, run, lines}; csv is requests.csv; parquet has a row for each request.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from chimera.errors import InputError, OutputError
from chimera.measure.export_parquet import write_parquet
from chimera.measure.files import RUN_FILE, requests_csv
from chimera.record.runfile import FORMAT, VERSION, Header, assemble, read_lines
from chimera.store.contract import Store

FORMATS = ("jsonl", "json", "csv", "parquet")
_LINES_AT_ONCE = 10_000  # of an import, in one transaction


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file: ``new`` is False for a run that the store held already.

    ``fuller`` is True where the store holds more of the run than the file, which is cut off.
    """

    path: str
    run_id: str
    requests: int
    new: bool
    fuller: bool = False
    notes: tuple[str, ...] = ()


def format_of(path: Path) -> str:
    """The format that a file's suffix means.

    Raises:
        InputError: it means none.
    """
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise InputError(f"which format {path.name} should have is not clear; give --format")
    return suffix


def run_file_lines(store: Store, run_id: str) -> Iterator[bytes]:
    """The run file of a stored run, line by line."""
    yield msgspec.json.encode(Header(FORMAT, VERSION, store.header(run_id))) + b"\n"
    for line in store.lines(run_id):
        yield msgspec.json.encode(line) + b"\n"


def exported(store: Store, run_id: str, form: str) -> Iterable[bytes]:
    """A stored run in one of the formats that are text, piece by piece."""
    if form == "jsonl":
        return run_file_lines(store, run_id)
    if form == "csv":
        return [requests_csv(store.read(run_id)).encode()]
    document = {
        "format": FORMAT,
        "version": VERSION,
        "run": store.header(run_id),
        "lines": list(store.lines(run_id)),
    }
    return [msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"]


def export_run(store: Store, run_id: str, path: Path, form: str) -> None:
    """Write a stored run to ``path``, whole or not at all.

    Raises:
        InputError: there is no such run, or a file at ``path`` already.
        OutputError: it cannot be written.
        MissingExtra: parquet without its package.
    """
    if path.exists():
        raise InputError(f"{path} exists already; choose another name")
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        if form == "parquet":
            write_parquet(Path(temporary), store.read(run_id))
        else:
            with open(temporary, "wb") as out:
                out.writelines(exported(store, run_id, form))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        if temporary:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        raise


def import_run(store: Store, path: Path) -> Imported:
    """Put a run file, or the one of a bench's folder, into the store.

    A run that the store holds already with the same content, or with more, is left as it is.

    Raises:
        InputError: it cannot be read, or the store holds another run of that id, or less of it.
        FormatError: it is no run file, or broken.
        StoreError: it cannot be stored; nothing of it stays then.
    """
    file = path / RUN_FILE if path.is_dir() else path
    run, lines, notes = read_lines(file)
    assembled = assemble(str(file), run, lines, notes)
    requests, said = len(assembled.requests), assembled.notes
    try:
        sink = store.begin(run)
    except InputError:
        there = list(store.lines(run.id))
        if store.header(run.id) != run or there[: len(lines)] != lines:
            less = store.header(run.id) == run and lines[: len(there)] == there
            held = f"holds less of run {run.id}" if less else f"holds another run {run.id}"
            raise InputError(
                f"{file}: the store {held}; `chimera runs delete {run.id}` makes room for this one"
            ) from None
        return Imported(
            path=str(path),
            run_id=run.id,
            requests=requests,
            new=False,
            fuller=len(there) > len(lines),
            notes=said,
        )
    try:
        for count, line in enumerate(lines, start=1):
            sink.add(line)
            if count % _LINES_AT_ONCE == 0:
                sink.flush()
        sink.close()
    except BaseException:
        store.delete(run.id)
        raise
    return Imported(path=str(path), run_id=run.id, requests=requests, new=True, notes=said)
