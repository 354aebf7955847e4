"""One answer on its way: sends the steps of its script when they are due and keeps the truth."""

from __future__ import annotations

from typing import Protocol

from chimera.testing.mock_server.job import Job
from chimera.testing.mock_server.loop import Loop, clock
from chimera.testing.mock_server.script import End, Script


class Outlet(Protocol):
    """Where an answer goes."""

    def write(self, data: bytes) -> bool:
        """Whether all of it was taken; if not, the rest is sent and ``Stream.resume`` called."""

    def answered(self, stream: Stream, end: End) -> None: ...


class Stream:
    """The plan does not drift: a late step does not delay the plan of the steps after it."""

    __slots__ = ("_data", "_due_ns", "_loop", "_outlet", "_script", "_tokens", "job", "left")

    def __init__(self, job: Job, script: Script, outlet: Outlet, loop: Loop) -> None:
        self.job = job
        self.left = False  # the client is gone
        self._script = script
        self._outlet = outlet
        self._loop = loop
        self._due_ns = 0
        self._data = b""
        self._tokens = 0

    def start(self, from_ns: int) -> None:
        """Begin; the script's first gap counts from this time, which may be past."""
        self._due_ns = from_ns
        self._go_on()

    def resume(self) -> None:
        """The outlet has taken everything."""
        self._go_on()

    def leave(self) -> None:
        """The client is gone: nothing more is sent."""
        self.left = True
        self._script.close()
        if self.job.record.truth.outcome == "running":
            self.job.record.truth.outcome = "aborted"

    def _step(self) -> None:
        if not self.left and self._send():
            self._go_on()

    def _go_on(self) -> None:
        """Take steps from the script until one of them is due later."""
        while True:
            try:
                gap_ns, self._data, self._tokens = next(self._script)
            except StopIteration as stop:
                self._end(stop.value)
                return
            if gap_ns != 0:
                break
            if self._due_ns > clock():
                break
            if not self._send():
                return
        self._due_ns = clock() if gap_ns < 0 else self._due_ns + gap_ns
        self._loop.at(self._due_ns, self._step)

    def _send(self) -> bool:
        """Send the step that is due; False if the script must wait or is not to go on."""
        if not self._data:
            return True
        record = self.job.record
        before_ns = clock()
        taken = self._outlet.write(self._data)
        if self._tokens:
            record.wrote(self._due_ns, before_ns, self._tokens)
        record.truth.end_ns = before_ns
        if not taken:
            record.truth.blocked += 1
        return taken and not self.left

    def _end(self, end: End) -> None:
        truth = self.job.record.truth
        if truth.outcome == "running":
            truth.outcome = "fault"
        self._outlet.answered(self, end)
