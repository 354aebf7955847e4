"""The HTTP protocol of llama.cpp's server: /completion, /tokenize, /props, /v1/models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chimera.engines.answers import Counts, StreamAnswer, finished, unreadable
from chimera.engines.base import (
    Completion,
    CompletionRequest,
    ErrorClass,
    Message,
    OnToken,
    Options,
    RequestFailed,
)
from chimera.engines.judgement import server_message
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, http_request
from chimera.engines.wire.events import ServerSentEvents
from chimera.engines.wire.once import ask, exchange_now

_SAMPLING = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repeat_last_n",
    "presence_penalty",
    "frequency_penalty",
    "seed",
)


class _Event(msgspec.Struct, frozen=True):
    """What is read from each event while the stream runs; the last one is read again whole."""

    content: str | None = None
    stop: bool = False
    tokens_predicted: int | None = None
    error: Any = None


class _Timings(msgspec.Struct, frozen=True):
    cache_n: int | None = None
    prompt_n: int | None = None
    prompt_ms: float | None = None
    predicted_ms: float | None = None


class _Final(msgspec.Struct, frozen=True):
    tokens_predicted: int | None = None
    tokens_evaluated: int | None = None
    stop_type: str | None = None
    truncated: bool = False
    timings: _Timings = _Timings()


_event = msgspec.json.Decoder(_Event)
_final = msgspec.json.Decoder(_Final)


class LlamaAnswer(StreamAnswer):
    """A stream of /completion."""

    dialect = "llama"

    def __init__(self, on_token: OnToken | None = None) -> None:
        super().__init__(ServerSentEvents(), on_token)
        self._counted = 0

    def event(self, arrived_ns: int, data: bytes) -> None:
        """See ``StreamAnswer``."""
        try:
            event = _event.decode(data)
        except msgspec.MsgspecError:
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, unreadable(data))
            return
        if event.error is not None or event.content is None:
            self.fail(arrived_ns, *_broken_event(event, data))
            return
        if event.tokens_predicted is None:
            tokens = None
        else:
            tokens = max(event.tokens_predicted - self._counted, 0)
            self._counted = event.tokens_predicted
        self.text(arrived_ns, event.content, "", tokens)
        if event.stop:
            self._last(arrived_ns, data)

    def _last(self, arrived_ns: int, data: bytes) -> None:
        try:
            final = _final.decode(data)
        except msgspec.MsgspecError as error:
            text = f"the last event cannot be read: {error}"
            self.fail(arrived_ns, ErrorClass.MALFORMED_STREAM, text)
            return
        timings = final.timings
        self.counts = Counts(
            prompt_tokens=final.tokens_evaluated,
            cached_tokens=timings.cache_n,
            evaluated_tokens=timings.prompt_n,
            output_tokens=final.tokens_predicted,
            prefill_ns=_ns(timings.prompt_ms),
            decode_ns=_ns(timings.predicted_ms),
        )
        self.finish_reason = _finish_reason(final)
        self.raw_reply = msgspec.json.decode(data)
        self.ended(arrived_ns)


class LlamaServer:
    """A llama.cpp server at a loopback or remote address."""

    def __init__(self, address: Address, key: str | None = None) -> None:
        self.address = address
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def props(self) -> dict[str, Any]:
        """The server's properties: context size, model path, quantization."""
        return ask(self.address, "GET", "/props", headers=self._headers)

    def model_meta(self) -> dict[str, Any]:
        """What the server knows of its model (n_params, size, ftype ...); {} if nothing."""
        data = ask(self.address, "GET", "/v1/models", headers=self._headers).get("data")
        first = data[0] if isinstance(data, list) and data else {}
        meta = first.get("meta") if isinstance(first, dict) else None
        return meta if isinstance(meta, dict) else {}

    def count_tokens(self, text: str) -> int:
        """Prompt tokens of ``text`` as /completion will count them."""
        body = {"content": text, "add_special": True, "parse_special": True}
        tokens = ask(self.address, "POST", "/tokenize", body, headers=self._headers).get("tokens")
        if not isinstance(tokens, list):
            raise RequestFailed(ErrorClass.MALFORMED_STREAM, "/tokenize answered without tokens")
        return len(tokens)

    def render(self, messages: Sequence[Message]) -> str:
        """A chat as the prompt that the model's own template makes of it."""
        body = {"messages": [{"role": m.role, "content": m.content} for m in messages]}
        prompt = ask(self.address, "POST", "/apply-template", body, headers=self._headers)
        text = prompt.get("prompt")
        if not isinstance(text, str):
            raise RequestFailed(ErrorClass.MALFORMED_STREAM, "/apply-template gave no prompt")
        return text

    def prepare(
        self, request: CompletionRequest, options: Options, on_token: OnToken | None = None
    ) -> Call:
        """One completion, ready to be sent."""
        body = completion_body(request, options)
        return Call(
            self.address,
            http_request("POST", self.address, "/completion", body, self._headers),
            LlamaAnswer(on_token),
            timeout_s=request.timeout_s,
            stall_s=request.stall_s,
            body=body,
        )

    def complete(
        self, request: CompletionRequest, options: Options, on_token: OnToken | None = None
    ) -> Completion:
        """Stream one completion to its end.

        Raises:
            RequestFailed: with its error class, and what had arrived as ``partial``.
        """
        return finished(exchange_now(self.prepare(request, options, on_token)))


def completion_body(request: CompletionRequest, options: Options) -> dict[str, Any]:
    """The JSON body of /completion: what is set, and nothing else."""
    body: dict[str, Any] = {"prompt": request.prompt, "stream": True}
    body["cache_prompt"] = request.cache_prompt
    body |= options.other
    for name in _SAMPLING:
        value = getattr(options, name)
        if value is not None:
            body[name] = value
    most = request.max_tokens if request.max_tokens is not None else options.num_predict
    asked = {
        "n_predict": most,
        "temperature": request.temperature,
        "seed": request.seed,
        "grammar": request.grammar,
        "json_schema": request.json_schema,
        "stop": list(request.stop) or None,
        "ignore_eos": True if request.ignore_eos else None,
    }
    body.update({name: value for name, value in asked.items() if value is not None})
    return body


def _broken_event(event: _Event, data: bytes) -> tuple[ErrorClass, str]:
    if event.error is not None:
        return ErrorClass.SERVER_ERROR, server_message(data) or "an error without a message"
    # Sent as a bare object by servers that name the field "error:" instead of the key.
    reply = msgspec.json.decode(data)
    if isinstance(reply, dict) and "message" in reply:
        return ErrorClass.SERVER_ERROR, server_message(data)
    return ErrorClass.MALFORMED_STREAM, "an event without content"


def _finish_reason(final: _Final) -> str | None:
    if final.stop_type == "limit":
        return "context" if final.truncated else "length"
    return "stop" if final.stop_type in ("eos", "word") else final.stop_type


def _ns(ms: float | None) -> int | None:
    return None if ms is None else round(ms * 1e6)
