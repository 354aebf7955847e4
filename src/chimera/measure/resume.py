"""Going on with a run that was stopped: only if it is the same one."""

from __future__ import annotations

from collections.abc import Sequence

from chimera.errors import InputError
from chimera.measure.names import without_folder
from chimera.measure.plan import BenchPlan, load_of
from chimera.record.request import Block, ErrorClass, Request
from chimera.record.run import Run

_AGAIN = (ErrorClass.CANCELLED, ErrorClass.CONNECT)


def check_same(run: Run, blocks: Sequence[Block], plan: BenchPlan) -> None:
    """Raise InputError, naming the difference, unless ``plan`` is the plan of ``run``."""
    recorded = plan.recorded()
    pairs: dict[str, tuple[object, object]] = {
        "target": (run.target, without_folder(plan.target)),
        "workload": (run.workload.sha256, plan.workload.sha256),
        "configurations": (run.configurations, plan.configurations()),
        "repeats": (run.plan.repeats, recorded.repeats),
        "seed": (run.plan.order_seed, recorded.order_seed),
        "request": (run.plan.request, recorded.request),
        "limits": (run.plan.slo, recorded.slo),
    }
    sizes = {c.index: plan.block_size(load_of(c)) for c in plan.configurations()}
    first: dict[tuple[int, int], Block] = {}  # a block that was resumed has several
    for block in blocks:
        first.setdefault((block.configuration, block.repeat), block)
    planned = {(block.configuration, block.planned) for block in first.values()}
    if any(sizes.get(index) not in (None, count) for index, count in planned):
        pairs["requests of a block"] = (sorted(planned), sizes)
    other = [name for name, (before, now) in pairs.items() if before != now]
    if other:
        raise InputError(
            f"run {run.id} was another one: its {' and '.join(other)} differ; give the options "
            f"that it was begun with: {run.command}"
        )


def done_in_block(requests: list[Request], configuration: int, repeat: int) -> list[str]:
    """The prompts that a block has sent already.

    What was cancelled, or found no server, has to be sent again.
    """
    return [
        request.prompt_id
        for request in requests
        if request.configuration == configuration
        and request.repeat == repeat
        and (request.error is None or request.error.error_class not in _AGAIN)
    ]
