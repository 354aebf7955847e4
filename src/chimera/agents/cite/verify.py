"""Whether a model's sentence may stand: every number bound, every claim proven, else the reason.

What passes holds no numeral, number word, date or name of its own; says of each cited fact whose
it is and which metric; and claims nothing that the facts it cites do not show. It fails closed: a
word that is not known is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec

from chimera.agents.cite.cards import Card, Offer
from chimera.agents.cite.claims import claims_fault
from chimera.agents.cite.pieces import Pieces, cleaned, pieces_of
from chimera.agents.cite.placing import placing_fault
from chimera.agents.cite.print import printed
from chimera.agents.cite.telling import telling_fault
from chimera.agents.cite.words import COMPARING, DATES, EXTREMES, ORDINARY, SAID_KIND
from chimera.errors import UnboundNumber
from chimera.facts.lexicon import NUMBER_WORDS, PHRASES, WORDS, unproven
from chimera.facts.text import Spans, Text

MOST_WORDS = 45
_FEWEST_WORDS = 2  # beside references; a metric counts as one
_ALLOWED = re.compile(r"[A-Za-z ,;:.()'{}\-]|(?<=\{)[^{}]*(?=\})")
_REFERENCE = re.compile(r"\{[^{}]*\}")
_INNER_END = re.compile(r"[.!?]\s*[^\s)]")
_SHORT_NAME = 3
_EVIDENCE = frozenset({"difference", "argmax", "extreme"})  # of words that claims_fault has tested
_KINDS = frozenset(w for words in SAID_KIND.values() for w in words)
_KNOWN = ORDINARY | COMPARING.keys() | EXTREMES.keys() | _KINDS


class Verdict(msgspec.Struct, frozen=True):
    """The bound sentence, or None and the exact reason."""

    spans: Spans | None
    reason: str = ""


def verify(
    text: str, offer: Offer, about: frozenset[str] | None = None, first: str = ""
) -> Verdict:
    """Judge one sentence. ``about``: references of which it must cite one; None asks for any.

    ``first`` is the letter of the name that must stand before any other; "" leaves it open.
    """
    text = cleaned(text)
    if not text:
        return Verdict(None, "nothing was written")
    pieces = pieces_of(text, offer)
    checks: tuple[Callable[[], str], ...] = (
        lambda: _names(text, offer),
        lambda: _shape(text, pieces),
        lambda: _references(pieces, about),
        lambda: _words(pieces),
        lambda: placing_fault(pieces, offer),
        lambda: telling_fault(pieces, offer),
        lambda: claims_fault(pieces, offer),
        lambda: _first(pieces, first),
    )
    for check in checks:
        if reason := check():
            return Verdict(None, reason)
    try:
        spans = printed(pieces, offer)
    except UnboundNumber as error:  # cannot happen after these checks; closed all the same
        return Verdict(None, str(error))
    literal = " ".join(s.text for s in spans if isinstance(s, Text))
    if missing := unproven(literal, _EVIDENCE):
        return Verdict(None, f"{missing[0]!r} needs a proof that these facts do not give")
    return Verdict(spans)


def _first(pieces: Pieces, first: str) -> str:
    named = pieces.names[0][1] if pieces.names else ""
    return (
        f"name {{{first}}} first; what follows goes on about it" if first not in ("", named) else ""
    )


def _references(pieces: Pieces, about: frozenset[str] | None) -> str:
    if pieces.unknown:
        return f"there is no reference {{{pieces.unknown[0][:20]}}}"
    if not pieces.facts:
        return "it cites no fact, so nobody could check it"
    cited = {card.ref for _, card in pieces.facts}
    if about is not None and not cited & about:
        wanted = " or ".join(f"{{{ref}}}" for ref in sorted(about))
        return f"it cites nothing of its point; cite {wanted}"
    doubled = [card for _, card in pieces.facts if _times(card, pieces) > 1]
    return f"it cites {{{doubled[0].ref}}} more than once" if doubled else ""


def _times(card: Card, pieces: Pieces) -> int:
    return sum(1 for _, other in pieces.facts if other.ref == card.ref)


def _names(text: str, offer: Offer) -> str:
    own = _REFERENCE.sub(" ", text).lower()
    for letter, name in offer.names.items():
        if len(name) >= _SHORT_NAME and re.search(rf"(?<!\w){re.escape(name.lower())}(?!\w)", own):
            return f"it spells out a name; write {{{letter}}}"
    return ""


def _shape(text: str, pieces: Pieces) -> str:
    own = _REFERENCE.sub("", text)
    for char in own:
        if char.isnumeric():
            return f"{char!r} is a numeral; numbers stand only in references"
        if not _ALLOWED.fullmatch(char) or char in "{}":
            return f"{char!r} may not stand in a sentence"
    if len(pieces.words) > MOST_WORDS:
        return "it is too long"
    if not pieces.words or len(pieces.words) + len(pieces.metrics) < _FEWEST_WORDS:
        return "it is no whole sentence"
    if _INNER_END.search(own):
        return "it is more than one sentence"
    return ""


def _words(pieces: Pieces) -> str:
    words = [w for _, w in pieces.words]
    for word in words:
        parts = (word, *word.split("-"))
        if any(p in NUMBER_WORDS for p in parts):
            return f"{word!r} is a number word; numbers stand only in references"
        if any(p in DATES for p in parts):
            return f"{word!r} is a date; dates stand only in references"
        needs = WORDS.get(word)
        if word not in _KNOWN and needs is not None:
            return f"{word!r} needs a proof ({' or '.join(sorted(needs))}) that no fact here gives"
        if word not in _KNOWN:
            return f"{word!r} is not among the words that may stand without a proof"
    lowered = " ".join(words)
    phrase = next((p for p in PHRASES if p in lowered), None)
    return f"{phrase!r} needs a proof that no fact here gives" if phrase else ""
