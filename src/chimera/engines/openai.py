"""Any server with OpenAI's interface: vLLM, SGLang, llama.cpp's server, Ollama, OpenAI itself.

The server runs already and has its model; nothing here starts or loads one. A trial request at
the start finds out which fields this server refuses.
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
from chimera.engines.counting import TokenCounts
from chimera.engines.credentials import Credentials
from chimera.engines.names import model_identity
from chimera.engines.openai_body import LLAMA_SERVER, Dialect
from chimera.engines.openai_server import Described, OpenAIServer
from chimera.engines.openai_stream import OpenAIAnswer
from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange, http_request
from chimera.engines.wire.once import exchange_now
from chimera.errors import EngineError

_KEY_ENV = "OPENAI_API_KEY"
_TRIALS = 8  # each but the last has learnt of a field that the server refuses
_TRIAL = CompletionRequest(prompt="Hello", max_tokens=1, ignore_eos=True, cache_prompt=False)


class OpenAI(Started):
    """One model of one server. ``address`` ends where the interface begins, mostly in /v1.

    ``model`` None takes the only one that the server lists. ``chat`` False asks for plain
    completions. The key comes from ``api_key_env`` or ``api_key_file``, else from
    OPENAI_API_KEY (see ``Credentials``); ``headers`` are sent along with every request.
    """

    name = "openai"

    def __init__(
        self,
        address: Address,
        model: str | None = None,
        options: Options | None = None,
        *,
        chat: bool = True,
        api_key_env: str | None = None,
        api_key_file: Path | None = None,
        headers: Mapping[str, str] | None = None,
        start_timeout_s: float = 900.0,
    ) -> None:
        self._wanted = model
        self._chat = chat
        self._options = options or Options()
        self._start_timeout_s = start_timeout_s
        self._credentials = Credentials(
            address,
            key_env=api_key_env,
            key_file=api_key_file,
            default_env=_KEY_ENV,
            headers=headers,
        )
        self._server = OpenAIServer(address, self._credentials)
        self._entry: dict[str, Any] = {}
        self._described = Described()
        self._dialect = Dialect(model or "", chat=chat)
        self._counts = TokenCounts(None)
        self._load: Load | None = None
        self._closed = False

    @property
    def version(self) -> str | None:
        """Kind and version of the server, where it says them; None before the start."""
        kind, version = self._described.kind, self._described.version
        said = " ".join(word for word in (kind, version) if word)
        return self._credentials.hide(said) or None

    @property
    def options(self) -> Options:
        return self._options

    @property
    def address(self) -> str | None:
        """The interface's address; None before the start."""
        return self._server.address.url if self._load else None

    @property
    def pid(self) -> int | None:
        """None: the server is not ours."""
        return None

    @property
    def metrics_url(self) -> str:
        """Where such servers offer their counters (Prometheus); whether this one does is for
        who asks to find out.
        """
        return self._server.base.url + "/metrics"

    @property
    def cannot(self) -> dict[str, str]:
        """See ``Engine.cannot``. What the server itself refuses is known after the start."""
        return self._credentials.hide(self._dialect.cannot())

    def start(self) -> Load:
        """See ``Engine.start``. ``cold`` is False: the server had its model before we came, or
        does not say.
        """
        if self._load is not None:
            return self._load
        if self._closed:
            raise EngineError("the engine was closed")
        start = time.monotonic_ns()
        try:
            self._entry = self._choose(self._list())
            self._described = self._server.describe(self._entry)
            self._dialect.kind = self._described.kind
            done = self._try()
        except RequestFailed as error:
            raise EngineError(self._why(error)) from None
        ready = time.monotonic_ns()
        self._load = Load(
            start_ns=start,
            ready_ns=ready,
            server_load_ns=None,
            cold=False,
            num_ctx=self._described.num_ctx,
        )
        self._counts = self._counter(done)
        return self._load

    def model(self) -> ModelIdentity:
        """See ``Engine.model``: from the server's list of models."""
        self._started()
        return model_identity(self._dialect.model, self._entry)

    def count_tokens(self, text: str) -> int | None:
        """See ``Engine.count_tokens``. For a chat, those of ``text`` as its only message, with
        what the template adds. None where the server has no page for it.
        """
        self._started()
        return self._counted(self._dialect.body(CompletionRequest(prompt=text), self._options))

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        """See ``Engine.complete``."""
        return self.finish(exchange_now(self._call(request, on_token)))

    def prepare(self, request: CompletionRequest) -> Call:
        """See ``Engine.prepare``. Where the server counts tokens, they are counted here."""
        return self._call(request, None)

    def finish(self, exchange: Exchange) -> Completion:
        """See ``Engine.finish``."""
        try:
            done = finished(exchange)
        except RequestFailed as error:
            raise self._credentials.hide_in_failure(error) from None
        return self._credentials.hide_in_answer(done)

    def about(self) -> dict[str, Any]:
        """See ``Engine.about``."""
        if self._load is None:
            return {}
        told: dict[str, Any] = {"api": "chat" if self._chat else "completions"}
        if self._described.kind is not None:
            told["kind"] = self._described.kind
        told |= self._described.about
        if self._credentials.source is not None:
            told["key_from"] = self._credentials.source
        return self._credentials.hide(told)

    def close(self) -> None:
        """See ``Engine.close``."""
        self._closed = True
        self._load = None

    def __repr__(self) -> str:
        model = self._credentials.hide(self._dialect.model)
        return f"OpenAI({self._server.address.url!r}, {model!r})"

    # --- the start

    def _list(self) -> list[dict[str, Any]]:
        try:
            return self._server.models(timeout_s=min(60.0, self._start_timeout_s))
        except RequestFailed as error:
            # A server without such a list can still be asked for a model by its name.
            if self._wanted is not None and error.http_status in (403, 404, 405, 501):
                return []
            raise

    def _choose(self, listed: list[dict[str, Any]]) -> dict[str, Any]:
        names = [self._credentials.hide(str(entry["id"])) for entry in listed]
        if self._wanted is None:
            if len(listed) != 1:
                said = f"lists these models: {', '.join(names)}" if names else "lists no model"
                raise EngineError(
                    f"the server at {self._server.address.url} {said}; name one as openai:MODEL@URL"
                )
            self._dialect.model = str(listed[0]["id"])
            return listed[0]
        for entry in listed:
            aliases = entry.get("aliases")
            if self._wanted == entry["id"] or (
                isinstance(aliases, list) and self._wanted in aliases
            ):
                return entry
        if names:
            raise EngineError(
                f"the server at {self._server.address.url} does not list the model "
                f"{self._wanted!r}; it lists: {', '.join(names)}"
            )
        return {}

    def _try(self) -> Completion | None:
        """One request for one token with all that will be sent; None where it brought none."""
        for _ in range(_TRIALS):
            call = self._ready(_TRIAL, None, self._start_timeout_s)
            exchange = exchange_now(call)
            try:
                return finished(exchange)
            except RequestFailed as error:
                if error.error_class is ErrorClass.EMPTY:
                    return None
                if error.http_status not in (400, 422):
                    raise
                if not self._dialect.refuse(self._credentials.hide(error.text), call.body):
                    raise
        raise EngineError(
            f"the server at {self._server.address.url} refuses one field after another"
        )

    def _counter(self, done: Completion | None) -> TokenCounts:
        """How prompts are counted: by the server's own page, if it counted the trial right."""
        count = self._server.count_vllm
        if self._described.kind == LLAMA_SERVER:
            count = self._server.count_llama
        counts = TokenCounts(count)
        try:
            right = done is not None and counts.of(done.raw_request) == done.prompt_tokens
        except RequestFailed:
            right = False
        return counts if right else TokenCounts(None)

    def _why(self, error: RequestFailed) -> str:
        text = self._credentials.hide(error.text)
        url = self._server.address.url
        if error.http_status in (401, 403):
            if self._credentials.withheld:
                return (
                    f"{url}: {text}; {_KEY_ENV} is not sent readable to another machine unless "
                    f"it is named as the key's variable"
                )
            source = self._credentials.source
            given = f"it refused the key from {source}" if source else f"set {_KEY_ENV}"
            return f"{url}: {text}; {given}"
        if error.error_class is ErrorClass.CONNECT:
            return f"{text}; start the server, or correct the address {url}"
        return f"{url}: {text}"

    # --- requests

    def _started(self) -> None:
        if self._load is None:
            raise EngineError("the engine was closed" if self._closed else "start the engine first")

    def _call(self, request: CompletionRequest, on_token: OnToken | None) -> Call:
        self._started()
        if request.messages and not self._chat:
            raise EngineError(
                "plain completions take a prompt, no chat; name the target openai:MODEL@URL"
            )
        call = self._ready(request, on_token, request.timeout_s)
        assert isinstance(call.answer, OpenAIAnswer)
        call.answer.counted = self._check_fit(call.body, request)
        return call

    def _ready(
        self, request: CompletionRequest, on_token: OnToken | None, timeout_s: float
    ) -> Call:
        address = self._server.address
        body = self._dialect.body(request, self._options)
        most = body.get(self._dialect.limit_field)
        return Call(
            address,
            http_request("POST", address, self._dialect.path, body, self._credentials.headers()),
            OpenAIAnswer(on_token, most=most, context=self._described.num_ctx),
            timeout_s=timeout_s,
            stall_s=request.stall_s,
            body=body,
            secrets=self._credentials.marks(),
        )

    def _counted(self, body: dict[str, Any]) -> int | None:
        try:
            return self._counts.of(body)
        except RequestFailed as error:
            raise self._credentials.hide_in_failure(error) from None

    def _check_fit(self, body: dict[str, Any], request: CompletionRequest) -> int | None:
        """The prompt's tokens, which fit; None where nobody counts."""
        context = self._described.num_ctx
        counted = self._counted(body)
        if counted is None or context is None:
            return counted
        needed = counted + (body.get(self._dialect.limit_field) or 1)
        if needed > context:
            raise RequestFailed(
                ErrorClass.DOES_NOT_FIT,
                f"the prompt's {counted} tokens and {needed - counted} to be generated do not fit "
                f"the context of {context} tokens; shorten the prompt or start the server with "
                "a longer context",
            )
        return counted
