"""An answer as a script: what is sent when, with the fault that was asked for.

A script is a generator of steps. It is resumed as soon as its last step was sent, so what it
says about times (Ollama's durations, llama-server's timings) is what really happened.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from enum import Enum
from itertools import islice

from chimera.testing.mock_server.behaviour import Behaviour
from chimera.testing.mock_server.dialect import Dialect, Timing
from chimera.testing.mock_server.gaps import ns, token_gaps
from chimera.testing.mock_server.job import Job
from chimera.testing.mock_server.loop import clock
from chimera.testing.mock_server.wire import LAST_CHUNK, Reply, chunked, head_bytes

Step = tuple[int, bytes, int]  # ns after the planned time of the step before; bytes; tokens
AT_ONCE = -1  # instead of a gap: as soon as the socket takes it, without a plan

_FLAT_EVENTS = 64  # events in one write of a flat answer
_HEAD_PIECES = 10
_ENDLESS = 1 << 62
# What stands in the place of a status line; a client must not take it for an old HTTP/0.9 body.
_GARBAGE = b"\x16\x03\x01\x00\xff\xfemock: this is not HTTP\r\n\r\n"


class End(Enum):
    """What becomes of the connection when the script is over."""

    KEEP = "next request"
    CLOSE = "close cleanly"
    RESET = "reset"
    HANG = "leave open and say nothing"


Script = Generator[Step, None, End]


def at_once(behaviour: Behaviour) -> bool:
    """Whether the answer needs no model: it neither waits for a free stream nor for a load."""
    return behaviour.status != 200 or behaviour.fault == "not_http"


def script_of(job: Job, dialect: Dialect) -> Script:
    """The script that answers a job."""
    behaviour = job.ask.behaviour
    if behaviour.fault == "not_http":
        return _not_http()
    if behaviour.status != 200:
        return _status(job, dialect)
    if job.ask.loads_only:
        return _loaded(job, dialect)
    answer = _Answer(job, dialect)
    return answer.streamed() if job.ask.stream else answer.whole()


def _not_http() -> Script:
    yield 0, _GARBAGE, 0
    return End.CLOSE


def _status(job: Job, dialect: Dialect) -> Script:
    behaviour = job.ask.behaviour
    status = job.record.truth.status = behaviour.status
    headers = {"Retry-After": "1"} if status in (429, 503) else {}
    if status == 302:
        headers["Location"] = f"/elsewhere{job.request.path}"
    body = dialect.refusal(status, f"the mock was asked for status {status}")
    reply = Reply(status=status, headers=headers, body=body if behaviour.body else b"")
    yield 0, reply.encode(job.request), 0
    return End.CLOSE if job.request.close else End.KEEP


def _loaded(job: Job, dialect: Dialect) -> Script:
    yield 0, Reply(body=dialect.loaded()).encode(job.request), 0
    job.record.truth.outcome = "done"
    return End.CLOSE if job.request.close else End.KEEP


class _Answer:
    """The steps of an answer with status 200. ``sent`` tokens are out; ``gap`` leads to the next
    step.
    """

    def __init__(self, job: Job, dialect: Dialect) -> None:
        self._job = job
        self._dialect = dialect
        self._behaviour = job.ask.behaviour
        truth = job.record.truth
        self._gaps = token_gaps(self._behaviour, truth.id or str(truth.n))
        self._framed = job.request.chunks_allowed and not self._behaviour.close
        self._closes = job.request.close or self._behaviour.close
        self._wrap: Callable[[bytes], bytes] = chunked if self._framed else bytes
        self._sent = 0
        self._gap = 0

    def streamed(self) -> Script:
        tokens = self._job.ask.tokens
        fault = self._behaviour.fault
        yield from self._head()
        if fault == "never_ends":
            yield from self._tokens(_ENDLESS)
        elif fault in _BREAKS:
            default = tokens if fault == "no_end" else tokens // 2
            after = default if self._behaviour.after is None else self._behaviour.after
            yield from self._tokens(min(after, tokens))
            end = yield from _BREAKS[fault](self)
            if end is not None:
                return end
        yield from self._tokens(tokens)
        yield self._end_gap(), self._wrap(self._dialect.tail(self._timing())) + self._last(), 0
        self._job.record.truth.outcome = "done"
        return End.CLOSE if self._closes else End.KEEP

    def whole(self) -> Script:
        """Not streamed: everything in one write, when the last token would have been ready."""
        tokens, behaviour = self._job.ask.tokens, self._behaviour
        truth = self._job.record.truth
        if behaviour.fault == "never_ends":
            return End.HANG
        if behaviour.fault == "slow_accept":
            yield ns(behaviour.slow_ms), b"", 0
        ttft_ns = ns(behaviour.ttft_ms)
        decode_ns = 0 if behaviour.flat else sum(islice(self._gaps, max(0, tokens - 1)))
        started_ns = truth.arrival_ns + truth.queue_ns + truth.load_ns
        first_ns = started_ns + ttft_ns
        body = self._dialect.whole(Timing(tokens, first_ns, first_ns + decode_ns))
        if behaviour.fault == "error_in_stream":
            body = self._dialect.refusal(500, "the mock failed")
        elif behaviour.fault in ("malformed_json", "malformed_sse"):
            body = body[: len(body) * 2 // 3]
        head = self._head_bytes({"Content-Length": str(len(body))}, "application/json")
        self._gap = ttft_ns + decode_ns
        breaks = {"cut": End.RESET, "stall": End.HANG, "no_end": End.CLOSE}
        if behaviour.fault in breaks:
            yield self._next_gap(), head + body[: len(body) // 2], 0
            return breaks[behaviour.fault]
        if behaviour.fault == "slow_headers":
            yield from self._slowly(head)
            head = b""
        spoilt = behaviour.fault in ("error_in_stream", "malformed_json", "malformed_sse")
        yield self._next_gap(), head + body, 0 if spoilt else tokens
        truth.outcome = "fault" if spoilt else "done"
        return End.CLOSE if self._closes else End.KEEP

    def _head(self) -> Generator[Step, None, None]:
        behaviour = self._behaviour
        if behaviour.fault == "slow_accept":
            yield ns(behaviour.slow_ms), b"", 0
        ttft_ns = ns(behaviour.ttft_ms)
        lead_ns = ttft_ns if behaviour.lead_ms is None else min(ttft_ns, ns(behaviour.lead_ms))
        framing = {"Transfer-Encoding": "chunked"} if self._framed else {}
        head = self._head_bytes(framing | {"Cache-Control": "no-cache"}, self._dialect.stream_type)
        lead = self._wrap(self._dialect.lead())
        self._gap = ttft_ns - lead_ns
        if behaviour.fault == "slow_headers":
            yield from self._slowly(head)
            yield self._next_gap(), lead, 0
            self._gap = max(0, lead_ns - ns(behaviour.slow_ms))
        else:
            yield self._next_gap(), head + lead, 0
            self._gap = lead_ns

    def _head_bytes(self, headers: dict[str, str], kind: str) -> bytes:
        headers = {"Content-Type": kind, **headers}
        if self._closes:
            headers["Connection"] = "close"
        if "x-request-id" in self._job.request.headers:
            headers["X-Request-Id"] = self._job.request.headers["x-request-id"]
        return head_bytes(200, headers)

    def _slowly(self, head: bytes) -> Generator[Step, None, None]:
        size = len(head) // _HEAD_PIECES + 1
        for place in range(0, len(head), size):
            yield self._next_gap(), head[place : place + size], 0
            self._gap = ns(self._behaviour.slow_ms) // _HEAD_PIECES

    def _tokens(self, until: int) -> Generator[Step, None, None]:
        """Send tokens up to the number ``until``."""
        gaps, wrap, dialect = self._gaps, self._wrap, self._dialect
        while self._sent < until:
            if self._behaviour.flat and self._sent:
                yield from self._flat(until)
                return
            count, thinking = self._group(until)
            data = wrap(dialect.tokens(self._sent, count, thinking))
            yield self._gap, data, count
            self._sent += count
            self._gap = next(gaps) if count == 1 else sum(islice(gaps, count))

    def _flat(self, until: int) -> Generator[Step, None, None]:
        """Many events in a write. A full write of text is built once and sent again and again
        (the numbers in its tokens repeat), so that no client waits for the server.
        """
        full, full_tokens = b"", _FLAT_EVENTS * self._behaviour.chunk
        while self._sent < until:
            if full and until - self._sent >= full_tokens:
                yield AT_ONCE, full, full_tokens
                self._sent += full_tokens
                continue
            begun = self._sent
            events: list[bytes] = []
            while self._sent < until and len(events) < _FLAT_EVENTS:
                count, thinking = self._group(until)
                events.append(self._wrap(self._dialect.tokens(self._sent, count, thinking)))
                self._sent += count
            data = b"".join(events)
            if begun >= self._behaviour.reasoning and self._sent - begun == full_tokens:
                full = data
            yield AT_ONCE, data, self._sent - begun
        self._gap = AT_ONCE

    def _group(self, until: int) -> tuple[int, bool]:
        """How many tokens the next event carries, and whether they are thoughts."""
        sent = self._sent
        thinking = sent < self._behaviour.reasoning
        end = min(until, self._behaviour.reasoning) if thinking else until
        return min(self._behaviour.chunk, end - sent), thinking

    def _next_gap(self) -> int:
        """The gap to the next step, which the step after it does not wait for again."""
        gap, self._gap = self._gap, 0
        return gap

    def _end_gap(self) -> int:
        """What ends an answer follows its last token at once."""
        return 0 if self._sent else self._next_gap()

    def _timing(self) -> Timing:
        writes = self._job.record.write_ns
        if not writes:
            now = clock()
            return Timing(0, now, now)
        return Timing(self._job.record.truth.tokens, writes[0], writes[-1])

    def _last(self) -> bytes:
        return LAST_CHUNK if self._framed else b""

    def break_with_error(self) -> Generator[Step, None, End | None]:
        yield self._next_gap(), self._wrap(self._dialect.error()) + self._last(), 0
        return End.CLOSE if self._closes else End.KEEP

    def break_line(self) -> Generator[Step, None, End | None]:
        yield self._next_gap(), self._wrap(self._dialect.broken_line()), 0
        return None

    def break_json(self) -> Generator[Step, None, End | None]:
        yield self._next_gap(), self._wrap(self._dialect.broken_json()), 0
        return None

    def break_end(self) -> Generator[Step, None, End | None]:
        yield self._end_gap(), self._last(), 0
        return End.CLOSE

    def break_connection(self) -> Generator[Step, None, End | None]:
        yield self._next_gap(), b"", 0
        return End.RESET

    def break_off(self) -> Generator[Step, None, End | None]:
        yield self._next_gap(), b"", 0
        return End.HANG


# None goes on with the rest of the answer; an End ends it there.
_BREAKS: dict[str, Callable[[_Answer], Generator[Step, None, End | None]]] = {
    "error_in_stream": _Answer.break_with_error,
    "malformed_sse": _Answer.break_line,
    "malformed_json": _Answer.break_json,
    "no_end": _Answer.break_end,
    "cut": _Answer.break_connection,
    "stall": _Answer.break_off,
}
