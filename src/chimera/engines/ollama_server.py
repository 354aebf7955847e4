"""What an Ollama server says about itself and its models, and what a request says to it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chimera.engines.base import CompletionRequest, ModelIdentity, Options, RequestFailed
from chimera.engines.credentials import Credentials
from chimera.engines.openai_body import chat_of
from chimera.engines.wire.address import Address, parse_address
from chimera.engines.wire.once import ask
from chimera.errors import InputError
from chimera.record.request import ErrorClass

DEFAULT_PORT = 11434

_IN_OPTIONS = (
    "num_ctx",
    "num_thread",
    "num_gpu",
    "num_batch",
    "num_keep",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repeat_penalty",
    "repeat_last_n",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "num_predict",
)
_MORE_OPTIONS = frozenset({"typical_p", "main_gpu", "use_mmap", "think"})
# Known to older versions only, which nobody can tell from outside.
_OLDER_OPTIONS = frozenset(
    {"mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline", "tfs_z", "numa", "low_vram"}
    | {"use_mlock", "f16_kv", "vocab_only", "logits_all"}
)
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_NEVER = {
    "cache_prompt": "Ollama always reuses what it still has of a prompt, and never says how much",
    "ignore_eos": "Ollama has no such option: num_predict only limits an answer",
    "grammar": "Ollama takes a JSON schema, but no grammar",
}


def parse_host(text: str) -> Address:
    """The server that a text in the forms of OLLAMA_HOST names: "host", "host:port", a URL.

    Without a port it is 11434, with "http://" or "https://" before it that of the scheme, as
    in Ollama. An address that means "every one of this machine" becomes its loopback.

    Raises:
        InputError: it names no server.
    """
    wanted = text.strip().strip("'\"") or "127.0.0.1"
    if wanted == "ollama.com":
        wanted = "https://ollama.com"
    if wanted.startswith(":") and not wanted.startswith("::"):
        wanted = "127.0.0.1" + wanted
    if "://" not in wanted and wanted.count(":") > 1 and "[" not in wanted:
        wanted = f"[{wanted}]"
    address = parse_address(wanted, DEFAULT_PORT)
    loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host)  # noqa: S104 - not bound
    return msgspec.structs.replace(address, host=loopback) if loopback else address


class OllamaServer:
    """The questions to a server at an address."""

    def __init__(self, address: Address, credentials: Credentials) -> None:
        self.address = address
        self._credentials = credentials

    def version(self, timeout_s: float = 30.0) -> str | None:
        """Its version, None where it does not say.

        Raises:
            RequestFailed: nobody answers there, or not as Ollama does.
        """
        version = self._ask("GET", "/api/version", timeout_s=timeout_s).get("version")
        return version if isinstance(version, str) else None

    def models(self) -> list[dict[str, Any]]:
        """The models that it has (/api/tags)."""
        return _entries(self._ask("GET", "/api/tags"))

    def loaded(self) -> list[dict[str, Any]]:
        """The models in memory (/api/ps), each under the name it was first asked for by."""
        return _entries(self._ask("GET", "/api/ps"))

    def show(self, model: str) -> dict[str, Any]:
        """What it knows about a model."""
        return self._ask("POST", "/api/show", {"model": model})

    def load(self, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Load a model: a request without a prompt, answered when it is done."""
        return self._ask("POST", "/api/generate", body | {"stream": False}, timeout_s)

    def _ask(
        self, method: str, path: str, body: Any = None, timeout_s: float = 60.0
    ) -> dict[str, Any]:
        headers = self._credentials.headers()
        return ask(self.address, method, path, body, headers=headers, timeout_s=timeout_s)


def request_body(
    model: str, request: CompletionRequest, options: Options, *, raw: bool
) -> dict[str, Any]:
    """The JSON body of /api/generate, or of /api/chat where the request is a chat.

    Raises:
        InputError: what is asked for means something else to Ollama.
    """
    body: dict[str, Any] = {"model": model}
    if request.messages:
        body["messages"] = chat_of(request)
    elif request.prompt:
        body["prompt"] = request.prompt
        if raw:
            body["raw"] = True
    else:
        raise InputError("Ollama takes an empty prompt as the order to load a model; give it text")
    # Without these a prompt that is too long loses its front, and an answer that grows too long
    # loses it too, in silence. Servers from before these fields pass over them.
    body |= {"stream": True, "truncate": False, "shift": False}
    asked = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    settings = load_body(model, options)
    settings["options"].update({k: v for k, v in asked.items() if v is not None})
    if settings["options"].get("num_predict") == 0:
        raise InputError("Ollama takes num_predict 0 as no limit; ask for one token at least")
    if request.json_schema is not None:
        body["format"] = request.json_schema
    return body | settings


