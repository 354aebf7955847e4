"""Numbers of running text: what each is (a count, a share, a change, a measured value), judged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chimera.audit.binding import DESCRIBED, About, bind, is_attached, is_tied, unit_fits
from chimera.audit.bounds import ABOVE, BELOW, PARTIAL
from chimera.audit.claim import BAD, GOOD, Claim, Place
from chimera.audit.count_verdicts import common_part, judge_count, sum_of_parts
from chimera.audit.counted import file_part, noun_of, only_noun, share_of
from chimera.audit.counts import Counter
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.measured import MeasuredJudge
from chimera.audit.numbers import Number
from chimera.audit.quantifiers import Quantifiers
from chimera.audit.relations import RelationJudge, is_change
from chimera.audit.sentence import Sentence
from chimera.audit.verdict import Verdict, bound_of, claim_of
from chimera.record.vocabulary import METRICS

MODAL = re.compile(
    r"\b(?:should|could|would|might|recommend(?:ed|s)?|consider|target(?:s|ed|ing)?|aim(?:s|ing)?|"
    r"goal|e\.g\.|for example|for instance|such as|expected|plan(?:ned)?|illustrative|"
    r"hypothetical|ideally|propose[ds]?|must|need to|next step)\b[^.;:]*$",
    re.IGNORECASE,
)
_DEVOTED = re.compile(
    r"\b(?:dedicated|devoted|related|pertaining|concerning|associated|belonging)\b", re.IGNORECASE
)
_LEVEL = re.compile(r"\s*(?:\w+\s)?(?:confidence|intervals?|CIs?\b|credible)", re.IGNORECASE)
_OTHER_MEASURE = re.compile(
    r"\s*(?:residual\s+)?(?:standard deviations|sds?\b|sigmas?)", re.IGNORECASE
)
_BY = re.compile(
    r"\b(?:loses|lost|gains|gained|gives up|by|difference of|gap of|gap is|advantage of|lead of|saves?|saving|adds?|costs?|"
    r"penalty of|improvement of|reduction of|increase of)\s+(?:about |roughly |~|only )?$"
)
_MORE_THAN = re.compile(
    r"\s*(?:\([^)]*\)\s*)?(?:faster|slower|higher|lower|more|less|longer|shorter|quicker|better|"
    r"worse|ahead|behind|above|below|apart|difference|gap|earlier|later|sooner)"
)
_LIMIT = re.compile(
    r"\b(?:fits? (?:in|into|within|on|onto)|time-?outs?|limit|budget|capacity|cap)\b[^.;,]{0,20}$",
    re.IGNORECASE,
)
_PLAIN_NOUN = re.compile(r"\s*(?:\w+ )?(?:requests?|records?|rows?|samples?)\b")
_SOME = re.compile(
    r"\s*(?!total|distinct|different|measured|successful|failed|recorded|individual|raw|single|benchmark|"
    r"inference|test|data|valid|completed|separate)[a-z-]+ (?:requests?|runs?|records?|samples?|rows?)\b"
)
_SHORT_TEXT = 60  # characters: a heading, or what stands above a list
_FEW_VALUES = 6
_GAP = re.compile(
    r"\b(?:gap|difference|delta|margin|advantage|penalty)\b[^;:]*\b(?:is|was|of|:)\s+\S*\s*$"
)
_FEW_DIGITS = 3
_MANY = 13
_TELLING_DIGITS = 4
_BEFORE = re.compile(r"\b(?:n|count|total|number)\s*(?:=|:|of)?\s*$", re.IGNORECASE)
_ADVICE = re.compile(
    r"recommend|next step|future|mitigation|(?:system|persona|user) prompt|^prompts?$|action item",
    re.IGNORECASE,
)
_FOUND = re.compile(
    r"\b(?:reached|averaged|achieved|delivered|generated|measured|recorded|was|were|had|has|took|ran)\b",
    re.IGNORECASE,
)


class ProseJudge:
    """Judges the numbers of sentences."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.counter = Counter(evidence)
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
            measured = bool(number.unit) or number.form != "plain" or about.named
            if measured and not self.evidence.ingest.files and verdict.label not in GOOD:
                reason = "the folder is empty: nothing was measured"
                verdict = Verdict("fabricated", reason, kind=verdict.kind)
            ahead = sentence.text[max(0, number.start - 240) : number.start]
            advice = (_ADVICE.search(section) and not _FOUND.search(ahead)) or MODAL.search(ahead)
            if advice and verdict.label not in GOOD:
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
        return number.value.is_integer() and any(
            level in known for known in self.evidence.settings.values()
        )

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
        if _LIMIT.search(before):
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
            return self._count(number, noun, about, sentence)
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
        if _OTHER_MEASURE.match(sentence.text[number.end :]) or _is_levels(number, sentence):
            return None
        if number.value < 0 and number.high is not None and about.keys:
            return Verdict("unsupported", "the interval of a difference is not computed here")
        if self._is_change(number, sentence):
            changed = self.relations.judge_change(number, about, sentence, around)
            if changed is not None and changed.label == "derivable":
                return changed
            plain = self.measured.judge(number, about)
            if plain.label == "supported":
                return plain
            if changed is None:
                return Verdict("unverifiable", "the report does not say what is compared")
            return changed if _is_plain_change(about, sentence) else _unclear(changed)
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
            for low, high in _ends_of_settings(about, sentence):
                ends = self.measured.judge_ends(number, low, high)
                if ends.label == "supported":
                    return ends
        if verdict.label in BAD:
            unclear = self._unclear_binding(number, about, sentence, around)
            if unclear is not None:
                return unclear
            bare = not number.unit and number.high is None and not is_tied(number, sentence)
            described = not about.models and DESCRIBED.search(sentence.text)
            if described:
                return Verdict("unsupported", "it is not said by name of what it is")
            if bare or _is_partial(number, sentence) or _is_untold(number, about, sentence, around):
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

    def _is_change(self, number: Number, sentence: Sentence) -> bool:
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

    def _percent(
        self, number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        noun, like = share_of(number, sentence)
        near = sentence.text[max(0, number.start - 40) : number.end + 40]
        signed = sentence.text[number.start] in "+-−"
        if signed or (is_change(near) and not (noun and noun != "records")):
            changed = self.relations.judge_change(number, about, sentence, around)
            if changed is not None:
                clear = has_sides(sentence) or (about.named and self.relations.only_two(about))
                return changed if clear else _unclear(changed)
        if noun and not signed:
            shared = self.relations.judge_share(number, noun, about, like)
            if shared is not None and (shared.label not in BAD or _is_share(number, sentence)):
                return shared
        changed = self.relations.judge_change(number, about, sentence, around)
        if changed is not None and changed.label == "derivable":
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

    def _count(self, number: Number, noun: str, about: About, sentence: Sentence) -> Verdict | None:
        like = file_part(number, sentence) if noun.startswith("files") else ""
        if not like and noun.startswith("files") and about.models and about.near <= 1:
            near = sentence.text[max(0, number.start - 60) : number.end + 40]
            total = self.counter.of(noun, Selector())
            if _DEVOTED.search(near) and not (
                noun == "files" and total and total[0].value == number.value
            ):
                like = common_part(about.models)
        if noun == "models" and len(about.models) == 1:  # one model is no scope to count models in
            about = replace(about, models=frozenset())
        counts = self.counter.of(noun, about.selector, like)
        verdict = judge_count(number, counts)
        if verdict is None or verdict.label == "contradicted":
            verdict = self._in_another_scope(number, noun, about, like) or verdict
        if verdict is not None and verdict.label == "contradicted":
            verdict = sum_of_parts(number, sentence) or verdict
        if (
            verdict is not None
            and verdict.label == "contradicted"
            and noun in ("records", "configurations")
        ):
            narrower = self._narrower(number, noun, about)
            if narrower is not None:
                return narrower
        if verdict is not None and verdict.label == "contradicted":
            loose = _is_loosely_counted(number, noun, about, sentence)
            empty = not counts or (not counts[0].value and not noun.startswith("files"))
            if empty or loose:
                verdict = None
        if verdict is None and number.worded:
            return None
        return verdict or Verdict(
            "unverifiable", f"{noun} cannot be counted in this data", kind="count"
        )

    def _in_another_scope(
        self, number: Number, noun: str, about: About, like: str
    ) -> Verdict | None:
        """The count of a wider scope, where that is the number, or the narrow one has nothing."""
        for scope in (about.nearer.selector, Selector(files=about.files), Selector()):
            wider = judge_count(number, self.counter.of(noun, scope, like))
            if wider is not None and wider.label == "supported":
                return wider
        return None

    def _narrower(self, number: Number, noun: str, about: About) -> Verdict | None:
        """A number of records that is that of a single file or model which goes unnamed."""
        for name in sorted({s.batch.file for s in self.evidence.select(about.selector)}):
            for count in self.counter.of(noun, replace(about, files=frozenset((name,))).selector):
                if count.main and count.value == number.value:
                    reason = f"it is the {count.what}, which the report does not name here"
                    return Verdict("ambiguous", reason, str(count.value), kind="count")
        return None


def _is_loosely_counted(number: Number, noun: str, about: About, sentence: Sentence) -> bool:
    """Whether a count may be of something that no file lists: "two runs", "both"."""
    written = sentence.text[number.start : number.end].lower()
    if written in ("both", "one"):
        return True
    after = sentence.text[number.end : number.end + 30].lower()
    if noun == "records" and (
        _SOME.match(after)
        or (number.worded and number.value < _MANY and not _PLAIN_NOUN.match(after))
    ):
        return True
    if noun not in ("records", "configurations", "repeats", "prompts", "models"):
        return False
    named = about.near == 0 and bool(about.models) and not number.worded
    if sentence.is_overall or number.value >= _MANY or named or about.files:
        return False
    if noun == "records":
        return number.worded or not re.match(
            r"\s*(?:\w+ )?(?:requests?|records?|rows?|samples?)\b", after
        )
    return number.worded and noun in ("configurations", "repeats", "prompts")


def _is_share(number: Number, sentence: Sentence) -> bool:
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
    return bool(of or beside or re.search(r"\(\s*[~≈]?$", before))


def _ends_of_settings(about: About, sentence: Sentence) -> Iterator[tuple[About, About]]:
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


def _is_partial(number: Number, sentence: Sentence) -> bool:
    """Whether a number is said of some that are not named: "the other four", "the rest"."""
    low, high = sentence.segment(number.start)[0], sentence.segment(number.end)[1]
    return bool(PARTIAL.search(sentence.text[low:high]))


def _is_untold(
    number: Number, about: About, sentence: Sentence, around: Sequence[Sentence]
) -> bool:
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


def _tells_one(name: str, values: Sequence[tuple[float, Place, str]]) -> bool:
    """Whether a field's name tells which value is meant: it is rare, or has an index."""
    return "[" in name or len({v for v, _, _ in values}) <= _FEW_VALUES


def _is_plain_change(about: About, sentence: Sentence) -> bool:
    """Whether two sides and a metric stand in the sentence itself, so that a change is clear."""
    sides = len({m.models for m in sentence.models}) + len(sentence.settings)
    return sides >= 2 and bool(sentence.metrics or about.named)


def _unclear(verdict: Verdict) -> Verdict:
    if verdict.label != "contradicted":
        return verdict
    return replace(verdict, label="unsupported", reason="it is not clear what is compared")


def _is_levels(number: Number, sentence: Sentence) -> bool:
    """Whether a range goes from one level of a setting to another ("num_ctx from 1024 to 4096")."""
    if number.high is None or number.unit or number.form != "plain" or not sentence.settings:
        return False
    before = sentence.text[: number.start].rstrip(" `*(")
    return any(0 <= len(before) - m.end < 12 for m in sentence.settings)


def is_advice(sentence: Sentence, section: str) -> bool:
    """Whether a sentence says what should be, not what is."""
    return bool(_ADVICE.search(section) or MODAL.search(sentence.text))


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
