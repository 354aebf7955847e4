"""What Chimera needs from a model server: the protocol, its requests and its answers.

An engine measures nothing and decides nothing: it sends one request, stamps what comes back
on the caller's monotonic clock, and hands over everything the server said. Metrics are
computed elsewhere from these stamps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

import msgspec

from chimera.errors import EngineError
from chimera.record.request import ErrorClass
from chimera.record.run import ModelIdentity, Options

if TYPE_CHECKING:
    from chimera.engines.wire.call import Call, Exchange

__all__ = [
    "Completion",
    "CompletionRequest",
    "Engine",
    "ErrorClass",
    "Load",
    "Measurable",
    "Message",
    "ModelIdentity",
    "OnToken",
    "Options",
    "RequestFailed",
    "Started",
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


class Message(msgspec.Struct, frozen=True):
    """One turn of a chat. ``role`` is "system", "user" or "assistant"."""

    role: str
    content: str


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt to continue, or a chat to answer where ``messages`` are given.

    None takes the engine's option, then the server's default. ``grammar`` (GBNF) or
    ``json_schema`` bound what may be generated, where the engine can. ``cache_prompt`` False
    evaluates the whole prompt even if its beginning is still in the server's cache;
    ``ignore_eos`` True goes on until ``max_tokens``; an engine that cannot do these says so in
    ``Engine.cannot``. ``timeout_s`` limits the whole request, ``stall_s`` the silence between
    two pieces of the answer.
    """

    prompt: str = ""
    messages: tuple[Message, ...] = ()
    json_schema: dict[str, Any] | None = None
    max_tokens: int | None = None
    grammar: str | None = None
    temperature: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    cache_prompt: bool = True
    ignore_eos: bool = False
    timeout_s: float = 600.0
    stall_s: float | None = None


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """What one request brought back. Times are monotonic ns of the calling process.

    start_ns        before connecting
    sent_ns         connected, just before the request's first byte; None if it never was
    first_byte_ns   the answer's status line and headers are here
    first_token_ns  first token with text
    token_ns        arrival of each chunk that carried tokens, an empty end token included
    chunk_tokens    how many tokens each of these chunks carried; None where unknown
    end_ns          the last event, or when the request failed
    connected_ns    the connection stood; None where it never did
    first_answer_ns first token with text that is no reasoning
    lag_ns          longest time between a piece's arrival at this machine and its reading

    ``text`` is the answer, ``reasoning`` what the model thought before it. ``stamped_by`` says
    whether the kernel or the client stamped the arrivals. ``tokens_basis`` is "server" where
    it counts its tokens, "chunks" where chunks with text were counted in place of them.
    ``reloaded``: the server loaded the model during this request.

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
    reasoning: str = ""
    connected_ns: int | None = None
    reused: bool = False
    first_answer_ns: int | None = None
    lag_ns: int | None = None
    stamped_by: Literal["kernel", "client"] = "client"
    tokens_basis: Literal["server", "chunks"] | None = None
    reasoning_tokens: int | None = None
    server_queue_ns: int | None = None
    server_total_ns: int | None = None
    reloaded: bool = False


class RequestFailed(EngineError):
    """A request failed. ``partial`` holds what had arrived; None if nothing was sent.

    ``http_status`` is the answer's status where it was not 200.
    """

    def __init__(
        self,
        error_class: ErrorClass,
        text: str,
        partial: Completion | None = None,
        *,
        http_status: int | None = None,
    ) -> None:
        super().__init__(text)
        self.error_class = error_class
        self.text = text
        self.partial = partial
        self.http_status = http_status


OnToken = Callable[[str], None]


class Engine(Protocol):
    """A model server. Not for use from several threads at once.

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


class Started(ABC):
    """What a ``with`` around an engine does: it starts it and closes it."""

    @abstractmethod
    def start(self) -> Load:
        """See ``Engine.start``."""

    @abstractmethod
    def close(self) -> None:
        """See ``Engine.close``."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Measurable(Engine, Protocol):
    """An engine for a load generator, which sends many requests at once on a wire of its own.

    ``prepare`` and ``finish`` are the two halves of ``complete``. ``address`` is where the
    server listens, None before the start. ``cannot`` names fields of a request and options
    that this engine has no way to pass on, with the reason. ``pid`` is the server's process
    where this engine started it, otherwise None. ``metrics_url`` is where such servers offer
    their counters, whether this one does or not; None where none does.
    """

    @property
    def address(self) -> str | None: ...

    @property
    def pid(self) -> int | None: ...

    @property
    def metrics_url(self) -> str | None: ...

    @property
    def cannot(self) -> dict[str, str]: ...

    def prepare(self, request: CompletionRequest) -> Call:
        """The request as bytes, ready to be sent. Nothing is sent.

        Raises:
            RequestFailed: it would not fit; nothing is to be sent.
            EngineError: the engine is not started, or closed.
        """
        ...

    def finish(self, exchange: Exchange) -> Completion:
        """What an ended exchange of a ``prepare``d call brought back.

        Raises:
            RequestFailed: with its error class and what had arrived.
        """
        ...

    def about(self) -> dict[str, Any]:
        """What the server says about itself (loaded models, memory, settings), for the record.

        Never raises; {} where it says nothing. Holds no key and no folder.
        """
        ...
