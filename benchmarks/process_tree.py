"""A program in a process of its own, and what it and all of its children used."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_S = 0.2


@dataclass(frozen=True)
class Used:
    """``cpu_s`` covers everything from the start-up on; ``peak_rss`` is the sum over the tree, in
    which memory shared by several of its processes counts for each.
    """

    exit_code: int
    timed_out: bool
    wall_s: float
    cpu_s: float
    peak_rss: int
    samples: tuple[tuple[int, float], ...]  # (CLOCK_MONOTONIC ns, CPU seconds until then)

    def cpu_before(self, at_ns: int) -> float:
        """CPU seconds used before ``at_ns``, to a fifth of a second."""
        return max((cpu for ns, cpu in self.samples if ns <= at_ns), default=0.0)


class Tree:
    """Runs ``words``; its output goes to ``stdout`` and ``stderr`` in ``folder``."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        self._seen: dict[psutil.Process, float] = {}
        self._samples: list[tuple[int, float]] = []
        self._peak_rss = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._start = time.monotonic()
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self._process = subprocess.Popen(
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._root = psutil.Process(self._process.pid)
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    @property
    def running(self) -> bool:
        """Not a poll of the child: its usage must be left for ``wait`` to collect."""
        with suppress(psutil.Error):
            return self._root.status() != psutil.STATUS_ZOMBIE
        return False

    def cpu_s(self) -> float:
        """CPU seconds so far, those of children that have ended included."""
        with self._lock:
            rss = 0
            processes = [self._root]
            with suppress(psutil.Error):
                processes += self._root.children(recursive=True)
            # A child of a parent that is gone is no longer below the root.
            for process in {*processes, *self._seen}:
                with suppress(psutil.Error):
                    with process.oneshot():
                        times, memory = process.cpu_times(), process.memory_info()
                    self._seen[process] = times.user + times.system
                    rss += memory.rss
            self._peak_rss = max(self._peak_rss, rss)
            return sum(self._seen.values())

    def _sample(self) -> None:
        while not self._ended.wait(_SAMPLE_S):
            cpu_s = self.cpu_s()
            self._samples.append((time.monotonic_ns(), cpu_s))

    def wait(self, limit_s: float) -> Used:
        """What it used until its end, or until ``limit_s`` after its start: then it is ended."""
        deadline = self._start + limit_s
        while (running := self.running) and time.monotonic() < deadline:
            time.sleep(0.02)
        wall_s = time.monotonic() - self._start
        seen_s = self.cpu_s()
        self._ended.set()
        self._sampler.join()
        if running:
            self._end_all()
        _, status, usage = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._end_all()
        # The kernel counts children that were waited for, the samples those that were not.
        return Used(
            exit_code=self._process.returncode,
            timed_out=running,
            wall_s=wall_s,
            cpu_s=max(usage.ru_utime + usage.ru_stime, seen_s),
            peak_rss=self._peak_rss,
            samples=tuple(self._samples),
        )

    def _end_all(self) -> None:
        for process in self._seen:
            with suppress(psutil.Error):
                process.kill()

    def last_words(self) -> str:
        """The last line that names an error, otherwise the last line; for a report of failure."""
        text = "".join(
            (self._folder / name).read_text("utf-8", "replace") for name in ("stdout", "stderr")
        )
        lines = [line.strip(" │╭╰─\t") for line in text.splitlines() if line.strip(" │╭╰─\t")]
        errors = [line for line in lines if "error" in line.lower()]
        return (errors or lines or ["it said nothing"])[-1][:300]
