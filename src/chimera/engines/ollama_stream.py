"""Ollama's own streamed answers: one JSON document a line, the last one with the counts."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chimera.engines.answers import Counts, StreamAnswer, unreadable
from chimera.engines.base import OnToken
from chimera.engines.judgement import server_message
from chimera.engines.wire.events import JsonLines
from chimera.record.request import ErrorClass

# Measured with Ollama 0.24 and a model of 250 MB: a request to a loaded model reports 80 to 300 ms
# of load_duration on two quiet cores, one that has to load it 580 to 1,500 ms. Where five programs
# share each core, requests to a loaded model were seen to report up to some seconds: there the
# flag says too much, and the recorded pressure of the machine tells that it was so.
LOADED_ALREADY_NS = 500_000_000

_GIVES_UP_AFTER = 30  # repeats of one piece, after which Ollama ends a stream without a word

_Number = Annotated[int, msgspec.Meta(ge=0)]


class _Message(msgspec.Struct, frozen=True):
    content: str = ""
    thinking: str = ""


class _Line(msgspec.Struct, frozen=True):
    """A line of /api/generate (``response``) or /api/chat (``message``). Ollama leaves out what
    is zero.
    """

    response: str | None = None
    thinking: str = ""
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    error: Any = None
    total_duration: _Number | None = None
    load_duration: _Number | None = None
    prompt_eval_count: _Number | None = None
    prompt_eval_duration: _Number | None = None
    eval_count: _Number | None = None
    eval_duration: _Number | None = None


_line = msgspec.json.Decoder(_Line)


class OllamaAnswer(StreamAnswer):
    """A stream of /api/generate or /api/chat.

    ``most`` is how many tokens were asked for at most, None without a limit; ``context`` how
    many the context holds, None where unknown. A ``load_duration`` above ``loaded_ns`` means
    that the model was loaded during this request.
    """

    def __init__(
        self,
        on_token: OnToken | None = None,
        *,
        most: int | None = None,
        context: int | None = None,
        loaded_ns: int = LOADED_ALREADY_NS,
    ) -> None:
        super().__init__(JsonLines(), on_token)
        self._most = most
        self._context = context
        self._loaded_ns = loaded_ns
        self._any_thinking = False
        self._piece = ""
        self._repeats = 0
        self._last_ns = 0

    def event(self, arrived_ns: int, data: bytes) -> None:
        """See ``StreamAnswer``."""
        try:
            line = _line.decode(data)
        except (msgspec.MsgspecError, RecursionError):
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, unreadable(data))
            return
        if line.error:
            said = server_message(data) or "an error without a message"
            self.fail(arrived_ns, ErrorClass.SERVER_ERROR, said)
            return
        if line.message is not None:
            answer, thinking = line.message.content, line.message.thinking
        elif line.response is not None or line.done:
            answer, thinking = line.response or "", line.thinking
        else:
            text = "a line without response or message"
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, text)
            return
        if thinking:
            self._any_thinking = True
        self._last_ns = arrived_ns
        self._repeats = self._repeats + 1 if answer and answer == self._piece else 0
        self._piece = answer
        self.text(arrived_ns, answer, thinking, None)
        if line.done:
            self._end(arrived_ns, line, data)

    def closed(self) -> None:
        """See ``StreamAnswer``."""
        if self._repeats >= _GIVES_UP_AFTER - 1:
            text = f"the stream has no last line: Ollama gives up after {_GIVES_UP_AFTER} repeats"
            self.fail(self._last_ns, ErrorClass.CUT_STREAM, text)

    def _end(self, arrived_ns: int, line: _Line, data: bytes) -> None:
        count = line.eval_count
        if count == self.text_chunks + 1 and line.done_reason == "stop" and not self._any_thinking:
            # The end token counts, and came with this line.
            self.text(arrived_ns, "", "", 1)
        self.counts = Counts(
            prompt_tokens=line.prompt_eval_count,
            # A text without tokens does not exist: such a count is none.
            output_tokens=None if self.text_chunks and not count else count,
            load_ns=line.load_duration,
            prefill_ns=line.prompt_eval_duration,
            decode_ns=line.eval_duration,
            total_ns=line.total_duration,
            reloaded=(line.load_duration or 0) > self._loaded_ns,
        )
        self.finish_reason = self._reason(line)
        self.raw_reply = msgspec.json.decode(data)
        self.ended(arrived_ns)

    def _reason(self, line: _Line) -> str | None:
        if line.done_reason != "length" or self._context is None:
            return line.done_reason
        if self._most is not None and (line.eval_count or 0) >= self._most:
            return "length"
        full = (line.prompt_eval_count or 0) + (line.eval_count or 0) >= self._context
        return "context" if full else "length"
