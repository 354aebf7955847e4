"""The figures of duels whose every time is known, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from chimera.agents.duel.figures import CPU, DURATION, THROUGHPUT, TTFT, Figures, certain
from chimera.agents.duel.speedup import speedup_of
from tests.agents.duel.turns import duel

stats: Any = pytest.importorskip("scipy.stats")
ALONE = [(2.0, 4.0), (2.2, 4.1), (1.9, 4.2), (2.1, 3.9)]
TOGETHER = [(4.0, 5.0), (4.2, 5.3), (4.4, 5.1)]


def test_speedup_is_the_time_alone_in_turn_over_the_wall_time() -> None:
    found = speedup_of(Figures(duel(ALONE, TOGETHER)))
    assert found.alone.value == pytest.approx((6.0 + 6.3 + 6.1 + 6.0) / 4)
    assert found.wall.value == pytest.approx((5.0 + 5.3 + 5.1) / 3)
    assert found.speedup.value == pytest.approx(6.1 / (15.4 / 3))
    assert found.efficiency.value == pytest.approx(6.1 / (15.4 / 3) / 2)
    low, high = found.speedup.ci95 or (0, 0)
    assert low < 6.1 / (15.4 / 3) < high
    assert found.efficiency.ci95 == pytest.approx((low / 2, high / 2))


def test_the_earlier_formula_is_close_to_two_even_where_nothing_was_gained() -> None:
    slow = [(12.0, 12.2), (12.1, 12.0), (11.9, 12.3)]  # twice the time that both take in turn
    found = speedup_of(Figures(duel(ALONE, slow)))
    assert isinstance(found.earlier.value, float)
    assert isinstance(found.speedup.value, float)
    assert found.earlier.value == pytest.approx((24.2 / 12.2 + 24.1 / 12.1 + 24.2 / 12.3) / 3)
    assert found.earlier.value > 1.9
    assert found.speedup.value < 0.6


def test_efficiency_of_three_agents_is_a_third_of_the_speedup() -> None:
    found = speedup_of(Figures(duel([(1.0, 2.0, 3.0)] * 2, [(4.0, 4.0, 3.0)], names="ABC")))
    assert found.speedup.value == pytest.approx(6.0 / 4.0)
    assert found.efficiency.value == pytest.approx(0.5)


def test_a_turn_whose_model_failed_is_in_no_figure_and_counted() -> None:
    figures = Figures(duel(ALONE, TOGETHER, failed=frozenset({("B", 2)})))
    assert speedup_of(figures).wall.value == pytest.approx((5.0 + 5.1) / 2)
    fact = figures.mean("B", "together", DURATION)
    assert fact.value == pytest.approx(5.05)
    assert (fact.n, fact.n_failed) == (2, 1)
    assert figures.mean("A", "together", DURATION).n == 3


def test_without_a_whole_phase_there_is_no_speedup_and_the_reason_stands_there() -> None:
    lost = frozenset(("A", r) for r in (1, 2, 3))
    found = speedup_of(Figures(duel(ALONE, TOGETHER, failed=lost)))
    for fact in (found.speedup, found.efficiency, found.wall, found.earlier):
        assert fact.value is None
        assert fact.why_none
    assert found.alone.value == pytest.approx(6.1)


def test_below_three_repeats_nothing_has_an_interval() -> None:
    figures = Figures(duel(ALONE[:3], TOGETHER[:2]))
    found = speedup_of(figures)
    for fact in (
        found.speedup, found.efficiency, figures.lost("A", DURATION),
        figures.between("A", "B", "together", DURATION),
    ):  # fmt: skip
        assert fact.value is not None
        assert fact.ci95 is None
        assert "three" in fact.ci_why
        assert not certain(fact)


def test_a_loss_is_welchs_difference_of_together_and_alone() -> None:
    fact = Figures(duel(ALONE, TOGETHER)).lost("A", DURATION)
    a, b = [t for t, _ in ALONE], [t for t, _ in TOGETHER]
    theirs = stats.ttest_ind(b, a, equal_var=False).confidence_interval(0.95)
    assert fact.value == pytest.approx(sum(b) / 3 - sum(a) / 4)
    assert fact.ci95 == pytest.approx(tuple(theirs))
    assert certain(fact)


def test_b_minus_a_is_paired_by_repeat() -> None:
    fact = Figures(duel(ALONE, TOGETHER)).between("A", "B", "together", DURATION)
    gaps = [b - a for a, b in TOGETHER]
    theirs = stats.ttest_1samp(gaps, 0.0).confidence_interval(0.95)
    assert fact.value == pytest.approx(sum(gaps) / 3)
    assert fact.ci95 == pytest.approx(tuple(theirs))
    assert fact.n == 3


def test_processors_kept_busy_are_cpu_time_over_the_duration() -> None:
    figures = Figures(duel(ALONE, TOGETHER))
    assert figures.cores("A", "alone").value == pytest.approx(1.0)
    assert figures.mean("B", "alone", CPU).value == pytest.approx(4.05)


def test_every_fact_says_which_turns_it_is_from() -> None:
    figures = Figures(duel(ALONE, TOGETHER))
    for measure in (DURATION, TTFT, THROUGHPUT):
        (origin,) = figures.mean("B", "together", measure).origins
        rows = [figures.duel.turns[i] for i in origin.rows]
        assert {(t.agent, t.kind) for t in rows} == {("B", "together")}
        assert [t.repeat for t in rows] == [1, 2, 3]
        assert origin.column == measure.field
