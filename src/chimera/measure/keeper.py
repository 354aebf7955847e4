"""What a run has recorded so far: kept in memory, handed to the sink, shown to who watches."""

from __future__ import annotations

import time
from collections.abc import Callable

from chimera.engines.wire.loop import Loop
from chimera.measure.progress import Live, OnProgress, Tally
from chimera.record.request import Block, EngineStart, Request, RunEnd, Watched
from chimera.record.run import Run
from chimera.record.runfile import Line, RunFile, Sink

_LIVE_NS = 250_000_000
_FLUSH_NS = 50_000_000  # a transaction for each request would be a load of its own


class Keeper:
    """Takes records in their order. ``header`` and the sink come with the first engine.

    What is added reaches the sink at once, and is safe from a kill of the program a twentieth
    of a second later; then ``flushed`` is called.
    """

    def __init__(self, loop: Loop, on_progress: OnProgress | None) -> None:
        self._loop = loop
        self._on_progress = on_progress
        self._lines: list[Line] = []
        self._sink: Sink | None = None
        self._tally = Tally()
        self._flush_is_due = False
        self.header: Run | None = None
        self.requests: list[Request] = []
        self.next_index = 0
        self._restored: RunFile | None = None
        self._complete: set[tuple[int, int]] = set()
        self.doing = ""
        self.planned: Callable[[], int | None] = lambda: None
        self.active: Callable[[], int] = lambda: 0
        self.flushed: Callable[[], None] = lambda: None

    def begin(self, header: Run | None, sink: Sink) -> None:
        """From now on there is a sink; it gets what has gathered.

        ``header`` is None in a process that only helps with a run.
        """
        self.header, self._sink = header, sink
        for line in self._lines:
            sink.add(line)

    def restore(self, earlier: RunFile) -> None:
        """Take over what an earlier part of the run has kept; the sink has it already."""
        self._restored = earlier
        self.requests += earlier.requests
        self.next_index = 1 + max((r.index for r in self.requests), default=-1)
        self._complete = {
            (block.configuration, block.repeat)
            for block in earlier.blocks
            if block.stopped == "complete" and (not block.requests or block.failed < block.requests)
        }

    def is_complete(self, configuration: int, repeat: int) -> bool:
        """Whether an earlier part of the run has done that block."""
        return (configuration, repeat) in self._complete

    def add(self, line: Line) -> None:
        """Keep one record."""
        self._lines.append(line)
        if isinstance(line, Request):
            self.requests.append(line)
            self.next_index += 1
            self._tally.add(line)
        if self._sink is not None:
            self._sink.add(line)
            if not self._flush_is_due:
                self._flush_is_due = True
                self._loop.at(time.monotonic_ns() + _FLUSH_NS, self.flush)

    def flush(self) -> None:
        """Let the sink make sure of what it has."""
        self._flush_is_due = False
        if self._sink is not None:
            self._sink.flush()
            self.flushed()

    def say(self, text: str) -> None:
        """What is being done now."""
        self.doing = text
        self.show()

    def tell(self, result: str) -> None:
        """A line of results that who watches should see now."""
        self._tally.result = result
        self.show()

    def show(self) -> None:
        """Show how it stands."""
        if self._on_progress is not None:
            self._on_progress(self._live())

    def show_regularly(self) -> None:
        """Show how it stands, from now on some times a second."""
        if self._on_progress is not None:
            self.show()
            self._loop.at(time.monotonic_ns() + _LIVE_NS, self.show_regularly)

    def file(self, header: Run, end: RunEnd) -> RunFile:
        """All of it."""
        lines, before = self._lines, self._restored
        starts = tuple(line for line in lines if isinstance(line, EngineStart))
        blocks = tuple(line for line in lines if isinstance(line, Block))
        watched = tuple(line for line in lines if isinstance(line, Watched))
        return RunFile(
            run=header,
            starts=(before.starts if before else ()) + starts,
            requests=tuple(self.requests),
            end=end,
            blocks=(before.blocks if before else ()) + blocks,
            watched=(before.watched if before else ()) + watched,
        )

    def _live(self) -> Live:
        return self._tally.live(self.planned(), self.active(), self.doing)
