"""The facts of a duel: each agent alone and together, and what they are to each other.

A value of a repeat is one workflow's. Every mean has Student's interval over the repeats, a
loss against alone is Welch's difference (the rounds alone lie between the phases together), a
difference B - A is paired by repeat. Nothing has an interval below three repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from chimera.agents.duel.contest import Duel
from chimera.agents.duel.turn import PHASES, PhaseName, Turn
from chimera.facts.book import FactBook
from chimera.facts.dataset import Subject
from chimera.facts.fact import Fact, Origin
from chimera.stats.compare import Difference, welch
from chimera.stats.describe import mean
from chimera.stats.repeats import FEW_REPEATS, LEAST_REPEATS, Measured, difference, level_for
from chimera.stats.repeats import mean_of as mean_of_repeats

RUN = "(this run)"  # what an audit takes for recorded by the run that wrote the report
SCOPE = "this duel"
Setting = Literal["alone", "together"]
SETTINGS: tuple[Setting, ...] = ("alone", "together")


class Measure(msgspec.Struct, frozen=True):
    """One figure of a turn: its metric, unit and how it is read; ``field`` is its JSON place."""

    metric: str
    unit: str
    field: str
    read: Callable[[Turn], float | None]
    missing: str = "the server does not tell it"


def _phase(name: PhaseName) -> Measure:
    return Measure(name, "s", f"phases_s/{name}", lambda turn: turn.phases_s.get(name))


DURATION = Measure("workflow duration", "s", "total_s", lambda t: t.total_s)
TTFT = Measure("TTFT", "s", "ttft_s", lambda t: t.ttft_s)
THROUGHPUT = Measure("decode throughput", "tokens/s", "throughput", lambda t: t.throughput)
OUTPUT = Measure("output tokens", "tokens", "output_tokens", lambda t: t.output_tokens)
PROMPT = Measure("prompt tokens", "tokens", "prompt_tokens", lambda t: t.prompt_tokens)
CACHED = Measure("prompt tokens from cache", "tokens", "cached_tokens", lambda t: t.cached_tokens)
CPU = Measure("engine CPU time", "s", "engine_cpu_s", lambda t: t.engine_cpu_s,
              "no process that this program started")  # fmt: skip
COMPARED = (DURATION, TTFT, THROUGHPUT)
MEASURES = (*COMPARED, CPU, OUTPUT, PROMPT, CACHED)
PHASE_MEASURES = tuple(_phase(name) for name in PHASES)


class Figures:
    """Facts of one duel in ``book``; each is made when it is asked for, and only once."""

    def __init__(self, duel: Duel, book: FactBook | None = None) -> None:
        self.duel = duel
        self.book = book or FactBook()
        self.names = [side.name for side in duel.plan.sides]

    # --- what was measured

    def good(self, agent: str, setting: Setting) -> list[Turn]:
        """The turns in which the model did its part."""
        return [t for t in self.duel.of(agent, setting) if not t.error]

    def failed(self, agent: str, setting: Setting) -> int:
        """How many turns had a model that did not."""
        return sum(1 for t in self.duel.of(agent, setting) if t.error)

    def mean(self, agent: str, setting: Setting, measure: Measure) -> Fact:
        """The mean of a figure over the repeats; a value of None says why."""
        known = self._known(agent, setting, measure)
        return self._mean(
            (("agent", agent), ("setting", setting)),
            measure.metric,
            measure.unit,
            [Measured(v, t.repeat) for t, v in known],
            self._origins([t for t, _ in known], measure.field),
            failed=self.failed(agent, setting),
            none=measure.missing if self.good(agent, setting) else "no turn was whole",
        )

    def lost(self, agent: str, measure: Measure) -> Fact:
        """What a figure is together minus alone."""
        both = [self._known(agent, s, measure) for s in SETTINGS]
        test, why = _welch(*([v for _, v in side] for side in both))
        return self.gap(
            (("agent", agent), ("setting", "together minus alone")),
            measure.metric,
            measure.unit,
            [self.mean(agent, s, measure) for s in SETTINGS],
            test,
            why,
            min(map(len, both)),
        )

    def cores(self, agent: str, setting: Setting) -> Fact:
        """The most processors that an agent's engine kept busy: CPU time over duration.

        The most and not the mean, as other programs can only take some of it away.
        """
        turns = [t for t in self.good(agent, setting) if t.engine_cpu_s is not None]
        busy = [(t.engine_cpu_s or 0.0) / t.total_s for t in turns]
        return self.book.add(
            (("agent", agent), ("setting", setting)), "processors kept busy", "max",
            max(busy, default=None), "ratio", scope=SCOPE, n=len(busy),
            origins=(*self._origins(turns, CPU.field), *self._origins(turns, DURATION.field)),
            expression="max(engine CPU time / workflow duration)",
            ci_why="not computed for this statistic",
            why_none="" if busy else CPU.missing,
        )  # fmt: skip

    def factor(self, agent: str, measure: Measure) -> Fact:
        """How many times as large a figure is together as alone."""
        alone, together = (self.mean(agent, s, measure) for s in SETTINGS)
        known = isinstance(alone.value, float) and isinstance(together.value, float)
        value = together.value / alone.value if known and alone.value else None  # type: ignore[operator]
        return self.book.add(
            (("agent", agent), ("setting", "together over alone")), measure.metric, "ratio", value,
            "ratio", scope=SCOPE, n=together.n, operands=(together, alone),
            origins=(*together.origins, *alone.origins),
            expression=f"{together.id} / {alone.id}", ci_why="a ratio of means, shown for its size",
            why_none="" if value is not None else "one of the two is not known",
        )  # fmt: skip

    def between(self, a: str, b: str, setting: Setting, measure: Measure) -> Fact:
        """The figure of b minus that of a, paired by repeat."""
        pairs = self.pairs(a, b, setting, measure)
        test, why = difference(
            [Measured(right, t.repeat) for t, _, right in pairs],
            [Measured(left, t.repeat) for t, left, _ in pairs],
            level_for(len(self.names) - 1),
        ) if pairs else (None, "there is no repeat in which both are known")  # fmt: skip
        means = [self.mean(n, setting, measure) for n in (a, b)]
        about = (("agents", f"{b} - {a}"), ("setting", setting))
        return self.gap(about, measure.metric, measure.unit, means, test, why, len(pairs))

    def pairs(
        self, a: str, b: str, setting: Setting, measure: Measure
    ) -> list[tuple[Turn, float, float]]:
        """(a turn of a, its value, that of b in the same repeat) where both are known."""
        left = {t.repeat: (t, v) for t, v in self._known(a, setting, measure)}
        right = {t.repeat: v for t, v in self._known(b, setting, measure)}
        return [(t, v, right[r]) for r, (t, v) in sorted(left.items()) if r in right]

    def count(self, about: Subject, metric: str, value: int, expression: str = "") -> Fact:
        """A count made on the duel itself."""
        return self.book.add(
            about, metric, "count", value, "1", scope=SCOPE, n=value, origins=(Origin(RUN, ""),),
            expression=expression or f"count({metric})",
        )  # fmt: skip

    def single(
        self,
        about: Subject,
        metric: str,
        value: float,
        unit: str,
        turns: Sequence[Turn],
        field: str,
    ) -> Fact:
        """A value of one moment, without any interval."""
        return self.book.add(
            about, metric, "value", value, unit, scope=SCOPE, n=1, flags=("n = 1",),
            origins=self._origins(turns, field), expression=f"{metric} as measured",
            ci_why="one value has no interval",
        )  # fmt: skip

    # --- their parts

    def _known(self, agent: str, setting: Setting, measure: Measure) -> list[tuple[Turn, float]]:
        turns = self.good(agent, setting)
        return [(t, float(v)) for t in turns if (v := measure.read(t)) is not None]

    def _origins(self, turns: Sequence[Turn], field: str) -> tuple[Origin, ...]:
        rows = tuple(t.number for t in turns)
        pointer = f"/duel/{self.duel.plan.scenario}/turns"
        return (Origin(RUN, "", rows, field, pointer),)

    def values(
        self, about: Subject, metric: str, unit: str,
        values: Sequence[tuple[Sequence[Turn], float]], how: str,
    ) -> Fact:  # fmt: skip
        """The mean over repeats of a value that several turns make together."""
        records = [Measured(v, turns[0].repeat) for turns, v in values]
        origins = self._origins([t for turns, _ in values for t in turns], "total_s")
        return self._mean(
            about, metric, unit, records, origins, how=how, none="no repeat was whole"
        )

    def _mean(
        self, about: Subject, metric: str, unit: str, records: list[Measured],
        origins: tuple[Origin, ...], *, failed: int = 0, none: str = "", how: str = "",
    ) -> Fact:  # fmt: skip
        if not records:
            return self.book.add(
                about, metric, "mean", None, unit, scope=SCOPE, n=0, n_failed=failed,
                origins=origins, why_none=none, expression=how or f"mean({metric})",
            )  # fmt: skip
        found = mean_of_repeats(records)
        return self.book.add(
            about, metric, "mean", found.value, unit, scope=SCOPE, n=len(records), n_failed=failed,
            origins=origins, ci95=found.ci95, ci_why=found.why,
            expression=(how or f"mean({metric})") + " over the repeats",
            flags=("n = 1",) if len(records) == 1 else (),
        )  # fmt: skip

    def gap(
        self, about: Subject, metric: str, unit: str, means: Sequence[Fact],
        test: Difference | None, why: str, n: int,
    ) -> Fact:  # fmt: skip
        """The second of two means minus the first, with the interval of ``test``."""
        first, second = (f.value for f in means)
        value: float | None = None
        if isinstance(first, int | float) and isinstance(second, int | float):
            value = second - first if test is None else test.value
        return self.book.add(
            about, metric, "difference", value, unit, scope=SCOPE, n=n,
            ci95=None if test is None else (test.low, test.high), ci_why=why, operands=means,
            origins=tuple(o for f in means for o in f.origins),
            expression=f"{means[1].id} - {means[0].id}",
            why_none="" if value is not None else "one of the two is not known",
        )  # fmt: skip


def _welch(a: Sequence[float], b: Sequence[float]) -> tuple[Difference | None, str]:
    """(mean of b minus mean of a, or None; why there is no interval)."""
    if min(len(a), len(b)) < LEAST_REPEATS:
        return None, FEW_REPEATS
    test = welch(a, b)
    return test, "" if test else "the values have no spread"


def certain(fact: Fact) -> bool:
    """Whether a difference's interval excludes zero."""
    return fact.ci95 is not None and (fact.ci95[0] > 0 or fact.ci95[1] < 0)


def mean_total(turns: Sequence[Turn]) -> float:
    """The mean duration of some turns, of one at least."""
    return mean([t.total_s for t in turns])
