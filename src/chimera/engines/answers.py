"""What a streamed answer becomes, event by event: shared by all engines.

An engine's own answer class says how its events are read; what counts as a token, a first
token and an end is decided here once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from chimera.engines.base import Completion, OnToken, RequestFailed
from chimera.engines.judgement import refusal, shown
from chimera.engines.wire.call import Exchange
from chimera.engines.wire.events import JsonLines, ServerSentEvents
from chimera.errors import FormatError
from chimera.record.request import ErrorClass


class Counts(msgspec.Struct, kw_only=True):
    """What the server said in its last events; None for what it did not."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    evaluated_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    load_ns: int | None = None
    queue_ns: int | None = None
    prefill_ns: int | None = None
    decode_ns: int | None = None
    total_ns: int | None = None
    reloaded: bool = False


class StreamAnswer:
    """Takes the pieces of a stream and becomes a Completion.

    A subclass implements ``event``, which calls ``text`` for each event that may carry some,
    ``ended`` at the last one, and ``fail`` for what is no such event. After a failure nothing
    more is taken. ``closed`` is called where the body ended as HTTP wants it but no event was
    the last: a dialect whose last event is often missing may call ``ended`` there.

    ``counted`` are the prompt's tokens as they were counted before sending; None where nobody
    did. What is judged by depends on ``limits`` and on what arrived, and on nothing else.
    """

    dialect = ""
    _limits: tuple[str, ...] = ("counted",)

    def __init__(
        self, splitter: ServerSentEvents | JsonLines, on_token: OnToken | None = None
    ) -> None:
        self._splitter = splitter
        self._on_token = on_token
        self.live = on_token is not None
        self.accepts = splitter.accepts
        self.counted: int | None = None
        self.counts = Counts()
        self.finish_reason: str | None = None
        self.raw_reply: dict[str, Any] | None = None
        self._failure: tuple[ErrorClass, str] | None = None
        self._failed_ns = 0
        self._ended_ns: int | None = None
        self._answer: list[str] = []
        self._reasoning: list[str] = []
        self._token_ns: list[int] = []
        self._chunk_tokens: list[int] | None = []
        self._first_token_ns: int | None = None
        self._first_answer_ns: int | None = None
        self._flows = False  # nothing changes with more text but that there is more

    def event(self, arrived_ns: int, data: bytes) -> None:
        raise NotImplementedError

    def limits(self) -> dict[str, int | None]:
        """What is judged by beside what arrives."""
        return {name: getattr(self, name) for name in self._limits}

    def limit(self, limits: Mapping[str, int | None]) -> None:
        """Judge by the ``limits`` of another answer of this class."""
        for name in self._limits:
            setattr(self, name, limits[name])

    # --- for the wire

    def take(self, arrived_ns: int, data: bytes) -> None:
        """See ``wire.call.Answer``."""
        if self._failure is not None:
            return
        try:
            for event in self._splitter.split(data):
                if self._failure is None:
                    self.event(arrived_ns, event)
        except FormatError as error:
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, str(error))

    # --- for subclasses

    def text(self, arrived_ns: int, answer: str, reasoning: str, tokens: int | None) -> None:
        """An event's text, and how many tokens it carried; None where nobody says."""
        if tokens is None and answer and not reasoning and self._flows:  # nearly always
            self._token_ns.append(arrived_ns)
            self._answer.append(answer)
            return
        if tokens is None:
            if answer or reasoning:
                self._chunk_tokens = None
        elif self._chunk_tokens is not None and (tokens > 0 or answer or reasoning):
            self._chunk_tokens.append(tokens)
        if not (answer or reasoning):
            if tokens:
                self._token_ns.append(arrived_ns)
            return
        self._token_ns.append(arrived_ns)
        if self._first_token_ns is None:
            self._first_token_ns = arrived_ns
        if reasoning:
            self._reasoning.append(reasoning)
        if answer:
            if self._first_answer_ns is None:
                self._first_answer_ns = arrived_ns
            self._answer.append(answer)
            self._flows = self._chunk_tokens is None and self._on_token is None
            if self._on_token is not None:
                self._on_token(answer)

    def ended(self, arrived_ns: int) -> None:
        """The stream's last event is here."""
        self._ended_ns = arrived_ns

    def fail(self, arrived_ns: int, error_class: ErrorClass, text: str) -> None:
        """The stream is none from here on."""
        self._failure = (error_class, text)
        self._failed_ns = arrived_ns

    def closed(self) -> None:
        """The body has ended regularly, without a last event."""

    @property
    def says_chunks(self) -> bool:
        """Whether every event with text so far said how many tokens it carried."""
        return self._chunk_tokens is not None

    @property
    def text_chunks(self) -> int:
        """How many events carried text or tokens."""
        return len(self._token_ns)

    # --- the end

    def completion(self, exchange: Exchange) -> Completion:
        """What an ended exchange brought.

        Raises:
            RequestFailed: with its error class and what had arrived.
        """
        if self._ended_ns is None and self._failure is None and refusal(exchange) is None:
            self.closed()
        failure = self._verdict(exchange)
        if failure is None:
            done = self._completion(exchange, self._ended_ns or exchange.end_ns)
            if done.token_ns or done.output_tokens:
                self._check_prompt(done)
                return done
            text = "the answer ended without a single token"
            raise RequestFailed(ErrorClass.EMPTY, text, done)
        end_ns = self._failed_ns or exchange.end_ns
        partial = self._completion(exchange, end_ns)
        raise RequestFailed(
            failure.error_class, failure.text, partial, http_status=failure.http_status
        )

    def _check_prompt(self, done: Completion) -> None:
        """Hold a count of the prompt against what the server says it used."""
        if self.counted is not None and done.prompt_tokens not in (None, self.counted):
            raise RequestFailed(
                ErrorClass.PROMPT_CHANGED,
                f"the prompt has {self.counted} tokens but the server used {done.prompt_tokens}",
                done,
            )

    def _verdict(self, exchange: Exchange) -> RequestFailed | None:
        refused = refusal(exchange)
        if refused is not None and exchange.error is None:
            return refused
        if self._failure is not None:
            return RequestFailed(*self._failure)
        if self._ended_ns is not None:
            return None  # whole; what happened to the connection after that is no matter
        if refused is not None:
            return refused
        inside = " inside an event" if self._splitter.unfinished else " before its last event"
        return RequestFailed(ErrorClass.CUT_STREAM, "the stream ended" + inside)

    def _completion(self, exchange: Exchange, end_ns: int | None) -> Completion:
        counts, chunks = self.counts, self._chunk_tokens
        if chunks is None and counts.output_tokens == len(self._token_ns):
            # No event said how many tokens it carried, but each carried one at least, and the
            # server's own sum leaves no room for more.
            chunks = [1] * len(self._token_ns)
        output, basis = _counted(counts.output_tokens, self._ended_ns, len(self._token_ns))
        return Completion(
            text="".join(self._answer),
            reasoning="".join(self._reasoning),
            start_ns=exchange.start_ns,
            connected_ns=exchange.connected_ns,
            reused=exchange.reused,
            sent_ns=exchange.sent_ns,
            first_byte_ns=exchange.first_byte_ns,
            first_token_ns=self._first_token_ns,
            first_answer_ns=self._first_answer_ns,
            token_ns=tuple(self._token_ns),
            chunk_tokens=None if chunks is None else tuple(chunks),
            end_ns=end_ns or time.monotonic_ns(),
            lag_ns=exchange.lag_ns if exchange.kernel else None,
            stamped_by="kernel" if exchange.kernel else "client",
            prompt_tokens=counts.prompt_tokens,
            cached_tokens=counts.cached_tokens,
            evaluated_tokens=counts.evaluated_tokens,
            output_tokens=output,
            tokens_basis=basis,
            reasoning_tokens=counts.reasoning_tokens,
            finish_reason=self.finish_reason,
            server_load_ns=counts.load_ns,
            server_queue_ns=counts.queue_ns,
            server_prefill_ns=counts.prefill_ns,
            server_decode_ns=counts.decode_ns,
            server_total_ns=counts.total_ns,
            reloaded=counts.reloaded,
            raw_request=exchange.call.body,
            raw_reply=self.raw_reply,
        )


def _counted(
    said: int | None, ended_ns: int | None, chunks: int
) -> tuple[int | None, Literal["server", "chunks"] | None]:
    """(output tokens, who counted them). Chunks are counted only in a whole answer."""
    if said is not None:
        return said, "server"
    if ended_ns is not None and chunks:
        return chunks, "chunks"
    return None, None


def finished(exchange: Exchange) -> Completion:
    """Decode what is left of an exchange whose answer is a StreamAnswer, and judge it.

    Raises:
        RequestFailed: with its error class and what had arrived.
    """
    exchange.decode()
    answer = exchange.call.answer
    assert isinstance(answer, StreamAnswer)
    return answer.completion(exchange)


def unreadable(data: bytes) -> str:
    """What is said of an event that is no JSON of the right shape."""
    return f"an event that cannot be read: {shown(data)}"
