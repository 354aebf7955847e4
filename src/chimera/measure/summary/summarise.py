"""The summary of a run, whole or cut short."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chimera.measure.names import names_of
from chimera.measure.summary.comparing import compare
from chimera.measure.summary.configuration import summarise_configuration
from chimera.measure.summary.types import Options, Start, Summary
from chimera.measure.warnings import is_certain, warnings_of
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import Block, EngineStart, Request
from chimera.record.runfile import RunFile


def summarise(file: RunFile) -> Summary:
    """Everything that a run's records say about it."""
    run, end = file.run, file.end
    failed = [request for request in file.requests if request.error is not None]
    requests: dict[int, list[Request]] = {c.index: [] for c in run.configurations}
    blocks: dict[int, list[Block]] = {c.index: [] for c in run.configurations}
    for request in file.requests:
        requests[request.configuration].append(request)
    for block in file.blocks:
        blocks[block.configuration].append(block)
    names = names_of(run.configurations)
    configurations = tuple(
        summarise_configuration(run, c, names[c.index], requests[c.index], blocks[c.index])
        for c in run.configurations
        if requests[c.index] or not run.plan.slo  # a search tries only some
    )
    options = {c.index: c.options.as_set() for c in run.configurations}
    return Summary(
        run_id=run.id,
        model=run.model.name,
        engine=run.engine,
        requests=len(file.requests),
        failed=len(failed),
        planned=end.planned if end else len(file.requests),
        stopped=end.stopped if end else "killed",
        duration_s=end.end_ns / 1e9 if end else None,
        pressure=_pressure(file),
        configurations=configurations,
        starts=tuple(_start(s, file.requests, names, options) for s in file.starts),
        comparisons=compare(configurations, file.requests),
        failures=dict(Counter(r.error.error_class.value for r in failed if r.error)),
        client=end.client if end else None,
        instrument=run.instrument,
        certain=is_certain(file, configurations),
        warnings=warnings_of(file, configurations),
        notes=(*file.notes, *(end.notes if end else ())),
    )


def load_s(start: EngineStart) -> float | None:
    """Seconds in which the server loaded the model, as it says; None where it does not."""
    return None if start.server_load_ns is None else start.server_load_ns / 1e9


def _start(
    start: EngineStart,
    requests: Sequence[Request],
    names: dict[int, str],
    options: dict[int, Options],
) -> Start:
    own = start.configuration
    cold = (r for r in requests if r.configuration == own and r.phase == "cold")
    first = next((r for r in cold if r.start_ns >= start.start_ns), None)
    failure = start.error or (first.error if first else None)
    there = start.error is None
    return Start(
        configuration=own,
        name=names[own],
        options=options[own],
        load_s=load_s(start) if there else None,
        ttft_s=ttft_s(first) if there and first else None,
        error=failure.text if failure else None,
    )


def _pressure(file: RunFile) -> float | None:
    before = file.run.environment.pressure
    after = file.end.pressure if file.end else None
    if before is None or after is None or file.end is None or file.end.end_ns <= 0:
        return None
    return (after.total_us - before.total_us) * 1e3 / file.end.end_ns
