"""A target is one short string that names an engine and its model.

    llamacpp                    the embedded engine with the embedded model
    llamacpp:/path/model.gguf   the embedded engine with a model file of yours

An engine that talks to a server elsewhere is one more entry in ``_KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chimera.engines.base import Measurable, Options
from chimera.engines.llamacpp import LlamaCpp
from chimera.errors import InputError


def open_target(target: str, options: Options | None = None, slots: int = 1) -> Measurable:
    """The engine that ``target`` names, not yet started.

    ``slots`` is how many requests an engine that we start ourselves serves at once.

    Raises:
        InputError: no such kind of target, or its model file does not exist; names what
            is allowed.
    """
    kind, _, rest = target.strip().partition(":")
    make = _KINDS.get(kind)
    if make is None:
        allowed = ", ".join(_HELP)
        raise InputError(f"unknown target {target!r}; a target is one of: {allowed}")
    return make(rest, options or Options(), slots)


def _llamacpp(rest: str, options: Options, slots: int) -> Measurable:
    if not rest:
        return LlamaCpp(options=options, slots=slots)
    path = Path(rest).expanduser()
    if not path.is_file():
        raise InputError(f"no model file at {rest!r}; give the path of a .gguf file")
    return LlamaCpp(path, options=options, slots=slots)


_KINDS: dict[str, Callable[[str, Options, int], Measurable]] = {"llamacpp": _llamacpp}
_HELP = ("llamacpp", "llamacpp:/path/model.gguf")
