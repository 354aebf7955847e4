"""Going on with a run that was stopped: only if it is the same one."""

from __future__ import annotations

from chimera.errors import InputError
from chimera.measure.names import without_folder
from chimera.measure.plan import BenchPlan
from chimera.record.request import ErrorClass, Request
from chimera.record.run import Run


def check_same(run: Run, plan: BenchPlan) -> None:
    """Raise InputError, naming the difference, unless ``plan`` is the plan of ``run``."""
    recorded = plan.recorded()
    pairs = {
        "target": (run.target, without_folder(plan.target)),
        "workload": (run.workload.sha256, plan.workload.sha256),
        "configurations": (run.configurations, plan.configurations()),
        "repeats": (run.plan.repeats, recorded.repeats),
        "seed": (run.plan.order_seed, recorded.order_seed),
        "request": (run.plan.request, recorded.request),
        "limits": (run.plan.slo, recorded.slo),
    }
    other = [name for name, (before, now) in pairs.items() if before != now]
    if other:
        raise InputError(
            f"run {run.id} was another one: its {' and '.join(other)} differ; give the options "
            f"that it was begun with: {run.command}"
        )


def done_in_block(requests: list[Request], configuration: int, repeat: int) -> list[str]:
    """The prompts that a block has sent already; what was cancelled has to be sent again."""
    return [
        request.prompt_id
        for request in requests
        if request.configuration == configuration
        and request.repeat == repeat
        and (request.error is None or request.error.error_class is not ErrorClass.CANCELLED)
    ]
