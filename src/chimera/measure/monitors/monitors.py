"""The measuring side: starts the process that watches, and takes its samples when idle."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

import msgspec

from chimera.errors import InputError
from chimera.measure.monitors.sample import Cost, Sample

LEAST_INTERVAL_S = 0.05
_WATCHER = "chimera.measure.monitors.watcher"
_HELLO_S = 10.0  # NVIDIA's driver may take seconds to wake a GPU
_GOODBYE_S = 2.0
# Room for some 8 minutes of samples that nobody takes. When it is full the watcher waits, and
# goes on when there is room: samples are then missing, and the next rates cover a longer time.
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031


class _Line(msgspec.Struct, frozen=True):
    """One line of the watcher. ``watched`` stands only in its first."""

    cpu_s: float
    t_ns: int | None = None
    values: dict[str, dict[str, float]] = {}
    missing: dict[str, str] = {}
    watched: tuple[str, ...] | None = None


class Monitors:
    """Watches the machine from ``start`` to ``close``, also as a context manager.

    pid              a local server's process; its children are watched with it
    metrics_url      the server's Prometheus metrics, with ``metrics_headers``, which are given
                     to the watcher by its stdin and stand nowhere else
    watched          the sources that are watched
    not_watched      source (or source.value) and the reason why it is not; also what was lost
                     on the way
    ended            nothing more will come; an event loop must let go of ``fileno()``

    Nothing here raises because something cannot be watched.
    """

    def __init__(
        self,
        *,
        interval_s: float = 0.5,
        pid: int | None = None,
        metrics_url: str | None = None,
        metrics_headers: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare; nothing is started.

        Raises:
            InputError: the interval is no time or too short.
        """
        if not LEAST_INTERVAL_S <= interval_s <= 3600:
            raise InputError(
                f"cannot watch every {interval_s:g} s; give {LEAST_INTERVAL_S:g} s to 3600 s"
            )
        self.watched: tuple[str, ...] = ()
        self.not_watched: dict[str, str] = {}
        self._task = {
            "interval_s": interval_s,
            "parent": os.getpid(),
            "pid": pid,
            "metrics_url": metrics_url,
            "metrics_headers": dict(metrics_headers or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._arrived: list[Sample] = []
        self._count = 0
        self._cpu_s: float | None = None
        self._start_s = 0.0
        self._greeted = False
        self._closing = False
        self._cost: Cost | None = None
        self.ended = True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start watching, and wait until the watcher has said what it can watch."""
        self._start_s = time.monotonic()
        # A session of its own: Ctrl-C on the terminal is for us, who then close it in order.
        # -P: nothing of the current folder is imported.
        command = [sys.executable, "-P", "-m", _WATCHER]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self.not_watched["watcher"] = f"it could not be started: {error}"
            return
        self.ended = False
        try:
            self._greet(self._process)
        except BaseException:  # Ctrl-C while we wait
            self.close()
            raise

    def _greet(self, process: subprocess.Popen[bytes]) -> None:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(OSError):  # it is dead already; reading says so
            stdin.write(msgspec.json.encode(self._task | {"parent": os.getpid()}) + b"\n")
            stdin.flush()
        self._task.clear()
        try:
            os.set_blocking(stdout.fileno(), False)
        except (OSError, AttributeError):
            self._lost("this system has no pipes that can be looked into")
            return
        with suppress(OSError, ImportError, AttributeError):
            import fcntl

            fcntl.fcntl(stdout.fileno(), _F_SETPIPE_SZ, _PIPE_BYTES)
        self._wait(lambda: self._greeted, _HELLO_S)
        if not self._greeted and not self.ended:
            self.not_watched["watcher"] = f"it said nothing for {_HELLO_S:g} s"

    def fileno(self) -> int | None:
        """What an event loop can wait on for samples; None where nothing will come."""
        if self.ended or self._process is None or self._process.stdout is None:
            return None
        return self._process.stdout.fileno()

    def drain(self) -> list[Sample]:
        """The samples that arrived since the last call. Never waits; some microseconds."""
        self._take()
        arrived, self._arrived = self._arrived, []
        return arrived

    def close(self) -> Cost:
        """End the watcher and say what it cost. Samples that were still on their way can be
        drained afterwards. A second call only says it again.
        """
        if self._cost is not None:
            return self._cost
        wall_s = time.monotonic() - self._start_s if self._start_s else 0.0
        process = self._process
        if process is not None:
            self._take()  # how it ended by itself, if it did, is not our doing
            self._closing = True
            assert process.stdin is not None
            assert process.stdout is not None
            with suppress(OSError):
                process.stdin.close()
            self._wait(lambda: False, _GOODBYE_S)
            if process.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5 if self.ended else 0.0)
            if process.poll() is None:
                process.kill()
                process.wait()
            self.ended = True
            process.stdout.close()
        self._cost = Cost(self._cpu_s, wall_s, self._count)
        return self._cost

    def _wait(self, enough: Callable[[], bool], limit_s: float) -> None:
        """Take what comes until it is enough, the end, or too late."""
        fd = self.fileno()
        if fd is None:
            return
        deadline = time.monotonic() + limit_s
        with selectors.DefaultSelector() as selector:
            selector.register(fd, selectors.EVENT_READ)
            while not self.ended and not enough() and (left := deadline - time.monotonic()) > 0:
                if selector.select(left):
                    self._take()

    def _take(self) -> None:
        fd = self.fileno()
        if fd is None:
            return
        while True:
            try:
                part = os.read(fd, 1 << 16)
            except BlockingIOError:
                return
            except OSError:
                part = b""
            if not part:
                self._lost(None)
                return
            *lines, self._rest = (self._rest + part).split(b"\n")
            for line in lines:
                self._hear(line)
                if self.ended:
                    return

    def _hear(self, line: bytes) -> None:
        try:
            said = msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError:
            self._lost("it said something unexpected")
            return
        self._cpu_s = said.cpu_s
        if said.watched is not None:
            self.watched = said.watched
            self._greeted = True
            self.not_watched.pop("watcher", None)  # it was only slow
        self.not_watched |= said.missing
        for source, values in said.values.items():
            self._count += 1
            self._arrived.append(Sample(said.t_ns or 0, source, values))
            if source == "server":  # it answers again
                self.not_watched.pop("server", None)

    def _lost(self, why: str | None) -> None:
        """Nothing more will come. Unless we ended it, that must be said."""
        self.ended = True
        if self._closing or self._process is None or "watcher" in self.not_watched:
            return
        if why is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)  # its pipe is closed: it is ending
            why = f"it ended early{_how(self._process.poll())}"
        self.not_watched["watcher"] = f"{why}; nothing was watched from then on"


def _how(code: int | None) -> str:
    if code is None:
        return ""
    if code >= 0:
        return f", with status {code}"
    with suppress(ValueError):
        return f", by {signal.Signals(-code).name}"
    return f", by signal {-code}"
