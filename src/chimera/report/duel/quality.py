"""Which agent wrote the better report: what can be counted of it, never a model's opinion."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from chimera.agents.duel.figures import Figures
from chimera.agents.duel.turn import Turn
from chimera.agents.workflow import Work
from chimera.facts.book import FactBook
from chimera.facts.fact import Fact
from chimera.facts.text import Sentence
from chimera.report.build import build_report
from chimera.report.contract import words_of
from chimera.report.document import Report, Section
from chimera.report.sections.writing import Written
from chimera.report.walk import sentences
from chimera.stats.repeats import Measured, difference, level_for

_RUN_OF_WORDS = 3


class Quality(msgspec.Struct, frozen=True):
    """What was counted of one report.

    ``mentioned`` of ``important`` findings (severity high or medium) stand in its sentences.
    ``repeated`` is the share of its runs of three words that stood in it before. Words and
    sentences are those of the persona's own sections. A share is None without anything to share.
    """

    demands: int
    met: int
    sentences: int
    worded: int
    refused: int
    important: int
    mentioned: int
    repeated: float | None
    words: int


class Made(msgspec.Struct, frozen=True):
    """A report, its contract's results, who worded it, and what was counted of it."""

    work: Work
    report: Report
    contract: list[tuple[str, bool, Sentence]]
    written: Written
    quality: Quality


def made_of(work: Work) -> Made:
    """The report of an agent's work."""
    report, results, written = build_report(work)
    own = [s for s in report.sections if s.key in work.agent.persona.sections]
    wanted = {f.key for f in work.facts.findings if f.severity != "low"}
    said = {s.finding for section in own for s in sentences(section)}
    quality = Quality(
        demands=len(results),
        met=sum(1 for _, met, _ in results if met),
        sentences=written.total,
        worded=written.model,
        refused=written.refused,
        important=len(wanted),
        mentioned=len(wanted & said),
        repeated=repetition(own),
        words=words_of(own),
    )
    return Made(work, report, results, written, quality)


def repetition(own: Sequence[Section]) -> float | None:
    """The share of runs of three words that stood before; None for a text without any."""
    words = [w.lower() for section in own for s in sentences(section) for w in s.text.split()]
    runs = [tuple(words[i : i + _RUN_OF_WORDS]) for i in range(len(words) - _RUN_OF_WORDS + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else None


class Counted(msgspec.Struct, frozen=True):
    """One measure of a report: its name, unit and reading, and what a larger value means."""

    metric: str
    unit: str
    read: Callable[[Quality], float | None]
    more: str


COUNTED = (
    Counted("share of the contract's demands met", "ratio",
            lambda q: q.met / q.demands if q.demands else None, "more of its contract is met"),
    Counted("sentences worded by the model", "1", lambda q: q.worded,
            "the model worded more of it"),
    Counted("choices refused", "1", lambda q: q.refused,
            "more of the model's choices were refused"),
    Counted("share of the important findings mentioned", "ratio",
            lambda q: q.mentioned / q.important if q.important else None,
            "more of the important findings are in it"),
    Counted("share of repeated runs of words", "ratio", lambda q: q.repeated,
            "more of it stood there before"),
    Counted("words", "1", lambda q: q.words, "it is longer"),
)  # fmt: skip


class Qualities:
    """The counts of all reports of a duel, one of each agent in each phase together."""

    def __init__(self, figures: Figures, made: dict[int, Made]) -> None:
        self._figures = figures
        self._made = made

    @property
    def book(self) -> FactBook:
        """Where the facts are kept."""
        return self._figures.book

    def _known(self, agent: str, counted: Counted) -> list[tuple[Turn, float]]:
        return [
            (turn, float(value))
            for turn in self._figures.good(agent, "together")
            if turn.number in self._made
            and (value := counted.read(self._made[turn.number].quality)) is not None
        ]

    def mean(self, agent: str, counted: Counted) -> Fact:
        """The mean over an agent's reports."""
        known = self._known(agent, counted)
        return self._figures.values(
            (("agent", agent), ("setting", "report")), counted.metric, counted.unit,
            [((turn,), value) for turn, value in known], f"{counted.metric}, mean",
        )  # fmt: skip

    def between(self, a: str, b: str, counted: Counted) -> Fact:
        """B - a, paired by repeat; without any spread it has no interval."""
        left, right = self._known(a, counted), self._known(b, counted)
        test, why = difference(
            [Measured(v, t.repeat) for t, v in right], [Measured(v, t.repeat) for t, v in left],
            level_for(len(self._figures.names) - 1),
        ) if left and right else (None, "one of the two wrote no report")  # fmt: skip
        first, second = self.mean(a, counted), self.mean(b, counted)
        return self._figures.gap(
            (("agents", f"{b} - {a}"), ("setting", "report")),
            counted.metric, counted.unit, (first, second), test, why, min(len(left), len(right)),
        )  # fmt: skip
