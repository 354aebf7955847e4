"""The measuring process's end of the monitors: starts the watcher and takes its readings in."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from typing import Any

import msgspec

from chimera.record.request import Watched

INTERVAL_S = 0.5
_READ = 1 << 16
_END_S = 2.0


class _Line(msgspec.Struct, frozen=True):
    source: str
    t_ns: int = 0
    values: dict[str, float] = {}
    cpu_s: float = 0.0
    missing: str = ""


class Monitors:
    """A watcher in a process of its own.

    ``not_watched`` says of each source that is not there why. ``cpu_s`` is what watching has
    cost so far. Nothing here raises: a run goes on without its monitors.
    """

    def __init__(
        self,
        *,
        interval_s: float = INTERVAL_S,
        pid: int | None = None,
        metrics_url: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.not_watched: dict[str, str] = {}
        self.cpu_s = 0.0
        self._rest = b""
        self._process: subprocess.Popen[bytes] | None = None
        asked: dict[str, Any] = {"interval_s": interval_s, "pid": pid}
        if metrics_url:
            asked |= {"metrics_url": metrics_url, "headers": headers or {}}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "chimera.measure.monitors.watcher"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is the measuring process's to handle
            )
            assert self._process.stdin is not None
            # By the pipe and not as an argument: others can read a command line.
            self._process.stdin.write(msgspec.json.encode(asked) + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            self.not_watched["all"] = f"the watcher could not be started: {error}"
            self.close()

    @property
    def fileno(self) -> int | None:
        """What an event loop can wait for; None when there is no watcher."""
        if self._process is None or self._process.stdout is None:
            return None
        return self._process.stdout.fileno()

    def drain(self) -> list[Watched]:
        """The readings that have come, ``t_ns`` on the machine's monotonic clock.

        Waits only if nothing has come: to be called when ``fileno`` is ready.
        """
        handle = self.fileno
        data = os.read(handle, _READ) if handle is not None else b""
        if not data:
            if handle is not None:
                self.not_watched["all"] = "the watcher has ended by itself"
                self.close()
            return []
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for raw in lines:
            try:
                line = msgspec.json.decode(raw, type=_Line)
            except msgspec.MsgspecError:  # half a line of a watcher that was killed, or no number
                continue
            if line.missing:
                self.not_watched[line.source] = line.missing
            else:
                self.cpu_s = max(self.cpu_s, line.cpu_s)
                found.append(Watched(t_ns=line.t_ns, source=line.source, values=line.values))
        return found

    def close(self) -> None:
        """End the watcher. A second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
