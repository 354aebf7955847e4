"""A run as a run of MLflow: params, metrics, tags and the run file (extra ``mlflow``).

A configuration's params and metrics stand under "configuration_N/". Metrics are over its
measured requests that succeeded, all prompts together; the artifact holds every request.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from statistics import fmean, median
from typing import Any

from chimera.errors import MissingExtra, OutputError
from chimera.measure.export import run_file_lines
from chimera.record.metrics.registry import METRICS
from chimera.record.run import Run
from chimera.record.runfile import RunFile
from chimera.store.contract import Store
from chimera.store.postgres import without_password

_AT_ONCE = 100  # params of one call; MLflow takes no more
# What we do not want of it by default: to tell its makers, or to try for minutes.
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


def export_to_mlflow(
    store: Store, run_id: str, uri: str, experiment: str, tags: Sequence[str]
) -> str:
    """Make a run in MLflow's ``experiment`` (made where missing); its id there.

    Raises:
        MissingExtra: mlflow is not installed.
        OutputError: the server cannot be reached, or refuses.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError:
        raise MissingExtra(
            "MLflow needs the package mlflow-skinny; get it with: pip install 'chimera-lab[mlflow]'"
        ) from None
    file = store.read(run_id)
    try:
        client = MlflowClient(tracking_uri=uri)
        return _export(client, store, file, experiment, tags)
    except (MlflowException, OSError) as error:
        said = " ".join(str(error).split()).replace(uri, without_password(uri))
        raise OutputError(f"cannot export to {without_password(uri)}: {said[:300]}") from None


def _export(client: Any, store: Store, file: RunFile, experiment: str, tags: Sequence[str]) -> str:
    found = client.get_experiment_by_name(experiment)
    place = found.experiment_id if found else client.create_experiment(experiment)
    begun = int(datetime.fromisoformat(file.run.zero_utc).timestamp() * 1000)
    ended = begun + (file.end.end_ns // 1_000_000 if file.end else 0)
    made = client.create_run(
        place, start_time=begun, run_name=file.run.id, tags=_tags(file.run, tags)
    )
    there: str = made.info.run_id
    try:
        _fill(client, there, store, file, ended)
    except BaseException:
        with suppress(Exception):
            client.delete_run(there)
        raise
    complete = file.end is not None and file.end.stopped == "complete"
    client.set_terminated(there, "FINISHED" if complete else "KILLED", end_time=ended)
    return there


def _fill(client: Any, there: str, store: Store, file: RunFile, ended: int) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(name, str(value)[:500]) for name, value in params_of(file.run).items()]
    for start in range(0, len(params), _AT_ONCE):
        client.log_batch(there, params=params[start : start + _AT_ONCE])
    metrics = [Metric(name, value, ended, 0) for name, value in metrics_of(file)]
    for start in range(0, len(metrics), _AT_ONCE):
        client.log_batch(there, metrics=metrics[start : start + _AT_ONCE])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.jsonl"
        with path.open("wb") as out:
            out.writelines(run_file_lines(store, file.run.id))
        client.log_artifact(there, str(path))


def _tags(run: Run, tags: Sequence[str]) -> dict[str, str]:
    return {
        "chimera.run_id": run.id,
        "chimera.version": run.code.version,
        "chimera.command": run.command[:5000],
        "chimera.experiment": run.experiment,
        "chimera.tags": ", ".join(tags)[:5000],
    }


def params_of(run: Run) -> dict[str, object]:
    """What was set, by name; what is unknown is left out."""
    params: dict[str, object] = {
        "target": run.target,
        "engine": run.engine,
        "engine_version": run.engine_version,
        "model": run.model.name,
        "quantization": run.model.quantization,
        "workload": run.workload.name,
        "load": run.plan.load,
        "repeats": run.plan.repeats,
        "seed": run.plan.order_seed,
        "cpu": run.environment.cpu_model,
    }
    params |= {f"request/{name}": value for name, value in run.plan.request.items()}
    params |= {f"slo/{name}": value for name, value in run.plan.slo.items()}
    for configuration in run.configurations:
        values = configuration.options.as_set() | {
            "arrival": configuration.arrival,
            "concurrency": configuration.concurrency,
            "request_rate": configuration.request_rate,
        }
        params |= {f"configuration_{configuration.index}/{k}": v for k, v in values.items()}
    return {_key(name): value for name, value in params.items() if value is not None}


def metrics_of(file: RunFile) -> Iterator[tuple[str, float]]:
    """Each metric of each configuration; the name ends in its unit and statistic."""
    for configuration in file.run.configurations:
        mine = [
            request
            for request in file.requests
            if request.configuration == configuration.index and request.phase == "measured"
        ]
        good = [request for request in mine if request.error is None]
        under = f"configuration_{configuration.index}"
        yield f"{under}/requests", float(len(mine))
        yield f"{under}/failed", float(len(mine) - len(good))
        for name, metric in METRICS.items():
            values = [value for value in map(metric, good) if value is not None]
            if values:
                yield f"{under}/{name}_mean", fmean(values)
                yield f"{under}/{name}_median", median(values)


def _key(name: str) -> str:
    """A name as MLflow takes it."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in name)[:250]
