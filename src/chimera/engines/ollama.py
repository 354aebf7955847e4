"""Ollama by its own interface, which tells more than OpenAI's: loads, phases, memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

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
)
from chimera.engines.credentials import Credentials
from chimera.engines.ollama_server import (
    OllamaServer,
    cannot,
    find,
    full_name,
    identity,
    load_body,
    loaded_model,
    request_body,
)
from chimera.engines.ollama_stream import LOADED_ALREADY_NS, OllamaAnswer
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange, http_request
from chimera.engines.wire.once import exchange_now
from chimera.errors import EngineError

_TOLD_OF_MODEL = ("capabilities", "parameters")


class Ollama:
    """One model of an Ollama server. ``model`` None takes the only one that it has.

    A prompt goes through the model's template, as Ollama does it; ``raw`` True sends it as it
    is. A chat always goes through the template. ``api_key_env``, ``api_key_file`` and
    ``headers`` are for a server behind a gate (see ``Credentials``).
    """

    name = "ollama"

    def __init__(
        self,
        address: Address,
        model: str | None = None,
        options: Options | None = None,
        *,
        raw: bool = False,
        api_key_env: str | None = None,
        api_key_file: Path | None = None,
        headers: Mapping[str, str] | None = None,
        start_timeout_s: float = 900.0,
    ) -> None:
        self._model = model or ""
        self._options = options or Options()
        self._raw = raw
        self._start_timeout_s = start_timeout_s
        self._credentials = Credentials(
            address, key_env=api_key_env, key_file=api_key_file, headers=headers
        )
        self._server = OllamaServer(address, self._credentials)
        self._version: str | None = None
        self._entry: dict[str, Any] = {}
        self._shown: dict[str, Any] = {}
        self._loaded_ns = LOADED_ALREADY_NS
        self._load: Load | None = None
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
        """Where the server listens; None before the start."""
        return self._server.address.url if self._load else None

    @property
    def pid(self) -> int | None:
        """None: the server is not ours."""
        return None

    @property
    def cannot(self) -> dict[str, str]:
        """See ``Engine.cannot``."""
        return cannot(self._options)

    def start(self) -> Load:
        """See ``Engine.start``: load the model as the options want it.

        ``cold`` is False where it was loaded already, with the context size that it has now; a
        change of another option may have loaded it anew all the same. Ollama does not say how
        long a load took that no prompt came with: ``server_load_ns`` is None then.
        """
        if self._load is not None:
            return self._load
        if self._closed:
            raise EngineError("the engine was closed")
        start = time.monotonic_ns()
        try:
            self._version = self._server.version()
            self._entry = self._choose(self._server.models())
            before = self._server.loaded()
            asked = time.monotonic_ns()
            reply = self._server.load(load_body(self._model, self._options), self._start_timeout_s)
            ready = time.monotonic_ns()
            after = self._server.loaded()
            self._shown = self._server.show(self._model)
        except RequestFailed as error:
            raise EngineError(self._why(error)) from None
        cold, entry = self._was_cold(before, after)
        if cold:
            # A reload takes about as long as this load did; from a warm disk cache rather less.
            self._loaded_ns = max(LOADED_ALREADY_NS, (ready - asked) // 4)
        told, size = reply.get("load_duration"), entry.get("context_length")
        self._load = Load(
            start_ns=start,
            ready_ns=ready,
            server_load_ns=told if isinstance(told, int) and told > 0 else None,
            cold=cold,
            num_ctx=size if isinstance(size, int) and size > 0 else self._options.num_ctx,
        )
        return self._load

    def model(self) -> ModelIdentity:
        """See ``Engine.model``."""
        self._started()
        return identity(self._model, self._entry, self._shown)

    def count_tokens(self, text: str) -> int | None:
        """None: Ollama has no page that counts tokens. What does not fit is refused by the
        server, or noticed by its count afterwards.
        """
        self._started()
        return None

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        """See ``Engine.complete``."""
        return self.finish(exchange_now(self._call(request, on_token)))

    def prepare(self, request: CompletionRequest) -> Call:
        """See ``Engine.prepare``."""
        return self._call(request, None)

    def finish(self, exchange: Exchange) -> Completion:
        """See ``Engine.finish``. A prompt that filled the context is taken as one that was cut:
        versions that know no ``truncate`` drop its front without a word.
        """
        try:
            done = finished(exchange)
        except RequestFailed as error:
            raise self._credentials.hide_in_failure(error) from None
        context = self._load.num_ctx if self._load else None
        if context is not None and done.prompt_tokens is not None and done.prompt_tokens >= context:
            raise RequestFailed(
                ErrorClass.PROMPT_CHANGED,
                f"the server used {done.prompt_tokens} tokens of the prompt, its whole context: "
                "it cuts longer prompts; raise num_ctx or shorten the prompt",
                done,
            )
        return self._credentials.hide_in_answer(done)

    def about(self) -> dict[str, Any]:
        """See ``Engine.about``: models in memory now, with what they take of it."""
        if self._load is None:
            return {}
        told: dict[str, Any] = {"api": "ollama", "raw": self._raw}
        told |= {k: self._shown[k] for k in _TOLD_OF_MODEL if k in self._shown}
        with suppress(EngineError):
            told["loaded"] = [loaded_model(entry) for entry in self._server.loaded()]
        return self._credentials.hide(told)

    def close(self) -> None:
        """See ``Engine.close``. The model stays loaded as long as ``keep_alive`` says."""
        self._closed = True
        self._load = None

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

    def __repr__(self) -> str:
        return f"Ollama({self._server.address.url!r}, {self._model!r})"

    # --- the start

    def _choose(self, listed: list[dict[str, Any]]) -> dict[str, Any]:
        names = ", ".join(str(entry.get("name")) for entry in listed) or "no model"
        url = self._server.address.url
        if not self._model:
            if len(listed) != 1:
                raise EngineError(
                    f"the server at {url} has {names}; name one as ollama:MODEL, "
                    "or get one with: ollama pull MODEL"
                )
            self._model = str(listed[0].get("name"))
        found = find(self._model, listed)
        if found is None:
            raise EngineError(
                f"the server at {url} has no model {self._model!r}; get it with: "
                f"ollama pull {self._model} (it has: {names})"
            )
        self._model = full_name(self._model)
        return found

    def _was_cold(
        self, before: list[dict[str, Any]], after: list[dict[str, Any]]
    ) -> tuple[bool, dict[str, Any]]:
        """Whether the model was loaded just now, and its entry among the loaded ones ({} if it
        cannot be told).

        An entry is found by its digest, not by its name: several names can share one copy in
        memory, which is listed under the one that was asked for first. Two models of the same
        weights share one too; then the digest is the other's, and only a change of the list
        tells a load.
        """
        digest = self._entry.get("digest")
        was, now = (
            next((e for e in entries if digest and e.get("digest") == digest), None)
            for entries in (before, after)
        )
        if now is None:
            same = _listed(before) == _listed(after)
            return not same, after[0] if len(after) == 1 else {}
        return was is None or was.get("context_length") != now.get("context_length"), now

    def _why(self, error: RequestFailed) -> str:
        text, url = self._credentials.hide(error.text), self._server.address.url
        if error.error_class is ErrorClass.CONNECT:
            return f"{text}; start the server with: ollama serve (OLLAMA_HOST says where it is)"
        if error.http_status == 404:
            return f"{url} is no Ollama server: {text}"
        return f"{url}: {text}"

    # --- requests

    def _started(self) -> None:
        if self._load is None:
            raise EngineError("the engine was closed" if self._closed else "start the engine first")

    def _call(self, request: CompletionRequest, on_token: OnToken | None) -> Call:
        self._started()
        body = request_body(self._model, request, self._options, raw=self._raw)
        most = body["options"].get("num_predict")
        most = most if isinstance(most, int) and most > 0 else None
        context = self._load.num_ctx if self._load else None
        if most is not None and context is not None and most >= context:
            raise RequestFailed(
                ErrorClass.DOES_NOT_FIT,
                f"the {most} tokens to be generated and a prompt do not fit the context of "
                f"{context} tokens; raise num_ctx or ask for less",
            )
        address = self._server.address
        path = "/api/chat" if request.messages else "/api/generate"
        return Call(
            address,
            http_request("POST", address, path, body, self._credentials.headers()),
            OllamaAnswer(on_token, most=most, context=context, loaded_ns=self._loaded_ns),
            timeout_s=request.timeout_s,
            stall_s=request.stall_s,
            body=body,
        )


def _listed(entries: list[dict[str, Any]]) -> set[tuple[Any, Any]]:
    return {(entry.get("digest"), entry.get("context_length")) for entry in entries}
