"""OpenAI's dialect as vLLM and llama-server speak it: server-sent events."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from chimera.testing.mock_server.dialect import Timing, said_tokens, words
from chimera.testing.mock_server.job import Job

_encode = msgspec.json.encode
_DONE = b"data: [DONE]\n\n"
_COMMENT = b": mock\n\n"
_MARK = b"@@"  # stands for a token's text in a template; nothing after it comes from a client


class OpenAIDialect:
    """The events of one chat completion or text completion."""

    stream_type = "text/event-stream; charset=utf-8"

    def __init__(self, job: Job) -> None:
        self._job = job
        self._chat = job.ask.kind == "openai_chat"
        self._comment = _COMMENT if job.ask.behaviour.comments else b""
        self._empty_text = job.ask.behaviour.fault == "empty_text"
        number = job.record.truth.n
        self._frame: dict[str, Any] = {
            "id": f"chatcmpl-mock{number}" if self._chat else f"cmpl-mock{number}",
            "object": "chat.completion.chunk" if self._chat else "text_completion",
            "created": int(time.time()),
            "model": job.ask.model,
        }
        # A template per kind of token, cut where the text goes: joining three pieces costs a
        # tenth of encoding an event.
        self._text = self._template("content")
        self._thinking = self._template("reasoning_content") if self._chat else self._text

    def _template(self, field: str) -> tuple[bytes, bytes]:
        head, _, end = self._choice({field: "@@"}, None).rpartition(_MARK)
        return head, end

    def _choice(self, delta: dict[str, str], finish: str | None) -> bytes:
        choice: dict[str, Any] = {"index": 0}
        if self._chat:
            choice["delta"] = delta
        else:
            choice["text"] = delta.get("content", "")
        return self._event(choices=[choice | {"logprobs": None, "finish_reason": finish}])

    def _event(self, **fields: Any) -> bytes:
        return self._comment + b"data: " + _encode(self._frame | fields) + b"\n\n"

    def lead(self) -> bytes:
        role = self._choice({"role": "assistant", "content": ""}, None) if self._chat else b""
        return role + self._choice({"content": ""}, None) * self._job.ask.behaviour.empty

    def tokens(self, first: int, count: int, thinking: bool) -> bytes:
        head, end = self._thinking if thinking else self._text
        return head + words(first, count, self._empty_text) + end

    def tail(self, timing: Timing) -> bytes:
        behaviour = self._job.ask.behaviour
        timings = self._timings(timing) if behaviour.timings else {}
        usage = self._usage(timing.tokens) if self._job.ask.include_usage else None
        finish = self._choice({}, self._job.ask.finish_reason)
        if usage is not None:
            return finish + self._event(choices=[], usage=usage, **timings) + _DONE
        if timings:
            # llama-server puts them into the event that ends the answer.
            event = msgspec.json.decode(finish.partition(b"data: ")[2])
            finish = self._event(**(event | timings))
        return finish + _DONE

    def error(self) -> bytes:
        # As vLLM does it: the stream then ends as if all had gone well.
        return self._comment + b"data: " + self.refusal(500, "the mock failed") + b"\n\n" + _DONE

    def broken_line(self) -> bytes:
        return b"dta: " + _encode(self._frame | {"choices": []}) + b"\n\n"

    def broken_json(self) -> bytes:
        event = self.tokens(0, 1, thinking=False)
        return event[: len(event) * 2 // 3] + b"\n\n"

    def whole(self, timing: Timing) -> bytes:
        behaviour = self._job.ask.behaviour
        thinking = min(behaviour.reasoning, timing.tokens) if self._chat else 0
        text = words(thinking, timing.tokens - thinking, self._empty_text).decode()
        choice: dict[str, Any] = {"index": 0, "finish_reason": self._job.ask.finish_reason}
        if self._chat:
            message = {"role": "assistant", "content": text}
            if thinking:
                message["reasoning_content"] = words(0, thinking, self._empty_text).decode()
            choice["message"] = message
        else:
            choice["text"] = text
        reply = self._frame | {"choices": [choice]}
        reply["object"] = "chat.completion" if self._chat else "text_completion"
        usage = self._usage(timing.tokens)
        if usage is not None:
            reply["usage"] = usage
        return _encode(reply | (self._timings(timing) if behaviour.timings else {}))

    def refusal(self, status: int, message: str) -> bytes:
        return refusal(status, message)

    def loaded(self) -> bytes:
        raise NotImplementedError("no request of this dialect only loads a model")

    def _usage(self, tokens: int) -> dict[str, int] | None:
        said = said_tokens(self._job, tokens)
        if said is None:
            return None
        prompt = self._job.ask.prompt_tokens
        return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}

    def _timings(self, timing: Timing) -> dict[str, Any]:
        truth = self._job.record.truth
        started_ns = truth.arrival_ns + truth.queue_ns + truth.load_ns
        return {
            "timings": {
                "cache_n": 0,
                **_phase("prompt", truth.prompt_tokens, timing.first_ns - started_ns),
                **_phase("predicted", timing.tokens, timing.last_ns - timing.first_ns),
            }
        }


def speak(job: Job) -> OpenAIDialect:
    return OpenAIDialect(job)


def refusal(status: int, message: str) -> bytes:
    """An error object as OpenAI-compatible servers send it."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    error = {"message": message, "type": kind, "param": None, "code": status}
    return _encode({"error": error})


def _phase(name: str, n: int, took_ns: int) -> dict[str, float | int | None]:
    ms = took_ns / 1e6
    return {
        f"{name}_n": n,
        f"{name}_ms": ms,
        f"{name}_per_token_ms": ms / n if n else None,
        f"{name}_per_second": n / ms * 1e3 if ms else None,
    }
