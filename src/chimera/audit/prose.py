"""Numbers of running text: what each is (a count, a share, a change, a measured value), judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chimera.audit.binding import About, bind, is_tied
from chimera.audit.bounds import ABOVE, BELOW
from chimera.audit.claim import BAD, GOOD, Claim, Place
from chimera.audit.counted import noun_of, only_noun, share_of
from chimera.audit.counting import CountJudge
from chimera.audit.counts import Counter
from chimera.audit.evidence import Evidence
from chimera.audit.measured import MeasuredJudge
from chimera.audit.numbers import Number
from chimera.audit.phrases import RATES
from chimera.audit.quantifiers import Quantifiers
from chimera.audit.relations import RelationJudge, is_change
from chimera.audit.sentence import Sentence
from chimera.audit.subjects import DESCRIBED, is_attached
from chimera.audit.telling import (
    ends_of_settings,
    has_sides,
    is_advised,
    is_difference,
    is_limit,
    is_partial,
    is_range_of_levels,
    is_share,
    is_untold,
)
from chimera.audit.verdict import Verdict, bound_of, claim_of
from chimera.record.vocabulary import METRICS

_LEVEL = re.compile(r"\s*(?:\w+\s)?(?:confidence|intervals?|CIs?\b|credible)", re.IGNORECASE)
_OTHER_MEASURE = re.compile(
    r"\s*(?:residual\s+)?(?:standard deviations|sds?\b|sigmas?)", re.IGNORECASE
)
_FASTER = re.compile(r"\s*(?:faster|slower|quicker|higher|lower|more|less)\b", re.IGNORECASE)
_MOVED = re.compile(
    r"\b(?:go(?:es)?|went|lifts?|lifted|buys?|moves?|moved|gets?|rises?|rose|raises?|raised|"
    r"improv\w+|climbs?|increas\w+|drops?|dropped|fell|falls?|decreas\w+|reduc\w+|cuts?|second|"
    r"loses?|gains?|grows?|grew)\b|→|->|\($",
    re.IGNORECASE,
)
_FEW_VALUES = 6
_FEW_DIGITS = 3
_TELLING_DIGITS = 4
_BEFORE = re.compile(r"\b(?:n|count|total|number)\s*(?:=|:|of)?\s*$", re.IGNORECASE)


class ProseJudge:
    """Judges the numbers of sentences."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.counter = Counter(evidence)
        self.counts = CountJudge(evidence, self.counter)
        self.measured = MeasuredJudge(evidence)
        self.relations = RelationJudge(evidence, self.counter)
        self.quantifiers = Quantifiers(evidence, self.counter)
        self.units: dict[str, tuple[str, float]] = {}

    def learn_unit(self, number: Number) -> None:
        """Remember the unit of a number of many digits: the report may print it again without."""
        if number.unit and number.digits >= _TELLING_DIGITS:
            self.units.setdefault(number.written, (number.unit, number.scale))

    def with_unit(self, number: Number) -> Number:
        """The number with the unit that the report gives it elsewhere."""
        told = self.units.get(number.written)
        if told is None or number.unit or number.form != "plain":
            return number
        return replace(number, unit=told[0], scale=told[1])

    def claims(
        self, sentence: Sentence, around: Sequence[Sentence], section: str
    ) -> Iterator[Claim]:
        """A claim for each number of a sentence; ``around`` tells what it leaves open."""
        before: tuple[Number, About] | None = None
        for number in map(self.with_unit, sentence.numbers):
            about = bind(number, sentence, around)
            plain = not number.unit and not self._is_level(number)
            if before is not None and plain and not noun_of(number, sentence):
                number, about = _carried(number, about, *before)
            verdict = self.verdict(number, about, sentence, around)
            if verdict is None:
                continue
            measured = bool(number.unit or about.named or verdict.kind == "count")
            measured = measured or number.form != "plain"
            if measured and not self.evidence.ingest.files and verdict.label not in GOOD:
                reason = "the folder is empty: nothing was measured"
                verdict = Verdict("fabricated", reason, kind=verdict.kind)
            if is_advised(number, sentence, section) and verdict.label not in GOOD:
                verdict = Verdict(
                    "unverifiable", "it is advice or an example, not a finding", kind=verdict.kind
                )
            if number.form == "plain" and (about.named or number.unit):
                before = number, about
            yield claim_of(
                number,
                verdict,
                sentence.text,
                sentence.start,
                section,
                bound_of(about, verdict),
            )

    def _is_level(self, number: Number) -> bool:
        """Whether a bare number is a level of some setting, or no plain number at all."""
        if number.form != "plain":
            return True
        level = f"{number.value:g}"
        return any(level in known for known in self.evidence.settings.values())

    def verdict(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        """The verdict on one number, by what kind of number it is."""
        noun = noun_of(number, sentence)
        if number.of is not None and number.form == "plain":
            return self._share_of(number, noun, about, sentence, around)
        if number.unit and Quantifiers.is_threshold(number, sentence):
            return None
        before = sentence.text[max(0, number.start - 48) : number.start]
        money = before.endswith(("$", "€", "£"))
        if money and re.match(r"\s*(?:per|an?|/)\s?\w", sentence.text[number.end :]):
            about = replace(about, keys=tuple(k for k in about.keys if "per" in k.lower()))
        if is_limit(number, sentence):
            return None  # "fits into 16 GB", "a timeout of 30 s"
        if number.worded and number.form == "percent" and before.rstrip().endswith(" and"):
            return None  # "two and a half minutes"
        if _LEVEL.match(sentence.text[number.end : number.end + 24]):
            return None  # "95 % interval": how an interval is meant, not what was found
        if number.form in ("percent", "points"):
            return self._percent(number, about, sentence, around)
        if number.form == "multiple":
            return self._multiple(number, about, sentence, around)
        if noun and not number.unit and number.value == int(number.value) and number.high is None:
            return self.counts.judge(number, noun, about, sentence)
        return self._value(number, about, sentence, around)

    def _share_of(
        self,
        number: Number,
        noun: str,
        about: About,
        sentence: Sentence,
        around: Sequence[Sentence],
    ) -> Verdict:
        counted = only_noun(sentence) if noun in ("", "records") else noun
        some = self.quantifiers.some_of(number, sentence, around)
        if some is not None:
            return some
        if ABOVE.search(sentence.text, number.end) or BELOW.search(sentence.text, number.end):
            return Verdict("unverifiable", "what is counted is not understood", kind="count")
        shared = self.relations.judge_share(number, counted, about) if counted else None
        return shared or Verdict("unverifiable", "it does not say what is counted", kind="count")

    def _value(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        if number.worded and not number.unit:
            return None  # "the faster of the two"
        if _OTHER_MEASURE.match(sentence.text[number.end :]) or is_range_of_levels(
            number, sentence
        ):
            return None
        if number.value < 0 and number.high is not None and about.keys:
            return Verdict("unsupported", "the interval of a difference is not computed here")
        if is_difference(number, sentence):
            changed = self.relations.judge_change(number, about, sentence, around)
            if changed is not None and changed.label == "derivable":
                return changed
            plain = self.measured.judge(number, about)
            if plain.label == "supported":
                return plain
            if changed is None:
                return Verdict("unverifiable", "the report does not say what is compared")
            return changed if has_sides(sentence) else _unclear(changed)
        field = self.field_value(number, sentence, around)
        if field is not None:
            return field
        if about.keys:
            return self._measured(number, about, sentence, around)
        if number.worded:
            return None
        return Verdict("unverifiable", "the report does not say what this number is of")

    def _measured(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict:
        """A measured value; where no reading has it, it may be a difference of two sides."""
        verdict = self.measured.judge(number, about)
        sides = list(dict.fromkeys(m.models for m in sentence.models))
        if verdict.label in BAD and number.high is not None and len(sides) == 2:
            low, high = (replace(about, models=side) for side in sides)
            return self.measured.judge_ends(number, low, high)
        if verdict.label in BAD and number.high is not None:
            two = self.relations.only_two(about)
            sides_of_two = [(two[0], two[1]), (two[1], two[0])] if two else []
            for low, high in (*ends_of_settings(about, sentence), *sides_of_two):
                ends = self.measured.judge_ends(number, low, high)
                if ends.label == "supported":
                    return ends
            if not number.between and _MOVED.search(sentence.text):
                return Verdict("unsupported", "the ends are not said to be of what")
        if verdict.label in BAD:
            unclear = self._unclear_binding(number, about, sentence, around)
            if unclear is not None:
                return unclear
            bare = not number.unit and number.high is None and not is_tied(number, sentence)
            described = not about.models and DESCRIBED.search(sentence.text)
            if described:
                return Verdict("unsupported", "it is not said by name of what it is")
            if bare or is_partial(number, sentence) or is_untold(number, about, sentence, around):
                return Verdict("unverifiable", "the report does not say what this number is of")
        if verdict.label in BAD and len({m.models for m in sentence.models}) >= 2:
            changed = self.relations.judge_change(number, about, sentence, around)
            if changed is not None and changed.label == "derivable":
                return changed
        return verdict

    def _unclear_binding(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        """Where another reading of the sentence fits the number, and no other number claims it,
        the sentence may not have been understood: that is said, and is no verdict.
        """
        if not about.sure:
            for name in ("mean", "median", "min", "max", "sd", "p95", "p99", "sum"):
                if name != (about.statistic or "mean"):
                    tried = self.measured.judge(number, replace(about, statistic=name))
                    if tried.label == "supported" and number.digits >= _FEW_DIGITS:
                        reason = f"it is the {tried.reason}; which statistic is meant is not clear"
                        return Verdict("ambiguous", reason, places=tried.places)
        if is_attached(number, sentence):
            return None
        if about.near > 0:
            for near in around[:3]:
                for models in dict.fromkeys(m.models for m in near.models):
                    if models != about.models:
                        tried = self.measured.judge(number, replace(about, models=models))
                        if tried.label == "supported":
                            reason = (
                                f"it is the {tried.reason}; of which model it is said is not clear"
                            )
                            return Verdict("ambiguous", reason, places=tried.places)
        for models in dict.fromkeys(m.models for m in sentence.models):
            if models == about.models:
                continue
            other = replace(about, models=models, near=0)
            tried = self.measured.judge(number, other)
            if tried.label != "supported":
                continue
            claimed = any(
                self.measured.judge(self.with_unit(n), other).label == "supported"
                for n in sentence.numbers
                if n is not number and n.form == "plain" and n.unit == number.unit
            )
            if not claimed:
                reason = f"it is the {tried.reason}; of which model it is said is not clear"
                return Verdict("ambiguous", reason, places=tried.places)
        return None

    def field_value(
        self, number: Number, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        """A number beside the name of a field, as the files have it; None where none has it."""
        for other in (sentence, *around[:1]):
            name = sentence.nearest(other.fields, number) if other is sentence else None
            if other is not sentence and len(other.fields) == 1:
                name = other.fields[0]
            if name is None:
                continue
            values = self.evidence.field(name.key)
            if not _tells_one(name.key, values):
                continue
            hits = [f for f in values if abs(f[0] - number.value) <= number.slack * 1.0001]
            if hits:
                value, place, _ = hits[0]
                what = f"{name.key} is {value:g} in {place.file}"
                return Verdict("supported", what, None, what, "", (place,), metric=name.key)
        return None

    def _percent(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        noun, like = share_of(number, sentence)
        if sentence.is_overall:
            about = about.nearer
        faster = _FASTER.match(sentence.text, number.end)
        if faster and about.keys and about.keys[0] not in METRICS:
            about = replace(about, keys=RATES)
        near = sentence.text[max(0, number.start - 40) : number.end + 40]
        signed = sentence.text[number.start] in "+-−"
        if signed or (is_change(near) and not (noun and noun != "records")):
            changed = self.relations.judge_change(number, about, sentence, around)
            if changed is not None:
                clear = has_sides(sentence) or (about.named and self.relations.only_two(about))
                clear = clear and bool(sentence.metrics or faster)
                return changed if clear else _unclear(changed)
        if noun and not signed:
            shared = self.relations.judge_share(number, noun, about, like)
            if shared is not None and (shared.label not in BAD or is_share(number, sentence)):
                return shared
        changed = self.relations.judge_change(number, about, sentence, around)
        if changed is not None and changed.label == "derivable":
            return changed
        if changed is not None and faster and has_sides(sentence):
            return changed
        if about.keys == ("accuracy",):
            return self.measured.judge(replace(number, unit="1", scale=0.01, form="plain"), about)
        return Verdict("unsupported", "the data has nothing that this share or change could be of")

    def _multiple(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        if not is_change(sentence.text) and number.worded:
            return None
        changed = self.relations.judge_change(number, about, sentence, around)
        if changed is not None:
            return changed
        if number.worded:
            return None
        return Verdict("unsupported", "the report does not say what is compared with what")


def _tells_one(name: str, values: Sequence[tuple[float, Place, str]]) -> bool:
    """Whether a field's name tells which value is meant: it is rare, or has an index."""
    return "[" in name or len({v for v, _, _ in values}) <= _FEW_VALUES


def _unclear(verdict: Verdict) -> Verdict:
    if verdict.label != "contradicted":
        return verdict
    return replace(verdict, label="unsupported", reason="it is not clear what is compared")


def _carried(number: Number, about: About, earlier: Number, told: About) -> tuple[Number, About]:
    """A bare number in a row of alike ones ("A 41.2 tok/s, B 38.5") has the unit of the first."""
    if about.named and about.keys != told.keys:
        return number, about
    if earlier.unit and ("." in number.written or not number.worded):
        number = replace(number, unit=earlier.unit, scale=earlier.scale)
        return number, replace(
            about, keys=told.keys, named=told.named, statistic=about.statistic or told.statistic
        )
    return number, about
