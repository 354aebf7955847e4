"""Directions and trends: what a metric does as a setting grows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from chimera.audit.claim import Bound
from chimera.audit.comparing import Side, compare, goodness, levels_of, told_apart
from chimera.audit.evidence import Selector
from chimera.audit.phrases import Mention
from chimera.audit.scene import Scene
from chimera.audit.verdict import Found, Verdict
from chimera.audit.word_lists import GOES_WITH, MOVES, THAN, WHILE
from chimera.record.vocabulary import metric_label

_EACH = re.compile(r"\bper (?:user|request|client|stream)\b", re.IGNORECASE)
_NEAR = 12  # characters


def trends(scene: Scene) -> Iterator[Found]:
    text = scene.sentence.text
    names = [m for m in scene.sentence.settings if m.value is None]
    valued: dict[str, list[Mention]] = {}
    for m in scene.sentence.settings:
        if m.value is not None:
            valued.setdefault(m.key, []).append(m)
    settings = names or [
        ms[0] for key, ms in valued.items()
        if len({m.value for m in ms}) >= 2 or len(scene.evidence.settings.get(key, ())) == 2
    ]  # fmt: skip
    if not settings or not scene.sentence.metrics or _EACH.search(text):
        return
    compared = {m.start() for m in THAN.finditer(text)}
    moves = [m for m in MOVES.finditer(text) if m.start() not in compared]
    setting = settings[0]
    about_setting = [m for m in moves if _nearer(m, setting, text)]
    about_metric = [m for m in moves if m not in about_setting]
    if not about_metric or (len(moves) > 1 and not about_setting):
        return
    move = about_metric[0]
    behind = [m for m in scene.sentence.metrics if 0 <= m.start - move.end() < _NEAR]
    metric = behind[0] if behind else scene.sentence.metrics[0]
    flip = any(m["down"] for m in about_setting) or bool(
        re.search(
            r"\b(?:lower|smaller|fewer|shorter|less|reduc(?:ing|ed)|decreas(?:ing|ed)|cutting)\s+"
            r"(?:\w+\s+){0,2}$",
            text[: setting.start],
            re.IGNORECASE,
        )
    )
    subject = scene.sentence.models[0].models if scene.sentence.models else scene.outer_models()
    about = Selector(
        subject, tuple(s for s in scene.context(keep=setting.key) if s[0] != setting.key)
    )
    name = setting.key
    if name == "concurrency" and name not in scene.evidence.settings:
        name = "request_rate"  # "as the load grows"
    levels = levels_of(scene.evidence, about, name, metric.keys)
    if len(levels) < 2:
        return
    first, last = levels[0][1], levels[-1][1]
    key = levels[0][2]
    shown = ", ".join(f"{s.name} {s.mean:.6g}" for _, s, _ in levels[:8])
    reason = f"{metric_label(key)} by {name}: {shown}"
    apart = told_apart(first, last)
    if apart is False:
        ends = [
            replace(about, settings=tuple(sorted((*about.settings, (name, f"{level:g}")))))
            for level in (levels[-1][0], levels[0][0])
        ]
        outcome = compare(scene.evidence, ends[0], ends[1], (key,))
        if outcome is not None and outcome.certain is None:
            apart = None  # the same way wherever all else is alike
    bound = Bound(about.label, key, "", None, setting.key)
    yield move.start(), move.end(), _moved(move, first, last, apart, reason, key, flip), bound


def _nearer(move: re.Match[str], setting: Mention, text: str) -> bool:
    """Whether a word of movement goes with the setting ("as num_ctx grows") and not the metric."""
    if move.end() <= setting.start and setting.start - move.end() < 12:
        return bool(GOES_WITH.search(text[: move.start()])) or move.start() < 3
    if move.start() >= setting.end and move.start() - setting.end < 16:
        return bool(WHILE.search(text[: setting.start]))
    return False


def _moved(
    move: re.Match[str],
    first: Side,
    last: Side,
    apart: bool | None,
    reason: str,
    key: str,
    flip: bool,
) -> Verdict:
    rising = last.mean > first.mean
    if move["flat"]:
        if apart is True:
            return Verdict("contradicted", reason, "it changes", "", "", first.places, "trend")
        return Verdict("supported" if apart is False else "unsupported", reason, kind="trend")
    up = (
        bool(move["up"])
        or bool(move["better"] and goodness(key) > 0)
        or bool(move["worse"] and goodness(key) < 0)
    )
    if flip:
        up = not up
    if apart is False:
        return Verdict("unsupported", f"cannot be told from chance; {reason}", kind="direction")
    if up == rising:
        return Verdict("supported", reason, None, reason, "", first.places, "direction")
    right = "it rises" if rising else "it falls"
    return Verdict("contradicted", reason, right, "", "", first.places, "direction")
