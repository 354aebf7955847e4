"""Verdicts on counts."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.audit.counts import Count
from chimera.audit.matching import matches
from chimera.audit.names import model_words
from chimera.audit.number import Number
from chimera.audit.sentence import Sentence
from chimera.audit.verdict import Verdict


def judge_count(number: Number, counts: Sequence[Count]) -> Verdict | None:
    """A count against what may be counted; None where there is nothing to count."""
    for count in counts:
        if matches(number, float(count.value)):
            return Verdict(
                "supported",
                f"{count.what}: {count.value}",
                None,
                count.what,
                "",
                count.places,
                "count",
            )
    if not counts:
        return None
    first = counts[0]
    right = str(first.value)
    return Verdict(
        "contradicted", f"{first.what}: {right}", right, first.what, "", first.places, "count"
    )


def sum_of_parts(number: Number, sentence: Sentence) -> Verdict | None:
    """A total of the counts beside it: "160 responses: 40 for A, 40 for B and 80 for C"."""
    parts = [
        n.value
        for n in sentence.numbers
        if n is not number and n.form == "plain" and not n.unit and n.high is None and n.of is None
    ]
    if len(parts) < 2 or sum(parts) != number.value:
        return None
    what = " + ".join(f"{p:g}" for p in parts)
    return Verdict("derivable", what, None, what, kind="count")


def common_part(models: frozenset[str]) -> str:
    """What the names of models begin with: "gemma3" of gemma3:270m and gemma3:latest."""
    words = [model_words(m) for m in sorted(models)]
    same = [w for w, *rest in zip(*words, strict=False) if all(r == w for r in rest)]
    return same[0] if same else ""
