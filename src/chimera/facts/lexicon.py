"""Words that need proof. One list for what we write and for what we audit.

A word of this list may stand in a sentence only if the finding behind it carries the evidence
that the word needs. Words that no evidence of ours can license (judgements without a named
baseline) have no evidence at all.
"""

from __future__ import annotations

import re
from typing import Literal

Evidence = Literal[
    "argmax",  # an extreme over a stated scope whose interval does not overlap the next one's
    "extreme",  # the largest or smallest of listed values, without a claim that it differs
    "difference",  # a sign, the metric's polarity, and an interval that excludes zero
    "single-factor",  # exactly one factor varies
    "counted",  # a count over a closed set
    "test",  # a test of its own (trend, stability, equivalence)
    "baseline",  # a named baseline
]

WORDS: dict[str, frozenset[str]] = {
    word: frozenset(kinds.split())
    for kinds, words in {
        "argmax": "fastest slowest best worst quickest winner wins leads superior optimal",
        "argmax extreme": "highest lowest largest smallest longest shortest closest",
        "difference": "faster slower higher lower quicker better worse improves improved reduces "
        "reduced outperforms exceeds beats increases decreases significant significantly longer "
        "shorter differs",
        "single-factor": "because causes caused bottleneck owing therefore consequently",
        "counted": "all every none each most majority always never both no",
        "test": "stable consistent similar equal trend growing declining steady identical",
        "baseline": "strong excellent poor good bad great efficient robust impressive reasonable "
        "acceptable negligible substantial notable remarkable",
    }.items()
    for word in words.split()
}
PHRASES: dict[str, frozenset[str]] = {
    "due to": frozenset({"single-factor"}),
    "leads to": frozenset({"single-factor"}),
    "as a result": frozenset({"single-factor"}),
    "thanks to": frozenset({"single-factor"}),
}
_NUMBER_WORDS = (
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand million billion dozen half third quarter twice thrice double doubled triple "
    "tripled halved"
)
NUMBER_WORDS = frozenset(_NUMBER_WORDS.split())
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")


def unproven(text: str, evidence: frozenset[str]) -> list[str]:
    """The words of ``text`` that need evidence which is not there, number words among them.

    >>> unproven("A is faster than B", frozenset())
    ['faster']
    >>> unproven("A is faster than B", frozenset({"difference"}))
    []
    """
    lowered = text.lower()
    found = []
    for match in _WORD.findall(lowered):
        for word in match.split("-"):
            needs = WORDS.get(word)
            if (needs is not None and not needs & evidence) or word in NUMBER_WORDS:
                found.append(word)
    found.extend(p for p, needs in PHRASES.items() if p in lowered and not needs & evidence)
    return found
