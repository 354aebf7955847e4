"""The types of a workload: messages, prompts, and the hash that tells equal from changed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from chimera.record import run as record

# Tokens of a text as the server counts them, those it puts in front included; None if unknown.
CountTokens = Callable[[str], int | None]


class Message(msgspec.Struct, frozen=True):
    """One turn of a chat. ``role`` is "system", "user" or "assistant"."""

    role: str
    content: str


class WorkloadPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """One request's content: ``text``, or ``messages`` where it is a chat.

    ``max_tokens`` is this prompt's own limit; None takes the plan's. ``at_s`` is when a
    replayed trace wants it sent, seconds from the beginning. ``json_schema`` is asked for as
    structured output where the engine can. What is recorded of it is ``record.Prompt``.
    """

    id: str
    text: str = ""
    messages: tuple[Message, ...] = ()
    max_tokens: int | None = None
    at_s: float | None = None
    json_schema: dict[str, Any] | None = None


class Workload(msgspec.Struct, frozen=True):
    """A named list of prompts, in order.

    ``notes`` are sentences for the user (lengths that are estimates, fields that were not
    read); they are not part of what is asked, and the hash leaves them out.
    """

    name: str
    prompts: tuple[WorkloadPrompt, ...]
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Covers what is asked: ids, texts or messages, limits and schemas, in order.

        When a trace sends them (``at_s``) is how it is asked: each request's record has that.
        """
        return sha256(msgspec.json.encode([_hashed(p) for p in self.prompts])).hexdigest()

    def recorded(self) -> record.Workload:
        """As it stands in a run's record: hashes and lengths instead of texts."""
        return record.Workload(
            name=self.name,
            sha256=self.sha256,
            prompts=tuple(_recorded(p) for p in self.prompts),
        )


def _hashed(prompt: WorkloadPrompt) -> object:
    # A prompt of id and text alone is a pair, as it was before there was anything else: runs
    # that were recorded then keep their hash.
    whole = {
        "messages": _pairs(prompt),
        "max_tokens": prompt.max_tokens,
        "json_schema": prompt.json_schema,
    }
    more = {name: value for name, value in whole.items() if value}
    return {"id": prompt.id, "text": prompt.text, **more} if more else (prompt.id, prompt.text)


def _recorded(prompt: WorkloadPrompt) -> record.Prompt:
    if not prompt.messages:
        return record.Prompt(prompt.id, _sha256(prompt.text.encode()), len(prompt.text))
    characters = sum(len(message.content) for message in prompt.messages)
    return record.Prompt(prompt.id, _sha256(msgspec.json.encode(_pairs(prompt))), characters)


def _pairs(prompt: WorkloadPrompt) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in prompt.messages]


def _sha256(data: bytes) -> str:
    return sha256(data).hexdigest()
