"""What a writing model may cite: facts as cards, each with what a sentence must say about it.

A card knows whose value it is, of which metric, and what may be claimed with it. Names of the data
are letters in the prompt, so that a sentence can hold none that is not in the data.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import Literal

import msgspec

from chimera.facts import Facts
from chimera.facts.comparisons import Comparison
from chimera.facts.dataset import subject_label
from chimera.facts.fact import Fact
from chimera.facts.sweeps import Best, Effect
from chimera.facts.text import Num
from chimera.record.vocabulary import METRICS, metric_better, metric_label

Kind = Literal["subject", "configuration", "setting", "level"]
STATISTICS = ("mean", "median", "min", "max", "value")
_MARKS = frozenset(
    {"configuration", "compared with", "parameter", "from", "to", "a", "b", "first", "second"}
)
_OTHERS = frozenset({"file", "document", "line", "level", "reason", "flag", "note", "variant"})
UNSPOKEN = frozenset({"tokens", "duration", "loss"})  # what their files name so may be anything
_LONGEST_NAME = 60
_SHORTEST = 5  # characters of a reference, its F included


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that may be cited as ``{ref}``.

    ``kind`` is "value" (of ``names[0]``), "pair" (between ``names``, the first minus the second)
    or "change" (``names``: setting, from, to). ``who`` must be named as well, "" where nobody is.
    ``certain``: its interval excludes zero. ``ahead`` and ``larger`` are the side of a pair that is
    better, and the one with the larger value; "" where that is not so. ``highest``: code has found
    that no configuration has a larger value.
    """

    ref: str
    fact: Fact
    kind: Literal["value", "pair", "change"]
    names: tuple[str, ...]
    who: str = ""
    certain: bool = False
    ahead: str = ""
    larger: str = ""
    highest: bool = False


class Offer:
    """The cards and names that a model is shown, and what else code knows about them.

    ``names`` is text by letter, ``kinds`` what each letter is. ``tops`` are (metric, "ahead" or
    "behind") to the subject that is certainly so against every other one.
    """

    def __init__(self, facts: Facts | None = None) -> None:
        self.cards: dict[str, Card] = {}
        self.names: dict[str, str] = {}
        self.kinds: dict[str, Kind] = {}
        self.tops: dict[tuple[str, str], str] = {}
        self._by_fact: dict[str, str] = {}
        self._letters: dict[tuple[str, str], str] = {}
        self._known: dict[str, Card] = {}
        if facts is not None:
            self._learn(facts)

    def letter(self, text: str, kind: str) -> str:
        """The letter of a name, "" where it has none."""
        return self._letters.get((kind, text), "")

    def add(self, fact: Fact) -> Card | None:
        """The card of a fact, made if it can be cited; None if it cannot."""
        if fact.id in self._by_fact:
            return self.cards[self._by_fact[fact.id]]
        card = self._known.get(fact.id) or plain_card(fact)
        if card is None or not self._name(card):
            return None
        card = msgspec.structs.replace(card, ref=self._reference(fact))
        self.cards[card.ref] = card
        self._by_fact[fact.id] = card.ref
        return card

    def drop(self, ref: str) -> None:
        """Take a card back. Its names stay."""
        self._by_fact.pop(self.cards.pop(ref).fact.id)

    def know(self, card: Card) -> None:
        """Keep what is known about a fact until it is added."""
        self._known.setdefault(card.fact.id, card)

    def _reference(self, fact: Fact) -> str:
        ends = (n for n in range(_SHORTEST, len(fact.id)) if fact.id[:n] not in self.cards)
        return fact.id[: next(ends, len(fact.id))]

    def _name(self, card: Card) -> bool:
        """Give a letter to each name of a card; False where there are no more."""
        wanted = [(kind, text) for kind, text in named_by(card) if text]
        new = [w for w in dict.fromkeys(wanted) if w not in self._letters]
        free = [c for c in ascii_uppercase if c not in self.names]
        if len(new) > len(free):
            return False
        for (kind, text), letter in zip(new, free, strict=False):
            self._letters[kind, text] = letter
            self.names[letter] = text
            self.kinds[letter] = kind
        return True

    def _learn(self, facts: Facts) -> None:
        for comparison in facts.comparisons:
            for card in _compared(comparison):
                self.know(card)
        for sweep in facts.sweeps:
            for effect in sweep.effects:
                self.know(_change(effect))
            for best in sweep.best:
                for card in _leading(best):
                    self.know(card)
        self.tops = _tops(facts.comparisons)


def named_by(card: Card) -> list[tuple[Kind, str]]:
    """(kind, text) of each name that a card needs."""
    who: list[tuple[Kind, str]] = [("subject", card.who)]
    if card.kind == "change":
        setting, low, high = card.names
        return [*who, ("setting", setting), ("level", low), ("level", high)]
    kind: Kind = "configuration" if is_of_configurations(card) else "subject"
    return [*who, *((kind, name) for name in card.names)]


