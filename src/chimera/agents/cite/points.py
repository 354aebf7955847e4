"""The points of a report that a model may put in its own words: findings that are made of cards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_lowercase

import msgspec

from chimera.agents.cite.cards import Card, Offer
from chimera.facts.findings import Finding
from chimera.facts.findings.base import interval
from chimera.facts.text import Name, Num, Sentence, Spans, spans
from chimera.record.vocabulary import metric_label

MOST_POINTS = 10
_MOST_CARDS = 5
# Of the numbers of a sentence, these need not be cited: how many conditions, how many residuals.
_BESIDE = ("count", "gap in residual sd")
# What a sentence says beside its facts: intervals, how many conditions, residuals, starts.
_UNCITED = re.compile(r" \[\0, \0\]|,? (?:over|by)? ?\0 (?:shared conditions?|residual[a-z ]*)|\0 ")


class Point(msgspec.Struct, frozen=True):
    """One sentence to write. ``key`` is its letter in the prompt, ``refs`` what it is about.

    ``finding`` is None for facts that the model asked for. ``bound`` stands in where the model's
    sentence is refused; ``told`` is that sentence with references in place of numbers. ``first`` is
    the letter that must be named first, because the finding's next claims say "it"; "" for any.
    """

    key: str
    finding: Finding | None
    refs: frozenset[str]
    bound: Sentence
    told: str
    first: str = ""


def points_of(findings: Sequence[Finding], offer: Offer, most: int = MOST_POINTS) -> list[Point]:
    """A point for each finding whose first claim can be written with cards, in their order."""
    points: list[Point] = []
    for finding in findings:
        if len(points) == most:
            break
        wording = finding.says[0].variants[0]
        shown = [s.fact for s in wording if isinstance(s, Num) and s.field == "value"]
        facts = list({f.id: f for f in shown if f.statistic not in _BESIDE}.values())
        if not 0 < len(facts) <= _MOST_CARDS:
            continue
        cards = [offer.add(f) for f in facts]
        if None in cards:
            continue
        refs = frozenset(c.ref for c in cards if c is not None)
        key = ascii_lowercase[len(points)]
        bound = Sentence(wording, "refused", finding.key)
        first = _first_named(finding, offer) if finding.kind == "speed" else ""
        points.append(Point(key, finding, refs, bound, told(wording, offer), first))
    return points


def _first_named(finding: Finding, offer: Offer) -> str:
    """The letter of the subject that a finding begins with, where more claims follow the first."""
    names = (s.text for s in finding.says[0].variants[0] if isinstance(s, Name) and s.code)
    return offer.letter(next(names, ""), "subject") if len(finding.says) > 1 else ""


def told(wording: Spans, offer: Offer) -> str:
    """A bound sentence with references in place of its numbers and names."""
    parts: list[str] = []
    for span in wording:
        if isinstance(span, Num):
            card = offer.add(span.fact) if span.field == "value" else None
            parts.append(f"{{{card.ref}}}" if card else "\0")
        elif isinstance(span, Name) and span.code:
            kinds = ("subject", "configuration", "setting", "level")
            letters = [letter for k in kinds if (letter := offer.letter(span.text, k))]
            parts.append(f"{{{letters[0]}}}" if letters else "\0")
        else:
            parts.append(span.text.replace("E2E", "end-to-end"))
    return " ".join(_UNCITED.sub("", "".join(parts)).split())


def asked_point(key: str, card: Card, offer: Offer) -> Point:
    """A point on a fact that was asked for; code's own sentence on it is plain."""
    bound = plainly(card)
    return Point(key, None, frozenset({card.ref}), Sentence(bound, "refused"), told(bound, offer))


def plainly(card: Card) -> Spans:
    """A value or a difference, said without any claim beyond it."""
    fact = card.fact
    what = Name(metric_label(fact.metric), code=False)
    if card.kind == "pair":
        return _plain_pair(card, what)
    scope = () if fact.scope == "all" else spans(" (", Name(fact.scope, code=False), ")")
    of = spans(Name(card.who), ", ", Name(card.names[0])) if card.who else (Name(card.names[0]),)
    n = spans(" (", Name("n", code=False), " = ", Num(fact, "n"), ")") if fact.n else ()
    return (
        *spans("The ", fact.statistic, " ", what), *scope, *spans(" of "), *of,
        *spans(" is ", Num(fact, strong=True)), *n, *spans("."),
    )  # fmt: skip


def _plain_pair(card: Card, what: Name) -> Spans:
    a, b = (Name(name) for name in card.names)
    gap = (Num(card.fact, strong=True), *interval(card.fact))
    kind = "factor" if card.fact.statistic == "ratio" else "difference"
    if card.certain:
        return spans("Between ", a, " and ", b, f" lies a {kind} of ", *gap, " in ", what, ".")
    return spans(a, " and ", b, " cannot be told apart in ", what, f": a {kind} of ", *gap, ".")
