"""A target is one short string that names an engine and its model.

    llamacpp                         the embedded engine with the embedded model
    llamacpp:/path/model.gguf        the embedded engine with a model file of yours
    openai:MODEL@URL                 a server with OpenAI's interface, asked for chats
    openai@URL                       the same, with the only model that it lists
    openai-completions:MODEL@URL     the same server asked for plain completions
    openai-completions@URL
    ollama:MODEL                     the Ollama of OLLAMA_HOST, else of this machine
    ollama:MODEL@URL                 the Ollama at an address, host:port is enough
    ollama@URL                       the same, with the only model that it has

OpenAI's URL is where the interface begins (http://host:8000/v1); without a path /v1 is meant.
A model's name may hold ":" and "/".

An engine that talks to a server elsewhere is one more entry in ``_KINDS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec

from chimera.engines.base import Measurable, Options
from chimera.engines.llamacpp import LlamaCpp
from chimera.engines.ollama import Ollama
from chimera.engines.ollama_host import ollama_address
from chimera.engines.openai import OpenAI
from chimera.engines.wire.address import parse_address
from chimera.errors import InputError


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a server elsewhere wants before it answers: see ``engines.credentials``."""

    api_key_env: str | None = None
    api_key_file: Path | None = None
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Access({self.api_key_env!r}, {self.api_key_file!r}, {len(self.headers)} headers)"


class _Wanted(msgspec.Struct, frozen=True):
    """A target in parts. ``model`` and ``url`` are "" where they do not stand there."""

    target: str
    model: str
    url: str
    rest: str


def open_target(
    target: str,
    options: Options | None = None,
    slots: int = 1,
    *,
    access: Access | None = None,
) -> Measurable:
    """The engine that ``target`` names, not yet started.

    ``slots`` is how many requests an engine that we start ourselves serves at once. ``access``
    is for servers elsewhere.

    Raises:
        InputError: no such kind of target, its model file does not exist, or its address or
            key cannot be used; names what is allowed.
    """
    match = re.fullmatch(r"([a-z]+(?:-[a-z]+)*)(?:([:@])(.*))?", target.strip(), re.DOTALL)
    make = _KINDS.get(match[1]) if match else None
    if match is None or make is None:
        allowed = ", ".join(_HELP)
        raise InputError(f"unknown target {_shown(target)}; a target is one of: {allowed}")
    rest = match[3] or ""
    model, url = _parts(rest) if match[2] == ":" else ("", rest)
    if match[2] == ":" and not model.strip():
        raise InputError(f"the target {_shown(target)} names no model; {_NAMELESS[match[1]]}")
    wanted = _Wanted(target=target, model=model, url=url, rest=rest)
    return make(wanted, options or Options(), slots, access or Access())


def _parts(rest: str) -> tuple[str, str]:
    """(model, address) of "MODEL@ADDRESS"; an address with a password stays whole, so that it
    is refused as one.
    """
    begins = re.search(r"@(?=https?://)", rest, re.IGNORECASE)
    if begins is not None:
        return rest[: begins.start()], rest[begins.end() :]
    model, at, url = rest.rpartition("@")
    return (model, url) if at else (rest, "")


def _llamacpp(wanted: _Wanted, options: Options, slots: int, _access: Access) -> Measurable:
    if not wanted.rest:
        return LlamaCpp(options=options, slots=slots)
    path = Path(wanted.rest).expanduser()
    if not path.is_file():
        raise InputError(f"no model file at {wanted.rest!r}; give the path of a .gguf file")
    return LlamaCpp(path, options=options, slots=slots)


def _openai(
    wanted: _Wanted, options: Options, _slots: int, access: Access, *, chat: bool
) -> Measurable:
    if not wanted.url:
        kind = "openai" if chat else "openai-completions"
        raise InputError(
            f"the target {_shown(wanted.target)} has no address; write it as "
            f"{kind}:MODEL@http://host:port/v1"
        )
    address = parse_address(wanted.url)
    if not address.path:
        address = msgspec.structs.replace(address, path="/v1")
    return OpenAI(
        address,
        wanted.model or None,
        options,
        chat=chat,
        api_key_env=access.api_key_env,
        api_key_file=access.api_key_file,
        headers=access.headers,
    )


def _ollama(wanted: _Wanted, options: Options, _slots: int, access: Access) -> Measurable:
    return Ollama(
        ollama_address(wanted.url),
        wanted.model or None,
        options,
        api_key_env=access.api_key_env,
        api_key_file=access.api_key_file,
        headers=access.headers,
    )


def _shown(target: str) -> str:
    """A target in quotes, without a password that its address may hold."""
    return repr(re.sub(r"//[^/@]*@", "//", target))


# What to do about a target that ends, or goes on with its address, where its model should stand.
_LIST = "the server lists its models under URL/models, and {kind}@URL takes the only one"
_NAMELESS = {
    "llamacpp": "give the path of a .gguf file, or llamacpp alone for the embedded model",
    "openai": _LIST.format(kind="openai"),
    "openai-completions": _LIST.format(kind="openai-completions"),
    "ollama": "`ollama list` shows the models that are there, and ollama@URL takes the only one",
}
_KINDS: dict[str, Callable[[_Wanted, Options, int, Access], Measurable]] = {
    "llamacpp": _llamacpp,
    "openai": partial(_openai, chat=True),
    "openai-completions": partial(_openai, chat=False),
    "ollama": _ollama,
}
_HELP = (
    "llamacpp",
    "llamacpp:/path/model.gguf",
    "openai:MODEL@URL",
    "openai-completions:MODEL@URL",
    "ollama:MODEL[@URL]",
)
