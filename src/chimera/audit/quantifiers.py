"""All, every, most, none: a predicate that the data can count, item by item."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from chimera.audit.bounds import ABOVE, BELOW, counted_over
from chimera.audit.claim import Bound
from chimera.audit.counts import Counter
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.numbers import Number
from chimera.audit.sentence import Sentence
from chimera.audit.verdict import Found, Verdict

_QUANTIFIER = re.compile(
    r"(?<!of )\b(?P<all>all|every|each(?: of)?|both|without exception|100 ?% of)\b|"
    r"\b(?P<none>none|no(?= (?:request|run|record|model|configuration|test|failure|error|sample|call|timeout|single)s?)|zero|not a single|neither|not one|nobody|never|no single)\b|"
    r"\b(?P<most>most(?= (?:of|all|requests?|runs?|records?|models?|files?|configurations?|tests?|responses|calls|samples|measurements)\b)|the majority|a majority|majority of|mostly|primarily|predominantly|mainly|the bulk|largely)\b"
    r"|\b(?P<half>half of|fewer than half|less than half|a minority)\b",
    re.IGNORECASE,
)
_ANY_QUANTIFIER = re.compile(
    r"\b(?:all|every|each|any|both|none|no|not (?:one|a single|any)|nobody|only|most|majority|half|some|"
    r"few|several|neither|either|(?:one|two|three|four|five|\d+) (?:out )?of)\b",
    re.IGNORECASE,
)
_OF_ERRORS = frozenset({"errors", "failures", "error", "failure", "timeouts"})
_SUBJECT = 24  # characters
_CLAUSE = re.compile(r"[,;(]|:(?=\s)|\b(?:and|but|while|whereas|though)\b")
_FAIL = re.compile(
    r"\b(?:fail(?:s|ed|ures?)?|error(?:s|ed)?|time(?:d)? ?outs?|crash(?:ed)?|unsuccessful)\b",
    re.IGNORECASE,
)
_SUCCEED = re.compile(
    r"\b(?:succe(?:ed(?:s|ed)?|ss(?:ful|fully)?)|complet(?:e|es|ed)|passed|finished)\b",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"\b(?:(?:absence|lack|scarcity) of|lack(?:s|ing)?|missing|no|without(?: any)?)\s+(?:any\s+|the\s+)?(?:(?:raw|direct|concrete|actual|numerical|quantitative|specific|explicit|detailed|granular|core|key|available|readily available|precise|comprehensive|real|meaningful)[,\s]+(?:and\s+)?){0,3}"
    r"(?:(?:performance|benchmark|numerical|numeric|quantitative|measurement)\s+(?:metrics?|data|measurements|numbers|results|values|figures)|csv (?:data|files))\b(?!\s*\d)",
    re.IGNORECASE,
)
_ELSEWHERE = re.compile(
    r"file ?names?|naming|summar(?:y|ies)|prompt|this report|provided (?:information|context|text)|standardi[sz]",
    re.IGNORECASE,
)


def _has_bound(sentence: Sentence) -> bool:
    """Whether a sentence holds a bound ("within two seconds")."""
    return any(
        n.unit
        and (ABOVE.search(sentence.text[max(0, n.start - 24) : n.start])
             or BELOW.search(sentence.text[max(0, n.start - 24) : n.start]))
        for n in sentence.numbers
    )  # fmt: skip


class Quantifiers:
    """Judges sentences about all, most or none."""

    def __init__(self, evidence: Evidence, counter: Counter) -> None:
        self._evidence = evidence
        self._counter = counter

    @staticmethod
    def is_threshold(number: Number, sentence: Sentence) -> bool:
        """Whether a number is the bound of "all models exceed 40 tok/s", and no value itself."""
        counted = any(n.key in ("models", "configurations") for n in sentence.nouns)
        if counted and not sentence.models and _ANY_QUANTIFIER.search(sentence.text):
            return True
        if number.modifier not in ("over", "under", "at least", "at most"):
            before = sentence.text[: number.start]
            if not (ABOVE.search(before[-40:]) or BELOW.search(before[-40:])):
                return False
        if any(n.of is not None for n in sentence.numbers):
            return any(n.key in ("models", "configurations") for n in sentence.nouns)
        match = _QUANTIFIER.search(sentence.text)
        return match is not None and not match["half"]

    def some_of(
        self, number: Number, sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        """A share: "Two of the three models exceed 40 tok/s"; None where nothing is exceeded."""
        counted = counted_over(self._evidence, sentence, around)
        if counted is None:
            return None
        k, n, what = counted
        reason = f"{what}: {k} of {n}"
        said = number.value
        if sentence.text[: number.start].rstrip().lower().endswith("not"):
            said = 0.0  # "not one of the three"
        if (k, n) == (said, number.of):
            return Verdict("supported", reason, None, reason, kind="quantifier")
        if n != number.of:
            return None  # other items are counted
        return Verdict("contradicted", reason, f"{k} of {n}", kind="quantifier")

    def claims(self, sentence: Sentence, around: Sequence[Sentence]) -> Iterator[Found]:
        """The verdicts on the quantifiers of a sentence whose predicate is understood."""
        for match in _QUANTIFIER.finditer(sentence.text):
            if any(n.start <= match.start() < n.end for n in sentence.numbers):
                continue  # "tokens each second" is a unit
            verdict = self._judge(match, sentence, around)
            if verdict is not None:
                yield (
                    match.start(),
                    match.end(),
                    replace(verdict, kind="quantifier"),
                    Bound("", "quantifier"),
                )

    def absences(self, sentence: Sentence) -> Iterator[Found]:
        """What is said to be missing ("the lack of performance metrics"), and is there."""
        for match in _ABSENT.finditer(sentence.text):
            if _ELSEWHERE.search(sentence.text, match.end()):
                continue
            measured = [s for s in self._evidence.samples if s.batch.metrics()]
            if not measured and not self._evidence.summed:
                continue
            kinds = sorted({c.key for s in measured for c in s.batch.metrics()})
            kinds = kinds or sorted({s.column.key for s in self._evidence.summed})
            reason = f"{len(measured)} records hold measurements ({', '.join(kinds[:5])} ...)"
            verdict = Verdict("contradicted", reason, kind="quantifier")
            yield match.start(), match.end(), verdict, Bound("", "quantifier")

    def _judge(
        self, match: re.Match[str], sentence: Sentence, around: Sequence[Sentence]
    ) -> Verdict | None:
        share = self._files(match, sentence)
        if share is None:
            share = counted_over(self._evidence, sentence, around, match.end())
        if share is None and not _has_bound(sentence):
            share = self._outcomes(match, sentence)
        if share is None:
            return None
        k, n, what = share
        reason = f"{what}: {k} of {n}"
        holds = (
            k == n if match["all"] else k == 0 if match["none"] else 2 * k > n if match["most"]
            else 2 * k <= n
        )  # fmt: skip
        if holds:
            return Verdict("supported", reason, None, reason)
        return Verdict("contradicted", reason, f"{k} of {n}")

    def _files(self, match: re.Match[str], sentence: Sentence) -> tuple[int, int, str] | None:
        after = [n for n in sentence.nouns if n.start >= match.end() and n.key.startswith("files:")]
        if not after or after[0].start - match.end() > 40 or match["none"]:
            return None
        kinds = (
            {n.key for n in after if n.start - after[0].start < 30}
            if match["most"]
            else {after[0].key}
        )
        k = sum(self._counter.of(kind, Selector())[0].value for kind in sorted(kinds))
        n = self._counter.of("files", Selector())[0].value
        return k, n, " and ".join(sorted(kind.partition(":")[2] for kind in kinds)) + " files"

    def _outcomes(self, match: re.Match[str], sentence: Sentence) -> tuple[int, int, str] | None:
        text = sentence.text
        end = _CLAUSE.search(text, match.end())
        until = end.start() if end else len(text)
        failing = _FAIL.search(text, match.start(), until)
        good = _SUCCEED.search(text, match.start(), until)
        if failing is None and good is None:
            return None
        near = failing is not None and failing.start() - match.end() < _SUBJECT
        if failing is not None and near and failing[0].lower() in _OF_ERRORS:
            return None  # "all errors have one code" is of errors
        if not any(n.key in ("records", "failed", "succeeded") for n in sentence.nouns):
            return None
        models = sentence.models[-1].models if sentence.models else frozenset()
        settings = {m.key: m.value for m in sentence.settings if m.value is not None}
        settings |= {n.key: n.value for n in sentence.named if n.key not in ("model", "file")}
        records = self._evidence.select(Selector(models, tuple(sorted(settings.items()))))
        if not records:
            return None
        named = [s for s in records if s.subject[0][0] == "model"] or records
        failed = sum(bool(s.failure) for s in named)
        if failing is not None and (good is None or failing.start() < good.start()):
            return failed, len(named), "records that failed"
        return len(named) - failed, len(named), "records that succeeded"
