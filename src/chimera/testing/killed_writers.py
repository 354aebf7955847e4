"""Writers that are killed at any moment, and whether what they were promised is there.

A writer begins a run, adds requests, and after each flush writes down how many are safe. Then
its process is killed (SIGKILL). The store must hold every request that was written down, in
order and unchanged, and nothing else than requests that were added.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from chimera.errors import ChimeraError
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_request, sample_run

_START_S = 60.0


class Round(msgspec.Struct, kw_only=True):
    """What one round of kills did. ``promised`` requests were flushed before the kill and
    ``found`` ones were there after it; ``broken`` says of each run that is wrong how.
    """

    promised: int = 0
    found: int = 0
    lost: int = 0
    broken: list[str] = []


def kill_round(url: str, folder: Path, name: str, *, writers: int = 4, seed: int = 0) -> Round:
    """Start ``writers`` processes on the store at ``url``, kill each at some moment, and look."""
    dice = random.Random(seed)  # noqa: S311 - moments, no secrets
    notes = [folder / f"{name}-{n}.promised" for n in range(writers)]
    processes = [_start(url, f"{name}-{n}", note) for n, note in enumerate(notes)]
    try:
        _await_all(processes, notes)
        for process in dice.sample(processes, len(processes)):
            time.sleep(dice.uniform(0.0, 0.15))
            process.kill()
    finally:
        for process in processes:
            process.kill()
            process.wait()
    done = Round()
    for n, note in enumerate(notes):
        _look(url, f"{name}-{n}", _promised(note), done)
    return done


def write(url: str, run_id: str) -> None:
    """Write until somebody ends it. The promises go to standard output, a line each."""
    dice = random.Random(run_id)  # noqa: S311 - sizes, no secrets
    with open_store(url) as store:
        sink = store.begin(sample_run(run_id))
        index = 0
        while True:
            for _ in range(dice.randrange(1, 40)):
                sink.add(sample_request(index))
                index += 1
            sink.flush()
            os.write(1, b"%d\n" % index)


def _start(url: str, run_id: str, note: Path) -> subprocess.Popen[bytes]:
    program = "import sys; from chimera.testing.killed_writers import write; write(*sys.argv[1:])"
    with note.open("wb") as out:
        return subprocess.Popen([sys.executable, "-c", program, url, run_id], stdout=out)


def _await_all(processes: list[subprocess.Popen[bytes]], notes: list[Path]) -> None:
    """Wait until every writer has been promised something."""
    until = time.monotonic() + _START_S
    while not all(_promised(note) for note in notes):
        ended = [process.args for process in processes if process.poll() is not None]
        if ended or time.monotonic() > until:
            raise RuntimeError(f"a writer did not write: {ended or 'too slow'}")
        time.sleep(0.01)


def _promised(note: Path) -> int:
    whole = note.read_bytes().split(b"\n")[:-1]
    return int(whole[-1]) if whole else 0


def _look(url: str, run_id: str, promised: int, done: Round) -> None:
    done.promised += promised
    try:
        with open_store(url) as store:
            file = store.read(run_id)
            listed = next(run for run in store.runs() if run.id == run_id)
    except ChimeraError as error:
        done.broken.append(f"{run_id}: {error}")
        done.lost += promised
        return
    found = len(file.requests)
    done.found += found
    done.lost += max(0, promised - found)
    if any(request != sample_request(n) for n, request in enumerate(file.requests)):
        done.broken.append(f"{run_id}: a request is not as it was written")
    if (listed.requests, listed.failed, listed.ended) != (found, 0, "unfinished"):
        done.broken.append(f"{run_id}: listed with {listed.requests} of {found} requests")
