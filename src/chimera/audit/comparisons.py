"""Comparisons in words: one side is faster, lower or ahead of another."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from chimera.audit.claim import Bound
from chimera.audit.comparing import compare, goodness
from chimera.audit.evidence import Selector
from chimera.audit.scene import Scene, Thing
from chimera.audit.verdict import Found, Verdict
from chimera.audit.word_lists import LEADING_OBJECT, MORE, MORE_WORD, OBJECT, THAN, VERB, VERBS

_NUMBER = re.compile(
    r"\s*(?:about |roughly |~)?[$€]?(?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|half|twice)\b)"
)


def comparisons(scene: Scene) -> Iterator[Found]:
    text = scene.sentence.text
    for match in THAN.finditer(text):
        if _NUMBER.match(text, match.end()) and not _is_level(scene, match.end()):
            continue  # "more than 285 tok/s" is a bound
        index = next(i for i in range(1, len(MORE) + 1) if match[i])
        _, sign, how = MORE[index - 1]
        yield from _compare(
            scene, match.start(), match.end(index), match.start(), match.end(), sign, how
        )
    if LEADING_OBJECT.match(text):
        yield from _with_leading_object(scene)
    for match in VERB.finditer(text):
        index = match.lastindex or 1
        _, sign, how = VERBS[index - 1]
        yield from _compare(
            scene, match.start(), match.end(), match.start(), match.end(), sign, how
        )


def _is_level(scene: Scene, at: int) -> bool:
    """Whether a setting's level stands there: "than two threads"."""
    return any(m.value is not None and 0 <= m.start - at <= 1 for m in scene.sentence.settings)


def _with_leading_object(scene: Scene) -> Iterator[Found]:
    """A leading object: "Compared with A, B has a higher throughput"."""
    things = scene.things()
    match = MORE_WORD.search(scene.sentence.text)
    if match is None or len(things) < 2 or THAN.search(scene.sentence.text):
        return
    _, sign, how = MORE[(match.lastindex or 1) - 1]
    sides = (things[1].about, things[0].about)
    yield from _judged(scene, (match.start(), match.end()), sides, sign, how)


def _compare(
    scene: Scene, start: int, end: int, at: int, right_from: int, sign: int, how: str
) -> Iterator[Found]:
    things = scene.things()
    left = [t for t in things if t.end <= at + 1]
    right = [t for t in things if t.start >= right_from - 1]
    if not right and len(things) >= 2 and not left:
        return
    if not left:  # "Compared with A, B is faster" or "B" in the sentence before
        outer = scene.outer_models()
        inside = [t for t in things if at < t.start < right_from]
        if inside:
            left = inside
        elif outer and right and outer != right[0].about.models:
            left = [Thing(0, 0, Selector(outer, right[0].about.settings), "it")]
    if not left or not right:
        return
    # In "A is faster than B and slower than C" the one before "slower" is an object.
    subjects = [t for t in left if not OBJECT.search(scene.sentence.text[: t.start])] or left
    a, b = subjects[-1].about, right[0].about
    yield from _judged(scene, (start, end), (a, b), sign, how)


def _judged(
    scene: Scene, span: tuple[int, int], sides: tuple[Selector, Selector], sign: int, how: str
) -> Iterator[Found]:
    (start, end), (a, b) = span, sides
    if a == b:
        return
    keys = scene.keys(start, how)
    outcome = compare(scene.evidence, a, b, keys, scene.statistic())
    bound = Bound(a.label, keys[0] if keys else "", scene.statistic(), None, a.filter)
    if outcome is None:
        reason = "the data does not have both sides of it"
        yield start, end, Verdict("unsupported", reason, kind="comparison"), bound
        return
    claimed = sign * (goodness(outcome.key) if how == "good" else 1)
    bound = replace(bound, metric=outcome.key)
    yield (
        start,
        end,
        _compared(
            outcome.sign == claimed, outcome.sign, outcome.certain, outcome.text, outcome.places
        ),
        bound,
    )


def _compared(right: bool, sign: int, certain: bool | None, text: str, places: tuple) -> Verdict:  # type: ignore[type-arg]
    if certain is False:
        return Verdict(
            "unsupported", f"cannot be told apart; {text}", None, "", "", places, "comparison"
        )
    if right:
        warning = "single figures, without an interval" if certain is None else ""
        return Verdict("supported", text, None, text, warning, places, "comparison")
    return Verdict(
        "contradicted",
        text,
        "the same" if sign == 0 else "the other way round",
        "",
        "",
        places,
        "comparison",
    )
