"""Writing: a draft of all points in one call, two rounds of repair, and code's own words for the
rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chimera.agents.asking import Caller
from chimera.agents.calls import Call
from chimera.agents.cite.cards import Offer
from chimera.agents.cite.front import TOKENS_A_SENTENCE
from chimera.agents.cite.points import Point
from chimera.agents.cite.replies import sentences_of, sentences_schema
from chimera.agents.cite.verify import verify
from chimera.facts.text import Sentence

REPAIRS = 2
_SHOWN_REFUSED = 300
_UNASKED = "the model was not asked any more"


class Draft(msgspec.Struct):
    """What became of one point. ``tries`` are (sentence, reason) of each refused attempt.

    ``outcome`` is "accepted" (at once), "repaired" (after a refusal) or "replaced"; ``text`` is
    what the model wrote where it was accepted.
    """

    point: Point
    outcome: str
    sentence: Sentence
    tries: list[tuple[str, str]]
    text: str = ""


def write(
    caller: Caller,
    front: str,
    offer: Offer,
    points: Sequence[Point],
    *,
    purpose: str = "writing",
    repairs: int = REPAIRS,
    least: int = 0,
) -> list[Draft]:
    """A sentence for every point, in their order. Never raises because of the model.

    With fewer than ``least`` sentences accepted of the draft, none goes back for repair.
    """
    open_points = list(points)
    done: dict[str, Draft] = {}
    tries: dict[str, list[tuple[str, str]]] = {p.key: [] for p in points}
    seen: set[str] = set()
    for attempt in range(repairs + 1):
        if not open_points or caller.stopped():
            break
        task = _draft_task(open_points) if not attempt else _repair_task(open_points, tries)
        again = f"{purpose} again" if attempt else purpose
        call = _ask(caller, front + "\n\n" + task, offer, open_points, again)
        if call.error:
            for point in open_points:
                tries[point.key].append(("", f"the call failed: {call.error}"))
            break
        written = sentences_of(call.reply, [p.key for p in open_points])
        for point in open_points:
            text = written.get(point.key, "")
            verdict = verify(text, offer, point.refs, point.first)
            said = "" if verdict.spans is None else "".join(s.text for s in verdict.spans)
            if verdict.spans is not None and said not in seen:
                seen.add(said)
                key = point.finding.key if point.finding else ""
                sentence = Sentence(verdict.spans, "model", key)
                outcome = "repaired" if tries[point.key] else "accepted"
                done[point.key] = Draft(point, outcome, sentence, tries[point.key], text)
            else:
                reason = verdict.reason or "another sentence says exactly this"
                tries[point.key].append((text[:_SHOWN_REFUSED], reason))
        left = [p for p in open_points if p.key not in done]
        if len(done) < least or (attempt and len(left) == len(open_points)):
            break  # a model that has repaired nothing is not asked to try again
        open_points = left
    for point in open_points:
        tries[point.key] = tries[point.key] or [("", caller.over_budget or _UNASKED)]
        done[point.key] = Draft(point, "replaced", point.bound, tries[point.key])
    return [done[p.key] for p in points]


def _ask(caller: Caller, prompt: str, offer: Offer, points: Sequence[Point], purpose: str) -> Call:
    schema = sentences_schema([p.key for p in points], offer)
    call = Call(purpose=purpose, prompt=prompt, json_schema=schema)
    tokens = TOKENS_A_SENTENCE * len(points)
    if not caller.fits(call, tokens):
        call.error = call.error or "the prompt does not fit the context; give a larger num_ctx"
        caller.calls.append(call)
        return call
    return caller.ask(call, tokens)


def _shape(points: Sequence[Point]) -> str:
    return "{" + ", ".join(f'"{p.key}": "..."' for p in points) + "}"


def _draft_task(points: Sequence[Point]) -> str:
    lines = [
        "Write one sentence about each point, in your own words, for a reader who has to decide.",
        *(f"{p.key}) {p.told}" for p in points),
        "",
        f"Answer with JSON alone: {_shape(points)}",
        "",
    ]
    return "\n".join(lines)


def _repair_task(points: Sequence[Point], tries: dict[str, list[tuple[str, str]]]) -> str:
    lines = ["These sentences were refused. Write each of them again without the fault."]
    for point in points:
        text, reason = tries[point.key][-1]
        lines += [f"{point.key}) {point.told}", f"   refused: {text}", f"   because: {reason}"]
    lines += ["", f"Answer with JSON alone: {_shape(points)}", ""]
    return "\n".join(lines)
