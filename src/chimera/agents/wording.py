"""From findings to sentences: which wording of each claim stands in the report.

The model is shown each wording with its numbers as "..." and its names as they are: it chooses
words, never values.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chimera.agents.choose import Choice
from chimera.facts.findings import Clause, Finding
from chimera.facts.text import Name, Num, Sentence, Spans


def shown(wording: Spans) -> str:
    """A wording as the model sees it: numbers as "...", names of the data as letters.

    It chooses words, so it needs no value and no name; and no text of a file is in the question.
    """
    letters: dict[str, str] = {}
    parts: list[str] = []
    for span in wording:
        if isinstance(span, Num):
            if not (parts and parts[-1].endswith("...")):
                parts.append("...")
        elif isinstance(span, Name) and span.code:
            parts.append(letters.setdefault(span.text, chr(ord("A") + len(letters) % 26)))
        else:
            parts.append(span.text)
    text = "".join(parts).replace("[..., ...]", "").replace("..., ...", "...")
    return " ".join(text.split())


def named(wording: Spans) -> str:
    """A wording with its names, numbers as "...": for the list of findings."""
    return " ".join("".join("..." if isinstance(s, Num) else s.text for s in wording).split())


def say_key(finding: Finding, index: int) -> str:
    """The key of the choice for one claim of a finding."""
    return f"{finding.key}#{index}"


def advice_key(finding: Finding) -> str:
    """The key of the choice for a finding's advice."""
    return f"{finding.key}#advice"


def wording_choices(
    findings: Sequence[Finding], leading: int
) -> tuple[list[Choice], dict[str, str]]:
    """(choices of wording, the choice that settles each sentence's key).

    The most visible sentences come first: leading claims, their advice, the rest. Sentences of
    one pattern (the same claim about several models) are settled by one choice.
    """
    first = [(say_key(f, 0), f.says[0]) for f in findings]
    advice = [(advice_key(f), f.advice) for f in findings if f.advice is not None]
    rest = [(say_key(f, i), c) for f in findings for i, c in enumerate(f.says) if i]
    ordered = first[:leading] + advice[:leading] + first[leading:] + rest + advice[leading:]
    by_pattern: dict[tuple[str, ...], Choice] = {}
    settles: dict[str, str] = {}
    for key, clause in ordered:
        pattern = tuple(shown(w) for w in clause.variants)
        if len(pattern) > 1:
            settles[key] = by_pattern.setdefault(pattern, Choice(key, pattern)).key
    return list(by_pattern.values()), settles


class Wording(msgspec.Struct):
    """The chosen wording of each clause by key; what is not in it has code's own wording.

    ``written`` are sentences in the model's own words, or code's own that stand in for them.
    """

    chosen: dict[str, int] = {}
    refused: frozenset[str] = frozenset()
    written: dict[str, Sentence] = {}

    def sentence(self, key: str, clause: Clause, finding: Finding) -> Sentence:
        """The sentence of one clause, marked with who chose it."""
        if key in self.written:
            return self.written[key]
        index = self.chosen.get(key, 0)
        if index >= len(clause.variants):
            index = 0
        writer = "model" if key in self.chosen else "refused" if key in self.refused else "bound"
        return Sentence(clause.variants[index], writer, finding.key)  # type: ignore[arg-type]

    def says(self, finding: Finding) -> tuple[Sentence, ...]:
        """Every claim of a finding."""
        return tuple(
            self.sentence(say_key(finding, i), clause, finding)
            for i, clause in enumerate(finding.says)
        )

    def lead(self, finding: Finding) -> Sentence:
        """The first claim of a finding."""
        return self.sentence(say_key(finding, 0), finding.says[0], finding)

    def advice(self, finding: Finding) -> Sentence | None:
        """What follows from a finding, or None."""
        if finding.advice is None:
            return None
        return self.sentence(advice_key(finding), finding.advice, finding)
