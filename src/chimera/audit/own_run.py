"""A record of the run that wrote a report: numbers of one call that fit each other.

"Throughput 41 tok/s, tokens 2322, evaluation 56 s" in one section is about the call that wrote the
report. The folder does not hold it, so it is not held against the folder.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from chimera.audit.claim import BAD, Claim
from chimera.audit.numbers import numbers_in

_TOLERANCE = 0.01
_RATES = ("decode_throughput", "token_rate", "wall_throughput", "output_throughput")
_TIMES = ("decode_time", "generation_time", "e2e_latency", "server_total", "duration")


def set_own_runs_apart(claims: Iterable[Claim]) -> list[Claim]:
    """The claims, with those of a section that is one call's own record labelled as that."""
    found = list(claims)
    sections: dict[str, list[Claim]] = {}
    for claim in found:
        if claim.kind == "number" and claim.bound is not None and not claim.bound.subject:
            sections.setdefault(claim.section, []).append(claim)
    apart: dict[int, Claim] = {}
    for own in sections.values():
        fit = _fitting(own)
        if fit is None:
            continue
        rate, how = fit
        for claim in own:
            if claim is rate:
                apart[id(claim)] = replace(
                    claim, label="derivable", reason=how, right=None, expression=how, places=()
                )
            elif claim.label in BAD or claim.label == "unsupported":
                reason = f"the record of one call that the data does not hold; it agrees: {how}"
                apart[id(claim)] = replace(
                    claim, label="unverifiable", reason=reason, right=None, places=()
                )
    return [apart.get(id(claim), claim) for claim in found]


def _fitting(claims: list[Claim]) -> tuple[Claim, str] | None:
    """A rate among claims that is tokens over time of others, and how; or None."""
    rates = [(c, v) for c in claims if (v := _value(c, _RATES)) is not None]
    tokens = [(c, v) for c in claims if (v := _value(c, ("output_tokens",))) is not None]
    times = [(c, v) for c in claims if (v := _value(c, _TIMES)) is not None]
    for rate, r in rates:
        for count, n in tokens:
            for time, t in times:
                if r and t and abs(n / t - r) <= _TOLERANCE * r:
                    return rate, f"{count.text} / {time.text}"
    return None


def _value(claim: Claim, metrics: tuple[str, ...]) -> float | None:
    if claim.bound is None or claim.bound.metric not in metrics:
        return None
    numbers = numbers_in(claim.text)
    return numbers[0].canonical if numbers else None
