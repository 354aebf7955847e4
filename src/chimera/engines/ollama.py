"""Ollama by its native interface, which tells its own times and takes all of its options.

The server runs already; its model is loaded at the start with the options to be measured. The
native interface and not the one like OpenAI's, because that has no field for most options and
loads the model with others.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chimera.engines.answers import finished
from chimera.engines.base import (
    Completion,
    CompletionRequest,
    ErrorClass,
    Load,
    ModelIdentity,
    OnToken,
    Options,
    RequestFailed,
    Started,
)
from chimera.engines.credentials import Credentials
from chimera.engines.ollama_body import CANNOT, check_options, limit_of, load_body, request_body
from chimera.engines.ollama_server import Entry, OllamaServer, Shown, find, identity, told
from chimera.engines.ollama_stream import OllamaAnswer
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange, http_request
from chimera.engines.wire.once import exchange_now
from chimera.errors import EngineError

_SLOW_LOOK_UP_NS = 400_000_000
_SURE_LOAD_NS = 1_000_000_000


class Ollama(Started):
    """One model of one Ollama server.

    ``model`` None takes the only one that is there. A key for a gateway before the server comes
    from ``api_key_env`` or ``api_key_file``; ``headers`` are sent along with every request.
    """

    name = "ollama"
    pid = None  # the server is not ours
    metrics_url = None  # it has no such page

    def __init__(
        self,
        address: Address,
        model: str | None = None,
        options: Options | None = None,
        *,
        api_key_env: str | None = None,
        api_key_file: Path | None = None,
        headers: Mapping[str, str] | None = None,
        start_timeout_s: float = 900.0,
    ) -> None:
        self._options = options or Options()
        check_options(self._options)
        self._model = model or ""
        self._start_timeout_s = start_timeout_s
        self._credentials = Credentials(
            address, key_env=api_key_env, key_file=api_key_file, headers=headers
        )
        self._server = OllamaServer(address, self._credentials)
        self._version: str | None = None
        self._entry: Entry | None = None
        self._shown = Shown()
        self._loaded: list[Entry] = []
        self._load: Load | None = None
        self._reload_ns = _SLOW_LOOK_UP_NS
        self._closed = False

    @property
    def version(self) -> str | None:
        """The server's version; None before the start."""
        return self._version

    @property
    def options(self) -> Options:
        return self._options

    @property
    def address(self) -> str | None:
        """The server's address; None before the start."""
        return self._server.address.url if self._load else None

    @property
    def cannot(self) -> dict[str, str]:
        """See ``Measurable``."""
        return dict(CANNOT)

    def start(self) -> Load:
        """See ``Engine.start``. ``server_load_ns`` is None: Ollama times the loads within
        requests alone.
        """
        if self._load is not None:
            return self._load
        if self._closed:
            raise EngineError("the engine was closed")
        start = time.monotonic_ns()
        try:
            self._find()
            before = self._in_memory()
            others = _in_turn(self._loaded)
            wait_ns = self._wait_for_load()
            ready = time.monotonic_ns()
            # Asked once more, it is only looked up: what that takes is no reload.
            looked_up_ns = self._wait_for_load()
            after = self._in_memory()
        except RequestFailed as error:
            raise EngineError(self._why(error)) from None
        # Threads and batch size belong to a loaded model as well, but only its context shows.
        cold = before is None or after is None or before.context_length != after.context_length
        if after is None and self._loaded and _in_turn(self._loaded) == others:
            # Two models of the same weights share one copy, listed as the one that came first.
            cold = False
            after = self._loaded[0] if len(self._loaded) == 1 else None
        context = (after and after.context_length) or self._options.num_ctx
        self._reload_ns = _reload_ns(wait_ns if cold else None, looked_up_ns)
        self._load = Load(
            start_ns=start, ready_ns=ready, server_load_ns=None, cold=cold, num_ctx=context
        )
        return self._load

    def model(self) -> ModelIdentity:
        """See ``Engine.model``."""
        self._started()
        return identity(self._model, self._entry, self._shown)

    def count_tokens(self, text: str) -> int | None:
        """None: Ollama has no page that counts tokens."""
        self._started()
        return None

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        """See ``Engine.complete``."""
        return self.finish(exchange_now(self._call(request, on_token)))

    def prepare(self, request: CompletionRequest) -> Call:
        """See ``Measurable.prepare``. Whether a prompt fits shows only in the answer."""
        return self._call(request, None)

    def finish(self, exchange: Exchange) -> Completion:
        """See ``Measurable.finish``."""
        try:
            return self._credentials.hide_in_answer(finished(exchange))
        except RequestFailed as error:
            raise self._explained(self._credentials.hide_in_failure(error)) from None

    def about(self) -> dict[str, Any]:
        """See ``Measurable.about``: as it was at the start."""
        if self._load is None:
            return {}
        found = told(self._version, self._shown, self._loaded)
        if self._credentials.source is not None:
            found["key_from"] = self._credentials.source
        return self._credentials.hide(found)

    def close(self) -> None:
        """See ``Engine.close``. The model stays loaded: others may use it."""
        self._closed = True
        self._load = None

    def __repr__(self) -> str:
        return f"Ollama({self._server.address.url!r}, {self._model!r})"

    # --- the start

    def _find(self) -> None:
        """Learn the server's version and that it has the model."""
        server = self._server
        self._version = server.version(timeout_s=min(60.0, self._start_timeout_s))
        if self._version is None:
            raise EngineError(f"what answers at {server.address.url} is no Ollama")
        there = server.models()
        names = ", ".join(entry.name for entry in there)
        if not self._model:
            if len(there) != 1:
                has = f"has these models: {names}" if names else "has no model"
                raise EngineError(
                    f"the Ollama at {server.address.url} {has}; name one as ollama:MODEL"
                )
            self._model = there[0].name
        self._entry = find(there, self._model)
        try:
            self._shown = server.show(self._model)
        except RequestFailed as error:
            if error.http_status != 404:
                raise
            has = f"it has: {names}" if names else "it has none"
            raise EngineError(
                f"the Ollama at {server.address.url} has no model {self._model!r}; {has}; "
                f"get it with: ollama pull {self._model}"
            ) from None

    def _wait_for_load(self) -> int:
        """Have the model loaded as the requests will want it; how long that took (ns)."""
        begun = time.monotonic_ns()
        self._server.load(load_body(self._options, self._model), self._start_timeout_s)
        return time.monotonic_ns() - begun

    def _in_memory(self) -> Entry | None:
        self._loaded = self._server.loaded()
        digest = self._entry.digest if self._entry else None
        return find(self._loaded, self._model, digest)

    def _why(self, error: RequestFailed) -> str:
        text, url = self._credentials.hide(error.text), self._server.address.url
        if error.error_class is ErrorClass.CONNECT:
            return f"{text}; start Ollama (ollama serve), or correct the address {url}"
        if error.http_status in (404, 405):
            return f"{url}: {text}; is it an Ollama?"
        return f"{url}: {text}"

    # --- requests

    def _started(self) -> Load:
        if self._load is None:
            raise EngineError("the engine was closed" if self._closed else "start the engine first")
        return self._load

    def _call(self, request: CompletionRequest, on_token: OnToken | None) -> Call:
        load = self._started()
        if not request.messages and not request.prompt:
            text = "Ollama answers an empty prompt with nothing: it only loads the model"
            raise RequestFailed(ErrorClass.EMPTY, text)
        address, body = self._server.address, request_body(request, self._options, self._model)
        path = "/api/chat" if request.messages else "/api/generate"
        return Call(
            address,
            http_request("POST", address, path, body, self._credentials.headers()),
            OllamaAnswer(
                on_token,
                most=limit_of(request, self._options),
                context=load.num_ctx,
                reload_ns=self._reload_ns,
            ),
            timeout_s=request.timeout_s,
            stall_s=request.stall_s,
            body=body,
            secrets=self._credentials.marks(),
        )

    def _explained(self, error: RequestFailed) -> RequestFailed:
        """A refusal of a long prompt, with the size that it did not fit into."""
        context = self._load.num_ctx if self._load else None
        if error.error_class is not ErrorClass.DOES_NOT_FIT or context is None:
            return error
        text = f"{error.text} of {context} tokens; raise num_ctx or shorten the prompt"
        return RequestFailed(error.error_class, text, error.partial, http_status=error.http_status)


def _in_turn(loaded: list[Entry]) -> list[tuple[str, int | None]]:
    return sorted((entry.digest or entry.name, entry.context_length) for entry in loaded)


def _reload_ns(load_ns: int | None, looked_up_ns: int) -> int:
    """From which "load_duration" on a request is taken to have loaded its model.

    Ollama gives one to every request: a model that is there is looked up in 0.1 s, on a busy
    machine in 0.3 s and more; a small one loads in 0.6 s. So half of what the first load took
    (None: it was there before us) tells them apart, but no more than what no look-up takes: the
    first load may have come from a slow disk, and later ones come from memory.
    """
    if load_ns is None:
        return max(_SLOW_LOOK_UP_NS, looked_up_ns * 3)
    sure_ns = max(_SURE_LOAD_NS, looked_up_ns * 5)
    return max(min(load_ns // 2, sure_ns), looked_up_ns * 3 // 2)
