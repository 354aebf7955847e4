"""An ended exchange as data, undecoded: what a killed run has left of it, and back again.

The request is no part of it, and with it no key. What a server quotes of a key stands in an
answer only: one that holds a secret is not kept so, and where there are secrets the words of a
failure are not taken from what was kept.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chimera.engines.answers import StreamAnswer, finished
from chimera.engines.base import Completion, RequestFailed
from chimera.engines.llama_server import LlamaAnswer
from chimera.engines.ollama_stream import OllamaAnswer
from chimera.engines.openai_stream import OpenAIAnswer
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange
from chimera.record.request import ErrorClass

Pieces = list[tuple[int, bytes]]

_DIALECTS: dict[str, Callable[[], StreamAnswer]] = {
    LlamaAnswer.dialect: LlamaAnswer,
    OllamaAnswer.dialect: OllamaAnswer,
    OpenAIAnswer.dialect: OpenAIAnswer,
}
_NOWHERE = Address(scheme="http", host="", port=0, path="")
_REASONS = ("stop", "length", "context", None)


class KeptExchange(msgspec.Struct, frozen=True, array_like=True):
    """See ``Exchange``; ``limits`` are the arguments of the answer's class."""

    dialect: str
    limits: dict[str, int | None]
    secrets: bool
    start_ns: int
    connected_ns: int | None
    sent_ns: int | None
    first_byte_ns: int | None
    last_ns: int | None
    end_ns: int | None
    status: int | None
    content_type: str
    error: tuple[ErrorClass, str] | None
    lag_ns: int
    kernel: bool
    reused: bool


def kept(exchange: Exchange) -> KeptExchange:
    """All of an ended exchange but its pieces."""
    answer, call = exchange.call.answer, exchange.call
    assert isinstance(answer, StreamAnswer)
    return KeptExchange(
        answer.dialect,
        answer.limits(),
        bool(call.secrets),
        exchange.start_ns,
        exchange.connected_ns,
        exchange.sent_ns,
        exchange.first_byte_ns,
        exchange.last_ns,
        exchange.end_ns,
        exchange.status,
        exchange.content_type,
        exchange.error,
        exchange.lag_ns,
        exchange.kernel,
        exchange.reused,
    )


def quotes_a_secret(exchange: Exchange) -> bool:
    """Whether what has arrived, and is not decoded yet, holds a secret of the request."""
    secrets = exchange.call.secrets
    if not secrets:
        return False
    data = b"".join([piece for _, piece in exchange.pieces])
    return any(secret in data for secret in secrets)


def restored(found: KeptExchange, pieces: Pieces) -> Exchange:
    """The exchange again, with a request of which nothing is known."""
    answer = _DIALECTS[found.dialect]()
    answer.limit(found.limits)
    exchange = Exchange(Call(_NOWHERE, b"", answer, body={}))
    for name in KeptExchange.__struct_fields__[3:]:
        setattr(exchange, name, getattr(found, name))
    exchange.pieces = pieces
    return exchange


class KeptEngine:
    """Finishes restored exchanges as the engine would that sent them."""

    def __init__(self, found: KeptExchange) -> None:
        self._secrets = found.secrets

    def finish(self, exchange: Exchange) -> Completion:
        """See ``Measurable.finish``."""
        try:
            return self._plain(finished(exchange))
        except RequestFailed as error:
            partial = error.partial and self._plain(error.partial)
            text = "what the server said was not kept" if self._secrets else error.text
            raise RequestFailed(
                error.error_class, text, partial, http_status=error.http_status
            ) from None

    def _plain(self, done: Completion) -> Completion:
        if not self._secrets or done.finish_reason in _REASONS:
            return done
        return msgspec.structs.replace(done, finish_reason=None)
