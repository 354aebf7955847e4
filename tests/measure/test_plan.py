"""The grid, the order and the bytes that are sent are the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from chimera.errors import InputError
from chimera.measure.plan import BenchPlan, measured_steps
from chimera.measure.workload import BUILT_IN, Workload, WorkloadPrompt, built_in_workload

WORKLOAD = built_in_workload()


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


def test_the_built_in_prompts_never_change_unseen() -> None:
    """Changing a prompt makes new results incomparable with old ones: change this, too."""
    assert WORKLOAD.sha256 == "bb3e7084bdbc628c9b413817c0e6283110396ac7b0814b5da172d1aafb78a0e9"
    assert [p.id for p in WORKLOAD.prompts] == list(BUILT_IN)
    lengths = [len(p.text) for p in WORKLOAD.prompts]
    assert lengths == sorted(lengths)


def test_the_hash_covers_ids_texts_and_order() -> None:
    a, b = WorkloadPrompt("a", "x"), WorkloadPrompt("b", "y")
    hashes = {
        Workload("w", prompts).sha256
        for prompts in (
            (a, b),
            (b, a),
            (a,),
            (WorkloadPrompt("a", "y"), b),
            (WorkloadPrompt("c", "x"), b),
        )
    }
    assert len(hashes) == 5
    assert Workload("other", (a, b)).sha256 == Workload("w", (a, b)).sha256


def test_what_is_recorded_holds_no_text() -> None:
    recorded = WORKLOAD.recorded()
    assert recorded.sha256 == WORKLOAD.sha256
    assert [p.characters for p in recorded.prompts] == [len(p.text) for p in WORKLOAD.prompts]


@pytest.mark.parametrize("ids", [("shrt",), ()])
def test_an_unknown_prompt_names_what_there_is(ids: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="short, medium, long"):
        built_in_workload(ids)
