"""What a server behind OpenAI's interface says about itself: models, kind, version, tokens."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec

from chimera.engines.base import RequestFailed
from chimera.engines.credentials import Credentials
from chimera.engines.openai_body import LLAMA_SERVER, OLLAMA, SGLANG, VLLM
from chimera.engines.wire.address import Address
from chimera.engines.wire.once import ask

_QUICK_S = 3.0  # questions beside the measurement: a server that has no answer says so at once
_TOLD_BY_LLAMA = ("total_slots", "build_info", "modalities")
_TOLD_BY_SGLANG = (
    "tp_size",
    "dp_size",
    "max_running_requests",
    "max_total_num_tokens",
    "attention_backend",
    "sampling_backend",
    "kv_cache_dtype",
    "quantization",
)
_OWNERS = {"llamacpp": LLAMA_SERVER, "vllm": VLLM, "sglang": SGLANG, "library": OLLAMA}


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """Which server this is. ``num_ctx`` is its context in tokens, None where it does not say.

    ``about`` holds what it told, without folders.
    """

    kind: str | None = None
    version: str | None = None
    num_ctx: int | None = None
    about: dict[str, Any] = {}


class OpenAIServer:
    """The questions. ``address`` is the interface's own, mostly ending in /v1; ``base`` is
    where the server's other pages are.
    """

    def __init__(self, address: Address, credentials: Credentials) -> None:
        self.address = address
        path = address.path
        path = path.removesuffix("/v1") if path.endswith("/v1") else ""
        self.base = msgspec.structs.replace(address, path=path)
        self._credentials = credentials

    def models(self, timeout_s: float = 60.0) -> list[dict[str, Any]]:
        """The models that the server lists.

        Raises:
            RequestFailed: with its error class and, where there was one, the HTTP status.
        """
        headers = self._credentials.headers()
        reply = ask(self.address, "GET", "/models", headers=headers, timeout_s=timeout_s)
        data = reply.get("data")
        listed = data if isinstance(data, list) else []
        found = [m for m in listed if isinstance(m, dict) and isinstance(m.get("id"), str)]
        return self._credentials.hide_key(found)

    def describe(self, model: dict[str, Any]) -> Described:
        """Who serves ``model`` (its entry in the list, {} without one). Never raises."""
        kind = _OWNERS.get(str(model.get("owned_by")).lower())
        told: dict[str, Any] = {}
        context = _positive(model.get("max_model_len"))
        for known, look in (
            (LLAMA_SERVER, self._llama),
            (SGLANG, self._sglang),
            (OLLAMA, self._ollama),
            (VLLM, self._vllm),
        ):
            if kind in (None, known) and (found := look()) is not None:
                version, size, more = found
                told = more if version is None else {"version": version} | more
                context = context or size
                # Many servers have a page /version: it makes none of them vLLM.
                kind = known if known != VLLM else kind
                break
        meta = model.get("meta")
        if context is None and isinstance(meta, dict):
            context = _positive(meta.get("n_ctx"))
        version = told.get("version")
        for name in ("owned_by", "max_model_len"):
            if model.get(name) is not None:
                told[name] = model[name]
        return Described(kind=kind, version=version, num_ctx=context, about=told)

    def count_llama(self, body: dict[str, Any]) -> int | None:
        """Prompt tokens of a request's body, as llama.cpp's server counts them."""
        prompt = body.get("prompt")
        if prompt is None:
            chat = {k: body[k] for k in ("messages", "chat_template_kwargs") if k in body}
            prompt = self._asked("POST", "/apply-template", chat).get("prompt")
        question = {"content": prompt, "add_special": True, "parse_special": True}
        tokens = self._asked("POST", "/tokenize", question).get("tokens")
        return len(tokens) if isinstance(tokens, list) else None

    def count_vllm(self, body: dict[str, Any]) -> int | None:
        """Prompt tokens of a request's body, as vLLM (and who copies its page) counts them."""
        kept = ("model", "prompt", "messages", "chat_template_kwargs")
        question = {k: body[k] for k in kept if k in body}
        count = self._asked("POST", "/tokenize", question).get("count")
        return count if isinstance(count, int) else None

    # --- each kind's own pages: (version, context, what else it told), None if it is another

    def _llama(self) -> tuple[str | None, int | None, dict[str, Any]] | None:
        props = self._page("/props")
        settings = props.get("default_generation_settings")
        if not isinstance(settings, dict):
            return None
        told = {k: props[k] for k in _TOLD_BY_LLAMA if k in props}
        version = props.get("build_info")
        return version if isinstance(version, str) else None, _positive(settings.get("n_ctx")), told

    def _vllm(self) -> tuple[str | None, int | None, dict[str, Any]] | None:
        version = self._page("/version").get("version")
        return (version, None, {}) if isinstance(version, str) else None

    def _sglang(self) -> tuple[str | None, int | None, dict[str, Any]] | None:
        info = self._page("/get_server_info")
        version = info.get("version")
        if not isinstance(version, str):
            return None
        told = {k: info[k] for k in _TOLD_BY_SGLANG if isinstance(info.get(k), str | int | float)}
        return version, _positive(info.get("context_length")), told

    def _ollama(self) -> tuple[str | None, int | None, dict[str, Any]] | None:
        version = self._page("/api/version").get("version")
        return (version, None, {}) if isinstance(version, str) else None

    def _page(self, path: str) -> dict[str, Any]:
        with suppress(RequestFailed):
            return self._asked("GET", path, timeout_s=_QUICK_S)
        return {}

    def _asked(
        self, method: str, path: str, body: Any = None, timeout_s: float = 60.0
    ) -> dict[str, Any]:
        headers = self._credentials.headers()
        return ask(self.base, method, path, body, headers=headers, timeout_s=timeout_s)


def _positive(value: Any) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
