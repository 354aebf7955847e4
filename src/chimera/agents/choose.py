"""The writer's grade ``choose``: one call settles many choices, and every token of it is used.

Each choice has lettered options. The reply is one letter a choice, bounded by a grammar where
the engine takes one; where the reply is anything else, only what is valid of it counts, and
code's own option stands in for the rest. No text of the model ever reaches a report.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

import msgspec

from chimera.agents.asking import Caller
from chimera.agents.calls import Call

MAX_CHOICES = 25
_ENOUGH = 6
_MOST = 0.8
_LETTER = re.compile(r"[a-z]")
_LETTERS = re.compile(r'"letters"\s*:\s*"([^"]*)')
_JSON_TOKENS = 16  # what the JSON around the letters takes


class Choice(msgspec.Struct, frozen=True):
    """One thing to choose: its key, what is asked, and two options or more."""

    key: str
    options: tuple[str, ...]


class Settled(msgspec.Struct):
    """What the model chose: option by key; ``refused`` are choices without a valid answer, and
    ``unasked`` those that were left out because the prompt would not have fitted.
    """

    chosen: dict[str, int]
    refused: list[str]
    unasked: list[str]


def grammar_of(counts: Sequence[int]) -> str:
    """GBNF for one letter a choice, each within its own options: " a c b"."""
    parts = [f'" " [a-{ascii_lowercase[n - 1]}]' for n in counts]
    return "root ::= " + " ".join(parts)


def schema_of(counts: Sequence[int]) -> dict[str, Any]:
    """The same as a JSON schema, for servers that take no grammar: {"letters": "a c b"}."""
    pattern = " ".join(f"[a-{ascii_lowercase[n - 1]}]" for n in counts)
    letters = {"type": "string", "pattern": f"^{pattern}$"}
    return {
        "type": "object",
        "properties": {"letters": letters},
        "required": ["letters"],
        "additionalProperties": False,
    }


def parse(reply: str, choices: Sequence[Choice]) -> Settled:
    """Read a reply: words of one letter, in order. Anything else refuses that choice.

    A reply that holds other words is not trusted at all: which choice a letter would belong to
    could not be told.
    """
    settled = Settled({}, [], [])
    words = letters_of(reply).split()
    trusted = all(len(w) == 1 and _LETTER.match(w) for w in words[: len(choices)])
    for i, choice in enumerate(choices):
        index = ascii_lowercase.find(words[i]) if trusted and i < len(words) else -1
        if 0 <= index < len(choice.options):
            settled.chosen[choice.key] = index
        else:
            settled.refused.append(choice.key)
    return settled


def letters_of(reply: str) -> str:
    """The letters of a reply, which may have them in JSON."""
    match = _LETTERS.search(reply)
    return match[1] if match else reply


def follows_the_alphabet(reply: str) -> bool:
    """Whether most letters of a reply just come after the one before: no preference at all."""
    letters = [w for w in letters_of(reply).split() if len(w) == 1]
    if len(letters) < _ENOUGH:
        return False
    pairs = list(pairwise(letters))
    # The next letter, or "a" again after the last option.
    steps = sum(1 for a, b in pairs if ord(b) == ord(a) + 1 or b == "a" != a)
    return steps >= _MOST * len(pairs)


def question_of(instruction: str, choices: Sequence[Choice], listed_once: bool = False) -> str:
    """The part of the prompt that lists the choices and asks for the letters.

    ``listed_once``: the instruction holds the options already, the same for every choice.
    """
    lines = [instruction, ""]
    for number, choice in enumerate(choices, 1):
        if listed_once:
            break
        lines.append(f"Choice {number}")
        lines.extend(
            f"{letter}) {option}"
            for letter, option in zip(ascii_lowercase, choice.options, strict=False)
        )
    lines += ["", "The letters chosen, in order:"]
    return "\n".join(lines)


def settle(
    caller: Caller,
    prefix: str,
    instruction: str,
    choices: Sequence[Choice],
    purpose: str,
    *,
    listed_once: bool = False,
) -> tuple[Settled, Call]:
    """Ask for all choices in one call, with ``prefix`` in front so that it is cached.

    A prompt that does not fit the context is shortened on purpose, from the last choice on. A
    call that fails is tried once more; if it fails again every choice is refused and the call's
    record says why. Never raises because of the engine.
    """
    asked = [c for c in choices if len(c.options) > 1][:MAX_CHOICES]
    call = Call(purpose=purpose, prompt="")
    asked = _fit(caller, prefix, instruction, asked, call, listed_once)
    left = [c.key for c in choices if c not in asked]
    if not asked:
        call.error = call.error or "there is nothing to choose"
        caller.calls.append(call)
        caller.error = call.error
        return Settled({}, [], left), call
    most = 2 * len(asked) + 2
    if not caller.takes_grammar:
        call.json_schema, call.grammar = schema_of([len(c.options) for c in asked]), ""
        most += _JSON_TOKENS
    call = caller.ask(call, most)
    settled = (
        parse(call.reply, asked) if not call.error else Settled({}, [c.key for c in asked], [])
    )
    settled.unasked = left
    return settled, call


def _fit(
    caller: Caller,
    prefix: str,
    instruction: str,
    asked: list[Choice],
    call: Call,
    listed_once: bool,
) -> list[Choice]:
    """As many choices, from the first, as fit the context; fills the call's prompt."""
    while asked:
        call.prompt = prefix + "\n\n" + question_of(instruction, asked, listed_once)
        call.grammar = grammar_of([len(c.options) for c in asked])
        if caller.fits(call, 2 * len(asked) + _JSON_TOKENS):
            return asked
        if call.error:
            return []
        call.shortened = True
        asked = asked[: len(asked) * 3 // 4]
    call.error = "not even one choice fits the context; give a larger num_ctx"
    return []
