"""What a sentence tells of a number beyond its words: whether it is clear what it is of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chimera.audit.binding import About, unit_fits
from chimera.audit.bounds import PARTIAL
from chimera.audit.numbers import Number
from chimera.audit.sentence import Sentence
from chimera.record.vocabulary import METRICS

MODAL = re.compile(
    r"\b(?:should|could|would|might|recommend(?:ed|s)?|consider|target(?:s|ed|ing)?|aim(?:s|ing)?|"
    r"goal|e\.g\.|for example|for instance|such as|expected|plan(?:ned)?|illustrative|"
    r"hypothetical|ideally|propose[ds]?|must|need to|next step)\b[^.;:]*$",
    re.IGNORECASE,
)
_BY = re.compile(
    r"\b(?:loses|lost|gains|gained|gives up|by|difference of|gap of|gap is|advantage of|lead of|saves?|saving|adds?|costs?|"
    r"penalty of|improvement of|reduction of|increase of)\s+(?:about |roughly |~|only )?$"
)
_MORE_THAN = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:faster|slower|higher|lower|more|less|longer|shorter|quicker|better|"
    r"worse|ahead|behind|above|below|apart|difference|gap|earlier|later|sooner)"
)
_GAP = re.compile(
    r"\b(?:gap|difference|delta|margin|advantage|penalty)\b[^;:]*\b(?:is|was|of|:)\s+\S*\s*$"
)
_SHORT_TEXT = 60  # characters: a heading, or what stands above a list
_ADVICE = re.compile(
    r"recommend|next step|future|mitigation|(?:system|persona|user) prompt|^prompts?$|action item",
    re.IGNORECASE,
)
_FOUND = re.compile(
    r"\b(?:reached|averaged|achieved|delivered|generated|measured|recorded|was|were|had|has|took|ran)\b",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"\b(?:fits? (?:in|into|within|on|onto)|time-?outs?|limit|budget|capacity|cap)\b[^.;,]{0,20}$",
    re.IGNORECASE,
)


_OF_RATE = re.compile(
    r"\s*of (?:the|its|their) (?:\w+ )?(?:speed|throughput|rate|time|latency|performance|size|memory)\b"
)
_AT = re.compile(r"\b(?:at|with|between|from)\s+$", re.IGNORECASE)
_EACH = re.compile(r"\bper (?:user|request|client|stream)\b|\beach\b|\balone\b", re.IGNORECASE)
_POINTED = re.compile(
    r"\b(?:at|on|in|for) (?:that|this|these|those) (?:level|load|point|setting|size|length|depth|rate|mode)s?\b"
    r"|\bin the (?:first|last)\b|\b(?:llama\.cpp|llama-bench|llama-server)\b",
    re.IGNORECASE,
)
_OPPOSITE = re.compile(
    r"\b(?:against|versus|vs\.?|instead of|compared (?:to|with))\s*(?:about |only )?$",
    re.IGNORECASE,
)


def is_limit(number: Number, sentence: Sentence) -> bool:
    """Whether a number is a bound that was set: "fits into 16 GB", "a timeout of 30 s"."""
    return bool(_LIMIT.search(sentence.text[max(0, number.start - 48) : number.start]))


def is_advised(number: Number, sentence: Sentence, section: str) -> bool:
    """Whether a number is of what should be, or of an example, by what stands before it."""
    ahead = sentence.text[max(0, number.start - 240) : number.start]
    advised = bool(_ADVICE.search(section)) and not _FOUND.search(ahead)
    return advised or bool(MODAL.search(ahead))


def is_advice(sentence: Sentence, section: str) -> bool:
    """Whether a sentence says what should be, not what is."""
    return bool(_ADVICE.search(section) or MODAL.search(sentence.text))


def is_difference(number: Number, sentence: Sentence) -> bool:
    """Whether a value with a unit is a difference ("by 12 ms", "12 ms faster")."""
    if not number.unit and not any(m.key not in METRICS for m in sentence.metrics):
        return False
    if sentence.text[number.start] in "+-−":
        return True
    before = sentence.text[max(0, number.start - 60) : number.start].lower()
    if _GAP.search(before):
        return True
    after = sentence.text[number.end : number.end + 22].lower()
    return bool(_BY.search(before) or _MORE_THAN.match(after))


def is_share(number: Number, sentence: Sentence) -> bool:
    """Whether a percentage stands right beside what it is a share of."""
    after = sentence.text[number.end : number.end + 40]
    before = sentence.text[max(0, number.start - 40) : number.start]
    of = re.match(
        r"\s*(?:of (?:all |the |these |those )?|success|fail|error|were|are|is|\w+ (?:rate|files?)\b)",
        after,
    )
    beside = re.search(
        r"(?:rate|share|files?|json|csv|markdown|md|requests|runs|records|success\w*|fail\w*)\b[^.;]{0,16}$",
        before,
        re.IGNORECASE,
    )
    if _OF_RATE.match(after):
        return False
    return bool(of or beside or re.search(r"\(\s*[~≈]?$", before))


def ends_of_settings(about: About, sentence: Sentence) -> Iterator[tuple[About, About]]:
    """The two levels of a setting that a range may go between, either way."""
    levels: dict[str, list[str]] = {}
    for mention in sentence.settings:
        if mention.value is not None and mention.value not in levels.get(mention.key, []):
            levels.setdefault(mention.key, []).append(mention.value)
    for key, values in levels.items():
        if len(values) != 2:
            continue
        rest = tuple(s for s in about.settings if s[0] != key)
        first, second = (replace(about, settings=tuple(sorted((*rest, (key, v))))) for v in values)
        yield first, second
        yield second, first


def has_sides(sentence: Sentence) -> bool:
    """Whether a sentence itself names two sides: models, or levels of one setting."""
    if len({m.models for m in sentence.models}) >= 2:
        return True
    levels: dict[str, set[str]] = {}
    for mention in sentence.settings:
        if mention.value is not None:
            levels.setdefault(mention.key, set()).add(mention.value)
    for named in sentence.named:
        if named.key not in ("model", "file"):
            levels.setdefault(named.key, set()).add(named.value.lower())
    return any(len(values) >= 2 for values in levels.values())


def is_partial(number: Number, sentence: Sentence) -> bool:
    """Whether a number is said of some that are not named: "the other four", "against 37.8", or
    of one user's share of a rate.
    """
    low, high = sentence.segment(number.start)[0], sentence.segment(number.end)[1]
    if PARTIAL.search(sentence.text[low:high]) or _POINTED.search(sentence.text):
        return True
    if any(_is_level_like(n, sentence) for n in sentence.numbers if n.start != number.start):
        return True
    if number.unit == "tokens/s" and _EACH.search(sentence.text):
        return True
    if not _OPPOSITE.search(sentence.text[: number.start]):
        return False
    behind = [n.start for n in sentence.named] + [m.start for m in sentence.settings]
    return not any(number.end <= at for at in behind)


def _is_level_like(number: Number, sentence: Sentence) -> bool:
    """Whether a bare number looks like a level that was not understood: "at 64K"."""
    if number.unit or number.form != "plain" or number.worded or number.digits == 0:
        return False
    large = sentence.text[number.end - 1 : number.end] in "kK"
    before = sentence.text[max(0, number.start - 9) : number.start]
    return large or (number.value.is_integer() and bool(_AT.search(before)))


def is_untold(number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]) -> bool:
    """Whether a time or a number of tokens stands in a sentence that does not say what of."""
    if about.misfit:
        return False
    if number.unit == "tokens":
        told = {k for m in sentence.metrics for k in m.keys if "tokens" in k}
        own = re.search(r"output|generated", sentence.text[number.start : number.end])
        return len(told) != 1 and not own
    if number.unit != "s" or any(s.key[:1] == "p" for s in sentence.statistics):
        return False
    near = (sentence, *(other for other in around[:4] if len(other.text) < _SHORT_TEXT))
    return not any(unit_fits(k, "s") for s in near for m in s.metrics for k in m.keys)


def is_range_of_levels(number: Number, sentence: Sentence) -> bool:
    """Whether a range goes from one level of a setting to another ("num_ctx from 1024 to 4096")."""
    if number.high is None or number.unit or number.form != "plain" or not sentence.settings:
        return False
    before = sentence.text[: number.start].rstrip(" `*(")
    return any(0 <= len(before) - m.end < 12 for m in sentence.settings)
