"""An agent: a target, options and a persona."""

from __future__ import annotations

from typing import Literal

import msgspec

from chimera.agents.asking import Budget
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


Grade = Literal["choose", "cite", "auto"]


class Agent(msgspec.Struct, frozen=True):
    """Who writes. ``target`` is None when no model is used.

    ``grade`` "auto" tries the target out; ``budget`` is the most that it may ask of its model.
    """

    persona: Persona
    target: str | None = None
    options: Options = Options()
    name: str = "Chimera"
    grade: Grade = "choose"
    budget: Budget = Budget()

    def configuration(self) -> list[tuple[str, str]]:
        """Every option with its value; what is unset is "default"."""
        shown = []
        for key in SHOWN_OPTIONS:
            value = getattr(self.options, key, None)
            shown.append((key, "default" if value is None else str(value)))
        return shown
