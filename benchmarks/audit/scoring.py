"""What an audit finds in the cases: by kind of mutation, and what it says of the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.audit.adapter import Found, Judge, Open
from benchmarks.audit.cases import BAD, GOOD, Case
from benchmarks.audit.mutations import MUTATIONS
from benchmarks.audit.world import Cell, World

STATISTICS = {
    "mean": {"mean", "average", "avg"},
    "median": {"median", "p50"},
    "deviation": {"deviation", "sd", "std", "stdev", "stddev"},
}


@dataclass
class KindScore:
    """``told_apart``: found, and the same place not flagged in the report before the mutation."""

    cases: int = 0
    found: int = 0
    told_apart: int = 0
    shapes: set[str] = field(default_factory=set)

    @property
    def recall(self) -> float | None:
        return self.found / self.cases if self.cases else None


@dataclass
class Score:
    """``elsewhere`` counts bad labels in true reports that overlap no claim of ours.

    ``alarms`` maps a family of statements to [true claims, false alarms]; ``stray`` are bad labels
    in mutated reports outside the sentence that is wrong.
    """

    kinds: dict[str, KindScore] = field(default_factory=dict)
    true_claims: int = 0
    false_alarms: int = 0
    elsewhere: int = 0
    supported: int = 0
    abstained: int = 0
    unnoticed: int = 0
    cells: int = 0
    bound: int = 0
    bound_right: int = 0
    right_bad: int = 0
    stray: int = 0
    alarms: dict[str, list[int]] = field(default_factory=dict)
    misses: list[tuple[str, str]] = field(default_factory=list)

    def recall(self, group: str) -> float | None:
        """Over all cases of the kinds of a group: numbers, relations, words, others."""
        chosen = [s for k, s in self.kinds.items() if MUTATIONS[k].group == group]
        cases = sum(s.cases for s in chosen)
        return sum(s.found for s in chosen) / cases if cases else None

    def apart(self, group: str) -> float | None:
        """As ``recall``, of those that are told apart from the truth."""
        chosen = [s for k, s in self.kinds.items() if MUTATIONS[k].group == group]
        cases = sum(s.cases for s in chosen)
        return sum(s.told_apart for s in chosen) / cases if cases else None

    @property
    def precision(self) -> float | None:
        flagged = self.right_bad + self.stray + self.false_alarms + self.elsewhere
        return self.right_bad / flagged if flagged else None

    @property
    def false_alarm_rate(self) -> float | None:
        return (self.false_alarms + self.elsewhere) / self.true_claims if self.true_claims else None


def overlaps(found: Found, start: int, end: int) -> bool:
    return found.start < end and found.end > start


def score(cases: Iterable[Case], open_judge: Open) -> Score:
    """Each folder is opened once; cases come in any order."""
    total = Score()
    judges: dict[str, Judge] = {}
    for case in cases:
        key = str(case.world.root)
        if key not in judges:
            judges[key] = open_judge(case.world.root)
        found = judges[key](case.text)
        if case.kind == "true":
            _score_true(total, case, found)
        else:
            before = judges[key](case.twin.text) if case.twin else []
            _score_mutated(total, case, found, before)
    return total


def is_found(case: Case, found: Sequence[Found]) -> bool:
    """Whether a claim that overlaps what is wrong has one of the labels that are right for it."""
    return any(
        f.label in case.labels and any(overlaps(f, *span) for span in case.wrong) for f in found
    )


def _score_mutated(
    total: Score, case: Case, found: Sequence[Found], before: Sequence[Found]
) -> None:
    kind = total.kinds.setdefault(case.kind, KindScore())
    kind.cases += 1
    kind.shapes.add(case.world.shape)
    if is_found(case, found):
        kind.found += 1
        kind.told_apart += case.twin is None or not is_found(case.twin, before)
    else:
        total.misses.append((case.kind, case.text[slice(*case.around)]))
    for claim in found:
        if claim.label in BAD:
            if overlaps(claim, *case.around):
                total.right_bad += 1
            else:
                total.stray += 1


def _score_true(total: Score, case: Case, found: Sequence[Found]) -> None:
    for claim in case.claims:
        near = [f for f in found if overlaps(f, claim.start, claim.end)]
        labels = {f.label for f in near}
        counts = total.alarms.setdefault(claim.family, [0, 0])
        total.true_claims += 1
        counts[0] += 1
        if labels & BAD:
            total.false_alarms += 1
            counts[1] += 1
            total.misses.append(("true", case.text[max(0, claim.start - 90) : claim.end + 40]))
        elif labels & GOOD:
            total.supported += 1
        elif labels:
            total.abstained += 1
        else:
            total.unnoticed += 1
        if claim.cell is not None:
            _score_bound(total, case.world, claim.cell, near)
    total.elsewhere += sum(
        f.label in BAD and not any(overlaps(f, c.start, c.end) for c in case.claims) for f in found
    )


def _score_bound(total: Score, world: World, cell: Cell, near: Sequence[Found]) -> None:
    total.cells += 1
    bound = [f for f in near if f.metric is not None and f.subject is not None]
    total.bound += bool(bound)
    total.bound_right += any(is_right_cell(world, cell, f) for f in bound)


def is_right_cell(world: World, cell: Cell, found: Found) -> bool:
    """Model, metric, statistic and, where the subject names settings, these too."""
    subject = (found.subject or "").casefold()
    names = (cell.model, *world.aliases.get(cell.model, ()))
    if not any(name.casefold() in subject for name in names):
        return False
    if found.metric not in cell.metric.accepted:
        return False
    alike = STATISTICS.get(cell.statistic, {cell.statistic})
    single = cell.n == 1 and cell.metric.unit != "s"  # one run's rate is its only value
    return single or (found.statistic or "").casefold() in alike
