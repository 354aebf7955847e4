"""The order of a duel's phases, and what a scenario sets."""

from __future__ import annotations

import pytest

from chimera.agents.duel.plan import AS_GIVEN, SCENARIOS, Step, check, sides_of, steps_of
from chimera.engines.base import Options
from chimera.errors import InputError
from tests.agents.duel.turns import plan, sides


def test_every_phase_together_has_all_agents_alone_before_and_after_it() -> None:
    steps = [s for s in steps_of(plan(repeats=4)) if s.kind != "warm-up"]
    places = [i for i, s in enumerate(steps) if s.kind == "together"]
    assert [steps[i].repeat for i in places] == [1, 2, 3, 4]
    for i in places:
        assert {name for s in steps[i - 2 : i] for name in s.sides} == {"A", "B"}
        assert {name for s in steps[i + 1 : i + 3] for name in s.sides} == {"A", "B"}
        assert {s.kind for s in steps[i - 2 : i] + steps[i + 1 : i + 3]} == {"alone"}
        assert set(steps[i].sides) == {"A", "B"}


def test_the_order_is_drawn_anew_each_time_and_again_by_the_same_seed() -> None:
    def order(seed: int) -> list[Step]:
        return steps_of(plan(repeats=20, seed=seed))

    assert order(1) == order(1)
    assert order(1) != order(2)
    firsts = [s.sides[0] for s in order(1) if s.kind == "together"]
    assert {"A", "B"} == set(firsts)


def test_warm_up_is_apart_and_once_for_each_target_with_its_options() -> None:
    alike = steps_of(plan(warmup=2))
    assert [s.kind for s in alike[:3]] == ["warm-up", "warm-up", "alone"]
    assert sum(s.kind == "warm-up" for s in alike) == 2
    apart = (*sides("llamacpp"), *sides("llamacpp", "llamacpp", num_thread=1)[1:])
    assert sum(s.kind == "warm-up" for s in steps_of(plan(sides=apart))) == 2
    known = {("llamacpp", Options())}
    assert sum(s.kind == "warm-up" for s in steps_of(plan(sides=apart), known)) == 1


@pytest.mark.parametrize(
    ("scenario", "a", "b"),
    [
        ("baseline_vs_chimera", {}, {"num_thread": 2}),
        ("chimera_homo", {"num_thread": 2}, {"num_thread": 2}),
        ("chimera_hetero", {"num_thread": 2}, {"num_thread": 2, "num_batch": 64}),
        (AS_GIVEN, {}, {}),
    ],
)
def test_a_scenario_shares_out_the_cores(scenario: str, a: object, b: object) -> None:
    done = sides_of(scenario, sides("llamacpp", "ollama:m"), cores=4)
    assert [s.agent.options.as_set() for s in done] == [a, b]


def test_what_an_agent_sets_itself_stays_and_a_server_without_such_settings_gets_none() -> None:
    own = sides_of("chimera_homo", sides("llamacpp", "llamacpp", num_thread=3), cores=4)
    assert [s.agent.options.num_thread for s in own] == [3, 3]
    elsewhere = sides_of("chimera_hetero", sides("openai:m@http://h/v1", "llamacpp"), cores=1)
    assert elsewhere[0].agent.options == Options()
    assert elsewhere[1].agent.options.num_thread == 1


def test_three_agents_are_tuned_and_ordered_the_same_way() -> None:
    three = sides_of("baseline_vs_chimera", sides(*["llamacpp"] * 3), cores=6)
    assert [s.agent.options.num_thread for s in three] == [None, 2, 2]
    steps = steps_of(plan(sides=three, repeats=1))
    assert sorted(s.sides for s in steps if s.kind == "alone") == sorted(
        2 * [("A",), ("B",), ("C",)]
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sides": ()}, "2 to 8 agents"),
        ({"repeats": 0}, "1 repeat"),
        ({"most_findings": 0}, "1 finding"),
    ],
)
def test_what_cannot_be_done_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said):
        check(plan(**changes))


def test_an_unknown_scenario_is_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match="chimera_hetero"):
        sides_of("nonsense", sides("llamacpp", "llamacpp"), 2)
    assert len(SCENARIOS) == 3
