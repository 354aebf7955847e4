"""What is asked: the prompts of a benchmark, always the same bytes."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files
from typing import Any

import msgspec

from chimera.errors import InputError
from chimera.record import run as record

BUILT_IN = ("short", "medium", "long")


class Message(msgspec.Struct, frozen=True):
    role: str
    content: str


class WorkloadPrompt(msgspec.Struct, frozen=True):
    """A prompt with its text; what is recorded of it is ``record.Prompt``."""

    id: str
    text: str = ""
    messages: tuple[Message, ...] = ()
    max_tokens: int | None = None
    at_s: float | None = None
    json_schema: dict[str, Any] | None = None


class Workload(msgspec.Struct, frozen=True):
    """A named list of prompts, in order."""

    name: str
    prompts: tuple[WorkloadPrompt, ...]

    @property
    def sha256(self) -> str:
        """Covers every prompt's id and text and their order, and nothing else."""
        return sha256(msgspec.json.encode([(p.id, p.text) for p in self.prompts])).hexdigest()

    def recorded(self) -> record.Workload:
        """As it stands in a run's record: hashes and lengths instead of texts."""
        return record.Workload(
            name=self.name,
            sha256=self.sha256,
            prompts=tuple(
                record.Prompt(p.id, sha256(p.text.encode()).hexdigest(), len(p.text))
                for p in self.prompts
            ),
        )


def built_in_workload(ids: tuple[str, ...] = BUILT_IN) -> Workload:
    """The prompts written for this project: a sentence, a paragraph, two pages to go on with.

    Raises:
        InputError: an id that is not built in, or none at all; names what there is.
    """
    unknown = [one for one in ids if one not in BUILT_IN]
    if unknown or not ids:
        named = f"no prompt {unknown[0]!r}" if unknown else "no prompt chosen"
        raise InputError(f"{named}; the prompts are: {', '.join(BUILT_IN)}")
    folder = files("chimera.measure").joinpath("prompts")
    prompts = tuple(
        WorkloadPrompt(one, folder.joinpath(f"{one}.txt").read_text(encoding="utf-8").strip())
        for one in ids
    )
    return Workload("built-in", prompts)
