"""Sides that are said to be alike or to differ: "A and B have a similar TTFT"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chimera.audit.claim import Bound
from chimera.audit.comparing import compare, side_of
from chimera.audit.scene import Scene
from chimera.audit.verdict import Found, Verdict

_ALIKE = re.compile(
    r"\b(?P<near>similar(?:ly)?|comparable|on par|neck and neck)\b|"
    r"\b(?P<same>identical(?:ly)?|equal(?:ly)?|indistinguishable)\b|"
    r"\b(?P<other>differs?|differed)(?! by| little| only)\b",
    re.IGNORECASE,
)
_DENIED = re.compile(r"\b(?:not|never|no|nearly|almost|hardly|barely|than)\s+$", re.IGNORECASE)
# Shares of the larger side: two that certainly differ are similar within the first, not similar
# beyond the second, and not the same beyond the third.
_SIMILAR, _NOT_SIMILAR, _NOT_SAME = 0.05, 0.2, 0.02


def likenesses(scene: Scene) -> Iterator[Found]:
    """Words of likeness between the two sides of a sentence that names a metric.

    What is not certainly different has not been shown to be the same: such a claim stays open.
    """
    text = scene.sentence.text
    for match in _ALIKE.finditer(text):
        things = scene.things()
        if len(things) != 2 or not scene.sentence.metrics or _DENIED.search(text[: match.start()]):
            continue
        a, b = (t.about for t in things)
        keys = scene.keys(match.start(), "value")
        outcome = compare(scene.evidence, a, b, keys, scene.statistic())
        if a == b or outcome is None:
            continue
        sides = [side_of(scene.evidence, s, outcome.key, "", scene.statistic()) for s in (a, b)]
        means = [abs(s.mean) for s in sides if s is not None]
        apart = 1 - min(means) / max(means) if max(means) else 0.0
        verdict = _verdict(match, outcome.certain, apart, outcome.text)
        yield match.start(), match.end(), verdict, Bound(a.label, outcome.key, "", None, a.filter)


def _verdict(match: re.Match[str], certain: bool | None, apart: float, text: str) -> Verdict:
    if match["other"]:
        if certain:
            return Verdict("supported", text, None, text, kind="comparison")
        reason = f"it is not certain that they differ; {text}"
        return Verdict("unsupported", reason, kind="comparison")
    if certain and apart > (_NOT_SIMILAR if match["near"] else _NOT_SAME):
        return Verdict("contradicted", text, f"{100 * apart:.0f}% apart", kind="comparison")
    if certain and match["near"] and apart <= _SIMILAR:
        return Verdict("supported", text, None, text, kind="comparison")
    reason = f"it depends on what counts as alike; {text}"
    if not certain:
        reason = f"they cannot be told apart, which does not show that they are alike; {text}"
    return Verdict("unsupported", reason, kind="comparison")
