"""An engine that keeps what was asked of it: when it loaded, and every answer with its stamps."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import msgspec

from chimera.engines.base import (
    Completion,
    CompletionRequest,
    Engine,
    Load,
    ModelIdentity,
    OnToken,
    Options,
    RequestFailed,
    Started,
)


class Exchange(msgspec.Struct, frozen=True):
    """One request and what became of it; ``done`` is None where nothing came back."""

    prompt: str
    done: Completion | None
    failure: RequestFailed | None


class Recorder(Started):
    """Passes everything on to ``engine``. ``first_line`` is put in front of every prompt.

    A server that was there before may hold the same prompt in its cache, and would have less to
    do than in the run before; a line that no earlier prompt begins with makes the runs alike.
    ``load`` is what the engine said of its start, ``waited_ns`` when the caller waited for it
    (monotonic); None before.
    """

    def __init__(self, engine: Engine, first_line: str = "") -> None:
        self._engine = engine
        self._front = f"{first_line}\n" if first_line else ""
        self.load: Load | None = None
        self.waited_ns: tuple[int, int] | None = None
        self.exchanges: list[Exchange] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def version(self) -> str | None:
        return self._engine.version

    @property
    def options(self) -> Options:
        return self._engine.options

    def start(self) -> Load:
        """See ``Engine.start``."""
        begun = time.monotonic_ns()
        try:
            self.load = self._engine.start()
        finally:
            self.waited_ns = (begun, time.monotonic_ns())
        return self.load

    def model(self) -> ModelIdentity:
        """See ``Engine.model``."""
        return self._engine.model()

    def count_tokens(self, text: str) -> int | None:
        """See ``Engine.count_tokens``; the line in front is counted as well."""
        return self._engine.count_tokens(self._front + text)

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        """See ``Engine.complete``."""
        asked = self._with_front(request)
        prompt = request.prompt or "\n".join(m.content for m in request.messages)
        try:
            done = self._engine.complete(asked, on_token)
        except RequestFailed as error:
            self.exchanges.append(Exchange(prompt, error.partial, error))
            raise
        self.exchanges.append(Exchange(prompt, done, None))
        return done

    def _with_front(self, request: CompletionRequest) -> CompletionRequest:
        if not self._front:
            return request
        if not request.messages:
            return msgspec.structs.replace(request, prompt=self._front + request.prompt)
        first, *rest = request.messages
        first = msgspec.structs.replace(first, content=self._front + first.content)
        return msgspec.structs.replace(request, messages=(first, *rest))

    def close(self) -> None:
        """See ``Engine.close``."""
        with suppress(Exception):
            self._engine.close()
