"""What Ollama says about itself and its models: /api/version, tags, show and ps."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from chimera.engines.base import ModelIdentity, RequestFailed
from chimera.engines.credentials import Credentials
from chimera.engines.wire.address import Address
from chimera.engines.wire.once import ask
from chimera.record.request import ErrorClass

_UNSAID = "the server does not say"
_NO_FILE = "Ollama keeps models under their digests, not as files with a name"

_UNITS = {"": 1, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}

T = TypeVar("T")


class _Details(msgspec.Struct, frozen=True):
    family: str | None = None
    parameter_size: str | None = None
    quantization_level: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """A model in the lists of /api/tags and /api/ps; the second says more."""

    name: str
    digest: str | None = None
    size: int | None = None
    details: _Details = _Details()
    size_vram: int | None = None
    context_length: int | None = None


class Shown(msgspec.Struct, frozen=True):
    """What /api/show says of a model."""

    modelfile: str = ""
    parameters: str = ""
    details: _Details = _Details()
    model_info: dict[str, Any] | None = None
    capabilities: list[str] | None = None


class _List(msgspec.Struct, frozen=True):
    models: list[Entry] | None = None


class OllamaServer:
    """The questions. Each raises RequestFailed with its error class where it says no more."""

    def __init__(self, address: Address, credentials: Credentials) -> None:
        self.address = address
        self._credentials = credentials

    def version(self, timeout_s: float) -> str | None:
        """The server's version; None where something else than Ollama answers."""
        version = self._ask("GET", "/api/version", timeout_s=timeout_s).get("version")
        return version if isinstance(version, str) else None

    def models(self) -> list[Entry]:
        """The models that are there."""
        return self._list("/api/tags")

    def loaded(self) -> list[Entry]:
        """The models in memory."""
        return self._list("/api/ps")

    def show(self, model: str) -> Shown:
        """What there is to know of a model."""
        reply = self._ask("POST", "/api/show", {"model": model})
        return _converted(reply, Shown, "/api/show")

    def load(self, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        """Have a model loaded, and wait for it."""
        return self._ask("POST", "/api/generate", body, timeout_s)

    def _list(self, path: str) -> list[Entry]:
        return _converted(self._ask("GET", path), _List, path).models or []

    def _ask(
        self, method: str, path: str, body: Any = None, timeout_s: float = 60.0
    ) -> dict[str, Any]:
        headers = self._credentials.headers()
        return ask(self.address, method, path, body, headers=headers, timeout_s=timeout_s)


def find(entries: list[Entry], name: str, digest: str | None = None) -> Entry | None:
    """The entry of a model. /api/ps knows a model by the name that loaded it first, so one with
    the same digest is the same.
    """
    wanted = full_name(name)
    for entry in entries:
        if full_name(entry.name) == wanted:
            return entry
    return next((e for e in entries if digest is not None and e.digest == digest), None)


def full_name(name: str) -> str:
    """A model's name with its tag, in small letters: Ollama tells no others apart.

    >>> full_name("Gemma3"), full_name("host:5000/a/b"), full_name("gemma3:270m")
    ('gemma3:latest', 'host:5000/a/b:latest', 'gemma3:270m')
    """
    tagged = ":" in name.rpartition("/")[2]
    return (name if tagged else name + ":latest").lower()


def identity(name: str, entry: Entry | None, shown: Shown) -> ModelIdentity:
    """Which model this is. Its digest is the one of `ollama list`: weights, template and
    parameters together.
    """
    details = entry.details if entry else shown.details
    quantization = details.quantization_level or shown.details.quantization_level
    exact = (shown.model_info or {}).get("general.parameter_count")
    rounded = parameter_count(details.parameter_size or shown.details.parameter_size or "")
    learnt: dict[str, Any] = {
        "sha256": entry.digest.removeprefix("sha256:") if entry and entry.digest else None,
        "quantization": None if quantization in ("", "unknown") else quantization,
        "size_bytes": entry.size if entry and entry.size else None,
        "parameters": exact if isinstance(exact, int) and exact > 0 else rounded,
    }
    missing = {k: _UNSAID for k, v in learnt.items() if v is None}
    return ModelIdentity(name=name, **learnt, not_learnt={"file": _NO_FILE} | missing)


def parameter_count(text: str) -> int | None:
    """A count of weights as Ollama rounds it; None if it is none.

    >>> parameter_count("268.10M"), parameter_count("7.6B"), parameter_count("")
    (268100000, 7600000000, None)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMBT]?)", text.strip().upper())
    return round(float(match[1]) * _UNITS[match[2]]) if match else None


def told(version: str | None, shown: Shown, loaded: list[Entry]) -> dict[str, Any]:
    """What is kept for the record of a run: nothing that holds a folder."""
    found: dict[str, Any] = {"version": version} if version else {}
    weights = re.search(r"^FROM .*sha256[-:]([0-9a-f]{64})", shown.modelfile, re.MULTILINE)
    if weights is not None:
        found["weights_sha256"] = weights[1]
    if shown.capabilities:
        found["capabilities"] = shown.capabilities
    if shown.parameters:
        found["model_parameters"] = [" ".join(s.split()) for s in shown.parameters.splitlines()]
    for name, value in (shown.model_info or {}).items():
        if name == "general.architecture":
            found["architecture"] = value
        elif name.endswith(".context_length"):
            found["longest_context"] = value
    found["loaded_models"] = [_kept(entry) for entry in loaded]
    return found


def _kept(entry: Entry) -> dict[str, Any]:
    kept = {
        "name": entry.name,
        "digest": entry.digest,
        "quantization": entry.details.quantization_level,
        "size_bytes": entry.size,
        "vram_bytes": entry.size_vram,
        "context_length": entry.context_length,
    }
    return {name: value for name, value in kept.items() if value is not None}


def _converted(reply: dict[str, Any], kind: type[T], path: str) -> T:
    with suppress(msgspec.ValidationError):
        return msgspec.convert(reply, kind)
    raise RequestFailed(ErrorClass.MALFORMED_STREAM, f"{path} answered with something else")