def load_body(model: str, options: Options) -> dict[str, Any]:
    """What a request says of its options, and what loads the model as they want it."""
    found = {name: getattr(options, name) for name in _IN_OPTIONS} | options.other
    think = found.pop("think", options.think)
    body: dict[str, Any] = {
        "model": model,
        "options": {name: value for name, value in found.items() if value is not None},
    }
    if think is not None:
        body["think"] = think
    if options.keep_alive is not None:
        # A number of seconds must be a number: Ollama reads text only with a unit.
        whole = re.fullmatch(r"-?\d+", options.keep_alive.strip())
        body["keep_alive"] = int(options.keep_alive) if whole else options.keep_alive
    return body


def cannot(options: Options) -> dict[str, str]:
    """See ``Engine.cannot``."""
    known = _MORE_OPTIONS | _OLDER_OPTIONS | set(_IN_OPTIONS)
    why = "Ollama has no such option and passes over it"
    return _NEVER | {name: why for name in options.other if name not in known}


def full_name(model: str) -> str:
    """A model's name with its tag.

    >>> full_name("gemma3"), full_name("host/me/gemma3:270m")
    ('gemma3:latest', 'host/me/gemma3:270m')
    """
    return model if ":" in model.rpartition("/")[2] else model + ":latest"


def find(model: str, entries: list[dict[str, Any]]) -> dict[str, Any] | None:
    """A model's entry in a list, None if it is not there. Ollama compares without case."""
    wanted = full_name(model).lower()
    for entry in entries:
        if full_name(str(entry.get("name"))).lower() == wanted:
            return entry
    return None


def identity(model: str, entry: dict[str, Any], shown: dict[str, Any]) -> ModelIdentity:
    """Which model this is, by its entry in /api/tags and its page /api/show.

    ``sha256`` is Ollama's digest: of the manifest that names weights, template and settings.
    """
    details = _object(shown.get("details")) or _object(entry.get("details"))
    count = _object(shown.get("model_info")).get("general.parameter_count")
    parameters = count if isinstance(count, int) and count > 0 else None
    parameters = parameters or parameter_count(str(details.get("parameter_size")))
    digest, size = entry.get("digest"), entry.get("size")
    quantization = details.get("quantization_level")
    learnt: dict[str, Any] = {
        "sha256": digest.removeprefix("sha256:") if isinstance(digest, str) and digest else None,
        "quantization": quantization if quantization and quantization != "unknown" else None,
        "size_bytes": size if isinstance(size, int) and size > 0 else None,
        "parameters": parameters,
    }
    missing = {"file": "Ollama keeps models under digests, not under file names"}
    missing |= {k: "the server does not say" for k, v in learnt.items() if v is None}
    return ModelIdentity(name=model, not_learnt=missing, **learnt)


def parameter_count(text: str) -> int | None:
    """A count of weights as Ollama writes it; None if it is none.

    >>> parameter_count("268.10M"), parameter_count("7.6B"), parameter_count("")
    (268100000, 7600000000, None)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMBT]?)", text.strip().upper())
    return round(float(match[1]) * _UNITS[match[2]]) if match else None


def loaded_model(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of /api/ps in our words, for the record."""
    named = {
        "name": "name",
        "digest": "digest",
        "size": "size_bytes",
        "size_vram": "vram_bytes",
        "context_length": "num_ctx",
        "expires_at": "expires_at",
    }
    return {ours: entry[theirs] for theirs, ours in named.items() if theirs in entry}


def _entries(reply: dict[str, Any]) -> list[dict[str, Any]]:
    models = reply.get("models")
    if models is None:  # an empty list, as Go writes one
        return []
    if not isinstance(models, list) or not all(isinstance(m, dict) for m in models):
        raise RequestFailed(ErrorClass.MALFORMED_STREAM, "the server's list of models is none")
    return models


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
