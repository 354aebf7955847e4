"""What a killed run had received and not stored yet: decoded and put into the store.

See ``spool``. A recovered request is judged as in the run itself; only a failure's words may be
plainer (see ``engines.kept``).
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from chimera.engines.kept import KeptEngine, Pieces, restored
from chimera.errors import FormatError, InputError, StoreError
from chimera.measure.clock import RunClock
from chimera.measure.load import Ended
from chimera.measure.recording import Step, recorded
from chimera.measure.spool import Entry, entries
from chimera.measure.workloads import WorkloadPrompt
from chimera.record.request import Request
from chimera.record.run import Options
from chimera.record.runfile import RunFile
from chimera.store.contract import Store


def recover(store: Store, unsaved: Path) -> dict[str, int]:
    """Bring into the store what killed runs have left in the folder ``unsaved``.

    Runs that still go on are left alone, and what belongs to runs that the store does not hold
    stays where it is. Returns how many requests were recovered of each run that had some.

    Raises:
        StoreError: the store cannot be written; nothing is lost by that.
    """
    found: dict[str, int] = {}
    for folder in sorted(path for path in unsaved.glob("*") if path.is_dir()):
        with _alone(folder) as alone:
            if not alone:
                continue
            try:
                count = _recover(store, folder)
            except (InputError, FormatError, OSError, msgspec.MsgspecError):
                continue  # of another store, or of a later version
            shutil.rmtree(folder, ignore_errors=True)
        if count:
            found[folder.name] = count
    return found


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether nobody else writes or reads there; nobody will meanwhile."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(lock)


def _recover(store: Store, folder: Path) -> int:
    whole: list[tuple[Entry, Pieces]] = []
    for process in _processes(folder):
        pieces: dict[int, Pieces] = {}
        found = [entry for path in process for entry in entries(path)]
        for entry in sorted(found, key=lambda entry: entry.number):
            pieces.setdefault(entry.serial, []).extend(entry.pieces)
            if entry.exchange is not None:
                whole.append((entry, pieces.pop(entry.serial)))
    file = store.read(folder.name)
    missing = _missing(file, whole)
    if missing:
        now, sink = store.resume(folder.name)
        if len(now.requests) != len(file.requests):
            raise StoreError(f"another program writes run {folder.name} as well")
        for request in missing:
            sink.add(request)
        sink.close()
    return len(missing)


def _processes(folder: Path) -> list[list[Path]]:
    """The files of each process that wrote there."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        found.setdefault(path.name.rpartition("-")[0], []).append(path)
    return list(found.values())


def _missing(file: RunFile, whole: list[tuple[Entry, Pieces]]) -> list[Request]:
    """The records of those requests that the run does not hold."""
    stored = Counter(_key(request) for request in file.requests)
    options = {c.index: c.options for c in file.run.configurations}
    warm: set[Options] = {
        options[request.configuration] for request in file.requests if request.error is None
    }
    index = 1 + max((request.index for request in file.requests), default=-1)
    missing = []
    for entry, pieces in sorted(whole, key=lambda pair: _end_ns(pair[0])):
        request = _recorded(index, entry, pieces)
        if options[entry.configuration] not in warm:  # as in ``Blocks``
            request = msgspec.structs.replace(request, phase="cold", repeat=0)
        if request.error is None:
            warm.add(options[entry.configuration])
        if stored[_key(request)]:
            stored[_key(request)] -= 1
            continue
        missing.append(request)
        index += 1
    return missing


def _recorded(index: int, entry: Entry, pieces: Pieces) -> Request:
    assert entry.exchange is not None
    exchange = restored(entry.exchange, pieces)
    prompt = WorkloadPrompt(id=entry.prompt_id, text="")
    phase, repeat = entry.phase, entry.repeat
    step = Step(entry.configuration, prompt, 0 if phase != "measured" else repeat, phase)
    ended = Ended(prompt, exchange, None, exchange.start_ns, entry.intended_ns)
    return recorded(index, step, ended, KeptEngine(entry.exchange), RunClock("", entry.zero_ns))


def _end_ns(entry: Entry) -> int:
    return ((entry.exchange and entry.exchange.end_ns) or 0) - entry.zero_ns


def _key(request: Request) -> tuple[int, str, int]:
    """What tells one request of a run from another: no process sends two at one moment."""
    return request.configuration, request.prompt_id, request.start_ns
