"""Whether a sentence says of each fact that it cites whose it is, which metric, which statistic."""

from __future__ import annotations

from itertools import groupby

from chimera.agents.cite.cards import Card, Offer, is_of_configurations, named_by, spoken_metric
from chimera.agents.cite.pieces import Pieces
from chimera.agents.cite.words import COMPARING, SAID_KIND, SAID_STATISTIC

_BOUNDS = frozenset({"over", "under", "within", "beyond"})


def placing_fault(pieces: Pieces, offer: Offer) -> str:
    """The first thing that is not said right, in words for the model; "" when all is."""
    return (
        _unnamed(pieces, offer)
        or _wrong_metric(pieces)
        or _whose(pieces, offer, "subject")
        or _whose(pieces, offer, "configuration")
        or _statistic(pieces)
        or _scope(pieces)
        or _kind(pieces)
        or _order(pieces, offer)
    )


def _unnamed(pieces: Pieces, offer: Offer) -> str:
    """Every name of every cited fact must stand there, and of the cited ones only."""
    there = {letter for _, letter in pieces.names}
    for _, card in pieces.facts:
        for kind, text in named_by(card):
            letter = offer.letter(text, kind) if text else ""
            if letter and letter not in there:
                return f"{{{card.ref}}} is of {{{letter}}}, which the sentence does not name"
    wanted = {offer.letter(t, k) for _, card in pieces.facts for k, t in named_by(card) if t}
    stray = sorted(there - wanted)
    return f"{{{stray[0]}}} is named, but no fact of it is cited" if stray else ""


def _wrong_metric(pieces: Pieces) -> str:
    """The metric mentioned last before a fact, or first after it, must be its own."""
    for place, card in pieces.facts:
        label = spoken_metric(card.fact.metric)
        before = [m for m in pieces.metrics if m.start < place]
        governing = before[-1] if before else next(iter(pieces.metrics), None)
        if governing is None:
            return f"{{{card.ref}}} is {label}, which the sentence does not say"
        if card.fact.metric not in governing.keys:
            return f"{{{card.ref}}} is {label}, not {governing.phrase}"
    return ""


def _whose(pieces: Pieces, offer: Offer, kind: str) -> str:
    """A value stands after the name that it is of: one name, or as many names as values."""
    wanted = kind == "configuration"
    values = {
        place: card
        for place, card in pieces.facts
        if card.kind == "value" and is_of_configurations(card) == wanted
    }
    if not values:
        return ""
    events: list[tuple[int, str | Card]] = [
        (place, letter) for place, letter in pieces.names if offer.kinds[letter] == kind
    ]
    events += values.items()
    ordered = [event for _, event in sorted(events, key=lambda e: e[0])]
    runs = [list(run) for _, run in groupby(ordered, lambda e: isinstance(e, Card))]
    for i, run in enumerate(runs):
        if not isinstance(run[0], Card):
            continue
        names = runs[i - 1] if i else (runs[1] if len(runs) > 1 else [])
        if len(names) not in (1, len(run)):
            return "it is not clear whose each value is; write each name right before its value"
        for j, card in enumerate(run):
            name = names[0] if len(names) == 1 else names[j]
            assert isinstance(card, Card)
            own = offer.letter(card.names[0], kind)
            if name != own:
                return f"{{{card.ref}}} is of {{{own}}}, not of {{{name}}}"
    return ""


def _statistic(pieces: Pieces) -> str:
    """A statistic that is mentioned before a value must be its own."""
    for place, card in pieces.facts:
        said = [SAID_STATISTIC[w] for at, w in pieces.words if w in SAID_STATISTIC and at < place]
        if card.kind == "value" and said and said[-1] != card.fact.statistic:
            return f"{{{card.ref}}} is a {card.fact.statistic}, not a {said[-1]}"
    return ""


def _scope(pieces: Pieces) -> str:
    """What is said to be cold or warm is so: of each fact, by the word last before it."""
    for word in ("cold", "warm"):
        if any(w == word for _, w in pieces.words) and not any(
            card.fact.scope.startswith(word) for _, card in pieces.facts
        ):
            return f"none of its facts is of {word} records"
    for place, card in pieces.facts:
        said = [w for at, w in pieces.words if w in ("cold", "warm") and at < place]
        own = card.fact.scope.partition(",")[0].partition(" ")[0]
        if said and own in ("cold", "warm") and said[-1] != own:
            return f"{{{card.ref}}} is of {own} records, not of {said[-1]} ones"
    return ""


def _kind(pieces: Pieces) -> str:
    """What is no plain value must be called what it is; and no bound may be put on a number."""
    words = {w for _, w in pieces.words}
    for place, card in pieces.facts:
        kind = "ratio" if card.fact.statistic == "ratio" else "difference"
        kind = "change" if card.kind == "change" else kind
        if card.kind != "value" and not words & SAID_KIND[kind] and not pieces.untold:
            return f"{{{card.ref}}} is a {kind}, which the sentence does not say"
        before = pieces.text[:place].lower().split()
        if before and before[-1] in _BOUNDS:
            return f"{before[-1]!r} before {{{card.ref}}} makes a bound of it"
    return ""


def _order(pieces: Pieces, offer: Offer) -> str:
    """A difference has a sign: what it goes from and to stands in its order, but where a word
    that compares says which side is meant, or neither is.
    """
    directed = any(w in COMPARING for _, w in pieces.words)
    for _, card in pieces.facts:
        if card.kind == "value" or card.fact.statistic == "ratio":
            continue
        if card.kind == "pair" and (directed or pieces.untold):
            continue
        *_, first, second = (offer.letter(text, kind) for kind, text in named_by(card))
        places = {letter: place for place, letter in reversed(pieces.names)}
        if places[first] > places[second]:
            return f"{{{card.ref}}} goes with {{{first}}} before {{{second}}}, in this order"
    return ""
