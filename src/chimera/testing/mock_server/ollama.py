"""Ollama's dialect: a line of JSON for each event."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from chimera.testing.mock_server.dialect import Timing, said_tokens, words
from chimera.testing.mock_server.job import Job

_encode = msgspec.json.encode
_MARK = b"@@"  # stands for a token's text in a template; nothing after it comes from a client


class OllamaDialect:
    """The lines of one /api/generate or /api/chat."""

    stream_type = "application/x-ndjson"

    def __init__(self, job: Job) -> None:
        self._job = job
        self._chat = job.ask.kind == "ollama_chat"
        self._empty_text = job.ask.behaviour.fault == "empty_text"
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        self._frame: dict[str, Any] = {"model": job.ask.model, "created_at": now}
        self._text = self._template("@@", "")
        self._thinking = self._template("", "@@")

    def _template(self, text: str, thinking: str) -> tuple[bytes, bytes]:
        head, _, end = self._line(self._said(text, thinking), done=False).rpartition(_MARK)
        return head, end

    def _said(self, text: str, thinking: str) -> dict[str, Any]:
        thought = {"thinking": thinking} if thinking else {}
        if self._chat:
            return {"message": {"role": "assistant", "content": text, **thought}}
        return {"response": text, **thought}

    def _line(self, said: dict[str, Any], *, done: bool, **fields: Any) -> bytes:
        return _encode(self._frame | said | {"done": done} | fields) + b"\n"

    def lead(self) -> bytes:
        return self._line(self._said("", ""), done=False) * self._job.ask.behaviour.empty

    def tokens(self, first: int, count: int, thinking: bool) -> bytes:
        head, end = self._thinking if thinking else self._text
        return head + words(first, count, self._empty_text) + end

    def tail(self, timing: Timing) -> bytes:
        return self._line(self._said("", ""), done=True, **self._final(timing))

    def error(self) -> bytes:
        return self.refusal(500, "the mock failed") + b"\n"

    def broken_line(self) -> bytes:
        return b"data: " + self._line(self._said("", ""), done=False) + b"\n"

    def broken_json(self) -> bytes:
        line = self.tokens(0, 1, thinking=False)
        return line[: len(line) * 2 // 3] + b"\n"

    def whole(self, timing: Timing) -> bytes:
        thinking = min(self._job.ask.behaviour.reasoning, timing.tokens)
        said = self._said(
            words(thinking, timing.tokens - thinking, self._empty_text).decode(),
            words(0, thinking, self._empty_text).decode(),
        )
        return self._line(said, done=True, **self._final(timing)).rstrip(b"\n")

    def refusal(self, status: int, message: str) -> bytes:
        return refusal(status, message)

    def loaded(self) -> bytes:
        reason = "unload" if self._job.ask.unloads else "load"
        return self._line(self._said("", ""), done=True, done_reason=reason).rstrip(b"\n")

    def _final(self, timing: Timing) -> dict[str, Any]:
        truth = self._job.record.truth
        waited_ns = truth.queue_ns + truth.load_ns
        final: dict[str, Any] = {
            "done_reason": self._job.ask.finish_reason,
            "total_duration": timing.last_ns - truth.arrival_ns,
            "load_duration": truth.load_ns,
        }
        said = said_tokens(self._job, timing.tokens)
        if said is None:
            return final
        return final | {
            "prompt_eval_count": truth.prompt_tokens,
            "prompt_eval_duration": timing.first_ns - truth.arrival_ns - waited_ns,
            "eval_count": said,
            "eval_duration": timing.last_ns - timing.first_ns,
        }


def speak(job: Job) -> OllamaDialect:
    return OllamaDialect(job)


def refusal(_status: int, message: str) -> bytes:
    """An error as Ollama sends it; the status stands in the HTTP head alone."""
    return _encode({"error": message})
