"""Streamed answers of OpenAI's chat and completions interfaces, as servers really send them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chimera.engines.answers import Counts, StreamAnswer, unreadable
from chimera.engines.base import OnToken
from chimera.engines.judgement import server_message
from chimera.engines.wire.events import ServerSentEvents
from chimera.record.request import ErrorClass

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Ms = Annotated[float, msgspec.Meta(ge=0)]

# The words of OpenAI, and those that other servers put in their place.
_STOPS = frozenset({"stop", "eos", "eos_token", "end_turn", "stop_sequence", "stop_token"})
_LENGTHS = frozenset({"length", "max_tokens", "max_length", "model_length"})
_ABORTS = frozenset({"abort", "aborted", "error", "cancelled"})


class _Details(msgspec.Struct, frozen=True, gc=False):
    cached_tokens: _Count | None = None
    reasoning_tokens: _Count | None = None


class _Usage(msgspec.Struct, frozen=True, gc=False):
    prompt_tokens: _Count | None = None
    completion_tokens: _Count | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None
    reasoning_tokens: _Count | None = None  # SGLang's place for it


class _Timings(msgspec.Struct, frozen=True, gc=False):
    """What llama.cpp's server adds."""

    cache_n: _Count | None = None
    prompt_n: _Count | None = None
    prompt_ms: _Ms | None = None
    predicted_n: _Count | None = None
    predicted_ms: _Ms | None = None


class _Delta(msgspec.Struct, frozen=True, gc=False):
    content: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


class _Choice(msgspec.Struct, frozen=True, gc=False):
    delta: _Delta | None = None
    text: str | None = None
    finish_reason: str | None = None


