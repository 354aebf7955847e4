"""What is asked for as JSON and how a reply is read, whole, cut off, or as plain lines."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from chimera.agents.cite.cards import Offer

_PAIR = re.compile(r'"([a-z])"\s*:\s*("(?:[^"\\]|\\.)*")')
_LINE = re.compile(r"^\s*(?:[-*]\s*)?\(?([a-z])[.):]\s+(.+)$", re.MULTILINE)
_OBJECT = re.compile(r"\{.*\}", re.DOTALL)
# A word of a sentence: no digit, no quote, no brace. Bounded, or a small model never ends.
_WORD = "[A-Za-z]{1,16}(-[a-z]{2,12})?"
_MOST_PIECES = 32


def sentences_schema(keys: Sequence[str], offer: Offer) -> dict[str, Any]:
    """A JSON schema for one sentence a key; digits can stand in known references only."""
    references = "|".join([*offer.names, *offer.cards])
    piece = rf"\(?({_WORD}|\{{({references})\}})('s)?\)?"
    pattern = rf"^({piece}[,;:]? ){{3,{_MOST_PIECES}}}{piece}\.$"
    return {
        "type": "object",
        "properties": {key: {"type": "string", "pattern": pattern} for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }


def sentences_of(reply: str, keys: Sequence[str]) -> dict[str, str]:
    """The sentence of each key that the reply holds; the first where one is given twice."""
    found: dict[str, str] = {}
    for key, quoted in _PAIR.findall(reply):
        try:
            found.setdefault(key, str(json.loads(quoted, strict=False)))
        except ValueError:
            continue
    if not found:
        for key, text in _LINE.findall(reply):
            found.setdefault(key, text)
    return {key: found[key] for key in keys if key in found}


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request for more facts: of a metric, of a subject, of both, or of two subjects compared.

    ``about`` and ``against`` are letters of subjects. "" is what is not asked for.
    """

    metric: str = ""
    about: str = ""
    against: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the analysis decides: ``order`` are keys of points, the most important first."""

    order: tuple[str, ...] = ()
    ask: tuple[Question, ...] = ()


def plan_schema(
    keys: Sequence[str], metrics: Sequence[str], subjects: Sequence[str], places: int, asks: int
) -> dict[str, Any]:
    """A JSON schema for a plan: only keys, metrics and letters that there are."""
    question = {
        "type": "object",
        "properties": {
            "metric": {"enum": ["", *metrics]},
            "about": {"enum": ["", *subjects]},
            "against": {"enum": ["", *subjects]},
        },
        "required": ["metric", "about", "against"],
        "additionalProperties": False,
    }
    order = {"type": "array", "items": {"enum": list(keys)}, "minItems": 1, "maxItems": places}
    asked = {"type": "array", "items": question, "maxItems": asks}
    return {
        "type": "object",
        "properties": {"order": order, "ask": asked} if keys else {"ask": asked},
        "required": ["order", "ask"] if keys else ["ask"],
        "additionalProperties": False,
    }


def plan_of(reply: str) -> Plan | None:
    """The plan in a reply; None where it holds none that is typed as it must be."""
    match = _OBJECT.search(reply)
    if match is None:
        return None
    try:
        return msgspec.json.decode(match[0], type=Plan)
    except (msgspec.MsgspecError, UnicodeError):
        return None
