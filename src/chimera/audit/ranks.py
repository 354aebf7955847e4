"""Superlatives and ranks: the fastest, the second, from best to worst."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from chimera.audit.claim import Bound, Kind
from chimera.audit.comparing import Side, goodness, ranking, told_apart
from chimera.audit.scene import Scene, Thing
from chimera.audit.subjects import DESCRIBED
from chimera.audit.verdict import Found, Verdict
from chimera.audit.word_lists import (
    APART,
    BOTH_ENDS,
    CHAIN,
    COMES,
    EXTREME,
    MOST,
    NTH,
    OF_N,
    ORDER,
    ORDER_FROM,
    RANK,
    N,
)
from chimera.record.vocabulary import metric_label

_BETWEEN = re.compile(r"\bbetween (?:the )?(?:\w+ and (?:the )?)?$", re.IGNORECASE)
_BEST = re.compile(r"best|worst|top|poorest|weakest|superior", re.IGNORECASE)
_OF_CONFIGURATIONS = re.compile(
    r"(?:\s+\S+)?\s+(?:configurations?|configs?|settings?|combinations?|setups?|runs?)\b",
    re.IGNORECASE,
)


_VALUED = (
    r"(?:requests?|responses?|answers?|contexts?|prompts?|runs?|outputs?|completions?|ttft|latency|"
    r"wait|time|values?|records?|measurements?|samples?|readings?|figures?|points?|repeats?|trials?)\b"
)
_CLOSE = 3  # characters
_SHORT_TEXT = 80


def extremes(scene: Scene) -> Iterator[Found]:
    """Superlatives; a sentence that says "cannot be told apart" claims none."""
    if APART.search(scene.sentence.text) or _is_order(scene.sentence.text):
        return
    if not scene.sentence.models and DESCRIBED.search(scene.sentence.text):
        return  # "the smallest model" is not named
    for match in EXTREME.finditer(scene.sentence.text):
        index = match.lastindex or 1
        _, sign, how = MOST[index - 1]
        word = match[0].lower()
        if word in (
            "most",
            "least",
            "peak",
            "maximum",
            "minimum",
            "leading",
            "top",
        ) and not _is_extreme(scene, match):
            continue
        if _BETWEEN.search(scene.sentence.text[: match.start()]) or BOTH_ENDS.search(
            scene.sentence.text
        ):
            continue  # "the gap between best and worst"
        if how == "good" and not _is_told(scene, match):
            continue  # best at what
        subject = scene.subject(match.start(), match.end())
        if (
            subject is not None
            and not subject.keys
            and _OF_CONFIGURATIONS.match(scene.sentence.text, match.end())
        ):
            continue
        if subject is None or _is_statistic(scene, subject, match.end()):
            continue
        found = _ranked(scene, subject, match.start(), sign, how, 1, word)
        if found is not None:
            verdict, bound = found
            if verdict.label == "contradicted" and not _is_near(scene, subject, match):
                verdict = Verdict(
                    "unsupported", f"of what it is said is not clear; {verdict.reason}"
                )
            yield match.start(), match.end(), verdict, bound


def _is_near(scene: Scene, subject: Thing, match: re.Match[str]) -> bool:
    """Whether a superlative plainly belongs to its subject: close by, and no number between."""
    low, high = min(subject.end, match.end()), max(subject.start, match.start())
    between = scene.sentence.text[low:high]
    return "," not in between or not any(low <= n.start < high for n in scene.sentence.numbers)


def _is_told(scene: Scene, match: re.Match[str]) -> bool:
    """Whether a sentence, or a heading above it, says in what something is best."""
    if not _BEST.match(match[0]):
        return True
    close = [m for m in scene.sentence.metrics if 0 <= m.start - match.end() < _CLOSE]
    if close:
        return False  # "its worst TTFT" is a value
    near = (scene.sentence, *(o for o in scene.around if len(o.text) < _SHORT_TEXT))
    return any(s.metrics or any(n.unit for n in s.numbers) for s in near)


def _is_order(text: str) -> bool:
    return bool(ORDER.search(text) or ORDER_FROM.search(text))


def _is_statistic(scene: Scene, subject: Thing, end: int) -> bool:
    """Whether "the lowest TTFT of A was 0.4 s" speaks of A's own values, not of A among others."""
    text = scene.sentence.text
    if re.match(r"\s*(?:\w+\s)?(?:was|is|of|at|being|:|=)?\s*[*~]*\d", text[end:]):
        return True
    if re.match(r"\s*(?:recorded|observed|measured|single|individual|ever)\b", text[end:]):
        return True
    if re.search(r"\b(?:its|their|whose) (?:\w+ )?$", text[: end - len(text[:end].split()[-1])]):
        return True
    told = [n for n in scene.sentence.numbers if n.unit and n.start >= end]
    value = re.match(r"\s*(?:\w+\s)?" + _VALUED, text[end:], re.IGNORECASE)
    if told and value and not scene.among() and not OF_N.search(text):
        return True
    if subject.start < end or scene.among():
        return False
    behind = [n for n in scene.sentence.numbers if n.unit and n.start >= subject.end]
    return bool(behind) and not OF_N.search(scene.sentence.text)


