"""Bounds that all, most or none of some items keep: "every warm run stayed above 50 tok/s"."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chimera.audit.binding import About, bind
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.matching import matches
from chimera.audit.numbers import Number
from chimera.audit.sentence import Sentence
from chimera.audit.values import values_of
from chimera.record.vocabulary import METRICS

ABOVE = re.compile(
    r"\b(?:above|over|in excess of|better than|upwards of|exceed(?:s|ed|ing)?|more than|at least|"
    r"faster than|higher than|greater than|longer than|north of|beyond|clear(?:s|ed)?|"
    r"pass(?:es|ed)?|top(?:s|ped)?)\b|[>≥]",
    re.IGNORECASE,
)
BELOW = re.compile(
    r"\b(?:fits? (?:in|into|within)|below|under|beneath|south of|smaller than|short of|less than|within|at most|lower than|"
    r"shorter than|fewer than|up to|quicker than|no more than|slower than)\b|[<≤]",
    re.IGNORECASE,
)
PARTIAL = re.compile(
    r"\b(?:others?|rest|remaining|except|excluding|apart from|besides|former|latter)\b",
    re.IGNORECASE,
)
_CLOSE = 22  # characters
_NEXT = 9
_TOOK = re.compile(r"\b(?:took|takes?|finish\w*|complet\w*|needed|needs|lasted)\b", re.IGNORECASE)
_WAITED = re.compile(r"\b(?:wait\w*|start\w*|first token|ttft)\b", re.IGNORECASE)
# What is counted, and the identity or setting that tells one from another.
_KINDS = (
    ("gpu", r"cards?|gpus?|accelerators?"),
    ("quantization", r"quants?|quanti[sz]ations?|variants?"),
    ("backend", r"backends?|engines?|servers?"),
    ("prompt_id", r"prompts?|questions?"),
    ("concurrency", r"concurrency levels?|load levels?|levels?|loads?"),
)
_KIND = re.compile("|".join(rf"(?P<{key}>\b(?:{words})\b)" for key, words in _KINDS), re.IGNORECASE)


def is_bound(number: Number, sentence: Sentence) -> bool:
    """Whether a word for more or less stands right before a number."""
    before = sentence.text[max(0, number.start - _CLOSE) : number.start]
    found = [*ABOVE.finditer(before), *BELOW.finditer(before)]
    return any(len(before) - m.end() < _NEXT for m in found)


def counted_over(
    evidence: Evidence, sentence: Sentence, around: Sequence[Sentence], after: int = 0
) -> tuple[int, int, str] | None:
    """Of what stands behind ``after``: (how many keep a bound, of how many, what they are); None where nothing is understood."""
    numbers = [
        n for n in sentence.numbers
        if n.form == "plain" and n.of is None and (n.unit or any(m.key not in METRICS for m in sentence.metrics))
        if is_bound(n, sentence)
    ]  # fmt: skip
    if not numbers:
        return None
    if PARTIAL.search(sentence.text):
        return None  # "none of the others"
    numbers = [n for n in numbers if n.start >= after] or numbers
    if not numbers:
        return None
    number = numbers[0]
    if any(
        after <= n.start < number.start and not n.unit and not n.worded for n in sentence.numbers
    ):
        return None  # "every run at 0.4 or 0.8 stayed below 120 ms"
    before = sentence.text[max(0, number.start - _CLOSE) : number.start]
    above, below = ABOVE.search(before), BELOW.search(before)
    if bool(above) == bool(below):
        return None
    about = _metric_of(bind(number, sentence, around), number, sentence)
    if not about.keys or about.foreign:
        return None
    modifier = "over" if above else "under"
    told = replace(number, modifier=modifier)
    values = list(_values(evidence, sentence, about))
    if len(values) < 2:
        return None
    k = sum(bool(matches(told, v)) and v != told.canonical for v in values)
    return k, len(values), f"{modifier} {sentence.text[number.start : number.end]}"


def _metric_of(about: About, number: Number, sentence: Sentence) -> About:
    """A time of requests that "took" it is their whole time."""
    if about.named or number.unit != "s" or about.statistic.startswith("p"):
        return about
    if _WAITED.search(sentence.text):
        return replace(about, keys=("ttft",))
    if _TOOK.search(sentence.text):
        return replace(about, keys=("e2e_latency", "server_total", "generation_time", "duration"))
    return replace(about, keys=())


def _values(evidence: Evidence, sentence: Sentence, about: About) -> Iterator[float]:
    """The value of each item that the sentence counts."""
    nouns = {n.key for n in sentence.nouns}
    kind = _KIND.search(sentence.text)
    if "models" in nouns or (len(sentence.models) > 1 and "configurations" not in nouns):
        family = about.models if len(about.models) > 1 else None
        names = evidence.models_with(replace(about, models=frozenset()).selector, about.keys)
        items = [
            replace(about, models=frozenset((n,))) for n in names if family is None or n in family
        ]
        if len(items) > 1:
            yield from _means(evidence, items)
            return
    if "configurations" in nouns:
        yield from _means(evidence, _configurations(evidence, about))
    elif kind is not None and kind.lastgroup:
        yield from _means(evidence, _levels(evidence, about, kind.lastgroup))
    elif "records" in nouns or "repeats" in nouns:
        yield from _records(evidence, about)


def _means(evidence: Evidence, items: Sequence[About]) -> Iterator[float]:
    for item in items:
        own = values_of(evidence, item)
        if own and (own[0].main or not own[0].vague):
            yield own[0].value


def _configurations(evidence: Evidence, about: About) -> list[About]:
    selector = about.selector
    found = {tuple(sorted((k, str(v)) for k, v in s.parameters)) for s in evidence.select(selector)}
    found |= {
        tuple(sorted(evidence.row_levels(s.batch, s.row).items()))
        for s in evidence.summed
        if evidence.summed_fits(s, selector)
    }
    return [replace(about, settings=level) for level in sorted(found) if level]


def _levels(evidence: Evidence, about: About, key: str) -> list[About]:
    keys = ("backend", "engine") if key == "backend" else (key,)
    for one in keys:
        levels = sorted(evidence.settings.get(one, ()))
        if len(levels) > 1:
            rest = tuple(s for s in about.settings if s[0] != one)
            return [replace(about, settings=tuple(sorted((*rest, (one, v))))) for v in levels]
    return []


def _records(evidence: Evidence, about: About) -> Iterator[float]:
    selector: Selector = about.selector
    for key in about.keys:
        members = evidence.members(selector, key)
        if members:
            yield from (c.values[s.index] for s, c in members)
            return
        rows = [
            s.value
            for s in evidence.summaries(selector, key)
            if s.statistic == about.statistic
            or (not about.statistic and s.statistic in ("", "mean"))
        ]
        if rows:
            yield from rows
            return
