"""What Chimera needs from a model server: the protocol, its requests and its answers.

An engine measures nothing and decides nothing: it sends one request, stamps what comes back
on the caller's monotonic clock, and hands over everything the server said. Metrics are
computed elsewhere from these stamps.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from chimera.errors import EngineError
from chimera.record.request import ErrorClass
from chimera.record.run import ModelIdentity, Options

__all__ = [
    "Completion",
    "CompletionRequest",
    "Engine",
    "ErrorClass",
    "Load",
    "ModelIdentity",
    "OnToken",
    "Options",
    "RequestFailed",
]


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One start of an engine, on the caller's monotonic clock (ns).

    ``ready_ns - start_ns`` is what the caller waited, a new process included where there is
    one. ``server_load_ns`` is the load of the model alone as the server measured it, None
    where it does not say. ``cold`` is False when the model was already loaded.
    ``num_ctx`` is the context size (tokens) that the server really uses.
    """

    start_ns: int
    ready_ns: int
    server_load_ns: int | None
    cold: bool
    num_ctx: int | None


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt to continue. None takes the engine's option, then the server's default.

    ``grammar`` is GBNF and bounds what may be generated. ``cache_prompt`` False evaluates the
    whole prompt even if its beginning is still in the server's cache. ``ignore_eos`` True
    goes on until ``max_tokens``. ``timeout_s`` limits the whole request.
    """

    prompt: str
    max_tokens: int | None = None
    grammar: str | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    cache_prompt: bool = True
    ignore_eos: bool = False
    timeout_s: float = 600.0


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What one request brought back. Times are monotonic ns of the calling process.

    start_ns        before connecting
    sent_ns         connected, just before the request's first byte; None if it never was
    first_byte_ns   the answer's status line and headers are here
    first_token_ns  first token with text
    token_ns        arrival of each chunk that carried tokens, an empty end token included
    chunk_tokens    how many tokens each of these chunks carried; None where unknown
    end_ns          the last event, or when the request failed

    ``prompt_tokens`` = ``cached_tokens`` + ``evaluated_tokens``, all the server's own counts,
    like ``output_tokens``. ``server_*`` durations are what the server measured about itself.
    ``finish_reason`` is "stop" (end of text or a stop string), "length" (max_tokens) or
    "context" (the context was full). Whatever was not learnt is None.
    """

    text: str
    start_ns: int
    sent_ns: int | None
    first_byte_ns: int | None
    first_token_ns: int | None
    token_ns: tuple[int, ...]
    chunk_tokens: tuple[int, ...] | None
    end_ns: int
    prompt_tokens: int | None
    cached_tokens: int | None
    evaluated_tokens: int | None
    output_tokens: int | None
    finish_reason: str | None
    server_load_ns: int | None
    server_prefill_ns: int | None
    server_decode_ns: int | None
    raw_request: dict[str, Any]
    raw_reply: dict[str, Any] | None


class RequestFailed(EngineError):
    """A request failed. ``partial`` holds what had arrived; None if nothing was sent."""

    def __init__(
        self, error_class: ErrorClass, text: str, partial: Completion | None = None
    ) -> None:
        super().__init__(text)
        self.error_class = error_class
        self.text = text
        self.partial = partial


OnToken = Callable[[str], None]


class Engine(Protocol):
    """A model server. One request at a time; not for use from several threads at once.

    ``name`` is the kind of engine ("llamacpp"); ``version`` is None until it is known.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str | None: ...

    @property
    def options(self) -> Options: ...

    def start(self) -> Load:
        """Make the model ready for requests. A second call returns the first Load.

        Raises:
            MissingExtra: a package that the engine needs is not installed.
            EngineError: the server or its model cannot be started; says why.
        """
        ...

    def model(self) -> ModelIdentity:
        """Which model is served. Needs a started engine; may read the whole file once."""
        ...

    def count_tokens(self, text: str) -> int | None:
        """Prompt tokens of ``text``, a beginning-of-text token included; None if unknown."""
        ...

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        """Continue a prompt and wait for the end. ``on_token`` gets each piece of text.

        Raises:
            RequestFailed: with its error class and what had arrived.
            EngineError: the engine is not started, or closed.
        """
        ...

    def close(self) -> None:
        """Give back what the engine holds. Never raises; a second call does nothing."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
