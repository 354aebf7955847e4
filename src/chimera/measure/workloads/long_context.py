"""Prompts of some thousand tokens with one fact in them that is asked for at the end.

The filler is made from sentences with gaps, so that a few of them make many pages; the fact
is in no other sentence. Where it stands (near the beginning, the middle or the end) is part
of the prompt's name.
"""

from __future__ import annotations

import re
from random import Random

import msgspec

from chimera.measure.workloads.random_text import below, stream
from chimera.measure.workloads.workload import WorkloadPrompt

_GAP = re.compile(r"\{(\w+)\}")
_SENTENCES_IN_PARAGRAPH = 6


class LongPrompt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``place`` is where the fact stands: 0 at the beginning, 1 at the end."""

    id: str
    words: int
    place: float
    fact: str
    question: str
    answer: str


class LongContext(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``gaps`` are the words that may stand for ``{name}`` in a sentence."""

    opening: str
    gaps: dict[str, tuple[str, ...]]
    sentences: tuple[str, ...]
    prompts: tuple[LongPrompt, ...]


def read_long_context(data: bytes) -> LongContext:
    """The material, as it stands in suites/long-context.json."""
    return msgspec.json.decode(data, type=LongContext)


def long_context_prompts(data: bytes) -> tuple[WorkloadPrompt, ...]:
    """The prompts that ``data`` describes; the same bytes everywhere."""
    material = read_long_context(data)
    return tuple(
        WorkloadPrompt(id=wanted.id, text=_text(material, wanted)) for wanted in material.prompts
    )


def _text(material: LongContext, wanted: LongPrompt) -> str:
    random = stream(0, f"long context {wanted.id}")
    sentences: list[str] = []
    written, last = 0, -1
    while written < wanted.words:
        chosen = below(random, len(material.sentences))
        if chosen == last:  # the same sentence twice running reads like a mistake
            chosen = (chosen + 1) % len(material.sentences)
        last = chosen
        sentences.append(_filled(material.sentences[chosen], material.gaps, random))
        written += len(sentences[-1].split())
    sentences.insert(round(wanted.place * len(sentences)), wanted.fact)
    size = _SENTENCES_IN_PARAGRAPH
    paragraphs = [" ".join(sentences[i : i + size]) for i in range(0, len(sentences), size)]
    return "\n\n".join([material.opening, *paragraphs, wanted.question])


def _filled(sentence: str, gaps: dict[str, tuple[str, ...]], random: Random) -> str:
    def word(gap: re.Match[str]) -> str:
        choices = gaps[gap[1]]
        return choices[below(random, len(choices))]

    text = _GAP.sub(word, sentence)
    return text[0].upper() + text[1:]
