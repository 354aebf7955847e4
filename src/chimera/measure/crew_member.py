"""One process of a crew: ``python -m chimera.measure.crew_member``.

The first line of standard input is a ``Setup``; then come ``Task`` lines, each answered with a
``Request`` line for each request and a ``Report`` at its end; "stop" during a task stops it, and
"kept N" says that the next N requests are stored. It ends with its standard input.
"""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing

import msgspec

from chimera.engines.base import Measurable
from chimera.engines.targets import open_target
from chimera.engines.wire.loop import READ, Loop
from chimera.engines.wire.wire import Wire
from chimera.errors import ChimeraError
from chimera.measure.blocks import Blocks
from chimera.measure.clock import RunClock
from chimera.measure.crew import KEPT, Report, Setup, Task
from chimera.measure.interrupts import InterruptGate
from chimera.measure.keeper import Keeper
from chimera.measure.spool import Spool
from chimera.record.request import Request
from chimera.record.run import Options
from chimera.record.runfile import Line

_ENOUGH = 1 << 15  # bytes that are written at once


class _Out:
    """Standard output as a sink: requests gather until there is time to write them."""

    def __init__(self) -> None:
        self._gathered = bytearray()
        self._encoder = msgspec.json.Encoder()

    def add(self, line: Line) -> None:
        if isinstance(line, Request):
            self._gathered += self._encoder.encode(line) + b"\n"
            if len(self._gathered) > _ENOUGH:
                self.flush()

    def report(self, report: Report) -> None:
        self._gathered += self._encoder.encode(report) + b"\n"
        self.flush()

    def flush(self) -> None:
        data = bytes(self._gathered)
        self._gathered.clear()
        while data:
            data = data[os.write(1, data) :]

    def close(self) -> None:
        self.flush()


class _In:
    """Lines of standard input, waited for."""

    def __init__(self) -> None:
        self._rest = b""

    def line(self) -> bytes:
        """The next line; b"" at the end."""
        while b"\n" not in self._rest:
            if not self._read():
                return b""
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def lines(self) -> list[bytes]:
        """Whole lines of what has come; b"" is one at the end."""
        if not self._read():
            return [b""]
        *lines, self._rest = self._rest.split(b"\n")
        return lines

    def _read(self) -> bytes:
        data = os.read(0, 1 << 16)
        self._rest += data
        return data


def main() -> None:
    """Serve until standard input ends."""
    lines, out = _In(), _Out()
    data = lines.line() or b"null"
    setup = msgspec.json.decode(data, type=Setup, dec_hook=lambda kind, text: kind(text))
    with ExitStack() as held:
        loop = held.enter_context(closing(Loop()))
        member = _Member(setup, loop, lines, out, held)
        out.report(member.begin())
        while line := lines.line():
            if line.startswith(KEPT):
                member.kept(line)
            elif line != b"stop":  # a task that had ended by itself when this was said
                out.report(member.serve(msgspec.json.decode(line, type=Task)))


class _Member:
    def __init__(self, setup: Setup, loop: Loop, lines: _In, out: _Out, held: ExitStack) -> None:
        self._plan = setup.plan
        self._access = setup.access
        self._clock = RunClock(setup.zero_utc, setup.zero_ns)
        self._loop = loop
        self._gate = InterruptGate(loop.wake)
        self._lines = lines
        self._out = out
        self._spool: Spool | None = None
        if setup.unsaved is not None:
            self._spool = Spool(setup.unsaved, self._clock)
            held.callback(self._spool.close)
        self._held = held
        self._engines: dict[Options, Measurable] = {}

    def begin(self) -> Report:
        """Open every engine; the coordinator has started and warmed them already."""
        try:
            for options in dict.fromkeys(c.options for c in self._plan.configurations()):
                engine = open_target(self._plan.target, options, access=self._access)
                self._held.callback(engine.close)
                engine.start()
                self._engines[options] = engine
        except ChimeraError as error:
            return Report(error=str(error))
        return Report()

    def serve(self, task: Task) -> Report:
        """Send a share of a block."""
        self._gate.stopped = False
        keeper = Keeper(self._loop, None)
        keeper.begin(None, self._out)
        cpu = time.process_time()
        with closing(Wire(self._loop)) as wire:
            blocks = Blocks(self._plan, self._loop, wire, self._clock, self._gate, keeper)
            blocks.spool = self._spool
            for options, engine in self._engines.items():
                blocks.take_on(options, engine, warm=True)
            self._loop.listen(0, READ, self._stop)
            try:
                blocks.work(task.configuration, task.repeat, task.share)
            except ChimeraError as error:
                return Report(error=str(error))
            finally:
                self._loop.ignore(0)
            return Report(
                cpu_s=time.process_time() - cpu,
                reads=wire.reads,
                lags=wire.lag.bins,
                lag_most=wire.lag.most,
                clock_steps=wire.clock_steps,
            )

    def kept(self, line: bytes) -> None:
        """So many of the requests that were said are stored."""
        if self._spool is not None:
            self._spool.flushed(int(line.removeprefix(KEPT)))

    def _stop(self, _mask: int) -> None:
        for line in self._lines.lines():
            if line.startswith(KEPT):
                self.kept(line)
            else:  # "stop", or the coordinator is gone
                self._gate.stopped = True


if __name__ == "__main__":
    main()
