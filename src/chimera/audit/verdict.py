"""A verdict on one number, before it becomes a claim."""

from __future__ import annotations

import msgspec

from chimera.audit.binding import About
from chimera.audit.claim import Bound, Claim, Kind, Label, Place
from chimera.audit.numbers import Number
from chimera.record.vocabulary import metric_label


class Verdict(msgspec.Struct, frozen=True):
    """A label with its reason; see ``Claim`` for the fields."""

    label: Label
    reason: str
    right: str | None = None
    expression: str = ""
    warning: str = ""
    places: tuple[Place, ...] = ()
    kind: Kind | None = None
    metric: str = ""
    statistic: str = ""


Found = tuple[int, int, Verdict, "Bound | None"]  # start, end (in the sentence), ...


def bound_of(about: About, verdict: Verdict) -> Bound | None:
    """What a claim was bound to, for people and for the evaluation."""
    key = verdict.metric or (about.keys[0] if about.keys else "")
    if not key and not about.models:
        return None
    return Bound(
        subject=", ".join(sorted(about.models)),
        metric=key,
        statistic=about.statistic or verdict.statistic,
        unit=about.unit or None,
        filter=about.selector.filter,
    )


def kind_of(number: Number) -> Kind:
    """The kind of claim that a number is, if nothing tells more."""
    if number.high is not None:
        return "range"
    return "percent" if number.form in ("percent", "points") else "number"


def claim_of(
    number: Number, verdict: Verdict, text: str, start: int, section: str, bound: Bound | None
) -> Claim:
    """The claim of a number that stands in a text which begins at ``start`` of the report."""
    return Claim(
        start=start + number.start,
        end=start + number.end,
        text=text[number.start : number.end],
        kind=verdict.kind or kind_of(number),
        label=verdict.label,
        reason=verdict.reason,
        right=verdict.right,
        expression=verdict.expression,
        warning=verdict.warning,
        bound=bound,
        places=verdict.places,
        section=section,
    )


def metric_names(keys: tuple[str, ...]) -> str:
    """Metrics for people."""
    return metric_label(keys[0]) if keys else "a value"
