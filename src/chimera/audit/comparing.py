"""Two sides, a ranking or a trend, by the data: which is more, and whether that is certain."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chimera.audit.claim import Place
from chimera.audit.evidence import Evidence, Selector, places_of
from chimera.facts.dataset import Members
from chimera.record.vocabulary import metric_better, metric_label
from chimera.stats.compare import Difference, stratified, welch
from chimera.stats.describe import mean

SPEEDS = (
    "decode_throughput", "token_rate", "wall_throughput", "output_throughput",
    "request_throughput", "e2e_latency", "generation_time", "tpot", "duration", "ttft",
)  # fmt: skip


class Side(msgspec.Struct, frozen=True):
    """One side of a comparison: its mean of a metric, and its single values where there are any.

    ``by_model`` holds the same values apart: sides of several models are compared model by model.
    """

    name: str
    mean: float
    values: tuple[float, ...]
    places: tuple[Place, ...]
    by_model: dict[str, list[float]] = {}


class Outcome(msgspec.Struct, frozen=True):
    """``sign`` of a - b, whether it is certain (an interval that excludes zero, or None where
    single figures are compared that have no interval), and how to say it.
    """

    key: str
    sign: int
    certain: bool | None
    text: str
    places: tuple[Place, ...]


def side_of(
    evidence: Evidence, about: Selector, key: str, name: str = "", statistic: str = ""
) -> Side | None:
    """A side's figure: of its warm records where there are any, or of a summary; or None."""
    members = evidence.members(about, key)
    warm: Members = [m for m in members if m[0].phase != "cold"]
    chosen = warm or members
    label = name or about.label + (f" at {about.filter}" if about.filter else "")
    if chosen:
        values = tuple(c.values[s.index] for s, c in chosen)
        by_model: dict[str, list[float]] = {}
        for (sample, _), value in zip(chosen, values, strict=True):
            by_model.setdefault(dict(sample.subject).get("model", ""), []).append(value)
        return Side(label, mean(values), values, places_of(chosen), by_model)
    summed = evidence.summaries(about, key)
    wanted = [s for s in summed if s.statistic == (statistic or "mean")]
    wanted = wanted or [s for s in summed if s.statistic in ("", "mean", "median")]
    wanted = wanted or summed
    if not wanted:
        return None
    own = wanted[0].statistic
    numbers = [s.value for s in wanted if s.statistic == own]
    return Side(label, mean(numbers), tuple(numbers), (wanted[0].place,))


def compare(
    evidence: Evidence, a: Selector, b: Selector, keys: Sequence[str], statistic: str = ""
) -> Outcome | None:
    """How two sides compare on the first metric that both have; None where none is."""
    for key in keys:
        one, two = (
            side_of(evidence, a, key, "", statistic),
            side_of(evidence, b, key, "", statistic),
        )
        if one is None or two is None:
            continue
        outcome = _outcome(key, one, two)
        if outcome.certain is False and not evidence.members(a, key):
            outcome = _pair_by_pair(evidence, a, b, key, outcome)
        return outcome
    return None


def _pair_by_pair(
    evidence: Evidence, a: Selector, b: Selector, key: str, pooled: Outcome
) -> Outcome:
    """Summaries of two sides, compared where all else is alike; certain where all pairs agree."""
    own = {
        k
        for k, v in (*a.settings, *b.settings)
        if (k, v) not in a.settings or (k, v) not in b.settings
    }
    sides: list[dict[tuple[tuple[str, str], ...], list[float]]] = []
    for about in (a, b):
        found: dict[tuple[tuple[str, str], ...], list[float]] = {}
        for summed in evidence.summaries(about, key):
            levels = evidence.row_levels(summed.batch, summed.row)
            rest = tuple(sorted((k, v) for k, v in levels.items() if k not in own))
            found.setdefault((*rest, ("statistic", summed.statistic)), []).append(summed.value)
        sides.append(found)
    gaps = [mean(sides[0][k]) - mean(sides[1][k]) for k in sides[0] if k in sides[1]]
    signs = {(g > 0) - (g < 0) for g in gaps}
    if len(gaps) < 2 or len(signs) != 1 or 0 in signs:
        return pooled
    sign = signs.pop()
    text = f"{metric_label(key)}: the same way in all {len(gaps)} settings that both have"
    return msgspec.structs.replace(pooled, sign=sign, certain=None, text=text)


def _outcome(key: str, one: Side, two: Side) -> Outcome:
    gap = one.mean - two.mean
    text = f"{metric_label(key)}: {one.name} {one.mean:.6g}, {two.name} {two.mean:.6g}"
    certain: bool | None = None
    if len(one.values) > 1 and len(two.values) > 1:
        difference = _difference(two, one)
        certain = difference is not None and difference.certain
        if difference is not None:
            low, high = difference.low, difference.high
            text += f" (difference {difference.value:.4g}, 95% {low:.4g} to {high:.4g})"
    sign = 0 if gap == 0 else 1 if gap > 0 else -1
    return Outcome(key, sign, certain, text, one.places + two.places)


def goodness(key: str) -> int:
    """1 where more is better, -1 where less is."""
    return -1 if metric_better(key) == "lower" else 1


def ranking(
    evidence: Evidence,
    scope: Sequence[Selector],
    names: Sequence[str],
    key: str,
    statistic: str = "",
) -> list[Side]:
    """The sides of a scope that have the metric, the largest first."""
    sides = [
        s
        for about, name in zip(scope, names, strict=True)
        if (s := side_of(evidence, about, key, name, statistic)) is not None
    ]
    return sorted(sides, key=lambda s: -s.mean)


def told_apart(first: Side, second: Side) -> bool | None:
    """Whether two sides differ for certain; None where single figures have no interval."""
    if len(first.values) > 1 and len(second.values) > 1:
        difference = _difference(first, second)
        return difference is not None and difference.certain
    return None


def _difference(first: Side, second: Side) -> Difference | None:
    """Second - first; model by model where both sides hold the same several models."""
    same = sorted(first.by_model.keys() & second.by_model.keys())
    if len(same) > 1:
        return stratified([first.by_model[m] for m in same], [second.by_model[m] for m in same])
    return welch(first.values, second.values)


def levels_of(
    evidence: Evidence, about: Selector, setting: str, keys: Sequence[str]
) -> list[tuple[float, Side, str]]:
    """(level, side, metric) of each numeric level of a setting, ascending, of the first metric
    that two levels or more have.
    """
    known = evidence.settings.get(setting, set())
    numeric = sorted({float(v) for v in known if _is_number(v)})
    rest = tuple(s for s in about.settings if s[0] != setting)
    for key in keys:
        found = []
        for level in numeric:
            own = msgspec.structs.replace(
                about, settings=tuple(sorted((*rest, (setting, f"{level:g}"))))
            )
            side = side_of(evidence, own, key, f"{setting}={level:g}")
            if side is not None:
                found.append((level, side, key))
        if len(found) >= 2:
            return found
    return []


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
