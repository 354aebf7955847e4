"""The reports that an audit is given: files, folders of files, standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from chimera.audit.annotated import MARK
from chimera.audit.own import Ledger, read_ledger
from chimera.errors import InputError
from chimera.ingest.text import decode, is_binary

SUFFIXES = (".md", ".markdown", ".html", ".htm")
STDIN = "-"
_MOST = 64 * 1024 * 1024  # bytes: no report is longer


class Given(msgspec.Struct, frozen=True):
    """A report to read; ``path`` None is standard input."""

    name: str
    path: Path | None


def find_reports(asked: Sequence[str]) -> list[Given]:
    """Every report once, those of folders in the order of their names.

    Raises:
        InputError: there is no such file, or no report in a folder.
    """
    found: dict[str, Given] = {}
    for word in asked:
        for given in _of(word):
            found.setdefault(str(given.path), given)
    return list(found.values())


def _of(word: str) -> list[Given]:
    if word == STDIN:
        return [Given("standard input", None)]
    path = Path(word)
    if not path.exists():
        raise InputError(f"no report {word!r}; give a Markdown or HTML file, a folder, or -")
    if not path.is_dir():
        return [Given(word, path)]
    files = sorted(
        Path(folder, file)
        for folder, _, names in os.walk(path)
        for file in names
        if file.lower().endswith(SUFFIXES) and not _is_ours(Path(folder, file))
    )
    if not files:
        raise InputError(f"no report in {word!r}: it holds none of {', '.join(SUFFIXES)}")
    return [Given(str(file), file) for file in files]


def _is_ours(path: Path) -> bool:
    """Whether it is a page that an audit wrote; what cannot be opened is said when it is read."""
    try:
        with path.open("rb") as file:
            return file.read(len(MARK)) == MARK.encode()
    except OSError:
        return False


def ledger_of(given: Given) -> Ledger | None:
    """The ledger of one of Chimera's own reports: the ``.json`` of the same name beside it."""
    if given.path is None:
        return None
    try:
        return read_ledger(given.path.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        return None


def read_report(given: Given) -> str:
    """A report's text with its line ends as they are.

    Raises:
        InputError: it cannot be read, or holds no text.
    """
    try:
        if given.path is None:
            data = sys.stdin.buffer.read(_MOST + 1)
        else:
            with given.path.open("rb") as file:
                data = file.read(_MOST + 1)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"cannot read {given.name!r}: {why}; check its permissions") from error
    if len(data) > _MOST:
        raise InputError(f"{given.name!r} is larger than {_MOST // 2**20} MiB; split it")
    if is_binary(data):
        raise InputError(f"{given.name!r} is no text; give a Markdown or HTML report")
    text, how = decode(data)
    if how.endswith("damaged"):
        raise InputError(f"{given.name!r} is {how}; save it as UTF-8")
    if not text.strip():
        raise InputError(f"{given.name!r} is empty; there is nothing to check")
    return text
