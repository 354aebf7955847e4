"""What a way of writing consists of; the two ways themselves are data in files of their own."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.audit.statement import Unit
from benchmarks.audit.words import TableStyle, Words
from benchmarks.audit.words_build import BUILD_WORDS
from benchmarks.audit.words_held_out import HELD_OUT_WORDS
from benchmarks.audit.world import Settings

__all__ = ["PHRASINGS", "Phrasings", "TableStyle"]


@dataclass(frozen=True)
class Phrasings:
    """One way of writing, with a choice of its words by a seeded generator."""

    name: str
    words: Words

    def template(self, rng: random.Random, family: str) -> str:
        return rng.choice(self.words.templates[family])

    def metric(self, rng: random.Random, key: str) -> str:
        return rng.choice(self.words.metrics[key])

    def statistic(self, rng: random.Random, name: str) -> str:
        return rng.choice(self.words.statistics[name])

    def unit(self, rng: random.Random, name: str) -> Unit:
        return Unit(*rng.choice(self.words.units[name]))

    def settings(self, rng: random.Random, settings: Settings) -> str:
        """With a space in front, or nothing."""
        if not settings:
            return ""
        if len(settings) > 1:
            spelled = rng.choice(("{}={}", "{} {}", "`{}={}`"))
            parts = [spelled.format(name, value) for name, value in settings]
            return rng.choice(self.words.several).format(", ".join(parts))
        name, value = settings[0]
        return rng.choice(self.words.settings[name]).format(value)

    def pick(self, rng: random.Random, table: Mapping[str, tuple[str, ...]], key: str) -> str:
        return rng.choice(table[key])


PHRASINGS: dict[str, Phrasings] = {
    "build": Phrasings("build", BUILD_WORDS),
    "held-out": Phrasings("held-out", HELD_OUT_WORDS),
}
