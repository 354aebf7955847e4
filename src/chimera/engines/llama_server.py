"""The HTTP protocol of llama.cpp's server: /completion, /tokenize, /props, /v1/models."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from chimera.engines.base import (
    Completion,
    CompletionRequest,
    ErrorClass,
    OnToken,
    Options,
    RequestFailed,
)
from chimera.engines.stream import HttpServer, Stamps, server_message

_SAMPLING = ("temperature", "top_p", "top_k", "repeat_penalty", "seed")


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


class _Progress:
    """What has arrived of one completion; becomes a Completion whole or in part."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.stamps = Stamps()
        self.pieces: list[str] = []
        self.first_token_ns: int | None = None
        self.token_ns: list[int] = []
        self.chunk_tokens: list[int] = []
        self.counted = 0
        self.counts_known = True
        self.last: bytes | None = None

    def add(self, arrived: int, event: _Event) -> str:
        """Take one event in; returns its text."""
        text = event.content or ""
        if event.tokens_predicted is None:
            self.counts_known = self.counts_known and not text
            new = 1 if text else 0
        else:
            new = event.tokens_predicted - self.counted
            self.counted = event.tokens_predicted
        if text:
            self.pieces.append(text)
            if self.first_token_ns is None:
                self.first_token_ns = arrived
        if new > 0 or text:
            self.token_ns.append(arrived)
            self.chunk_tokens.append(max(new, 0))
        return text

    def completion(self) -> Completion:
        """Everything learnt so far; what did not arrive is None."""
        final = _final.decode(self.last) if self.last is not None else None
        timings = final.timings if final else _Timings()
        return Completion(
            text="".join(self.pieces),
            start_ns=self.stamps.start_ns,
            sent_ns=self.stamps.sent_ns,
            first_byte_ns=self.stamps.first_byte_ns,
            first_token_ns=self.first_token_ns,
            token_ns=tuple(self.token_ns),
            chunk_tokens=tuple(self.chunk_tokens) if self.counts_known else None,
            end_ns=self.stamps.end_ns or time.monotonic_ns(),
            prompt_tokens=final.tokens_evaluated if final else None,
            cached_tokens=timings.cache_n,
            evaluated_tokens=timings.prompt_n,
            output_tokens=final.tokens_predicted if final else None,
            finish_reason=_finish_reason(final) if final else None,
            server_load_ns=None,  # the model was loaded before; llama.cpp loads none here
            server_prefill_ns=_ns(timings.prompt_ms),
            server_decode_ns=_ns(timings.predicted_ms),
            raw_request=self.body,
            raw_reply=None if self.last is None else msgspec.json.decode(self.last),
        )


class LlamaServer:
    """A llama.cpp server at a loopback or remote address."""

    def __init__(self, host: str, port: int, key: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else None
        self._http = HttpServer(host, port, headers)

    def props(self) -> dict[str, Any]:
        """The server's properties: context size, model path, quantization."""
        return _object(self._http.call("GET", "/props"), "/props")

    def model_meta(self) -> dict[str, Any]:
        """What the server knows of its model (n_params, size, ftype ...); {} if nothing."""
        reply = _object(self._http.call("GET", "/v1/models"), "/v1/models")
        data = reply.get("data")
        first = data[0] if isinstance(data, list) and data else {}
        meta = first.get("meta") if isinstance(first, dict) else None
        return meta if isinstance(meta, dict) else {}

    def count_tokens(self, text: str) -> int:
        """Prompt tokens of ``text`` as /completion will count them."""
        body = {"content": text, "add_special": True, "parse_special": True}
        reply = _object(self._http.call("POST", "/tokenize", body), "/tokenize")
        tokens = reply.get("tokens")
        if not isinstance(tokens, list):
            raise RequestFailed(ErrorClass.MALFORMED_STREAM, "/tokenize answered without tokens")
        return len(tokens)

    def complete(
        self, request: CompletionRequest, options: Options, on_token: OnToken | None = None
    ) -> Completion:
        """Stream one completion to its end.

        Raises:
            RequestFailed: with its error class, and what had arrived as ``partial``.
        """
        progress = _Progress(completion_body(request, options))
        try:
            self._stream(request, progress, on_token)
        except RequestFailed as error:
            progress.stamps.end_ns = time.monotonic_ns()
            raise RequestFailed(error.error_class, error.text, progress.completion()) from error
        return progress.completion()

    def _stream(
        self, request: CompletionRequest, progress: _Progress, on_token: OnToken | None
    ) -> None:
        events = self._http.events("/completion", progress.body, request.timeout_s, progress.stamps)
        for arrived, data in events:
            try:
                event = _event.decode(data)
            except msgspec.MsgspecError:
                shown = repr(data[:80].decode("utf-8", "replace"))
                raise RequestFailed(
                    ErrorClass.MALFORMED_STREAM, f"an event that cannot be read: {shown}"
                ) from None
            if event.error is not None or event.content is None:
                raise _broken_event(event, data)
            text = progress.add(arrived, event)
            if event.stop:
                progress.stamps.end_ns = arrived
                _keep_last(progress, data)
            if text and on_token is not None:
                on_token(text)
            if event.stop:
                return
        raise RequestFailed(ErrorClass.CUT_STREAM, "the stream ended before its last event")


def completion_body(request: CompletionRequest, options: Options) -> dict[str, Any]:
    """The JSON body of /completion: what is set, and nothing else."""
    body: dict[str, Any] = {"prompt": request.prompt, "stream": True}
    body["cache_prompt"] = request.cache_prompt
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
        "stop": list(request.stop) or None,
        "ignore_eos": True if request.ignore_eos else None,
    }
    body.update({name: value for name, value in asked.items() if value is not None})
    return body


def _keep_last(progress: _Progress, data: bytes) -> None:
    try:
        _final.decode(data)
    except msgspec.MsgspecError as error:
        raise RequestFailed(
            ErrorClass.MALFORMED_STREAM, f"the last event cannot be read: {error}"
        ) from None
    progress.last = data


def _broken_event(event: _Event, data: bytes) -> RequestFailed:
    if event.error is not None:
        text = server_message(data) or "an error without a message"
        return RequestFailed(ErrorClass.SERVER_ERROR, text)
    # Sent as a bare object by servers that name the field "error:" instead of the key.
    reply = msgspec.json.decode(data)
    if isinstance(reply, dict) and "message" in reply:
        return RequestFailed(ErrorClass.SERVER_ERROR, server_message(data))
    return RequestFailed(ErrorClass.MALFORMED_STREAM, "an event without content")


def _finish_reason(final: _Final) -> str | None:
    if final.stop_type == "limit":
        return "context" if final.truncated else "length"
    return "stop" if final.stop_type in ("eos", "word") else final.stop_type


def _ns(ms: float | None) -> int | None:
    return None if ms is None else round(ms * 1e6)


def _object(reply: Any, path: str) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise RequestFailed(ErrorClass.MALFORMED_STREAM, f"{path} answered with no object")
    return reply
