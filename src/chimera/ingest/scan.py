"""Walking a folder: which files there are, without following loops or opening devices."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress

import msgspec

from chimera.errors import InputError


class Found(msgspec.Struct, frozen=True):
    """A file of the folder. ``name`` is relative, with "/" and only printable as UTF-8.

    ``problem`` says why it cannot be read at all ("" when it can).
    """

    path: str
    name: str
    size: int
    mtime_ns: int
    problem: str = ""


def printable(path: str) -> str:
    """A path as valid text: bytes that are no UTF-8 become the replacement character."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return path


def scan(folder: str, exclude: str = "") -> tuple[list[Found], list[str]]:
    """(files in order of their names, folders that were left out with the reason).

    Symbolic links to folders are followed once; a folder that was seen is not entered again.
    Hidden folders are left out, and so is ``exclude`` (where a report goes). Raises InputError when ``folder`` is none or cannot be read.
    """
    try:
        info = os.stat(folder)
    except OSError as error:
        raise InputError(f"cannot read the folder {printable(folder)!r}: {error.strerror}") from None
    if not stat.S_ISDIR(info.st_mode):
        raise InputError(f"{printable(folder)!r} is no folder; give the folder that holds the files")
    skipped: list[str] = []
    seen = {(info.st_dev, info.st_ino)}
    if exclude:
        with suppress(OSError):
            left_out = os.stat(exclude)
            seen.add((left_out.st_dev, left_out.st_ino))
    files = list(_walk(folder, "", seen, skipped))
    files.sort(key=lambda f: f.name)
    return files, skipped


def _walk(
    folder: str, prefix: str, seen: set[tuple[int, int]], skipped: list[str]
) -> Iterator[Found]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError as error:
        if not prefix:
            raise InputError(
                f"cannot read the folder {printable(folder)!r}: {error.strerror}"
            ) from None
        skipped.append(f"{printable(prefix)}: {error.strerror}")
        return
    for entry in entries:
        name = prefix + entry.name
        try:
            if entry.is_dir(follow_symlinks=True):
                if entry.name.startswith("."):
                    skipped.append(f"{printable(name)}/: hidden")
                    continue
                info = entry.stat(follow_symlinks=True)
                key = (info.st_dev, info.st_ino)
                if key in seen:
                    skipped.append(f"{printable(name)}/: a link to a folder that is read already")
                    continue
                seen.add(key)
                yield from _walk(entry.path, name + "/", seen, skipped)
            else:
                info = entry.stat(follow_symlinks=True)
                problem = "" if stat.S_ISREG(info.st_mode) else "it is a device, pipe or socket"
                yield Found(entry.path, printable(name), info.st_size, info.st_mtime_ns, problem)
        except OSError as error:
            yield Found(entry.path, printable(name), 0, 0, _why(error))


def _why(error: OSError) -> str:
    return f"it cannot be opened: {error.strerror or error}"


def read_whole(found: Found) -> tuple[bytes, bool, str]:
    """(content, whether it changed while it was read, problem).

    A file that changes is read a second time; what the second reading gave is kept.
    """
    changed = False
    for attempt in (1, 2):
        try:
            with open(found.path, "rb", buffering=0) as handle:
                before = os.fstat(handle.fileno())
                data = handle.readall()
                after = os.fstat(handle.fileno())
        except OSError as error:
            return b"", False, _why(error)
        moved = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
        if not moved and len(data) == after.st_size:
            return data, changed, ""
        changed = True
        if attempt == 2:
            break
    return data, True, ""
