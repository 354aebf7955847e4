"""A sentence that was accepted, as spans: code adds to each number what the model left unsaid."""

from __future__ import annotations

import re

from chimera.agents.cite.cards import Card, Offer
from chimera.agents.cite.pieces import Pieces
from chimera.agents.cite.words import SAID_STATISTIC
from chimera.facts.numbers import display_unit
from chimera.facts.text import Name, Num, Span, Spans, Text

_REFERENCE = re.compile(r"\{([^{}]*)\}")


def printed(pieces: Pieces, offer: Offer) -> Spans:
    """The spans of a sentence. Raises UnboundNumber where its own words hold a numeral."""
    spans: list[Span] = []
    end = 0
    said = {SAID_STATISTIC[w] for _, w in pieces.words if w in SAID_STATISTIC}
    for match in _REFERENCE.finditer(pieces.text):
        if match.start() > end:
            spans.append(Text(pieces.text[end : match.start()]))
        ref = match[1].strip()
        if ref in offer.names:
            spans.append(Name(offer.names[ref]))
        else:
            spans += _number(offer.cards[ref], said, pieces)
        end = match.end()
    if pieces.text[end:]:
        spans.append(Text(pieces.text[end:]))
    return tuple(spans)


def _number(card: Card, said: set[str], pieces: Pieces) -> list[Span]:
    fact = card.fact
    number = Num(fact, strong=True, sign=card.kind == "change")
    if card.kind != "value":
        warm = fact.scope.startswith("warm") and not any(w == "warm" for _, w in pieces.words)
        return [number, *_interval(card), *([Text(" (warm records)")] if warm else [])]
    parts: list[str] = []
    if fact.statistic not in said and fact.statistic != "value":
        parts.append(fact.statistic)
    scope = "" if fact.scope == "all" else fact.scope
    if scope and not any(w == scope for _, w in pieces.words):
        parts.append(scope)
    note: list[Span] = [Name(", ".join(parts), code=False)] if parts else []
    if fact.n is not None:
        note += [Text(", " if parts else ""), Name("n", code=False), Text(" = "), Num(fact, "n")]
    note = [s for s in note if s.text]
    return [number, Text(" ("), *note, Text(")")] if note else [number]


def _interval(card: Card) -> list[Span]:
    fact = card.fact
    if fact.ci95 is None:
        return []
    unit = display_unit(fact.value, fact.unit)
    low, high = (Num(fact, f, unit=unit, with_unit=False) for f in ("ci_low", "ci_high"))
    return [Text(" ["), low, Text(", "), high, Text("]")]
