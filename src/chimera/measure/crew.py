"""Several processes that share the load where one is not enough.

Each runs the measured path by itself and says each request as a line of JSON. They stamp on the
machine's one monotonic clock, relative to the run's zero, so their times are one run's times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from chimera.engines.targets import Access
from chimera.engines.wire.lag import LagHistogram
from chimera.engines.wire.loop import READ, Loop
from chimera.errors import EngineError
from chimera.measure.blocks import Share
from chimera.measure.interrupts import InterruptGate
from chimera.measure.keeper import Keeper
from chimera.measure.plan import BenchPlan
from chimera.record.request import Request
from chimera.record.run import Configuration

_READ = 1 << 16
_END_S = 10.0
KEPT = b"kept "  # before a number of requests: what a member need not keep any more


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """The first line to a member. ``zero_ns`` is the run's zero on the monotonic clock.

    ``access`` says where a key is; the member reads it there by itself. ``unsaved`` is the
    folder in which its requests wait until the coordinator has stored them.
    """

    plan: BenchPlan
    access: Access = Access()
    zero_utc: str
    zero_ns: int
    unsaved: Path | None = None


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A block's share."""

    configuration: Configuration
    repeat: int
    share: Share


class Report(msgspec.Struct, frozen=True, kw_only=True, tag="report", tag_field="type"):
    """A member's last line for a task: its costs since the task began, or what went wrong."""

    cpu_s: float = 0.0
    reads: int = 0
    lags: list[int] = []
    lag_most: int = 0
    clock_steps: int = 0
    error: str = ""


Said = Request | Report


class _Member:
    """One process, and what it has said so far."""

    def __init__(self, setup: bytes) -> None:
        # A session of its own: Ctrl-C is the coordinator's to handle.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "chimera.measure.crew_member"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._rest = b""
        self.busy = False
        self.heard = 0  # requests of which it does not know yet that they are stored
        self.tell(setup)

    @property
    def fileno(self) -> int:
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def tell(self, line: bytes) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()

    def hear(self) -> list[bytes] | None:
        """Whole lines that have come; None when it has ended."""
        data = os.read(self.fileno, _READ)
        if not data:
            return None
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def end(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ProcessCrew:
    """``size`` processes. ``lag``, ``reads``, ``cpu_s`` and ``clock_steps`` are their sums."""

    def __init__(self, size: int, setup: Setup, loop: Loop, keeper: Keeper, gate: InterruptGate):
        line = msgspec.json.encode(setup, enc_hook=str)  # a path
        self._loop = loop
        self._keeper = keeper
        self._gate = gate
        self._members = [_Member(line) for _ in range(size)]
        self._decoder: msgspec.json.Decoder[Said] = msgspec.json.Decoder(Said)
        self._error = ""
        self.lag = LagHistogram()
        self.reads = 0
        self.cpu_s = 0.0
        self.clock_steps = 0
        self._each(lambda _: None)

    @property
    def size(self) -> int:
        return len(self._members)

    def work(self, configuration: Configuration, repeat: int, share: Share) -> None:
        """Have a block sent, and keep each request of it.

        Raises:
            EngineError: a member has ended or could not begin; says why.
        """
        shares = split(share, len(self._members))

        def tell(i: int) -> None:
            task = Task(configuration=configuration, repeat=repeat, share=shares[i])
            self._members[i].tell(msgspec.json.encode(task))

        self._each(tell)

    def _each(self, tell: Callable[[int], None]) -> None:
        """Tell every member something, and wait until each has reported."""
        members = self._members
        for i, member in enumerate(members):
            tell(i)
            member.busy = True
            self._loop.listen(member.fileno, READ, partial(self._hear, member))
        self._loop.run(lambda: self._gate.stopped or not any(m.busy for m in members))
        if self._gate.stopped:
            for member in members:
                member.tell(b"stop")
            self._loop.run(lambda: not any(m.busy for m in members))
        for member in members:
            self._loop.ignore(member.fileno)
        if self._error:
            raise EngineError(self._error)

    def _hear(self, member: _Member, _mask: int) -> None:
        lines = member.hear()
        if lines is None:
            member.busy = False
            self._loop.ignore(member.fileno)
            self._error = "a client process has ended by itself; what it had sent is kept"
            return
        for line in lines:
            said = self._decoder.decode(line)
            if isinstance(said, Request):
                member.heard += 1
                self._keeper.add(msgspec.structs.replace(said, index=self._keeper.next_index))
                continue
            member.busy = False
            self._error = self._error or said.error
            self.lag.merge(said.lags, said.lag_most)
            self.reads += said.reads
            self.cpu_s += said.cpu_s
            self.clock_steps += said.clock_steps

    def flushed(self) -> None:
        """All requests that were heard of are stored."""
        for member in self._members:
            if member.heard:
                member.tell(b"%s%d" % (KEPT, member.heard))
                member.heard = 0

    def close(self) -> None:
        for member in self._members:
            member.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def split(share: Share, parts: int) -> list[Share]:
    """A share in ``parts``: every request and every client in exactly one of them.

    In a closed loop a part has as many requests as its clients would take in turn: none
    without a client, as nobody would send them.
    """
    found = []
    turn = share.clients or parts
    for i in range(parts):
        places, starts = (
            items and [item for n, item in enumerate(items) if n % turn % parts == i]
            for items in (share.places, share.starts_ns)
        )
        clients = (share.clients + parts - 1 - i) // parts
        part = msgspec.structs.replace(share, places=places, starts_ns=starts, clients=clients)
        found.append(part)
    return found
