"""The analysis and the writing of a report in the grade ``cite``."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from chimera.agents.asking import Caller
from chimera.agents.cite.cards import Offer
from chimera.agents.cite.front import fitted
from chimera.agents.cite.points import points_of
from chimera.agents.cite.questions import Analysis, analyse
from chimera.agents.cite.writer import Draft, write
from chimera.facts import Facts
from chimera.facts.findings import Finding


class Cited(msgspec.Struct):
    """What the model wrote: ``drafts`` of findings and of what it asked for, ``why`` not more.

    ``names`` is what each letter stands for, ``analysis_s`` how long the analysis took, in seconds.
    """

    leading: list[Finding]
    drafts: list[Draft]
    analysis: Analysis
    names: dict[str, str]
    why: str = ""
    analysis_s: float = 0.0

    @property
    def on_questions(self) -> list[Draft]:
        """The sentences on what the model asked for."""
        return [d for d in self.drafts if d.point.finding is None]

    def count(self, outcome: str) -> int:
        """The sentences with this outcome."""
        return sum(1 for d in self.drafts if d.outcome == outcome)


def cite(
    caller: Caller,
    prompt: str,
    facts: Facts,
    shown: Sequence[Finding],
    places: int,
    say: Callable[[str], None],
) -> Cited:
    """Have the model choose what leads, ask, and write. Never raises because of the model.

    ``shown`` are the findings that the report has room for, ``places`` how many of them lead it.
    """
    begun = time.perf_counter()
    usual = list(shown[:places])
    offer = Offer(facts)
    done = Cited(usual, [], Analysis([], [], "", []), offer.names)
    points = points_of(shown, offer)
    if not points:
        done.why = "no finding of this data is one that a model could put in its own words"
        return done
    front, points, done.why = fitted(caller, prompt, facts, offer, points)
    if not points:
        return done
    say("analysis")
    done.analysis = analyse(caller, front, facts, offer, points, places)
    by_key = {p.key: p.finding for p in points}
    first = [f for key in done.analysis.order if (f := by_key[key]) is not None]
    done.leading = list({f.key: f for f in [*first, *usual]}.values())[:places]
    done.analysis_s = time.perf_counter() - begun
    say("writing")
    points += done.analysis.points(points, offer)
    done.drafts = write(caller, front + done.analysis.learnt, offer, points)
    return done
