"""Which of several named things goes with which of several numbers of a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeVar

from chimera.audit.names import Named
from chimera.audit.number import Number
from chimera.audit.phrases import Mention

_LISTED = re.compile(
    r"\s*(?:,|vs\.?|versus|against|and|,? ?and|/|-|–|to|->|→|compared (?:to|with)|instead of)\s*"
)
_FROM = re.compile(r"\b(?:from|between)\s+(?:about |roughly |~)?$", re.IGNORECASE)
Spanned = TypeVar("Spanned", Mention, Named)


def paired(
    number: Number,
    numbers: Sequence[Number],
    things: Sequence[Spanned],
    text: str,
    same: Callable[[Spanned, Spanned], bool],
) -> Spanned | None:
    """The thing that goes with a number where as many numbers as things stand in one order.

    Three orders tell: "41 on A and 38 on B", "A reached 41, B 38", and a list of one beside a list
    of the other ("from 41 to 38 when going from A to B"). None where the order tells nothing.
    """
    like = [n for n in numbers if n.start == number.start or _alike(n, number)]
    apart = _distinct(things, same)
    places = [i for i, n in enumerate(like) if n.start == number.start]
    if not places or len(like) < 2 or len(apart) != len(like):
        return None
    place = places[0]
    marks: list[tuple[int, str]] = [(n.start, "n") for n in like]
    marks += [(t.start, "t") for t in apart]
    kinds = "".join(kind for _, kind in sorted(marks))
    if kinds in ("nt" * len(like), "tn" * len(like)):
        return apart[place]
    if kinds in ("n" * len(like) + "t" * len(like), "t" * len(like) + "n" * len(like)):
        gaps = [text[a.end : b.start] for a, b in pairwise(like)]
        moving = len(like) == 2 and _FROM.search(text[: like[0].start])
        if moving or all(_LISTED.fullmatch(g) for g in gaps):
            return apart[place]
    return None


def _alike(one: Number, other: Number) -> bool:
    if one.form != other.form or one.high is not None or one.of is not None:
        return False
    return one.unit == other.unit or not one.unit or not other.unit


def _distinct(things: Sequence[Spanned], same: Callable[[Spanned, Spanned], bool]) -> list[Spanned]:
    found: list[Spanned] = []
    for thing in sorted(things, key=lambda t: t.start):
        if not any(same(thing, other) for other in found):
            found.append(thing)
    return found