def is_of_configurations(card: Card) -> bool:
    """Whether a card's names are configurations and not subjects."""
    return "configuration" in card.fact.subject or "first" in card.fact.subject


def label_of(fact: Fact) -> str:
    """The subject of a fact for people, without configuration and the like; "" if nobody's."""
    rest = tuple((k, v) for k, v in fact.subject.items() if k not in _MARKS)
    return subject_label(rest) if rest else ""


def plain_card(fact: Fact) -> Card | None:
    """The card of a measured value; None for what no sentence could be checked about."""
    spoken = fact.metric in METRICS and fact.metric not in UNSPOKEN
    measured = spoken and fact.statistic in STATISTICS and fact.unit
    if not measured or not isinstance(fact.value, int | float) or _OTHERS & fact.subject.keys():
        return None
    who = label_of(fact)
    configuration = fact.subject.get("configuration")
    if _MARKS & fact.subject.keys() - {"configuration", "compared with"}:
        return None
    if configuration:
        return Card(ref="", fact=fact, kind="value", names=(configuration,), who=who)
    return Card(ref="", fact=fact, kind="value", names=(who,)) if who else None


def _compared(c: Comparison) -> list[Card]:
    if c.difference is None or c.mean_a is None or c.mean_b is None:
        return []
    names = (subject_label(c.a), subject_label(c.b))
    up = names if metric_better(c.metric) == "higher" else names[::-1]
    return [
        Card(
            ref="",
            fact=fact,
            kind="pair",
            names=names,
            certain=c.certain,
            ahead=names[0],
            larger=up[0],
        )
        for fact in (c.difference, c.ratio)
        if fact is not None
    ]


def _change(effect: Effect) -> Card:
    names = (effect.parameter, effect.low, effect.high)
    fact = effect.difference
    who = label_of(fact)
    return Card(ref="", fact=fact, kind="change", names=names, who=who, certain=effect.certain)


def _leading(best: Best) -> list[Card]:
    names, who = (best.first_label, best.second_label), label_of(best.gap)
    return [
        Card(
            ref="", fact=best.first, kind="value", names=names[:1], who=who, highest=True
        ),
        Card(ref="", fact=best.second, kind="value", names=names[1:], who=who),
        Card(
            ref="", fact=best.gap, kind="pair", names=names, who=who, certain=best.certain,
            ahead=names[0], larger=names[0],
        ),
    ]  # fmt: skip


def _tops(comparisons: list[Comparison]) -> dict[tuple[str, str], str]:
    """Who is certainly ahead of, or behind, every other one on a metric."""
    found: dict[tuple[str, str], str] = {}
    for metric in dict.fromkeys(c.metric for c in comparisons):
        pairs = [c for c in comparisons if c.metric == metric]
        subjects = {s for c in pairs for s in (c.a, c.b)}
        for subject in subjects:
            own = [c for c in pairs if subject in (c.a, c.b)]
            if len(own) < len(subjects) - 1 or not all(c.certain for c in own):
                continue
            if all(c.a == subject for c in own):
                found[metric, "ahead"] = subject_label(subject)
            if all(c.b == subject for c in own):
                found[metric, "behind"] = subject_label(subject)
    return found


def shown_name(text: str) -> str:
    """A name of the data as it stands in a prompt: one line, short, nothing that we read."""
    kept = "".join(c if c.isprintable() and c not in '{}"' else " " for c in text)
    kept = " ".join(kept.split())
    return kept if len(kept) <= _LONGEST_NAME else kept[: _LONGEST_NAME - 3] + "..."


def shown_card(card: Card, offer: Offer) -> str:
    """A card as a line of the prompt: reference, what it is, value, unit, interval, n, flags."""
    fact, what = card.fact, spoken_metric(card.fact.metric)
    letters = [f"{{{offer.letter(t, k)}}}" for k, t in named_by(card) if t]
    who = f"{letters.pop(0)}, " if card.who else ""
    if card.kind == "change":
        said = f"change in {what} of {who}{letters[0]} from {letters[1]} to {letters[2]}"
    elif card.kind == "pair":
        named = "ratio of larger to smaller" if fact.statistic == "ratio" else "difference"
        said = f"{named} in {what}, {who}{letters[0]} against {letters[1]}"
    else:
        scope = "" if fact.scope in ("all", "shared conditions") else f" ({fact.scope})"
        said = f"{fact.statistic} {what} of {who}{letters[0]}{scope}"
    parts = [Num(fact).text]
    if fact.ci95 is not None:
        parts.append(f"interval {Num(fact, 'ci_low').text} to {Num(fact, 'ci_high').text}")
    if fact.n is not None:
        parts.append(f"n = {fact.n}")
    if card.kind != "value" and fact.statistic != "ratio":
        parts.append("certain" if card.certain else "cannot be told apart")
    parts += [f for f in fact.flags if f != "derived"]
    return f"{{{card.ref}}} = {said}: {', '.join(parts)}"


def spoken_metric(metric: str) -> str:
    """A metric's name without a digit, as the model is to write it."""
    return metric_label(metric).replace("E2E", "end-to-end")
