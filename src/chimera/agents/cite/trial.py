"""Which grade a target can write in: a short trial on made-up facts, the same for every target.

Whatever it shows, no report can be wrong; it decides whether free sentences are worth their tokens.
"""

from __future__ import annotations

import time
from string import ascii_lowercase
from typing import Literal

import msgspec

from chimera.agents.asking import Caller
from chimera.agents.cite.cards import Card, Offer, named_by
from chimera.agents.cite.front import front_of
from chimera.agents.cite.points import Point
from chimera.agents.cite.writer import write
from chimera.engines.base import ModelIdentity
from chimera.engines.embedded_model import MODEL_SHA256
from chimera.facts.fact import Fact
from chimera.facts.text import Sentence, spans

LEAST = 2  # of the sentences below, written in words of its own
_PROMPT = "You write about measurements of language models."
_TOLD = (
    "{A} is faster than {B} in decode throughput: {Fa01} against {Fa02}, a difference of {Fa03}.",
    "{A} and {B} cannot be told apart in TTFT: a difference of {Fa04}.",
    "The median end-to-end latency of {A} is {Fa05}.",
    "{B} has a mean TTFT of {Fa06} on cold records.",
)
_REFS = (("Fa01", "Fa02", "Fa03"), ("Fa04",), ("Fa05",), ("Fa06",))


class Trial(msgspec.Struct, frozen=True):
    """How the trial went: sentences asked for, those that count, what it cost, and why it ended.

    ``accepted`` are sentences that the verifier passed and that are no copy of what was asked.
    """

    asked: int
    accepted: int
    output_tokens: int
    seconds: float
    error: str = ""

    @property
    def grade(self) -> Literal["choose", "cite"]:
        """The grade that the target is given."""
        return "cite" if self.accepted >= LEAST and not self.error else "choose"


def is_known_to_choose(model: ModelIdentity | None) -> bool:
    """Whether it is the embedded model, always the same file, which needs no trial: in ours it
    wrote no sentence that counts (benchmarks/README.md).
    """
    return model is not None and model.sha256 == MODEL_SHA256


def try_out(caller: Caller) -> Trial:
    """Let the target write four sentences. Never raises because of the model."""
    begun, before = time.perf_counter(), len(caller.calls)
    offer = _offer()
    points = [
        Point(key, None, frozenset(refs), Sentence(spans("none")), told)
        for key, refs, told in zip(ascii_lowercase, _REFS, _TOLD, strict=False)
    ]
    drafts = write(
        caller, front_of(_PROMPT, offer), offer, points, purpose="trial", repairs=1, least=1
    )
    own = [d for d in drafts if d.outcome != "replaced" and _plain(d.text) != _plain(d.point.told)]
    tokens = sum(c.output_tokens or 0 for c in caller.calls[before:])
    error = caller.error or caller.over_budget
    return Trial(len(points), len(own), tokens, time.perf_counter() - begun, error)


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum())


def _offer() -> Offer:
    a, b = "quartz:small", "basalt:large"
    pair = {"kind": "pair", "names": (a, b), "ahead": a}
    offer = Offer()
    for ref, metric, statistic, value, unit, scope, of, more in (
        ("Fa01", "decode_throughput", "mean", 61.25, "tokens/s", "all", a, {}),
        ("Fa02", "decode_throughput", "mean", 40.5, "tokens/s", "all", b, {}),
        ("Fa03", "decode_throughput", "difference", 20.75, "tokens/s", "all", "",
         {**pair, "certain": True, "larger": a}),
        ("Fa04", "ttft", "difference", -0.004, "s", "all", "", {**pair, "larger": b}),
        ("Fa05", "e2e_latency", "median", 2.25, "s", "all", a, {}),
        ("Fa06", "ttft", "mean", 3.5, "s", "cold", b, {}),
    ):  # fmt: skip
        fact = Fact(
            id=ref, subject={"model": of} if of else {"a": a, "b": b}, metric=metric,
            statistic=statistic, value=value, unit=unit, scope=scope, n=12,
            ci95=(value - 0.006, value + 0.006) if statistic == "difference" else None,
        )  # fmt: skip
        known = {"kind": "value", "names": (of,), **more}
        offer.know(msgspec.convert({"ref": "", "fact": fact, **known}, Card))
        offer.add(fact)
    assert [named_by(card) for card in offer.cards.values()]
    return offer
