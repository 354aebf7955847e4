"""A sentence as a scene: who is in it, what is measured, and under which settings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chimera.audit.comparing import SPEEDS
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.phrases import Mention
from chimera.audit.plain import plain_level
from chimera.audit.sentence import Sentence
from chimera.audit.word_lists import AMONG, LISTED
from chimera.record.vocabulary import METRICS

_FAST = re.compile(r"(?:fast|slow|quick|speed|snapp|swift|sluggish)", re.IGNORECASE)


class Thing(NamedTuple):
    """A side that a sentence names: models, or (with ``keys``) levels of settings."""

    start: int
    end: int
    about: Selector
    text: str
    keys: tuple[str, ...] = ()


class Scene:
    """One sentence and what stands around it, held against a folder."""

    def __init__(self, evidence: Evidence, sentence: Sentence, around: Sequence[Sentence]) -> None:
        self.evidence = evidence
        self.sentence = sentence
        self.around = around

    def keys(self, at: int, how: str) -> tuple[str, ...]:
        """The metrics that a word at a place speaks of, the likeliest first."""
        near = _closest(self.sentence.metrics, at)
        fast = _FAST.match(self.sentence.text, at)
        if near is not None and (not fast or any(_is_speed(k) for k in near.keys)):
            return near.keys
        if fast and self.sentence.metrics:
            return SPEEDS
        unit_keys = self._unit_keys(at)
        if unit_keys:
            return unit_keys
        for other in self.around:
            if other.metrics and (not fast or any(_is_speed(k) for k in other.metrics[0].keys)):
                return other.metrics[0].keys
        return SPEEDS if how == "good" else ()

    def _unit_keys(self, at: int) -> tuple[str, ...]:
        numbers = [n for n in self.sentence.numbers if n.unit]
        if not numbers:
            return ()
        unit = min(numbers, key=lambda n: abs(n.start - at)).unit
        if unit == "tokens/s":
            return SPEEDS[:4]
        return ()

    def statistic(self) -> str:
        return self.sentence.statistics[0].key if self.sentence.statistics else ""

    def context(self, keep: str = "") -> tuple[tuple[str, str], ...]:
        """The settings that hold for the whole sentence: those with one level in it."""
        found: dict[str, str] = {}
        for other in (self.sentence, *self.around):
            own: dict[str, set[str]] = {}
            for m in other.settings:
                if m.value is not None:
                    own.setdefault(m.key, set()).add(m.value)
            for named in other.named:
                if named.key not in ("model", "file"):
                    own.setdefault(named.key, set()).add(named.value)
            for key, values in own.items():
                if len(values) == 1 and key not in found and key != keep:
                    found[key] = next(iter(values))
        return tuple(sorted(found.items()))

    def things(self) -> list[Thing]:
        """The sides that a sentence names, in order: models, levels of a setting, identities."""
        models = self._models()
        if len({t.about.models for t in models}) >= 2:
            return models
        others = self._levels(models[0].about.models if models else self.outer_models())
        return others if len(others) >= 2 or (others and not models) else models

    def _models(self) -> list[Thing]:
        settings = self.context()
        return [
            Thing(n.start, n.end, Selector(n.models, settings), self.sentence.text[n.start : n.end])
            for n in self.sentence.models
        ]

    def _everything(self) -> list[Thing]:
        """Models and levels alike, in order: a level near a word is what the word is said of."""
        models = self._models()
        alone = models[0].about.models if len({t.about.models for t in models}) == 1 else None
        return sorted([*models, *self._levels(alone or self.outer_models())])

    def _levels(self, models: frozenset[str]) -> list[Thing]:
        """Levels of settings; those side by side ("num_ctx=1024, num_gpu=40") are one."""
        found: list[tuple[int, int, dict[str, str]]] = []
        for start, end, key, value in sorted(self._valued()):
            gap = self.sentence.text[found[-1][1] : start] if found else "."
            if found and key not in found[-1][2] and not gap.strip(" ,/+`"):
                found[-1] = found[-1][0], end, {**found[-1][2], key: value}
            else:
                found.append((start, end, {key: value}))
        return [self._level(start, end, own, models) for start, end, own in found]

    def _valued(self) -> Iterator[tuple[int, int, str, str]]:
        for named in self.sentence.named:
            if named.key not in ("model", "file"):
                yield named.start, named.end, named.key, named.value
        for mention in self.sentence.settings:
            if mention.value is not None:
                yield mention.start, mention.end, mention.key, mention.value

    def _level(self, start: int, end: int, own: dict[str, str], models: frozenset[str]) -> Thing:
        rest = [s for s in self.context() if s[0] not in own]
        about = Selector(models, tuple(sorted([*rest, *own.items()])))
        return Thing(start, end, about, self.sentence.text[start:end], tuple(own))

    def outer_models(self) -> frozenset[str]:
        for other in self.around:
            if other.models:
                return other.models[-1].models
        return frozenset()

    def scope(self, thing: Thing) -> tuple[list[Selector], list[str], str]:
        """(what a superlative is over, their names, the name of the thing itself).

        Over the levels of the thing's settings where it is one, otherwise over models.
        """
        about = thing.about
        if not thing.keys:
            names = sorted(self._family(about))
            scope = [Selector(frozenset((n,)), about.settings) for n in names]
            return scope, names, next(iter(about.models), "")
        rest = tuple(s for s in about.settings if s[0] not in thing.keys)
        pool = Selector(about.models, rest)
        levels = {
            tuple(own.get(k, "") for k in thing.keys)
            for own in [
                *map(self.evidence.levels, self.evidence.select(pool)),
                *(
                    self.evidence.row_levels(s.batch, s.row)
                    for s in self.evidence.summed
                    if self.evidence.summed_fits(s, pool)
                ),
            ]
        }
        own = dict(about.settings)
        combined = [
            dict(zip(thing.keys, level, strict=True)) for level in sorted(levels) if all(level)
        ]
        selectors = [Selector(about.models, tuple(sorted([*rest, *c.items()]))) for c in combined]
        names = [", ".join(f"{k}={v}" for k, v in c.items()) for c in combined]
        return selectors, names, ", ".join(f"{k}={plain_level(own[k])}" for k in thing.keys)

    def among(self) -> list[Thing]:
        """The models of a list that a superlative is over: "of A, B and C"."""
        models = self._models()
        for i, first in enumerate(models):
            if not AMONG.search(self.sentence.text[: first.start]):
                continue
            listed = [first]
            for other in models[i + 1 :]:
                gap = self.sentence.text[listed[-1].end : other.start]
                same = any(other.about.models == t.about.models for t in listed)
                if same or not LISTED.fullmatch(gap):
                    break
                listed.append(other)
            if len(listed) >= 2:
                return listed
        return []

    def _family(self, subject: Selector) -> set[str]:
        """The models of the scope: a list or a family that the sentence names, or all."""
        among = self.among()
        if among:
            return {m for t in among for m in t.about.models} | set(subject.models)
        for named in self.sentence.models:
            if len(named.models) > 1 and subject.models < named.models:
                return set(named.models)
        all_models = {dict(s.subject).get("model") for s in self.evidence.samples}
        for summed in self.evidence.summed:
            all_models.add(self.evidence.identity(summed.batch, summed.row, "model"))
        return {m for m in all_models if m}

    def subject(self, start: int, end: int) -> Thing | None:
        """Who a superlative at a place is said of."""
        among = self.among()
        things = [
            t
            for t in self._everything()
            if (len(t.about.models) <= 1 or t.keys) and not any(t.start == m.start for m in among)
        ]
        levels = [t for t in things if t.keys and t.end <= start]
        if levels and self.sentence.text[:start].rstrip().endswith((" its", " their")):
            return levels[-1]  # "num_ctx=2048 gives A its highest rate": among A's own
        low, _ = self.sentence.segment(start)
        _, high = self.sentence.segment(end)
        before = [t for t in things if low <= t.start and t.end <= start]
        behind = [t for t in things if end <= t.start]
        if before:
            return before[-1]
        near = [t for t in behind if t.start < high]
        if near:
            return near[0]
        earlier = [t for t in things if t.end <= start]
        if earlier:
            return earlier[-1]
        if behind:
            return behind[0]
        outer = self.outer_models()
        return Thing(0, 0, Selector(outer, self.context()), "it") if len(outer) == 1 else None


def _is_speed(key: str) -> bool:
    metric = METRICS.get(key)
    return metric is not None and metric.unit in ("s", "tokens/s", "requests/s", "samples/s")


def _closest(mentions: Sequence[Mention], at: int) -> Mention | None:
    return min(mentions, key=lambda m: min(abs(m.start - at), abs(m.end - at)), default=None)
