"""A request for tokens, understood: what is asked for in either dialect, in the same words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from chimera.testing.mock_server.behaviour import BadBehaviour, Behaviour, behaviour_of
from chimera.testing.mock_server.truth import Record
from chimera.testing.mock_server.wire import Request

Kind = Literal["openai_chat", "openai_completion", "ollama_chat", "ollama_generate"]
PATHS: dict[str, Kind] = {
    "/v1/chat/completions": "openai_chat",
    "/v1/completions": "openai_completion",
    "/api/chat": "ollama_chat",
    "/api/generate": "ollama_generate",
}


class NotUnderstood(ValueError):
    """HTTP, but no request that this path takes; answered with status 400."""


class _Body(msgspec.Struct):
    """The fields of all dialects that change the answer; others are taken and ignored."""

    model: str = ""
    messages: list[Any] | None = None
    prompt: Any = None
    stream: bool | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stream_options: dict[str, Any] | None = None
    user: str | None = None
    options: dict[str, Any] | None = None
    keep_alive: Any = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked. ``most_tokens`` is the client's limit; None without one.

    ``loads_only`` is Ollama's empty prompt: load the model, or with ``unloads`` drop it.
    """

    kind: Kind
    model: str
    behaviour: Behaviour
    stream: bool
    include_usage: bool
    most_tokens: int | None
    prompt_tokens: int
    id: str | None
    loads_only: bool
    unloads: bool

    @property
    def tokens(self) -> int:
        """How many a complete answer has."""
        if self.behaviour.fault == "empty":
            return 0
        wanted = self.behaviour.tokens
        return wanted if self.most_tokens is None else min(wanted, self.most_tokens)

    @property
    def finish_reason(self) -> str:
        limited = self.most_tokens is not None and self.most_tokens <= self.behaviour.tokens
        return "length" if limited else "stop"


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """An ask, the request that it came in, and the record of what becomes of it."""

    ask: Ask
    request: Request
    record: Record


def read_ask(request: Request, kind: Kind, default_model: str, defaults: str) -> Ask:
    """Understand a request for tokens.

    Raises:
        NotUnderstood: not JSON, fields of the wrong kind, or options that do not exist.
    """
    try:
        body = msgspec.json.decode(request.body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotUnderstood(f"the body is not what {request.path} takes: {error}") from None
    model = body.model or default_model
    try:
        behaviour = behaviour_of(model, defaults)
    except BadBehaviour as error:
        raise NotUnderstood(str(error)) from None
    ollama = kind.startswith("ollama")
    loads_only = ollama and not body.messages and not body.prompt
    if not loads_only and _prompt(body, kind) is None:
        field = "messages" if kind.endswith("chat") else "prompt"
        raise NotUnderstood(f"{request.path} needs {field}")
    words = sum(len(text.split()) for text in _texts(_prompt(body, kind)))
    return Ask(
        kind=kind,
        model=model,
        behaviour=behaviour,
        stream=ollama if body.stream is None else body.stream,
        include_usage=bool((body.stream_options or {}).get("include_usage")),
        most_tokens=_most_tokens(body, ollama),
        prompt_tokens=max(1, words) if behaviour.prompt is None else behaviour.prompt,
        id=request.headers.get("x-request-id") or body.user,
        loads_only=loads_only,
        unloads=loads_only and body.keep_alive in (0, "0", "0s", "0m"),
    )


def _prompt(body: _Body, kind: Kind) -> Any:
    return body.messages if kind.endswith("chat") else body.prompt


def _texts(value: Any) -> Iterator[str]:
    """Every text in a prompt: a string, strings in a list, contents of messages and parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from _texts(value.get("content", value.get("text")))


def _most_tokens(body: _Body, ollama: bool) -> int | None:
    most: Any
    if ollama:
        most = (body.options or {}).get("num_predict")
    else:
        most = body.max_completion_tokens if body.max_tokens is None else body.max_tokens
    if most is None:
        return None
    if isinstance(most, bool) or not isinstance(most, int):
        raise NotUnderstood(f"num_predict is no whole number: {most!r}")
    if not ollama and most < 0:
        raise NotUnderstood(f"max_tokens is below 0: {most}")
    return most if most >= 0 else None  # Ollama: -1 and -2 mean without a limit
