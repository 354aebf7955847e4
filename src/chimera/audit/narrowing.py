"""Subsets of the records that a text calls by a word of theirs: "baseline", "the long prompt".

A report seldom writes ``prompt_id=long``. Where a word of a level's or a file's name stands in the
sentence or in a heading above it, the records that have it may be all that is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from chimera.audit.binding import About
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.plain import plain_level

_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_GENERIC = frozenset(
    [
        "results",
        "result",
        "data",
        "benchmark",
        "benchmarks",
        "bench",
        "csv",
        "json",
        "jsonl",
        "txt",
        "log",
        "runs",
        "run",
        "summary",
        "metrics",
        "report",
        "reports",
        "output",
        "outputs",
        "test",
        "tests",
        "model",
        "models",
        "raw",
        "all",
        "the",
        "of",
        "and",
        "for",
        "with",
        "in",
        "by",
        "on",
        "at",
        "final",
        "new",
        "full",
        "file",
        "files",
        "record",
        "records",
        "mean",
        "value",
        "values",
        "true",
        "false",
        "none",
        "auto",
        "default",
        "latency",
        "throughput",
        "time",
        "tokens",
        "token",
        "rate",
        "speed",
    ]
)
_MOST = 24
_SHORT = 3
_LONGEST = 60


class Narrowing:
    """Finds the subsets that words of a text name."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._known: dict[Selector, list[tuple[frozenset[str], Selector]]] = {}
        self._model_words = {
            w for m in _models(evidence) for w in _WORD.findall(m.lower()) if not w.isdigit()
        } | {w for m in _models(evidence) for w in re.split(r"[^a-z0-9.]+", m.lower())}

    def of(self, about: About) -> Iterator[About]:
        """``about`` narrowed to each subset that its words name."""
        if not about.words:
            return
        found = 0
        known = about.words | about.bare
        for words, selector in self._subsets(about.selector):
            numeric = not any(w.isalpha() for w in words)
            if words <= (about.bare if numeric else known) and found < _MOST:
                found += 1
                yield _narrowed(about, selector)

    def beside(self, about: About) -> Iterator[About]:
        """``about`` with another level of one of its settings that stands in the text as well."""
        for key, value in about.settings:
            for level in sorted(self._evidence.settings.get(key, ())):
                if level != plain_level(value) and level in about.bare and key not in about.far:
                    rest = tuple(s for s in about.settings if s[0] != key)
                    yield replace(about, settings=tuple(sorted((*rest, (key, level)))))

    def pairs(self, one: About, other: About) -> Iterator[tuple[About, About]]:
        """Two sides, both narrowed by the same words."""
        for words, first in self._subsets(one.selector):
            if not words <= one.words:
                continue
            for same, second in self._subsets(other.selector):
                if same == words:
                    yield _narrowed(one, first), _narrowed(other, second)

    def _subsets(self, about: Selector) -> list[tuple[frozenset[str], Selector]]:
        if about not in self._known:
            self._known[about] = [*self._files(about), *self._levels(about)]
        return self._known[about]

    def _files(self, about: Selector) -> Iterator[tuple[frozenset[str], Selector]]:
        if about.files:
            return
        chosen = {s.batch.file for s in self._evidence.select(about)}
        chosen |= {
            s.batch.file for s in self._evidence.summed if self._evidence.summed_fits(s, about)
        }
        named: dict[str, set[str]] = {}
        for file in chosen:
            for word in set(_WORD.findall(file.rpartition(".")[0].lower())):
                if len(word) > _SHORT and not word.isdigit():
                    named.setdefault(word, set()).add(file)
        for word, files in named.items():
            if files < chosen and word not in _GENERIC and word not in self._model_words:
                yield frozenset((word,)), replace(about, files=frozenset(files))

    def _levels(self, about: Selector) -> Iterator[tuple[frozenset[str], Selector]]:
        taken = {key for key, _ in about.settings}
        found: dict[tuple[str, str], None] = {}
        for levels in [
            *map(self._evidence.levels, self._evidence.select(about)),
            *(
                self._evidence.row_levels(s.batch, s.row)
                for s in self._evidence.summed
                if self._evidence.summed_fits(s, about)
            ),
        ]:
            found.update(dict.fromkeys(levels.items()))
        for key, value in found:
            words = frozenset(_WORD.findall(value.lower()))
            if key in taken or len(value) > _LONGEST or not words:
                continue
            if not any(w.isalpha() for w in words):
                if len({v for k, v in found if k == key}) > 1 and len(value) > 1:
                    settings = tuple(sorted((*about.settings, (key, value))))
                    yield words, replace(about, settings=settings)
                continue
            telling = words - _GENERIC
            if telling and any(len(w) >= _SHORT for w in telling):
                settings = tuple(sorted((*about.settings, (key, value))))
                yield words, replace(about, settings=settings)


def _narrowed(about: About, selector: Selector) -> About:
    return replace(about, settings=selector.settings, files=selector.files, phase=selector.phase)


def _models(evidence: Evidence) -> set[str]:
    found = {dict(s.subject).get("model") for s in evidence.samples}
    found |= {evidence.identity(s.batch, s.row, "model") for s in evidence.summed}
    return {m for m in found if m}
