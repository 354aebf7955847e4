"""The grid, the loads and the orders are the same for the same seed."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Any

import pytest

from chimera.errors import InputError
from chimera.measure.plan import BenchPlan, Load, block_order, block_prompts, options_of
from chimera.measure.workloads import open_workload
from chimera.record.run import Options

WORKLOAD = open_workload("built-in")


def plan(seed: int = 0, **changes: Any) -> BenchPlan:
    given: dict[str, Any] = {"grid": {"num_ctx": (1024, 4096), "num_thread": (1, 2)}} | changes
    return BenchPlan(target="llamacpp", workload=WORKLOAD, seed=seed, **given)


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


def test_every_point_of_the_grid_meets_every_load() -> None:
    loads = (Load("closed", 1), Load("closed", 8))
    found = plan(grid={"num_ctx": (512, 1024)}, loads=loads).configurations()
    assert [(c.options.num_ctx, c.concurrency) for c in found] == [
        (512, 1),
        (512, 8),
        (1024, 1),
        (1024, 8),
    ]


def test_what_is_not_asked_for_stays_unset() -> None:
    (only,) = BenchPlan(target="llamacpp", workload=WORKLOAD).configurations()
    assert only.options.as_set() == {"temperature": 0.0, "seed": 0}
    warm = plan(options=Options(temperature=0.7), grid={}).configurations()[0]
    assert warm.options.temperature == 0.7


def test_an_option_without_a_field_is_passed_on_by_its_name() -> None:
    (only,) = plan(grid={}, options=options_of({"mirostat": 2, "top_k": 5})).configurations()
    assert only.options.other == {"mirostat": 2}
    assert only.options.as_set()["mirostat"] == 2
    assert only.options.top_k == 5
    assert len({options_of({"mirostat": 2}), options_of({"mirostat": 2})}) == 1


@pytest.mark.parametrize("repeat", [1, 2, 3])
def test_each_repeat_has_every_configuration_once(repeat: int) -> None:
    assert sorted(block_order(plan(), 12, repeat)) == list(range(12))


def test_repeats_have_orders_of_their_own_and_the_seed_decides_them() -> None:
    orders = {tuple(block_order(plan(), 12, repeat)) for repeat in range(1, 6)}
    assert len(orders) == 5
    assert block_order(plan(1), 12, 1) == block_order(plan(1), 12, 1)
    assert block_order(plan(1), 12, 1) != block_order(plan(2), 12, 1)


def test_a_block_takes_every_prompt_before_any_comes_again() -> None:
    count = len(WORKLOAD.prompts)
    places = list(block_prompts(plan(), 0, 1, 2 * count + 1))
    assert Counter(places[:count]) == Counter(range(count))
    assert Counter(places[count : 2 * count]) == Counter(range(count))
    endless = block_prompts(plan(), 0, 1, None)
    assert list(islice(endless, 2 * count + 1)) == places


def test_the_shuffle_never_changes() -> None:
    """A recorded run can be repeated by any later version: these are its orders."""
    assert block_order(plan(), 5, 1) == EXPECTED_ORDER
    assert list(block_prompts(plan(), 0, 1, 6)) == EXPECTED_PROMPTS


EXPECTED_ORDER = [3, 1, 2, 4, 0]
EXPECTED_PROMPTS = [1, 0, 2, 0, 2, 1]


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, 3),
        ({"loads": (Load("closed", 8),)}, 16),
        ({"requests": 5}, 5),
        ({"seconds": 4.0}, None),
        ({"seconds": 4.0, "loads": (Load("poisson", None, 2.5),)}, 10),
        ({"loads": (Load("trace", None),)}, 3),
    ],
)
def test_the_size_of_a_block(changes: dict[str, Any], size: int | None) -> None:
    made = plan(**changes)
    assert made.block_size(made.loads[0]) == size


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grid": {"num_ctx": (0,)}}, "num_ctx must be at least 1"),
        ({"grid": {"num_ctx": (512, 512)}}, "num_ctx: a value stands twice in 512, 512"),
        ({"grid": {"num_ctx": ("big",)}}, "an option has a value that it cannot have"),
        ({"loads": (Load("closed", 0),)}, "a concurrency is from 1 to 65,535, not 0"),
        ({"loads": (Load("poisson", None, 0.0),)}, "a request rate is above 0"),
        ({"loads": (Load("closed", 2), Load("closed", 2))}, "a load stands twice"),
        ({"repeats": 0}, "repeats and max tokens must be at least 1"),
        ({"max_tokens": 0}, "repeats and max tokens must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        plan(**changes).configurations()
