"""Comparisons and superlatives in a sentence, held against the facts that it cites."""

from __future__ import annotations

from chimera.agents.cite.cards import Card, Offer, is_of_configurations
from chimera.agents.cite.pieces import Pieces
from chimera.agents.cite.words import COMPARING, EXTREMES, TIME_WORDS, UNTOLD
from chimera.record.vocabulary import METRICS, metric_better


def claims_fault(pieces: Pieces, offer: Offer) -> str:
    """The first claim that its facts do not prove, in words for the model; "" when all are."""
    claims = [(at, w) for at, w in pieces.words if w in COMPARING or w in EXTREMES]
    if fault := _untold(pieces):
        return fault
    if not claims:
        return ""
    if len(claims) > 1:
        return f"{claims[0][1]!r} and {claims[1][1]!r}: make one comparison a sentence"
    if len({m.keys for m in pieces.metrics}) > 1:
        return f"{claims[0][1]!r} with several metrics: make one comparison a sentence"
    at, word = claims[0]
    if word in EXTREMES:
        return _extreme(word, pieces, offer)
    return _comparison(at, word, pieces, offer)


def _untold(pieces: Pieces) -> str:
    """Where an interval holds zero, that must be said, and only there."""
    tested = [card for _, card in pieces.facts if card.kind != "value"]
    if pieces.untold:
        if not tested:
            return f"{UNTOLD[0]!r} needs the difference to be cited"
        if certain := next((c for c in tested if c.certain), None):
            return f"the interval of {{{certain.ref}}} excludes zero, so it can be told apart"
        return ""
    unsure = next((c for c in tested if not c.certain), None)
    if unsure is not None:
        phrase = UNTOLD[1] if unsure.kind == "change" else UNTOLD[0]
        return f"the interval of {{{unsure.ref}}} holds zero; say {phrase!r}"
    return ""


def _comparison(at: int, word: str, pieces: Pieces, offer: Offer) -> str:
    pair = next((card for _, card in pieces.facts if card.kind == "pair"), None)
    if pair is None:
        return f"{word!r} needs the difference of the two to be cited"
    if not pair.certain:
        return f"{word!r}: the interval of {{{pair.ref}}} holds zero"
    if word in TIME_WORDS and METRICS[pair.fact.metric].unit != "s":
        return f"{word!r} is said of times"
    side = _side(COMPARING[word], pair)
    if not side:
        return f"{word!r} cannot be said of {{{pair.ref}}}"
    other = next(name for name in pair.names if name != side)
    kind = "configuration" if is_of_configurations(pair) else "subject"
    first, second = offer.letter(side, kind), offer.letter(other, kind)
    there = [(place, letter) for place, letter in pieces.names if offer.kinds[letter] == kind]
    before = [letter for place, letter in there if place < at]
    after = [letter for place, letter in there if place > at]
    if before == [first] and after[:1] == [second]:
        return ""
    if before == [second] and after[:1] == [first]:
        return f"it is the other way round: {{{first}}} is {word} than {{{second}}}"
    return f"write it as: {{{first}}} ... {word} ... {{{second}}}"


def _side(claim: str, pair: Card) -> str:
    if claim == "ahead":
        return pair.ahead
    if claim == "larger":
        return pair.larger
    chosen = pair.ahead if claim == "behind" else pair.larger
    return next((name for name in pair.names if chosen and name != chosen), "")


def _extreme(word: str, pieces: Pieces, offer: Offer) -> str:
    """One subject that is certainly ahead of all others, or a configuration that code ranked."""
    values = [card for _, card in pieces.facts if card.kind == "value"]
    claim = EXTREMES[word]
    if any(card.highest for card in values):
        return _ranked(word, claim, pieces, values, offer)
    named = [letter for _, letter in pieces.names if offer.kinds[letter] == "subject"]
    if len(values) != 1 or len(set(named)) != 1 or any(c.kind != "value" for _, c in pieces.facts):
        return f"{word!r} is said of one model, with its own value alone"
    metric = values[0].fact.metric
    if claim in ("larger", "smaller"):
        claim = "ahead" if (claim == "larger") == (metric_better(metric) == "higher") else "behind"
    if offer.tops.get((metric, claim)) != values[0].names[0]:
        return f"{word!r}: that it is so of all that were measured alike is not certain"
    return ""


def _ranked(word: str, claim: str, pieces: Pieces, values: list[Card], offer: Offer) -> str:
    """The configuration with the largest value is named before any other."""
    top = next(card for card in values if card.highest)
    pair = next((card for _, card in pieces.facts if card.kind == "pair"), None)
    named = [letter for _, letter in pieces.names if offer.kinds[letter] == "configuration"]
    first = offer.letter(top.names[0], "configuration")
    if claim != "larger" or pair is None or values[0] is not top or named[:1] != [first]:
        return f"{word!r}: write it of {{{top.ref}}}, which stands first, and cite the gap"
    return ""
