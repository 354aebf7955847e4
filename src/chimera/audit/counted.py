"""What a number counts, or is a share of, by the nouns that stand around it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chimera.audit.numbers import Number
from chimera.audit.phrases import Mention
from chimera.audit.sentence import Sentence

_FATE = re.compile(
    r"\s+of (?:them|these|those|which)\s+(?:(?P<failed>failed|timed out|errored|were lost)|succeeded|completed)\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“‘'`]([\w./:-]{3,60})[\"”’'`]|(?<![\w])([a-z]+(?:_[a-z0-9]+)+)(?![\w])")


def noun_of(number: Number, sentence: Sentence) -> str:
    """What a number counts: a noun right behind it, or before it with a colon or parenthesis."""
    for noun in sentence.nouns:
        gap = sentence.text[number.end : noun.start]
        if (
            noun.start >= number.end
            and re.fullmatch(r"(?:\s+(?:[\w:.'/-]+\s+){0,2}|\s*\)?\s*)", gap)
            and len(gap) < 32
        ):
            if re.search(r"\b(?:of|and|to|in|at|for|with|per|than|the)\b", gap) and not re.search(
                r"of the\s*$", gap
            ):
                continue
            if any(m.start < noun.start and m.end > number.end for m in sentence.metrics):
                continue
            key = _following(noun, sentence)
            kind = _kind_before(number, sentence) if key == "files" else ""
            return kind or key
    fate = _FATE.match(sentence.text, number.end)
    if fate:
        return "failed" if fate["failed"] else "succeeded"
    if number.worded:
        return ""
    before = [n for n in sentence.nouns if n.end <= number.start]
    if before:
        gap = sentence.text[before[-1].end : number.start]
        if re.fullmatch(
            r"[\s*_]*(?:[:=(–—-]|is|are|was|were|analy[sz]ed:?|count:?|processed:?)[\s*_(]*|\s+(?:count|analy[sz]ed|processed)?\s*[:=(]?\s*",
            gap,
        ):
            return before[-1].key
    if re.search(r"\bn\s*=\s*$", sentence.text[: number.start], re.IGNORECASE):
        return "records"
    return ""


def _kind_before(number: Number, sentence: Sentence) -> str:
    """The type of file in "JSON: 44 files" and "JSON (44 files)"."""
    kinds = [n for n in sentence.nouns if n.end <= number.start and n.key.startswith("files:")]
    if kinds and re.fullmatch(r"[\s:(=–—~≈\d.,%-]+", sentence.text[kinds[-1].end : number.start]):
        return kinds[-1].key
    return ""


def _following(noun: Mention, sentence: Sentence) -> str:
    """What "3 requests failed" counts failures; "44 JSON and 29 CSV files" counts each kind."""
    after = sentence.text[noun.end : noun.end + 24]
    if noun.key == "records":
        if re.match(
            r"\s+(?:have |had |were |was |that )?(?:failed|errored|timed out|unsuccessful)", after
        ):
            return "failed"
        if re.match(
            r"\s+(?:have |had |were |was |that )?(?:succeeded|completed|successful|passed)", after
        ):
            return "succeeded"
    if noun.key in ("failed", "succeeded"):
        return noun.key
    inside = sentence.text[noun.start : noun.end].lower()
    if noun.key == "records" and re.match(r"(?:failed|unsuccessful|errored)\b", inside):
        return "failed"
    if noun.key == "records" and re.match(r"(?:successful|succeeded|completed)\b", inside):
        return "succeeded"
    return noun.key


def only_noun(sentence: Sentence) -> str:
    negated = re.search(
        r"\b(?:not|never|n't|without)\b[^.;]{0,24}\b(?:success|succeed|complet|pass|finish|answer|return|work)",
        sentence.text,
        re.IGNORECASE,
    )
    if negated and any(n.key in ("records", "succeeded") for n in sentence.nouns):
        return "failed"
    kinds = [n.key for n in sentence.nouns if n.key in ("failed", "succeeded")] or [
        n.key for n in sentence.nouns
    ]
    return kinds[0] if kinds else ""


def share_of(number: Number, sentence: Sentence) -> tuple[str, str]:
    """(what a share is of, a part of the files' names): "43.6% of the files are JSON"."""
    low, high = sentence.segment(number.start)[0], len(sentence.text)
    before = [n for n in sentence.nouns if n.end <= number.start and number.start - n.end < 40]
    behind = [n for n in sentence.nouns if n.start >= number.end and n.start < high]
    telling = [n for n in behind if n.key not in ("records", "files")]
    if re.search(r"\(\s*[~≈]?$", sentence.text[: number.start]) and before:
        like = file_part(number, sentence) if before[-1].key.startswith("files") else ""
        return before[-1].key, like
    del low
    telling_one = before and before[-1].key not in ("records", "files")
    gap = sentence.text[before[-1].end : number.start] if before else ""
    if telling_one and re.fullmatch(r"[\s:=*_(–—-]+", gap):
        return _with_others(before, sentence), ""
    kinds = [n for n in before if n.key.startswith("files:")]
    if kinds and re.fullmatch(
        r"\s*(?:files?|file types?|types?|formats?)?\s*\(?\s*",
        sentence.text[kinds[-1].end : number.start],
    ):
        return _with_others(kinds, sentence), ""
    if telling and re.match(
        r"\s*(?:of|success|fail|error|were|are|is)", sentence.text[number.end :]
    ):
        return telling[0].key, ""
    if telling and telling[0].start - number.end < 24:
        return telling[0].key, ""
    if before and before[-1].key not in ("records", "files"):
        return before[-1].key, ""
    text = sentence.text[max(0, number.start - 40) : number.end + 40].lower()
    if re.search(r"success|succeed|pass rate", text):
        return "succeeded", ""
    if re.search(r"fail|error|unsuccess|abort", text):
        return "failed", ""
    return "", ""


def _with_others(nouns: Sequence[Mention], sentence: Sentence) -> str:
    """The last noun, and what stands beside it: "JSON and Markdown files (72%)"."""
    found = [nouns[-1].key]
    for earlier, later in zip(reversed(nouns[:-1]), reversed(nouns), strict=False):
        gap = sentence.text[earlier.end : later.start]
        if not re.fullmatch(r"\s*(?:,|and|&|/|or|,\s*and)\s*", gap):
            break
        found.append(earlier.key)
    return "+".join(dict.fromkeys(found))


def file_part(number: Number, sentence: Sentence) -> str:
    """A part of file names that restricts a count of files: “conv_bench”: 15 files."""
    low, high = sentence.segment(number.start)[0], sentence.segment(number.end)[1]
    del low
    found = list(_QUOTED.finditer(sentence.text))
    near = [m for m in found if m.end() <= number.start and number.start - m.end() < 30]
    if near:
        return near[-1][1] or near[-1][2] or ""
    after = [m for m in found if number.end <= m.start() < high + 40]
    named = re.search(
        r"\b(?:named|containing|with|matching|related to|labell?ed)\b",
        sentence.text[number.end : number.end + 40],
    )
    if after and named:
        return after[0][1] or after[0][2] or ""
    return ""
