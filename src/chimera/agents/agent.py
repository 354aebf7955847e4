"""An agent: a target, options and a persona."""

from __future__ import annotations

import msgspec

from chimera.agents.persona import Persona
from chimera.engines.base import Options

SHOWN_OPTIONS = (
    "num_gpu",
    "num_ctx",
    "num_thread",
    "temperature",
    "top_p",
    "top_k",
    "repeat_penalty",
    "seed",
    "num_predict",
)


class Agent(msgspec.Struct, frozen=True):
    """Who writes. ``target`` is None when no model is used."""

    persona: Persona
    target: str | None = None
    options: Options = Options()
    name: str = "Chimera"

    def configuration(self) -> list[tuple[str, str]]:
        """Every option with its value; what is unset is "default"."""
        shown = []
        for key in SHOWN_OPTIONS:
            value = getattr(self.options, key, None)
            shown.append((key, "default" if value is None else str(value)))
        return shown
