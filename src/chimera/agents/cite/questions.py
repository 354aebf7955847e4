"""The analysis: which points lead, and which further facts the model asks for.

What may be asked is closed and typed: a metric, a subject, both, or two subjects compared. Each
question is answered from facts that code has computed; files are never opened for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

import msgspec

from chimera.agents.asking import Caller
from chimera.agents.calls import Call
from chimera.agents.cite.cards import Card, Offer, label_of, shown_card
from chimera.agents.cite.front import headline, metrics_of
from chimera.agents.cite.points import Point, asked_point
from chimera.agents.cite.replies import Plan, Question, plan_of, plan_schema
from chimera.facts import Facts
from chimera.facts.dataset import Subject, subject_label
from chimera.facts.fact import Fact

ROUNDS = 2
MOST_QUESTIONS = 3
_MOST_ANSWERS = 4  # facts that answer one question
_PLAN_TOKENS = 220


class Asked(msgspec.Struct):
    """One question, the cards that answer it, and why there are none ("" where there are)."""

    question: Question
    cards: list[Card]
    why: str = ""


class Analysis(msgspec.Struct):
    """``order`` are the keys of points as the model puts them, [] where it gave none.

    ``learnt`` is appended to the front of later prompts; ``refused`` says why replies did not
    count.
    """

    order: list[str]
    asked: list[Asked]
    learnt: str
    refused: list[str]

    def points(self, others: Sequence[Point], offer: Offer) -> list[Point]:
        """A point for each question that brought a fact of which no other point is."""
        taken = {ref for point in others for ref in point.refs}
        points: list[Point] = []
        for asked in self.asked:
            card = next((c for c in asked.cards if c.ref not in taken), None)
            if card is not None:
                taken.add(card.ref)
                key = ascii_lowercase[len(others) + len(points)]
                points.append(asked_point(key, card, offer))
        return points


def analyse(
    caller: Caller, front: str, facts: Facts, offer: Offer, points: Sequence[Point], places: int
) -> Analysis:
    """Ask what leads and what else is wanted; at most so many rounds. Never raises."""
    done = Analysis([], [], "", [])
    metrics = metrics_of(facts)
    for turn in range(ROUNDS):
        keys = [p.key for p in points] if not turn else []
        subjects = [letter for letter, kind in offer.kinds.items() if kind == "subject"]
        prompt = front + done.learnt + "\n\n" + _task(points, metrics, first=not turn)
        schema = plan_schema(keys, metrics, subjects, min(places, len(points)), MOST_QUESTIONS)
        call = Call(purpose="analysis", prompt=prompt, json_schema=schema)
        if not caller.fits(call, _PLAN_TOKENS):
            done.refused.append(call.error or "the analysis does not fit the context")
            break
        call = caller.ask(call, _PLAN_TOKENS)
        plan = None if call.error else plan_of(call.reply)
        if plan is None:
            done.refused.append(call.error or "the reply is no plan")
            break
        _take(plan, done, keys, facts, offer)
        if not any(a.cards for a in done.asked) or not plan.ask or caller.stopped():
            break
    return done


def _take(plan: Plan, done: Analysis, keys: list[str], facts: Facts, offer: Offer) -> None:
    done.order += [k for k in dict.fromkeys(plan.order) if k in keys]
    before = {(a.question.metric, a.question.about, a.question.against) for a in done.asked}
    lines = []
    for question in plan.ask[:MOST_QUESTIONS]:
        wanted = (question.metric, question.about, question.against)
        if wanted in before or not any(wanted):
            continue
        before.add(wanted)
        new = answer(question, facts, offer)
        done.asked.append(new)
        lines += [shown_card(card, offer) for card in new.cards]
    if lines:
        done.learnt += "\n" + "\n".join(lines)


def _task(points: Sequence[Point], metrics: Sequence[str], *, first: bool) -> str:
    may = (
        "You may ask for more facts: name a metric, a subject by its letter (about), or two to be "
        f"compared (about, against). Metrics: {', '.join(metrics)}. Ask for nothing if nothing is "
        "missing."
    )
    if not first:
        return f'{may}\nAnswer with JSON alone: {{"ask": []}}\n'
    lines = ["Points:", *(f"{p.key}) {p.told}" for p in points), ""]
    lines += ["Put first what a reader must know first.", may]
    shape = '{"order": ["a", "b"], "ask": [{"metric": "", "about": "", "against": ""}]}'
    return "\n".join([*lines, f"Answer with JSON alone: {shape}", ""])


def answer(question: Question, facts: Facts, offer: Offer) -> Asked:
    """The facts that a question asks for, as cards; no more than a few. Never raises."""
    unknown = [
        letter
        for letter in (question.about, question.against)
        if letter and offer.kinds.get(letter) != "subject"
    ]
    if unknown:
        return Asked(question, [], f"{unknown[0][:20]!r} is no subject")
    if question.metric and question.metric not in metrics_of(facts):
        return Asked(question, [], f"{question.metric[:40]!r} is no metric that was measured")
    about, against = (offer.names.get(x, "") for x in (question.about, question.against))
    found = (
        _between(facts, question.metric, about, against)
        if about and against
        else _values(facts, question.metric, about or against)
    )
    cards = [card for fact in found if (card := offer.add(fact)) is not None][:_MOST_ANSWERS]
    why = "" if cards else "no fact answers it" + (" under shared conditions" if against else "")
    return Asked(question, cards, why)


def _between(facts: Facts, metric: str, about: str, against: str) -> list[Fact]:
    wanted = {about, against}
    found: list[Fact] = []
    for c in facts.comparisons:
        if {subject_label(c.a), subject_label(c.b)} == wanted and metric in ("", c.metric):
            found += [f for f in (c.difference, c.mean_a, c.mean_b, c.ratio) if f is not None]
    return found


def _values(facts: Facts, metric: str, about: str) -> list[Fact]:
    found: list[Fact] = []
    statistics = ("mean", "median") if about or metric else ("mean",)
    for subject in _subjects(facts):
        if about and subject_label(subject) != about:
            continue
        for key in [metric] if metric else metrics_of(facts):
            for statistic in statistics:
                fact = headline(facts, subject, key, statistic)
                if fact is not None and label_of(fact):
                    found.append(fact)
    return found


def _subjects(facts: Facts) -> list[Subject]:
    return [p for s in facts.data.by_subject for p in facts.data.populations(s)]
