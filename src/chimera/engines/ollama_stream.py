"""Streamed answers of Ollama's /api/generate and /api/chat: a line of JSON for each event."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from chimera.engines.answers import Counts, StreamAnswer, unreadable
from chimera.engines.base import Completion, OnToken, RequestFailed
from chimera.engines.judgement import server_message
from chimera.engines.wire.events import JsonLines
from chimera.record.request import ErrorClass

_Count = Annotated[int, msgspec.Meta(ge=0)]
_REPEATS = 20  # Ollama gives up after 30; some of them may have come in one chunk


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    thinking: str | None = None


class _Line(msgspec.Struct, frozen=True):
    """Any line. Ollama leaves a count or duration out where it is 0."""

    response: str | None = None
    thinking: str | None = None
    message: _Message | None = None
    done: bool = False
    done_reason: str | None = None
    error: Any = None
    total_duration: _Count | None = None
    load_duration: _Count | None = None
    prompt_eval_count: _Count | None = None
    prompt_eval_duration: _Count | None = None
    eval_count: _Count | None = None
    eval_duration: _Count | None = None


_line = msgspec.json.Decoder(_Line)


class OllamaAnswer(StreamAnswer):
    """One stream. Its end is a line that says "done"; without one it was cut.

    ``most`` is how many tokens were asked for at most, None without a limit; ``context`` how
    many the model's context holds. A load that took longer than ``reload_ns`` is a real one.
    """

    dialect = "ollama"
    _limits = ("_most", "_context", "_reload_ns")

    def __init__(
        self,
        on_token: OnToken | None = None,
        *,
        most: int | None = None,
        context: int | None = None,
        reload_ns: int | None = None,
    ) -> None:
        super().__init__(JsonLines(), on_token)
        self._most = most
        self._context = context
        self._reload_ns = reload_ns
        self._whole = False

    def event(self, arrived_ns: int, data: bytes) -> None:
        """See ``StreamAnswer``."""
        if self._whole:
            return
        try:
            line = _line.decode(data)
        except (msgspec.MsgspecError, RecursionError):
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, unreadable(data))
            return
        if line.error is not None:
            said = server_message(data) or "an error without a message"
            self.fail(arrived_ns, ErrorClass.SERVER_ERROR, said)
            return
        message = line.message or _Message(line.response, line.thinking)
        if message.content is None and message.thinking is None and not line.done:
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, "a line without text")
            return
        self.text(arrived_ns, message.content or "", message.thinking or "", None)
        if line.done:
            self._last(arrived_ns, line, data)

    def closed(self) -> None:
        """See ``StreamAnswer``. An end as HTTP wants it, but without a last line: Ollama ends so
        what repeats itself, and says nothing of how far it came.
        """
        if self._splitter.unfinished:
            return
        text = "the stream ended without its last line"
        last = [piece.strip() for piece in (self._answer or self._reasoning)[-_REPEATS:]]
        if len(last) == _REPEATS and len(set(last)) == 1:
            text += "; Ollama gives an answer up that repeats one token over and over"
        self.fail(0, ErrorClass.CUT_STREAM, text)

    def _check_prompt(self, done: Completion) -> None:
        """Asked not to cut, a server that is too old for the question cuts to its context."""
        if self._context is not None and (done.prompt_tokens or 0) >= self._context:
            raise RequestFailed(
                ErrorClass.PROMPT_CHANGED,
                f"the server used {done.prompt_tokens} tokens of the prompt, all that its context "
                f"of {self._context} holds: it may have cut the rest; raise num_ctx",
                done,
            )

    def _last(self, arrived_ns: int, line: _Line, data: bytes) -> None:
        self._whole = True
        if line.done_reason == "stop" and line.eval_count == self.text_chunks + 1:
            # The end-of-text token is counted, and this line is what it became.
            self.text(arrived_ns, "", "", 1)
        load_ns = line.load_duration
        self.counts = Counts(
            # Those found in the cache are among them, and nobody says how many they are.
            prompt_tokens=line.prompt_eval_count,
            # A text without tokens does not exist: such a count is none.
            output_tokens=None if self.text_chunks and not line.eval_count else line.eval_count,
            load_ns=load_ns,
            # What is left of the total beside load, prefill and decode is queue and more.
            queue_ns=None,
            prefill_ns=line.prompt_eval_duration,
            decode_ns=line.eval_duration,
            total_ns=line.total_duration,
            # A model that is there needs some 0.1 s to be looked up, on a busy machine 0.3 s.
            reloaded=None not in (load_ns, self._reload_ns)
            and (load_ns or 0) > (self._reload_ns or 0),
        )
        self.finish_reason = self._reason(line)
        self.raw_reply = msgspec.json.decode(data)
        # The prompt's and the answer's token numbers, which grow with both.
        self.raw_reply.pop("context", None)
        self.ended(arrived_ns)

    def _reason(self, line: _Line) -> str | None:
        if line.done_reason != "length":
            return line.done_reason
        prompt, output = line.prompt_eval_count, line.eval_count
        if prompt is None or output is None or self._context is None:
            return "length"
        if self._most is not None and output >= self._most:
            return "length"
        return "context" if prompt + output >= self._context - 1 else "length"
