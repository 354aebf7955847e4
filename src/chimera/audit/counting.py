"""Numbers that count something, judged."""

from __future__ import annotations

import re

from msgspec.structs import replace

from chimera.audit.binding import About
from chimera.audit.bounds import is_bound
from chimera.audit.count_verdicts import common_part, judge_count, sum_of_parts
from chimera.audit.counted import file_part
from chimera.audit.counts import Counter
from chimera.audit.evidence import Evidence, Selector
from chimera.audit.numbers import Number
from chimera.audit.sentence import Sentence
from chimera.audit.verdict import Verdict

_DEVOTED = re.compile(
    r"\b(?:dedicated|devoted|related|pertaining|concerning|associated|belonging)\b", re.IGNORECASE
)
_ROWS = re.compile(r"\s*(?:\w+ )?(?:rows?|records?|summar(?:y|ies)|entries)\b", re.IGNORECASE)
_CHOSEN = re.compile(
    r"\s*(?:\w+ )?\w+ (?:above|over|below|under|with|that|which|longer|slower|faster|whose)\b",
    re.IGNORECASE,
)
_PLAIN_NOUN = re.compile(r"\s*(?:\w+ )?(?:requests?|records?|rows?|samples?)\b")
_SOME = re.compile(
    r"\s*(?!total|distinct|different|measured|successful|failed|recorded|individual|raw|single|benchmark|"
    r"inference|test|data|valid|completed|separate)[a-z-]+ (?:requests?|runs?|records?|samples?|rows?)\b"
)
_MANY = 13


class CountJudge:
    """Judges counts of files, records, models and the like."""

    def __init__(self, evidence: Evidence, counter: Counter) -> None:
        self._evidence = evidence
        self._counter = counter

    def judge(self, number: Number, noun: str, about: About, sentence: Sentence) -> Verdict | None:
        """The verdict on a number of a noun; None for a word that need not count anything."""
        like = file_part(number, sentence) if noun.startswith("files") else ""
        if not like and noun.startswith("files") and about.models and about.near <= 1:
            near = sentence.text[max(0, number.start - 60) : number.end + 40]
            total = self._counter.of(noun, Selector())
            if _DEVOTED.search(near) and not (
                noun == "files" and total and total[0].value == number.value
            ):
                like = common_part(about.models)
        if noun == "models" and len(about.models) == 1:  # one model is no scope to count models in
            about = replace(about, models=frozenset())
        if noun == "models" and any(n.unit and is_bound(n, sentence) for n in sentence.numbers):
            return None  # "two models stay under 20 s": of those that do
        counts = self._counter.of(noun, about.selector, like)
        if noun == "records":
            counts += self._counter.of("failed", about.selector)
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
            after = sentence.text[number.end :]
            rows = counts and counts[0].what.startswith("rows of summaries")
            loose = loose or bool(rows and not _ROWS.match(after)) or bool(_CHOSEN.match(after))
            ahead = sentence.text[max(0, number.start - 40) : number.start]
            loose = (
                loose
                or " per " in ahead
                or " per " in after[:40]
                or after.lstrip().startswith("request rate")
            )
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
            wider = judge_count(number, self._counter.of(noun, scope, like))
            if wider is not None and wider.label == "supported":
                return wider
        return None

    def _narrower(self, number: Number, noun: str, about: About) -> Verdict | None:
        """A number of records that is that of a single file or model which goes unnamed."""
        for name in sorted({s.batch.file for s in self._evidence.select(about.selector)}):
            for count in self._counter.of(noun, replace(about, files=frozenset((name,))).selector):
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
