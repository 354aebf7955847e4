"""The planned gaps between the tokens of one answer, in ns; the same seed gives the same gaps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from random import Random

from chimera.testing.mock_server.behaviour import Behaviour


def ns(milliseconds: float) -> int:
    return round(milliseconds * 1e6)


def token_gaps(behaviour: Behaviour, request: str) -> Iterator[int]:
    """An endless supply. ``request`` sets the streams of one seed apart from each other."""
    if behaviour.dist == "fixed" and not behaviour.jitter:
        return repeat(ns(behaviour.itl_ms))
    return _random_gaps(behaviour, Random(f"{behaviour.seed}/{request}"))  # noqa: S311 - no secret


def _random_gaps(behaviour: Behaviour, random: Random) -> Iterator[int]:
    mean = behaviour.itl_ms
    if behaviour.dist == "exp":
        while True:
            yield ns(random.expovariate(1.0) * mean)
    while True:
        yield ns(mean * (1.0 + random.uniform(-behaviour.jitter, behaviour.jitter)))