class _Chunk(msgspec.Struct, frozen=True, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    timings: _Timings | None = None
    error: Any = None
    object: str | None = None


_decode = msgspec.json.Decoder(_Chunk).decode


class OpenAIAnswer(StreamAnswer):
    """A stream of /chat/completions or /completions.

    Its end is "[DONE]"; where a server never sends that, a finish reason and an end of the
    body as HTTP wants it (``closed``). ``most`` is how many tokens were asked for at most, None
    without a limit; ``context`` how many the server's context holds, None where unknown.
    """

    dialect = "openai"
    _limits = ("counted", "_most", "_context")

    def __init__(
        self,
        on_token: OnToken | None = None,
        *,
        most: int | None = None,
        context: int | None = None,
    ) -> None:
        super().__init__(ServerSentEvents(), on_token)
        self._most = most
        self._context = context
        self._said: str | None = None
        self._counted = 0
        self._usage: _Usage | None = None
        self._timings: _Timings | None = None
        self._last_ns = 0
        self._last_data = b""
        self._whole = False

    def event(self, arrived_ns: int, data: bytes) -> None:
        """See ``StreamAnswer``."""
        if self._whole:
            return
        try:
            chunk = _decode(data)
        except (msgspec.MsgspecError, RecursionError):
            if data.strip() == b"[DONE]":
                self._end(arrived_ns)
                return
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, unreadable(data))
            return
        if chunk.error or chunk.object == "error":
            said = server_message(data) or "an error without a message"
            self.fail(arrived_ns, ErrorClass.SERVER_ERROR, said)
            return
        if chunk.usage is None and chunk.timings is None and chunk.choices is None:
            text = "an event without choices"
            if isinstance(message := _message(data), str):
                self.fail(arrived_ns, ErrorClass.SERVER_ERROR, message)
            else:
                self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, text)
            return
        choices = chunk.choices
        if choices and chunk.usage is None and chunk.timings is None:
            choice = choices[0]
            delta = choice.delta
            if (
                delta is not None
                and choice.finish_reason is None
                and delta.reasoning_content is None
                and delta.reasoning is None
            ):  # nearly always
                self._last_ns = arrived_ns
                self.text(arrived_ns, delta.content or "", "", None)
                return
        self._take(arrived_ns, chunk, data)

    def _take(self, arrived_ns: int, chunk: _Chunk, data: bytes) -> None:
        self._last_ns = arrived_ns
        tokens = self._new_tokens(chunk)
        answer = reasoning = ""
        if chunk.choices:
            choice = chunk.choices[0]
            delta = choice.delta
            if delta is not None:
                answer = delta.content or ""
                reasoning = delta.reasoning_content or delta.reasoning or ""
            elif choice.text:
                answer = choice.text
            if choice.finish_reason is not None:
                self._said = choice.finish_reason
                self._last_data = data
        if chunk.usage is not None or chunk.timings is not None:
            self._last_data = data
        self.text(arrived_ns, answer, reasoning, tokens)
        if self._said in _ABORTS:
            text = f"the server gave the answer up ({self._said})"
            self.fail(arrived_ns, ErrorClass.SERVER_ERROR, text)

    def _new_tokens(self, chunk: _Chunk) -> int | None:
        """How many tokens this chunk brought, where it says: by the server's count so far.

        Some servers send usage with every chunk and only zeros in it: that is no count.
        """
        total = None
        if chunk.usage is not None and (chunk.usage.completion_tokens or chunk.usage.prompt_tokens):
            self._usage = chunk.usage
            total = chunk.usage.completion_tokens
        if chunk.timings is not None:
            self._timings = chunk.timings
            total = chunk.timings.predicted_n if total is None else total
        if total is None or total < self._counted:
            return None
        new, self._counted = total - self._counted, total
        # Where earlier chunks did not say, this is the sum over all, not what this one brought.
        return new if self.says_chunks else None

    def closed(self) -> None:
        """See ``StreamAnswer``."""
        if self._said is not None:
            self._end(self._last_ns)

    def _end(self, arrived_ns: int) -> None:
        self._whole = True
        self.counts = _counts(self._usage, self._timings, any_text=self.text_chunks > 0)
        self.finish_reason = self._reason()
        if self._last_data:
            self.raw_reply = msgspec.json.decode(self._last_data)
        self.ended(arrived_ns)

    def _reason(self) -> str | None:
        if self._said in _STOPS:
            return "stop"
        if self._said not in _LENGTHS:
            return self._said
        counts = self.counts
        if counts.output_tokens is None or counts.prompt_tokens is None or self._context is None:
            return "length"
        if self._most is not None and counts.output_tokens >= self._most:
            return "length"
        # Servers keep a place or two free at the end of the context.
        full = counts.prompt_tokens + counts.output_tokens >= self._context - 2
        return "context" if full else "length"


def _counts(usage: _Usage | None, timings: _Timings | None, *, any_text: bool) -> Counts:
    usage, timings = usage or _Usage(), timings or _Timings()
    prompt, cached = usage.prompt_tokens, timings.cache_n
    if usage.prompt_tokens_details is not None and cached is None:
        cached = usage.prompt_tokens_details.cached_tokens
    if prompt is None and timings.prompt_n is not None:
        prompt = timings.prompt_n + (timings.cache_n or 0)
    output = timings.predicted_n if usage.completion_tokens is None else usage.completion_tokens
    reasoning = usage.reasoning_tokens
    if usage.completion_tokens_details is not None:
        reasoning = usage.completion_tokens_details.reasoning_tokens
    return Counts(
        prompt_tokens=prompt,
        cached_tokens=cached,
        evaluated_tokens=_evaluated(prompt, cached, timings.prompt_n),
        # A text without tokens does not exist: such a count is none.
        output_tokens=None if any_text and not output else output,
        reasoning_tokens=reasoning,
        prefill_ns=_ns(timings.prompt_ms),
        decode_ns=_ns(timings.predicted_ms),
    )


def _evaluated(prompt: int | None, cached: int | None, said: int | None) -> int | None:
    if said is not None:
        return said
    return None if prompt is None or cached is None else max(0, prompt - cached)


def _ns(ms: float | None) -> int | None:
    return None if ms is None else round(ms * 1e6)


def _message(data: bytes) -> Any:
    """The message of a bare error object, which some servers send in place of an event."""
    return msgspec.json.decode(data).get("message")
