"""The grid, the order and the bytes that are sent are the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from chimera.errors import InputError
from chimera.measure.plan import BenchPlan, measured_steps
from chimera.measure.workloads import Message, Workload, WorkloadPrompt, open_workload

WORKLOAD = open_workload("built-in")


def plan(seed: int = 0, repeats: int = 5) -> BenchPlan:
    return BenchPlan(
        target="llamacpp",
        workload=WORKLOAD,
        num_ctx=(1024, 4096),
        num_thread=(1, 2),
        repeats=repeats,
        seed=seed,
    )


def test_the_grid_is_every_value_with_every_other() -> None:
    options = [configuration.options for configuration in plan().configurations()]
    assert [(o.num_ctx, o.num_thread) for o in options] == [
        (1024, 1),
        (1024, 2),
        (4096, 1),
        (4096, 2),
    ]
    assert {o.temperature for o in options} == {0.0}
    assert [c.index for c in plan().configurations()] == [0, 1, 2, 3]


def test_what_is_not_asked_for_stays_unset() -> None:
    (only,) = BenchPlan(target="llamacpp", workload=WORKLOAD).configurations()
    assert only.options.as_set() == {"temperature": 0.0, "seed": 0}


def test_each_repeat_has_every_cell_once_in_an_order_of_its_own() -> None:
    steps = measured_steps(plan())
    rounds = [steps[i : i + 12] for i in range(0, len(steps), 12)]
    orders = [tuple((s.configuration, s.prompt.id) for s in one) for one in rounds]
    assert [{s.repeat for s in one} for one in rounds] == [{1}, {2}, {3}, {4}, {5}]
    assert all(set(Counter(order).values()) == {1} and len(order) == 12 for order in orders)
    assert len(set(orders)) == 5


def test_the_seed_decides_the_order() -> None:
    assert measured_steps(plan(1)) == measured_steps(plan(1))
    assert measured_steps(plan(1)) != measured_steps(plan(2))


@pytest.mark.parametrize(
    "bad",
    [
        {"num_ctx": (0,)},
        {"num_thread": (-1,)},
        {"num_ctx": (512, 512)},
        {"repeats": 0},
        {"max_tokens": 0},
    ],
)
def test_values_that_no_engine_takes(bad: dict[str, int]) -> None:
    with pytest.raises(InputError):
        BenchPlan(target="llamacpp", workload=WORKLOAD, **bad).configurations()  # type: ignore[arg-type]


def _of(*prompts: WorkloadPrompt) -> BenchPlan:
    return BenchPlan(target="llamacpp", workload=Workload("w", prompts, ("said",)), max_tokens=9)


def test_a_prompt_has_its_own_limit_or_the_plans() -> None:
    own, none = WorkloadPrompt(id="a", text="x", max_tokens=3), WorkloadPrompt(id="b", text="y")
    mixed = _of(own, none)
    assert (mixed.limit(own), mixed.limit(none)) == (3, 9)
    assert mixed.recorded().request["max_tokens"] is None
    assert mixed.recorded().request["max_tokens_by_prompt"] == {"a": 3, "b": 9}
    assert _of(own).recorded().request["max_tokens"] == 3
    assert "max_tokens_by_prompt" not in _of(none).recorded().request


def test_what_the_bench_does_not_do_is_said() -> None:
    plain = WorkloadPrompt(id="a", text="x")
    chat = WorkloadPrompt(id="b", messages=(Message("user", "x"),))
    bound = WorkloadPrompt(id="c", text="x", json_schema={"type": "object"})
    timed = WorkloadPrompt(id="d", text="x", at_s=0.0)
    assert _of(plain).notes() == ("said",)
    assert [len(_of(plain, odd).notes()) for odd in (chat, bound, timed)] == [2, 2, 2]
