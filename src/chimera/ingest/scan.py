"""Walking a folder: which files there are, without following loops or opening devices."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from operator import attrgetter

import msgspec

from chimera.errors import InputError

# A pipe that took a file's place since the folder was listed must not hang the reading.
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 24
_by_name = attrgetter("name")


class Found(msgspec.Struct, frozen=True):
    """A file of the folder. ``name`` is relative, with "/" and only printable as UTF-8.

    ``problem`` says why it cannot be read at all ("" when it can).
    """

    path: str
    name: str
    problem: str = ""


class Content(msgspec.Struct):
    """What reading a file gave. ``data`` is None where ``problem`` says why.

    ``changed``: it changed while it was read, and this is the second reading.
    """

    size: int
    mtime_ns: int
    data: bytes | None = None
    changed: bool = False
    problem: str = ""


def printable(path: str) -> str:
    """A path as valid text: bytes that are no UTF-8 become the replacement character."""
    if path.isascii():
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def scan(folder: str, exclude: str = "") -> tuple[list[Found], list[str]]:
    """(files in order of their names, folders that were left out with the reason).

    Symbolic links to folders are followed once; a folder that was seen is not entered again.
    Hidden folders are left out, and so is ``exclude`` (where a report goes).

    Raises:
        InputError: ``folder`` is none, or cannot be read.
    """
    shown = repr(printable(folder))
    try:
        info = os.stat(folder)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the folder {shown}: {why}") from None
    if not stat.S_ISDIR(info.st_mode):
        raise InputError(f"{shown} is no folder; give the folder that holds the files")
    skipped: list[str] = []
    seen = {(info.st_dev, info.st_ino)}
    if exclude:
        with suppress(OSError):
            left_out = os.stat(exclude)
            seen.add((left_out.st_dev, left_out.st_ino))
    files = list(_walk(folder, seen, skipped))
    files.sort(key=_by_name)
    skipped.sort()
    return files, skipped


def _walk(top: str, seen: set[tuple[int, int]], skipped: list[str]) -> Iterator[Found]:
    """Every file of a folder and of those in it.

    Folders wait in lists, so that no depth of them is too much; links to folders wait until the
    last, so that a folder is read under its own name.
    """
    waiting = [(top, "")]
    links: list[tuple[str, str]] = []
    while waiting or links:
        folder, prefix = waiting.pop() if waiting else links.pop(0)
        if prefix and not _enter(folder, prefix, seen, skipped):
            continue
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=_by_name)
        except OSError as error:
            if not prefix:
                shown = repr(printable(folder))
                raise InputError(f"cannot read the folder {shown}: {error.strerror}") from None
            skipped.append(f"{printable(prefix)}: {error.strerror}")
            continue
        for entry in entries:
            try:
                if entry.is_file(follow_symlinks=False):
                    yield Found(entry.path, printable(prefix + entry.name))
                elif entry.is_dir():
                    place = links if entry.is_symlink() else waiting
                    place.append((entry.path, prefix + entry.name + "/"))
                else:
                    regular = stat.S_ISREG(entry.stat().st_mode)
                    problem = "" if regular else "it is a device, pipe or socket"
                    yield Found(entry.path, printable(prefix + entry.name), problem)
            except OSError as error:
                yield Found(entry.path, printable(prefix + entry.name), _why(error))


def _enter(path: str, prefix: str, seen: set[tuple[int, int]], skipped: list[str]) -> bool:
    """Whether a folder is to be read; ``skipped`` is told why not."""
    if prefix.rpartition("/")[0].rpartition("/")[2].startswith("."):
        skipped.append(f"{printable(prefix)}: hidden")
        return False
    try:
        info = os.stat(path)
    except OSError as error:
        skipped.append(f"{printable(prefix)}: {error.strerror}")
        return False
    key = (info.st_dev, info.st_ino)
    if key in seen:
        skipped.append(f"{printable(prefix)}: a link to a folder that is read already")
        return False
    seen.add(key)
    return True


def _why(error: OSError) -> str:
    return f"it cannot be opened: {error.strerror or error}"


def glance(found: Found) -> Content:
    """Size and time of a file that is not read."""
    try:
        info = os.stat(found.path)
    except OSError as error:
        return Content(0, 0, problem=_why(error))
    return Content(info.st_size, info.st_mtime_ns)


def read_whole(found: Found, max_bytes: int) -> Content:
    """The content of a file of at most ``max_bytes``; without data where there is a problem.

    A file that changes is read a second time; what the second reading gave is kept.
    """
    content = _read_once(found, max_bytes)
    if content.changed:
        content = _read_once(found, max_bytes)
        content.changed = True
    return content


def _read_once(found: Found, max_bytes: int) -> Content:
    try:
        handle = os.open(found.path, _OPEN)
    except OSError as error:
        return Content(0, 0, problem=_why(error))
    try:
        before = os.fstat(handle)
        size = before.st_size
        content = Content(size, before.st_mtime_ns)
        if not stat.S_ISREG(before.st_mode):
            content.problem = "it is a device, pipe or socket"
            return content
        if size > max_bytes:
            content.problem = (
                f"it is larger ({size / 1e6:.0f} MB) than the limit of "
                f"{max_bytes // 1_000_000} MB for one file; raise it with --max-file-mb"
            )
            return content
        data = _read_up_to(handle, size + 1)
        after = os.fstat(handle)
    except OSError as error:
        return Content(0, 0, problem=f"it cannot be read: {error.strerror or error}")
    finally:
        os.close(handle)
    content.data = data
    content.changed = len(data) != after.st_size or before.st_mtime_ns != after.st_mtime_ns
    return content


def _read_up_to(handle: int, wanted: int) -> bytes:
    data = os.read(handle, min(wanted, _CHUNK))
    if len(data) in (0, wanted - 1):
        return data  # all of it, or one byte less than asked for: the usual end
    parts, got = [data], len(data)
    while got < wanted and (part := os.read(handle, min(wanted - got, _CHUNK))):
        parts.append(part)
        got += len(part)
    return b"".join(parts)
