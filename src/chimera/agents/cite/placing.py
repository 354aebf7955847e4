"""Whether a sentence says of each fact that it cites whose it is, which metric, which statistic."""

from __future__ import annotations

from itertools import groupby

from chimera.agents.cite.cards import Card, Offer, is_of_configurations, named_by, spoken_metric
from chimera.agents.cite.pieces import Pieces
from chimera.agents.cite.words import SAID_STATISTIC

_SCOPES = ("cold", "warm")


def placing_fault(pieces: Pieces, offer: Offer) -> str:
    """The first thing that is not said right, in words for the model; "" when all is."""
    return (
        _unnamed(pieces, offer)
        or _wrong_metric(pieces)
        or _mixed(pieces)
        or _whose(pieces, offer, "subject")
        or _whose(pieces, offer, "configuration")
        or _statistic(pieces)
        or _scope(pieces)
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
    cited = {card.fact.metric for _, card in pieces.facts}
    stray = next((m.phrase for m in pieces.metrics if not m.keys & cited), "")
    return f"{stray!r} is mentioned, but no fact of it is cited" if stray else ""


def _mixed(pieces: Pieces) -> str:
    """Values of configurations, and changes, are of one model alone, and of no others beside."""
    kinds = {is_of_configurations(c) for _, c in pieces.facts if c.kind == "value"}
    if len(kinds) > 1:
        return "cite values of configurations or of whole models, not both"
    models = {card.who for _, card in pieces.facts}
    return "keep to what is of one model in a sentence" if len(models) > 1 else ""


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
    """A statistic that is mentioned is that of the values after it, or of one before it alone."""
    said = [(at, SAID_STATISTIC[w]) for at, w in pieces.words if w in SAID_STATISTIC]
    for place, card in pieces.facts:
        if card.kind != "value" or not said:
            continue
        governing = next((s for at, s in reversed(said) if at < place), said[0][1])
        if governing != card.fact.statistic:
            return f"{{{card.ref}}} is a {card.fact.statistic}, not a {governing}"
    return ""


def _scope(pieces: Pieces) -> str:
    """What is said to be cold or warm is so; where both are said, each before its value."""
    said = [(at, w) for at, w in pieces.words if w in _SCOPES]
    if not said:
        return ""
    both = len({w for _, w in said}) > 1
    for place, card in pieces.facts:
        before = [w for at, w in said if at < place]
        if both and not before:
            return f"say before {{{card.ref}}} whether it is of cold or of warm records"
        word = before[-1] if both else said[0][1]
        if not card.fact.scope.startswith(word):
            return f"{{{card.ref}}} is not of {word} records"
    return ""
