"""Words that claim something, without a number: faster, fastest, second, rises, all, because."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chimera.audit.alike import likenesses
from chimera.audit.claim import Claim
from chimera.audit.comparisons import comparisons
from chimera.audit.counts import Counter
from chimera.audit.evidence import Evidence
from chimera.audit.quantifiers import Quantifiers
from chimera.audit.ranks import extremes, rankings
from chimera.audit.scene import Scene
from chimera.audit.sentence import Sentence
from chimera.audit.trends import trends
from chimera.audit.verdict import Found, Verdict
from chimera.audit.word_lists import ADJECTIVES, ADVICE, CAUSE, DENIED


class Words:
    """Judges the words of sentences against a folder."""

    def __init__(self, evidence: Evidence, counter: Counter) -> None:
        self._evidence = evidence
        self._quantifiers = Quantifiers(evidence, counter)

    def claims(
        self, sentence: Sentence, around: Sequence[Sentence], section: str
    ) -> Iterator[Claim]:
        """A claim for each word of a sentence that needs proof."""
        scene = Scene(self._evidence, sentence, around)
        taken: list[tuple[int, int]] = []
        for start, end, verdict, bound in (
            *self._quantifiers.absences(sentence), *self._quantifiers.claims(sentence, around),
            *rankings(scene), *comparisons(scene), *likenesses(scene),
            *extremes(scene), *trends(scene), *causes(scene, section), *adjectives(scene, section),
        ):  # fmt: skip
            if any(s < end and start < e for s, e in taken):
                continue
            taken.append((start, end))
            yield Claim(
                start=sentence.start + start,
                end=sentence.start + end,
                text=sentence.text[start:end],
                kind=verdict.kind or "comparison",
                label=verdict.label,
                reason=verdict.reason,
                right=verdict.right,
                expression=verdict.expression,
                warning=verdict.warning,
                bound=bound,
                places=verdict.places,
                section=section,
            )


def causes(scene: Scene, section: str) -> Iterator[Found]:
    if ADVICE.search(section):
        return
    for match in CAUSE.finditer(scene.sentence.text):
        if DENIED.search(scene.sentence.text[: match.start()]):
            continue
        reason = "the data shows what goes with what, not why"
        yield match.start(), match.end(), Verdict("unsupported", reason, kind="cause"), None


def adjectives(scene: Scene, section: str) -> Iterator[Found]:
    if ADVICE.search(section):
        return
    for match in ADJECTIVES.finditer(scene.sentence.text):
        reason = "a judgement without a named baseline or a test"
        yield match.start(), match.end(), Verdict("unsupported", reason, kind="adjective"), None
