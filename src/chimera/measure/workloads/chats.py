"""Chats as data sets write them: role and content, or ShareGPT's from and value."""

from __future__ import annotations

from typing import Any

from chimera.errors import InputError
from chimera.measure.workloads.workload import Message

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bing": "assistant",
    "bard": "assistant",
}


def read_chat(turns: list[Any], place: str) -> tuple[Message, ...]:
    """The chat up to its last question: the answers behind that are what is asked for.

    Empty where nobody asks anything, as in parts of conversations that were cut in pieces.

    Raises:
        InputError: a turn that is none; names ``place`` and the turn.
    """
    messages = [_message(turn, f"{place}, turn {n}") for n, turn in enumerate(turns, start=1)]
    while messages and messages[-1].role != "user":
        messages.pop()
    return tuple(messages)


def with_system(
    system: str, text: str, messages: tuple[Message, ...], place: str
) -> tuple[Message, ...]:
    """The chat with ``system`` in front; a plain ``text`` becomes its question."""
    asked = messages or (Message("user", text),)
    if asked[0].role == "system":
        raise InputError(f"{place}: a system message stands in the chat and beside it; leave one")
    return (Message("system", system), *asked)


def _message(turn: Any, place: str) -> Message:
    if not isinstance(turn, dict):
        raise InputError(f"{place}: a turn is an object with role and content, not {turn!r:.60}")
    said = turn.get("role", turn.get("from"))
    role = _ROLES.get(said.lower()) if isinstance(said, str) else None
    if role is None:
        raise InputError(f"{place}: unknown role {said!r:.60}; use system, user or assistant")
    content = turn.get("content", turn.get("value"))
    if isinstance(content, list):
        content = "\n".join(_part(part, place) for part in content)
    if not isinstance(content, str):
        raise InputError(f"{place}: the content is not text: {content!r:.60}")
    if role == "user" and not content.strip():
        raise InputError(f"{place}: the question is empty; fill it in or remove it")
    return Message(role, content)


def _part(part: Any, place: str) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    if not isinstance(text, str):
        raise InputError(f"{place}: only text can be asked, and this part is {part!r:.60}")
    return text
