"""What a finding is: claims in several wordings, each bound to facts and proven word by word."""

from __future__ import annotations

from typing import Literal

import msgspec

from chimera.errors import UnboundNumber
from chimera.facts.fact import Fact
from chimera.facts.lexicon import unproven
from chimera.facts.numbers import display_unit
from chimera.facts.text import Field, Name, Num, Span, Spans, Text, spans

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


class Clause(msgspec.Struct, frozen=True):
    """One claim in several human-written wordings; all say the same and print the same facts."""

    variants: tuple[Spans, ...]


class Finding(msgspec.Struct, frozen=True):
    """Something that a reader should know, computed and tested by code.

    ``says`` are its claims, most important first; ``advice`` what follows from it (None when
    nothing is to be done). ``weight`` orders findings of one severity, larger first. ``brief`` is
    what this finding adds to a sentence about several of its kind.
    """

    key: str
    kind: str
    severity: Severity
    title: Spans
    says: tuple[Clause, ...]
    advice: Clause | None
    evidence: frozenset[str]
    weight: float = 0.0
    brief: Spans = ()

    @property
    def facts(self) -> list[Fact]:
        """The facts that its first wordings print."""
        shown = [span.fact for c in self.says for span in c.variants[0] if isinstance(span, Num)]
        return list({f.id: f for f in shown}.values())


def clause(evidence: frozenset[str], *variants: tuple[str | Span, ...]) -> Clause:
    """A clause whose every wording is checked against the lexicon.

    Raises UnboundNumber when a word has no evidence, or when the wordings do not print the same
    facts.
    """
    built = tuple(spans(*parts) for parts in variants)
    for wording in built:
        literal = " ".join(s.text for s in wording if isinstance(s, Text))
        missing = unproven(literal, evidence)
        if missing:
            raise UnboundNumber(f"no evidence for {missing[0]!r} in {literal!r}")
    printed = [{(s.fact.id, s.field) for s in w if isinstance(s, Num)} for w in built]
    if any(p != printed[0] for p in printed):
        raise UnboundNumber("the wordings of a clause print different facts")
    return Clause(built)


def value(fact: Fact, *, unit: str | None = None, strong: bool = True, sign: bool = False) -> Num:
    """The value of a fact, printed with its unit."""
    return Num(fact, unit=unit, strong=strong, sign=sign)


def count(fact: Fact) -> Num:
    """A count, printed bare."""
    return Num(fact, with_unit=False)


def field(fact: Fact, name: Field) -> Num:
    """Another field of a fact (n, n_failed, ci_low, ci_high)."""
    return Num(fact, name)


def interval(fact: Fact) -> tuple[Span, ...]:
    """The bounds of a fact's interval in brackets, or nothing where it has none."""
    if fact.ci95 is None:
        return ()
    unit = display_unit(fact.value, fact.unit)  # the value stands before it with this unit
    return (
        Text(" ["),
        Num(fact, "ci_low", unit=unit, with_unit=False),
        Text(", "),
        Num(fact, "ci_high", unit=unit, with_unit=False),
        Text("]"),
    )


def name(text: str) -> Name:
    """A name from the data."""
    return Name(text)


def label(text: str) -> Name:
    """A term of the field (TTFT, p95), printed without code marks."""
    return Name(text, code=False)


def plural(fact: Fact, one: str, many: str) -> str:
    """``one`` when the fact's value is one, otherwise ``many``."""
    return one if fact.value == 1 else many


EMPTY: frozenset[str] = frozenset()
DIFFERENCE = frozenset({"difference"})
ARGMAX = frozenset({"argmax", "difference", "extreme"})
COUNTED = frozenset({"counted"})
EXTREME = frozenset({"extreme"})
