"""Whether an answer is one: every way of failing outside the stream's own events."""

from __future__ import annotations

import msgspec

from chimera.engines.base import RequestFailed
from chimera.engines.wire.call import Exchange
from chimera.record.request import ErrorClass

_MOST_SAID = 500
# How servers say that a prompt is longer than the context: llama.cpp's, Ollama, OpenAI, vLLM.
_TOO_LONG = (
    b'"exceed_context_size_error"',
    b"exceeds the context length",
    b"context_length_exceeded",
    b"maximum context length",
)


def refusal(exchange: Exchange) -> RequestFailed | None:
    """Why an exchange brought no answer of the kind that was asked for; None if it did.

    A connection that was cut, or a limit that passed, while the answer was arriving counts
    here as well: the caller knows whether the answer was whole by then.
    """
    if exchange.status is not None and exchange.status != 200:
        return _bad_status(exchange.status, exchange.refused)
    if exchange.error is not None:
        return RequestFailed(*exchange.error)
    if not exchange.accepted:
        return _another_type(exchange.refused)
    return None


def _bad_status(status: int, body: bytes) -> RequestFailed:
    text = server_message(body)
    if any(words in body for words in _TOO_LONG):
        text = text or "the prompt does not fit"
        return RequestFailed(ErrorClass.DOES_NOT_FIT, text, http_status=status)
    if 300 <= status < 400:
        text = f"HTTP {status}: the server sends the client elsewhere; give the final address"
        return RequestFailed(ErrorClass.REDIRECT, text, http_status=status)
    said = f": {text}" if text else " without a message"
    return RequestFailed(ErrorClass.HTTP_STATUS, f"HTTP {status}{said}", http_status=status)


def _another_type(body: bytes) -> RequestFailed:
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        reply = None
    if isinstance(reply, dict) and reply.get("error"):
        text = server_message(body) or "an error without a message"
        return RequestFailed(ErrorClass.SERVER_ERROR, text)
    return RequestFailed(
        ErrorClass.MALFORMED_STREAM, f"the answer is not an event stream: {shown(body)}"
    )


def server_message(body: bytes) -> str:
    """The error message in a server's reply, "" if there is none; one line, kept short."""
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return shown(body) if body.strip() else ""
    error = reply.get("error", reply) if isinstance(reply, dict) else reply
    if isinstance(error, dict):
        error = error.get("message", error)
    return " ".join(str(error).split())[:_MOST_SAID]


def shown(data: bytes) -> str:
    """The beginning of bytes that could not be read, in quotes."""
    return repr(data[:80].decode("utf-8", "replace"))
