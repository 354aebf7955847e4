"""Verdicts on derived numbers: ratios, differences, percent changes, shares, k of n.

Operands come from the data where the sentence names two subjects or two levels of a setting, and
otherwise from numbers printed in the same sentence or row, with their rounding carried through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, permutations, product

import msgspec
from msgspec.structs import replace

from chimera.audit.binding import About
from chimera.audit.claim import Place
from chimera.audit.comparing import SPEEDS
from chimera.audit.counts import Counter
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.matching import matches, shown, tolerance
from chimera.audit.narrowing import Narrowing
from chimera.audit.numbers import Number
from chimera.audit.sentence import Sentence
from chimera.audit.values import Value, values_of
from chimera.audit.verdict import Verdict
from chimera.audit.word_lists import BOTH_ENDS

_CHANGE = re.compile(
    r"\b(?:faster|slower|higher|lower|more|less|fewer|longer|shorter|greater|smaller|better|worse|"
    r"quicker|larger|increase[sd]?|decrease[sd]?|reduc(?:es?|ed|tion)|improve[sd]?|improvement|"
    r"gain(?:s|ed)?|loss|drop(?:s|ped)?|rise[sn]?|rose|grow(?:s|n|th)?|grew|f[ae]ll(?:s|en)?|"
    r"speed-?ups?|slowdown|change[sd]?|differ(?:s|ence)?|gap|ahead|behind|outperforms?|"
    r"outperformed|beats?|exceed(?:s|ed)?|lead(?:s)?|delta|above|below|over|"
    r"as (?:fast|much|long|high|slow|many)|"
    r""
    r"compared (?:with|to)|relative to|against|versus|vs\.?|moves?|goes|"
    r"times|cuts?|climb(?:s|ed)?|surge[sd]?|shrinks?|jump(?:s|ed)?|lags?|trails?|surpass(?:es|ed)?)\b",
    re.IGNORECASE,
)


_NO_SIDES = frozenset({"prompt_id", "seed", "num_batch", "test", "num_prompts"})


class Operand(msgspec.Struct, frozen=True):
    """One side of a relation: a value with how far rounding may have moved it."""

    value: float
    slack: float
    what: str
    key: str = ""
    places: tuple[Place, ...] = ()


def is_change(text: str) -> bool:
    """Whether a text speaks of a difference."""
    return bool(_CHANGE.search(text))


def _share_of(number: Number, text: str) -> bool:
    """Whether a percentage is of something ("90% of A"), and no change."""
    return bool(re.match(r"\s*(?:of|as (?:fast|high|much|long|many))\b", text[number.end :]))


def _results(a: Operand, b: Operand) -> Iterator[tuple[str, float, float]]:
    """(what, value, slack) of each relation between two operands that a number may state."""
    if b.value:
        ratio = a.value / b.value
        slack = abs(ratio) * (_share(a) + _share(b))
        yield "multiple", ratio, slack
        yield "percent", (ratio - 1.0) * 100.0, slack * 100.0
        yield "percent", (1.0 - ratio) * 100.0, slack * 100.0
        yield "percent", ratio * 100.0, slack * 100.0
    yield "plain", a.value - b.value, a.slack + b.slack


def _share(operand: Operand) -> float:
    return operand.slack / abs(operand.value) if operand.value else 0.0


class RelationJudge:
    """Judges derived numbers."""

    def __init__(self, evidence: Evidence, counter: Counter) -> None:
        self._evidence = evidence
        self._counter = counter
        self._narrowing = Narrowing(evidence)

    def judge_change(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        """A ratio, percent change or difference; None where no two sides are known."""
        if BOTH_ENDS.search(sentence.text):
            return None  # how far apart the best and the worst of something are
        alike = [n for n in sentence.numbers if n.form == number.form]
        models = {m.models for m in sentence.models}
        if number.form == "percent" and len(alike) == len(models) >= 2:
            return None  # one share for each model: of what is not said
        pairs = list(self._from_data(about, sentence, around))
        narrowed = self._narrowed_pairs(about, sentence, around)
        for a, b in chain(pairs, narrowed):
            hit = _fits(number, a, b, exact=True)
            if hit:
                return Verdict("derivable", hit, None, hit, "", a.places + b.places, metric=a.key)
        printed = [
            Operand(n.canonical, n.slack * n.scale, sentence.text[n.start : n.end])
            for n in sentence.numbers
            if n is not number and n.form == "plain" and n.high is None
        ]
        for first, second in permutations(printed, 2):
            hit = _fits(number, first, second, exact=False)
            if hit and abs(first.value - second.value) > 0:
                return Verdict("derivable", hit, None, hit)
        if not pairs:
            return None
        return _contradicted(number, pairs)

    def _from_data(
        self, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Iterator[tuple[Operand, Operand]]:
        """Two sides that the sentence names: two models, or two levels of one setting."""
        for first, second in permutations(self._sides(about, sentence, around), 2):
            yield from self._operands(about, first, second)

    def _narrowed_pairs(
        self, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Iterator[tuple[Operand, Operand]]:
        """The same sides among the records that words of the text name."""
        for first, second in permutations(self._sides(about, sentence, around), 2):
            for one, two in self._narrowing.pairs(first, second):
                yield from self._operands(about, one, two)

    def _operands(
        self, about: About, first: About, second: About
    ) -> Iterator[tuple[Operand, Operand]]:
        statistics = (about.statistic,) if about.statistic else ("mean", "median")
        for key in self._keys(about):
            for statistic in statistics:
                one = replace(first, keys=(key,), statistic=statistic)
                two = replace(second, keys=(key,), statistic=statistic)
                left = [v for v in values_of(self._evidence, one) if not v.other][:3]
                right = [v for v in values_of(self._evidence, two) if not v.other][:3]
                for a, b in product(left, right):
                    if _is_same_choice(a, left, b, right):
                        yield _operand(a, key), _operand(b, key)

    def _keys(self, about: About) -> tuple[str, ...]:
        if about.keys:
            return about.keys
        known = {c.key for s in self._evidence.samples for c in s.batch.metrics()}
        known |= {s.column.key for s in self._evidence.summed}
        rates = [k for k in SPEEDS[:4] if k in known][:1]
        times = [k for k in SPEEDS[4:] if k in known][:1]
        return tuple(rates or times)

    def _sides(self, about: About, sentence: Sentence, around: Sequence[Sentence]) -> list[About]:
        models = _named_models(sentence, around)
        levels: dict[str, list[str]] = {}
        for mention in sentence.settings:
            if mention.value is not None and mention.value not in levels.get(mention.key, []):
                levels.setdefault(mention.key, []).append(mention.value)
        levels |= self._trailing_levels(sentence, levels)
        for name in sentence.named:
            if name.key not in ("model", "file"):
                levels.setdefault(name.key, [])
                if name.value not in levels[name.key]:
                    levels[name.key].append(name.value)
        for key, values in levels.items():
            if len(values) >= 2:
                rest = tuple(s for s in about.settings if s[0] != key)
                return [
                    replace(about, settings=tuple(sorted((*rest, (key, v))))) for v in values[:4]
                ]
        sides = [replace(about, models=m) for m in models[:4]]
        if len(sides) >= 2:
            return sides
        two = self.only_two(about)
        if two:
            return two
        names = self._evidence.models_with(replace(about, models=frozenset()).selector, about.keys)
        if len(names) == 2:  # "41% faster than the other"
            return [replace(about, models=frozenset((n,))) for n in names]
        return []

    def only_two(self, about: About) -> list[About]:
        """The two sides of data in which one setting differs, and has two levels."""
        about = replace(about, settings=(), far=frozenset())
        rows = [self._evidence.levels(s) for s in self._evidence.select(about.selector)]
        rows += [
            self._evidence.row_levels(s.batch, s.row)
            for s in self._evidence.summed
            if self._evidence.summed_fits(s, about.selector)
        ]
        found: dict[str, set[str]] = {}
        for levels in rows:
            for key, value in levels.items():
                found.setdefault(key, set()).add(value)
        varied = {k: v for k, v in found.items() if len(v) > 1 and k not in _NO_SIDES}
        if len(varied) != 1:
            return []
        ((key, values),) = varied.items()
        if len(values) != 2:
            return []
        return [replace(about, settings=((key, v),)) for v in sorted(values)]

    def _trailing_levels(
        self, sentence: Sentence, levels: dict[str, list[str]]
    ) -> dict[str, list[str]]:
        """A second level without its name: "with 8 threads instead of 4"."""
        known = self._evidence.settings
        found: dict[str, list[str]] = {}
        named = list(dict.fromkeys(m.key for m in sentence.settings))
        for key in named:
            have = levels.get(key, [])
            plain = [
                f"{n.value:g}"
                for n in sentence.all_numbers
                if n.form == "plain" and not n.unit and f"{n.value:g}" in known.get(key, ())
            ]
            ranged = [
                f"{v:g}"
                for n in sentence.all_numbers
                if n.high is not None and not n.unit
                for v in (n.value, n.high)
                if f"{v:g}" in known.get(key, ())
            ]
            more = [v for v in (*plain, *ranged) if v not in have]
            if (have and more) or len(more) >= 2:
                found[key] = [*have, *more]
        return found

    def judge_share(
        self, number: Number, noun: str, about: About, like: str = ""
    ) -> Verdict | None:
        """A share in percent of files or records, or "k of n"; None where nothing is counted."""
        own = self._share(number, noun, about.selector, like)
        if about.near > 0 and about.models and (own is None or own.label == "contradicted"):
            wider = self._share(number, noun, Selector(files=about.files), like)
            return wider if wider is not None and wider.label != "contradicted" else own
        return own

    def _share(self, number: Number, noun: str, about: Selector, like: str) -> Verdict | None:
        totals = self._counter.of("files" if noun.startswith("files") else "records", about)
        parts = self._counter.of(noun, about, like)
        if like and not parts:
            return None
        if number.of is not None:
            for part in parts:
                if part.value == number.value and any(t.value == number.of for t in totals):
                    what = f"{part.what}: {part.value} of {int(number.of)}"
                    return Verdict("supported", what, None, what, kind="count")
            if noun == "records":
                return Verdict("unverifiable", "it does not say what became of them", kind="count")
            if not parts:
                return None
            right = f"{parts[0].value} of {totals[0].value}" if totals else None
            clear = noun in ("failed", "succeeded") or noun.startswith("files")
            if not clear or not any(t.value == number.of for t in totals):
                return Verdict("unsupported", "it does not say of which records", kind="count")
            return Verdict("contradicted", f"{parts[0].what}: {right}", right, kind="count")
        if noun in ("records", "files") and not like:
            return None
        shares = [
            (p.value / t.value * 100.0, p, t) for p in parts for t in totals if t.value and p.main
        ]
        for share, part, total in shares:
            if matches(number, share):
                what = f"{part.value} {part.what} of {total.value}"
                return Verdict("derivable", what, None, what)
        if not shares:
            return None
        share, part, total = shares[0]
        right = shown(share, number, "%")
        return Verdict(
            "contradicted", f"{part.value} {part.what} of {total.value} is {right}", right
        )


def _named_models(sentence: Sentence, around: Sequence[Sentence]) -> list[frozenset[str]]:
    """The models that a sentence names, with one from what stands around where it names one."""
    models = list(dict.fromkeys(m.models for m in sentence.models))
    if not models:
        near = [m.models for other in around[:3] for m in other.models]
        return list(dict.fromkeys(near))
    if len(models) > 1:
        return models
    for other in around:
        more = [m.models for m in other.models if m.models != models[0]]
        if more:
            return [*models, more[-1]]
    return models


def _is_same_choice(a: Value, left: Sequence[Value], b: Value, right: Sequence[Value]) -> bool:
    """Whether two values are both of all records or both of the warm ones alone."""
    if a.warm == b.warm:
        return True
    all_warm = right if a.warm else left
    return not any(v.warm for v in all_warm)  # that side has no cold start


def _operand(value: Value, key: str) -> Operand:
    return Operand(value.value, 0.0, value.what, key, value.places)


def _fits(number: Number, a: Operand, b: Operand, *, exact: bool) -> str:
    """How the number comes from two operands; "" when it does not."""
    kind = "percent" if number.form in ("percent", "points") else number.form
    for what, value, slack in _results(a, b):
        if what != kind:
            continue
        if kind == "percent" and number.signed:  # its sign has to be that of the change
            signed = (a.value / b.value - 1.0) * 100.0 if b.value else 0.0
            if abs(value - signed) > 1e-9 or abs(number.value - signed) > tolerance(number) + (
                0.0 if exact else slack
            ):
                continue
            return f"{a.what} against {b.what}"
        claimed = abs(number.canonical) if kind != "multiple" else number.canonical
        allowed = tolerance(number) + (0.0 if exact else slack)
        if kind == "multiple" and number.worded:
            allowed = max(allowed, 0.08 * claimed)
        if value > 0 and (
            abs(value - claimed) <= allowed
            or (number.modifier in ("over", "at least") and claimed <= value <= 1.35 * claimed)
            or (number.modifier == "over" and number.worded and value >= claimed)
            or (number.modifier in ("under", "at most") and 0.7 * claimed <= value <= claimed)
        ):
            sign = {"multiple": "/", "percent": "against", "plain": "-"}[kind]
            return f"{a.what} {sign} {b.what}"
    return ""


def _contradicted(number: Number, pairs: list[tuple[Operand, Operand]]) -> Verdict:
    kind = "percent" if number.form in ("percent", "points") else number.form
    best: tuple[float, str, str, tuple[Place, ...]] | None = None
    for a, b in pairs:
        for what, value, _ in _results(a, b):
            if what == kind and value > 0:
                away = abs(value - abs(number.canonical))
                unit = "" if kind != "plain" else number.unit
                right = shown(value, number, unit)
                if best is None or away < best[0]:
                    best = away, right, f"{a.what} against {b.what}", a.places + b.places
    if best is None:
        return Verdict("unsupported", "the two sides have no such relation in the data")
    _, right, how, places = best
    return Verdict("contradicted", f"{how}: {right}", right, how, "", places)
