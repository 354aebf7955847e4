"""A model's sentence taken apart: words, references to names and facts, metrics mentioned."""

from __future__ import annotations

import re

import msgspec

from chimera.agents.cite.cards import Card, Offer
from chimera.agents.cite.words import SPOKEN, UNTOLD

_REFERENCE = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_PHRASES = sorted({p for phrases in SPOKEN.values() for p in phrases}, key=len)[::-1]
_METRIC = re.compile(rf"\b(?:{'|'.join(map(re.escape, _PHRASES))})\b")
_KEYS: dict[str, frozenset[str]] = {
    phrase: frozenset(k for k, phrases in SPOKEN.items() if phrase in phrases)
    for phrase in _PHRASES
}
# A number is printed with its unit, so what a model writes after it is left out.
_UNIT = re.compile(r"(?<=\})\s*(?:tokens? per second|milliseconds?|seconds?|tokens?/s|ms)\b")
_UNTOLD = re.compile("|".join(UNTOLD))


class Mention(msgspec.Struct, frozen=True):
    """A metric mentioned at ``start``; ``keys`` are the metrics that its phrase may mean."""

    start: int
    phrase: str
    keys: frozenset[str]


class Pieces(msgspec.Struct, frozen=True):
    """A sentence in parts, each with its place.

    ``words`` are those outside references, metrics and the phrases of ``untold``, in small letters.
    ``names`` are (place, letter), ``facts`` (place, card), ``unknown`` references to nothing.
    """

    text: str
    words: tuple[tuple[int, str], ...]
    names: tuple[tuple[int, str], ...]
    facts: tuple[tuple[int, Card], ...]
    metrics: tuple[Mention, ...]
    unknown: tuple[str, ...]
    untold: bool


def cleaned(text: str) -> str:
    """A reply's sentence without marks of layout, on one line, with a capital and a full stop."""
    text = text.replace("**", "").replace("`", "").replace("\u2019", "'").replace("\u2013", "-")
    text = _UNIT.sub("", " ".join(text.split())).removeprefix("- ")
    if text and text[0].islower():
        text = text[0].upper() + text[1:]
    return text if not text or text[-1] in ".!?" else text + "."


def pieces_of(text: str, offer: Offer) -> Pieces:
    """Take a cleaned sentence apart."""
    names: list[tuple[int, str]] = []
    facts: list[tuple[int, Card]] = []
    unknown: list[str] = []
    for match in _REFERENCE.finditer(text):
        ref = match[1].strip()
        if ref in offer.names:
            names.append((match.start(), ref))
        elif ref in offer.cards:
            facts.append((match.start(), offer.cards[ref]))
        else:
            unknown.append(ref)
    left = _REFERENCE.sub(lambda m: " " * len(m[0]), text).lower()
    metrics = tuple(Mention(m.start(), m[0], _KEYS[m[0]]) for m in _METRIC.finditer(left))
    left = _METRIC.sub(lambda m: " " * len(m[0]), left)
    untold = _UNTOLD.search(left) is not None
    left = _UNTOLD.sub(lambda m: " " * len(m[0]), left)
    words = tuple((m.start(), m[0].removesuffix("'s")) for m in _WORD.finditer(left) if m[0] != "s")
    return Pieces(text, words, tuple(names), tuple(facts), metrics, tuple(unknown), untold)
