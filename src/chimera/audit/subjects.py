"""Which models a number of a sentence is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from chimera.audit.numbers import Number
from chimera.audit.sentence import Sentence

_LISTED = re.compile(
    r"\s*(?:,|vs\.?|versus|against|and|,? ?and|/|-|–|to|->|→|compared (?:to|with)|instead of)\s*"
)
DESCRIBED = re.compile(
    r"\b(?:smallest|largest|biggest|smaller|larger|bigger|default|first|second|third|last|other|latter|former|"
    r"best|worst|fastest|slowest|winning|leading|top|runner-up|middle|remaining) "
    r"(?:model|variant|one|version|build|contender|engine|backend|card|setup|configuration|option)s?\b",
    re.IGNORECASE,
)


def models_of(
    number: Number, sentence: Sentence, around: Sequence[Sentence]
) -> tuple[frozenset[str], int, bool]:
    """(the models, how far they were looked for, whether the sentence speaks of all)."""
    paired = (
        _behind(number, sentence)
        or _respectively(number, sentence)
        or _against(number, sentence)
        or _of_model(number, sentence)
        or _other_side(number, sentence)
    )
    if paired is not None:
        return paired, 0, False
    if sentence.is_overall and not _in_segment(number, sentence):
        return frozenset(), 0, True
    own = sentence.nearest(sentence.models, number)
    if (
        own is not None
        and own.start > number.end
        and DESCRIBED.search(sentence.text[: number.start])
    ):
        return frozenset(), 9, False
    if own is not None:
        return own.models, 0, False
    if sentence.is_overall:
        return frozenset(), 0, True
    if DESCRIBED.search(sentence.text):
        return frozenset(), 9, False
    for distance, other in enumerate(around, start=1):
        if len({m.models for m in other.models}) == 1 or (other.models and other.start >= 0):
            return other.models[-1].models, distance, False
    return frozenset(), 9, False


def _in_segment(number: Number, sentence: Sentence) -> bool:
    low, high = sentence.segment(number.start)[0], sentence.segment(number.end)[1]
    return any(low <= m.start < high for m in sentence.models)


def _behind(number: Number, sentence: Sentence) -> frozenset[str] | None:
    """The model in parentheses behind a number: "41.2 tok/s (A) and 38.5 tok/s (B)"."""
    match = re.match(r"\s*[(\[]\s*", sentence.text[number.end :])
    if match is None:
        return None
    at = number.end + match.end()
    close = re.search(r"[)\]]", sentence.text[at:])
    end = at + close.start() if close else at
    inside = [m for m in sentence.models if at <= m.start < end]
    return inside[0].models if len(inside) == 1 else None


def _against(number: Number, sentence: Sentence) -> frozenset[str] | None:
    """Two numbers in front of two models: "With 41 tok/s against 30 tok/s, A is ahead of B"."""
    models = list(dict.fromkeys(m.models for m in sentence.models))
    if len(models) != 2:
        return None
    first = sentence.models[0].start
    front = [n for n in sentence.numbers if n.form == number.form and n.end <= first]
    if len(front) != 2 or number not in front:
        return None
    gap = sentence.text[front[0].end : front[1].start]
    if not re.fullmatch(
        r"\s*(?:against|vs\.?|versus|compared (?:to|with)|over|to|->|→|instead of|/)\s*", gap
    ):
        return None
    return models[front.index(number)]


def _of_model(number: Number, sentence: Sentence) -> frozenset[str] | None:
    """The model right behind a number that is not the first: "is 1.7x the 0.5 req/s of B"."""
    if not any(n.end <= number.start for n in sentence.numbers):
        return None
    for model in sentence.models:
        gap = sentence.text[number.end : model.start] if model.start >= number.end else None
        if gap is not None and re.fullmatch(
            r"\s*(?:of|for|by|with|from|on)\s+(?:the\s+)?[`*]*", gap
        ):
            return model.models
    return None


def _other_side(number: Number, sentence: Sentence) -> frozenset[str] | None:
    """Of two models and two numbers, one of which plainly goes with one model, the rest."""
    models = list(dict.fromkeys(m.models for m in sentence.models))
    like = [n for n in sentence.numbers if n.form == number.form and n.unit and n.high is None]
    if len(models) != 2 or len(like) != 2 or number not in like:
        return None
    other = like[1 - like.index(number)]
    plain = _behind(other, sentence) or _of_model(other, sentence) or _right_of(other, sentence)
    return models[1 - models.index(plain)] if plain in models else None


def _right_of(number: Number, sentence: Sentence) -> frozenset[str] | None:
    """The model right behind a number: "the 0.5 req/s of B"."""
    for model in sentence.models:
        gap = sentence.text[number.end : model.start] if model.start >= number.end else None
        if gap is not None and re.fullmatch(r"\s*(?:of|for|by|with)\s+(?:the\s+)?[`*]*", gap):
            return model.models
    return None


def _respectively(number: Number, sentence: Sentence) -> frozenset[str] | None:
    """Models and numbers in the same order: "A and B reach 41 and 52 tok/s, respectively", and
    "A is faster than B (52 vs 41 tok/s)".
    """
    models = sentence.models
    like = [n for n in sentence.numbers if n.form == number.form]
    if len(like) == len(models) + 1 and sentence.text[: like[-1].start].rstrip(" *`").endswith("="):
        like = like[:-1]  # "|a - b| = d"
    if len(models) != len(like) or len(like) < 2 or number not in like:
        return None
    said = "respectively" in sentence.text.lower()
    gaps = [sentence.text[a.end : b.start] for a, b in pairwise(like)]
    listed = all(_LISTED.fullmatch(g) for g in gaps)
    together = models[-1].end <= like[0].start or like[-1].end <= models[0].start
    if not (listed and (said or together)):
        return None
    return models[like.index(number)].models


def is_attached(number: Number, sentence: Sentence) -> bool:
    """Whether a model stands right behind a number, in parentheses or after "of"."""
    return (_behind(number, sentence) or _right_of(number, sentence)) is not None
