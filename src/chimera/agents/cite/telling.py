"""Whether differences, ratios and changes are told as such, of the right sides, in their order."""

from __future__ import annotations

import re

from chimera.agents.cite.cards import Card, Offer, is_of_configurations, named_by
from chimera.agents.cite.pieces import Pieces
from chimera.agents.cite.words import COMPARING, SAID_KIND

_BOUNDS = frozenset({"over", "under", "within", "beyond"})
# What may stand between the word that says what a number is, and the number.
_LINKS = frozenset(("of", "is", "was", "a", "an", "the", "by", "at", "to", "stands", "lies"))
_WORD = re.compile(r"[a-z]+")
_SPOKEN = frozenset({"difference", "gap", "factor", "ratio", "change"})
_AFTER_A_MARK = (":", "(")


def telling_fault(pieces: Pieces, offer: Offer) -> str:
    """The first number that is not told as what it is, in words for the model; "" when all are."""
    for place, card in pieces.facts:
        if fault := _told(pieces, place, card):
            return fault
    return _nouns(pieces) or _pairs(pieces, offer) or _levels(pieces, offer)


def _nouns(pieces: Pieces) -> str:
    """A difference, a factor or a change that is spoken of is also cited."""
    words = [w for _, w in pieces.words]
    told = [kind_of(card) for _, card in pieces.facts if card.kind != "value"]
    spoken = [w for w in words if w in _SPOKEN]
    if len(spoken) > len(told):
        return f"{spoken[-1]!r} is spoken of, but none is cited with it"
    changes = next((w for w in words if w in SAID_KIND["change"]), "")
    if changes and not {"change", "ratio"} & set(told):
        return f"{changes!r} is said of settings that change; none is cited"
    return ""


def kind_of(card: Card) -> str:
    """What a card's number is: a "value", a "difference", a "ratio" or a "change"."""
    if card.kind == "pair":
        return "ratio" if card.fact.statistic == "ratio" else "difference"
    return card.kind


def _told(pieces: Pieces, place: int, card: Card) -> str:
    """The word right before a number, links left out, says what it is, and no value is told so."""
    before = pieces.text[:place].rstrip()
    part = re.split(r"[},;:()]", before.lower())[-1]
    words = _WORD.findall(part)
    if words and words[-1] in _BOUNDS:
        return f"{words[-1]!r} before {{{card.ref}}} makes a bound of it"
    kind, by = kind_of(card), False
    while words and words[-1] in _LINKS:
        by = words.pop() == "by" or by
    last = words[-1] if words else ""
    if kind == "value":
        wrong = last if any(last in some for some in SAID_KIND.values()) else "by" if by else ""
        return f"{{{card.ref}}} is a {card.fact.statistic}; {wrong!r} says else" if wrong else ""
    other = any(last in some for k, some in SAID_KIND.items() if k != kind)
    marked = pieces.untold and before.endswith(_AFTER_A_MARK)
    if last in SAID_KIND[kind] or (by and kind != "ratio" and not other) or marked:
        return ""
    return f'{{{card.ref}}} is a {kind}: write it as "a {_NOUN[kind]} of {{{card.ref}}}"'


_NOUN = {"difference": "difference", "ratio": "factor", "change": "change"}


def _pairs(pieces: Pieces, offer: Offer) -> str:
    """Where two are compared, no third one is named; a difference goes from its first side."""
    pairs = [card for _, card in pieces.facts if card.kind == "pair"]
    if not pairs:
        return ""
    if any(set(card.names) != set(pairs[0].names) for card in pairs):
        return "compare two sides in a sentence, not several pairs"
    kind = "configuration" if is_of_configurations(pairs[0]) else "subject"
    wanted = {offer.letter(name, kind) for name in pairs[0].names}
    third = [letter for _, letter in pieces.names if offer.kinds[letter] == kind]
    stray = next((letter for letter in third if letter not in wanted), "")
    if stray:
        return f"{{{stray}}} is none of the two that are compared"
    directed = pieces.untold or any(w in COMPARING for _, w in pieces.words)
    if directed or all(card.fact.statistic == "ratio" for card in pairs):
        return ""
    return _order(pieces, offer, pairs[0])


def _order(pieces: Pieces, offer: Offer, card: Card) -> str:
    *_, first, second = (offer.letter(text, kind) for kind, text in named_by(card))
    places = {letter: place for place, letter in reversed(pieces.names)}
    if places[first] > places[second]:
        return f"{{{card.ref}}} goes with {{{first}}} before {{{second}}}, in this order"
    return ""


def _levels(pieces: Pieces, offer: Offer) -> str:
    """A change is told as "SETTING from LOW to HIGH" before its number, so that neither a level
    nor a setting is taken for another.
    """
    changes = [(place, card) for place, card in pieces.facts if card.kind == "change"]
    told: dict[tuple[str, ...], list[int]] = {
        card.names: [m.start() for m in _form(card, offer).finditer(pieces.text)]
        for _, card in changes
    }
    for place, card in changes:
        setting, low, high = _letters(card, offer)
        if not told[card.names]:
            return f"write the change as: {setting} from {low} to {high}"
        before = [(at, names) for names, places in told.items() for at in places if at < place]
        if before and max(before)[1] != card.names:
            return f"{{{card.ref}}} is of {setting} from {low} to {high}; say so before it"
        if not before and len(told) > 1:
            return f"say before {{{card.ref}}} which setting changes"
    return ""


def _letters(card: Card, offer: Offer) -> tuple[str, str, str]:
    """The letters of setting, low and high level, in braces."""
    setting, low, high = (
        f"{{{offer.letter(name, kind)}}}" for kind, name in named_by(card) if kind != "subject"
    )
    return setting, low, high


def _form(card: Card, offer: Offer) -> re.Pattern[str]:
    setting, low, high = map(re.escape, _letters(card, offer))
    start = rf"(?:{setting},? \(?(?:from )?{low}|from {low}(?= to {high} (?:of|in|for) {setting}))"
    return re.compile(rf"{start} to (?:{setting} )?{high}", re.IGNORECASE)