def _is_extreme(scene: Scene, match: re.Match[str]) -> bool:
    after = scene.sentence.text[match.end() : match.end() + 30]
    return bool(
        re.match(
            r"\s+(?:tokens|throughput|responsive|efficient|time|performer|model|configuration)",
            after,
        )
    )


def _ranked(
    scene: Scene, subject: Thing, at: int, sign: int, how: str, place: int, word: str
) -> tuple[Verdict, Bound] | None:
    keys = scene.keys(at, how)
    scope, names, name = scene.scope(subject)
    for key in keys:
        sides = ranking(scene.evidence, scope, names, key, scene.statistic())
        own = [s for s in sides if s.name == name]
        if len(sides) < 2 or not own:
            continue
        if sign * (goodness(key) if how == "good" else 1) < 0:
            sides.reverse()
        about = subject.about
        bound = Bound(about.label, key, scene.statistic(), None, about.filter)
        return _placed(scene, sides, own[0], place, key, word), bound
    return None


def _placed(scene: Scene, sides: list[Side], own: Side, place: int, key: str, word: str) -> Verdict:
    kind: Kind = "superlative" if place == 1 else "rank"
    shown = ", ".join(f"{s.name} {s.mean:.6g}" for s in sides[:6])
    text = f"by {metric_label(key)}: {shown}"
    index = place - 1 if place > 0 else len(sides) + place
    counted = OF_N.search(scene.sentence.text)
    if counted:
        n = int(N.get(counted["n"].lower(), 0) or counted["n"])
        if n != len(sides) and n >= 2:
            reason = f"there are {len(sides)}, not {n}; {text}"
            return Verdict("contradicted", reason, str(len(sides)), "", "", own.places, kind)
    if index >= len(sides) or sides[index].name != own.name:
        right = sides[index].name if index < len(sides) else None
        return Verdict("contradicted", text, right, "", "", own.places, kind)
    others = [sides[i] for i in (index - 1, index + 1) if 0 <= i < len(sides)]
    apart = [told_apart(own, other) for other in others]
    if word in ("highest", "lowest", "largest", "smallest", "longest", "shortest"):
        return Verdict("supported", text, None, text, "", own.places, kind)
    if any(a is False for a in apart):
        reason = f"cannot be told apart from the next; {text}"
        return Verdict("unsupported", reason, None, "", "", own.places, kind)
    warning = "single figures, without an interval" if None in apart else ""
    return Verdict("supported", text, None, text, warning, own.places, kind)


def rankings(scene: Scene) -> Iterator[Found]:
    if APART.search(scene.sentence.text):
        return
    text = scene.sentence.text
    if _is_order(text):
        yield from _orders(scene)
        return
    for match in RANK.finditer(text):
        word = (match["nth"] or match["runner"] or "").lower()
        place = int(match["n"]) if match["n"] else NTH.get(word, 0)
        how = (match["how"] or "").lower()
        if not place or (
            word in ("first", "second", "last", "third") and not how and not COMES.search(text)
        ):
            continue
        sign = -1 if how in ("slowest", "worst", "lowest") else 1
        kind = "value" if how in ("highest", "lowest") else "good"
        subject = scene.subject(match.start(), match.end())
        if subject is None:
            continue
        found = _ranked(scene, subject, match.start(), sign, kind, place, word)
        if found is not None:
            yield match.start(), match.end(), replace(found[0], kind="rank"), found[1]
    yield from _orders(scene)


def _is_family(thing: Thing, things: list[Thing]) -> bool:
    """Whether others that are named belong to it: "q4_0, q5_K_M and q8_0 of llama3.1"."""
    return any(t.about.models and t.about.models < thing.about.models for t in things)


def _orders(scene: Scene) -> Iterator[Found]:
    """An order: "A > B > C", "A, followed by B and C", "from fastest to slowest: A, B, C"."""
    things = [t for t in scene.things() if not _is_family(t, scene.things())]
    text = scene.sentence.text
    if len(things) < 2:
        return
    order_word = ORDER.search(text) or ORDER_FROM.search(text)
    if order_word is not None:
        index = next(i for i in range(1, len(MOST) + 1) if order_word[i])
        _, direction, how = MOST[index - 1]
        at = order_word.start()
    else:
        chain = CHAIN.search(text)
        if chain is None or (len(things) == 2 and APART.search(text)):
            return
        at, how = chain.start(), "good" if not scene.sentence.metrics else "value"
        direction = -1 if "<" in chain[0] else 1
        before = EXTREME.search(text[:at])
        if before is not None:
            _, direction, how = MOST[(before.lastindex or 1) - 1]
        elif chain[0].strip() not in ("<", ">"):
            how = "good"
    keys = scene.keys(at, "good")
    for key in keys:
        numbered = [str(i) for i in range(len(things))]
        sides = ranking(scene.evidence, [t.about for t in things], numbered, key)
        if len(sides) != len(things):
            continue
        order = [int(s.name) for s in sides]
        if direction * (goodness(key) if how == "good" else 1) < 0:
            order.reverse()
        names = ", ".join(things[i].text for i in order)
        right = order == sorted(order)
        verdict = Verdict(
            "supported" if right else "contradicted", f"by {metric_label(key)}: {names}",
            None if right else names, places=sides[0].places, kind="rank",
        )  # fmt: skip
        yield things[0].start, things[-1].end, verdict, Bound("", key)
        return
