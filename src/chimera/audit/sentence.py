"""One sentence (or cell, or heading) read: what it names, and what stands nearest to a number."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeVar

from chimera.audit.dated import dates_in
from chimera.audit.names import MODEL, TAGGED, Named, Names
from chimera.audit.numbers import Number, numbers_in
from chimera.audit.phrases import (
    Mention,
    metrics_in,
    nouns_in,
    phases_in,
    statistics_in,
)
from chimera.audit.settings_said import settings_in
from chimera.ingest.names import Reading, read_name

_BREAK = re.compile(
    r"[,;:()\[\]–—|]|\s-\s|\b(?:while|whereas|but|versus|vs\.?|compared (?:to|with)|against|than|"
    r"and|followed by|ahead of|then|with)\b"
)
_END = re.compile(r"[.!?][\"'”’)\]*]*(?=\s+[\"'“(\[*]*(?:[A-Z0-9`_]|[a-z][a-z.-]*[\d:_])|\s*$)|\n")
_NO_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|approx|avg|ca|etc|fig|no|dr|mr|st|resp|cf|al)\.|^\s*\d{1,2}\.|(?-i:(?<![/\w])[A-Z]\.))$",
    re.IGNORECASE,
)
_CODE_NAME = re.compile(r"(?<![\w.])[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+(?![\w])")
_FIELD = re.compile(r"(?<![\w/])[A-Za-z]\w*(?:\[\d+\])?(?:\.\w+)*_\w+(?:\[\d+\])?(?:\.\w+)*|"
                    r"(?<![\w/])[A-Za-z]\w*\[\d+\]\.\w+")  # fmt: skip
_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_LONGEST = 2000  # characters
_OVERALL = re.compile(
    r"\b(?:across (?:all|the|every)|overall|in total|in all(?=[,.;])|(?<!out of )a total of|"
    r"the total|all (?:the )?models|every model|altogether|"
    r"combined|entire (?:data ?set|folder|set)|whole (?:data ?set|folder|set))\b",
    re.IGNORECASE,
)
Spanned = TypeVar("Spanned", Mention, Named)


def sentences_of(text: str) -> list[tuple[int, int]]:
    """The spans of a text's sentences; a kept line end ends one too."""
    found, start = [], 0
    for match in _END.finditer(text):
        if match[0] != "\n" and _NO_END.search(text[start : match.end()].rstrip("\"'”’)]* ")):
            continue
        if text[start : match.end()].strip():
            found.append((start, match.end()))
        start = match.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return [piece for span in found for piece in _pieces(text, *span)]


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence, cut at blanks where it is longer than any that was written for people."""
    while end - start > _LONGEST:
        cut = text.rfind(" ", start, start + _LONGEST)
        cut = cut if cut > start else start + _LONGEST
        yield start, cut
        start = cut
    yield start, end


class Sentence:
    """A text of the report, at ``start``, and everything of the field that it names."""

    def __init__(
        self, text: str, start: int, names: Names | None, told: dict[str, str] | None = None
    ) -> None:
        self.text = text
        self._told = told or {}
        self.start = start
        self._names = names

    @cached_property
    def named(self) -> list[Named]:
        """Names of the data."""
        return self._names.find(self.text) if self._names else []

    @cached_property
    def words(self) -> frozenset[str]:
        """Its words and numbers, in lower case."""
        return frozenset(_WORD.findall(self.text.lower()))

    @cached_property
    def bare(self) -> frozenset[str]:
        """Its numbers that have no unit and are no part of a name, as levels are written."""
        return frozenset(f"{n.value:g}" for n in self.all_numbers if not n.unit)

    @cached_property
    def is_foreign(self) -> bool:
        """Whether it names a model that the data does not have, and none that it has."""
        if self.models or not self._names or not self._names.models:
            return False
        return bool(TAGGED.search(self.text)) or any(
            any(c.isdigit() for c in m[0]) for m in MODEL.finditer(self.text)
        )

    @cached_property
    def models(self) -> list[Named]:
        """Models, or families of them."""
        found: list[Named] = []
        for named in self.named:
            if not named.models:
                continue
            gap = self.text[found[-1].end : named.start] if found else "."
            both = found[-1].models & named.models if found else frozenset()
            if both and not gap.strip(" :/_()`*-"):  # "llama 8B Q4_0": each part narrows it
                found[-1] = Named(found[-1].start, named.end, "model", named.value, both)
            else:
                found.append(named)
        return found

    @cached_property
    def codes(self) -> list[tuple[int, int, Reading]]:
        """Names as programs write them (``mean_ttft_s``), and what they say."""
        found = []
        for match in _CODE_NAME.finditer(self.text):
            reading = read_name(match[0])
            if reading.role == "unknown":
                reading = self._as_phrase(match[0], reading)
            if reading.role != "unknown" and not self._is_named(match.start(), match.end()):
                found.append((match.start(), match.end(), reading))
        return found

    @cached_property
    def fields(self) -> list[Mention]:
        """Names as programs write them, whatever they mean, with what encloses them."""
        return [Mention(m.start(), m.end(), "field", m[0]) for m in _FIELD.finditer(self.text)]

    @staticmethod
    def _as_phrase(name: str, reading: Reading) -> Reading:
        """A program's name that is spelt like a phrase: ``mean_tokens_per_inference``."""
        text = name.replace("_", " ")
        metrics, statistics = metrics_in(text), statistics_in(text)
        if not metrics:
            return reading
        statistic = statistics[0].key if statistics else ""
        return Reading("metric", metrics[0].key, statistic, reading.unit, reading.scale)

    def _is_named(self, start: int, end: int) -> bool:
        return any(n.start < end and start < n.end for n in self.named)

    def _apart(self, mentions: Iterable[Mention]) -> list[Mention]:
        """Mentions that are no part of a name, and of those that overlap the longest."""
        kept: list[Mention] = []
        for m in sorted(mentions, key=lambda m: (m.start, m.start - m.end)):
            if not self._is_named(m.start, m.end) and (not kept or m.start >= kept[-1].end):
                kept.append(m)
        return kept

    @cached_property
    def metrics(self) -> list[Mention]:
        """Metrics; a unit behind a number ("41 tokens per second") names none."""
        units = [(n.start, n.end) for n in self.all_numbers if n.unit]
        own = self._names.own.find(self.text) if self._names else []
        coded = [
            Mention(s, e, "metric", r.key, _open_keys(r.key))
            for s, e, r in self.codes
            if r.role == "metric"
        ]
        plain = [
            m
            for m in (*metrics_in(self.text), *own)
            if not any(m.start < e and s < m.end for s, e in units)
            and not any(m.start < c.end and c.start < m.end for c in coded)
        ]
        return self._apart([*coded, *plain])

    @property
    def money(self) -> tuple[str, ...]:
        """The metrics of the data that are sums of money."""
        return self._names.own.money if self._names else ()

    @cached_property
    def statistics(self) -> list[Mention]:
        """Statistics."""
        coded = [Mention(s, e, "statistic", r.statistic) for s, e, r in self.codes if r.statistic]
        plain = [
            m
            for m in statistics_in(self.text)
            if not any(m.start < o.end and o.start < m.end for o in self.metrics)
        ]  # in "total latency", total is no sum
        return [*coded, *self._apart(plain)]

    @cached_property
    def settings(self) -> list[Mention]:
        """Settings, with a value or alone."""
        told = [Mention(-1, -1, "setting", k, value=v) for k, v in self._told.items()]
        return [*told, *self._apart(settings_in(self.text))]

    @cached_property
    def phases(self) -> list[Mention]:
        """Cold and warm."""
        return self._apart(phases_in(self.text))

    @cached_property
    def nouns(self) -> list[Mention]:
        """What may be counted."""
        return self._apart(nouns_in(self.text))

    @cached_property
    def _hidden(self) -> list[tuple[int, int]]:
        return [
            *((n.start, n.end) for n in self.named),
            *((d.start, d.end) for d in dates_in(self.text)),
        ]

    @cached_property
    def all_numbers(self) -> list[Number]:
        return numbers_in(self.text, self._hidden)

    @cached_property
    def numbers(self) -> list[Number]:
        """The numbers that are no part of a name and no setting's value."""
        valued = [(m.start, m.end) for m in self.settings if m.value is not None]
        return [n for n in self.all_numbers if not any(s <= n.start < e for s, e in valued)]

    @cached_property
    def is_overall(self) -> bool:
        """Whether it speaks of everything together."""
        return bool(_OVERALL.search(self.text))

    @cached_property
    def breaks(self) -> list[int]:
        """Where its segments begin."""
        names = self.named
        return [
            m.start()
            for m in _BREAK.finditer(self.text)
            if not any(n.start < m.end() and m.start() < n.end for n in names)
        ]

    def segment(self, at: int) -> tuple[int, int]:
        """The span of the segment in which a place stands."""
        low = max((b for b in self.breaks if b < at), default=0)
        high = min((b for b in self.breaks if b >= at), default=len(self.text))
        return low, high

    def nearest(
        self,
        mentions: Sequence[Spanned],
        number: Number,
        fits: Callable[[Spanned], bool] = lambda _: True,
        *,
        later: bool = True,
    ) -> Spanned | None:
        """The mention that a number goes with: in its segment (before, then behind), then in the
        segments before, the last first, then behind.
        """
        fitting = [m for m in mentions if fits(m)]
        if not fitting:
            return None
        low, _ = self.segment(number.start)
        _, high = self.segment(number.end)
        before = [m for m in fitting if low <= m.start and m.end <= number.start + 1]
        behind = [m for m in fitting if number.end - 1 <= m.start < high]
        if before:
            return before[-1]
        if behind:
            return behind[0]
        earlier = [m for m in fitting if m.end <= number.start + 1]
        if earlier:
            return earlier[-1]
        following = [m for m in fitting if m.start >= number.end - 1]
        return following[0] if following and later else None


def _open_keys(key: str) -> tuple[str, ...]:
    """The metrics that a file's name for one may mean."""
    if key in ("throughput", "token_rate"):
        return ("token_rate", "decode_throughput", "wall_throughput", "output_throughput")
    return (key,)
