"""The folder that a bench leaves: requests.csv and environment.json beside run.jsonl."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from chimera.errors import OutputError
from chimera.measure.summary import load_s
from chimera.record.metrics.first_answer import first_answer_s
from chimera.record.metrics.registry import METRICS
from chimera.record.request import EngineStart, Request
from chimera.record.run import Configuration, Run
from chimera.record.runfile import RunFile

RUN_FILE = "run.jsonl"
REQUESTS_FILE = "requests.csv"
ENVIRONMENT_FILE = "environment.json"

COLUMNS = (
    "run_id",
    "model",
    "quantization",
    "engine",
    "engine_version",
    "num_ctx",
    "num_thread",
    "concurrency",
    "request_rate",
    "prompt_id",
    "repeat",
    "phase",
    "started_at",
    "prompt_tokens",
    "output_tokens",
    "ttft_s",
    "tpot_s",
    "e2e_latency_s",
    "load_s",
    "server_queue_s",
    "server_prefill_s",
    "server_decode_s",
    "server_total_s",
    "first_answer_s",
    "decode_tokens_per_s",
    "prefill_tokens_per_s",
    "finish_reason",
    "error",
)


def write_side_files(folder: Path, file: RunFile) -> None:
    """Write requests.csv and environment.json, each whole or not at all.

    Raises:
        OutputError: the folder cannot be written.
    """
    environment = msgspec.json.format(msgspec.json.encode(_environment(file)), indent=2)
    _write(folder / REQUESTS_FILE, requests_csv(file).encode())
    _write(folder / ENVIRONMENT_FILE, environment + b"\n")


def requests_csv(file: RunFile) -> str:
    """One row per request in the order of the run; an empty cell is a value that is missing.

    ``load_s`` of an engine's start stands on the cold request that followed it. Options that
    vary and have no column of their own get one.
    """
    configurations = {c.index: c for c in file.run.configurations}
    starts = {start.configuration: start for start in file.starts}
    out = io.StringIO()
    options = _option_names(file.run)
    columns = [*COLUMNS[: COLUMNS.index("concurrency")], *options]
    columns += COLUMNS[COLUMNS.index("concurrency") :]
    writer = csv.DictWriter(out, columns, lineterminator="\n")
    writer.writeheader()
    for request in file.requests:
        start = starts.pop(request.configuration, None) if request.phase == "cold" else None
        writer.writerow(_row(file.run, configurations[request.configuration], request, start))
    return out.getvalue()


def _option_names(run: Run) -> list[str]:
    """Options that vary within the run and have no column of their own."""
    set_ = [configuration.options.as_set() for configuration in run.configurations]
    names = dict.fromkeys(name for options in set_ for name in options)
    return [
        name
        for name in names
        if name not in COLUMNS and len({repr(options.get(name)) for options in set_}) > 1
    ]


def _row(
    run: Run, configuration: Configuration, request: Request, start: EngineStart | None
) -> dict[str, object]:
    values: dict[str, object] = {
        "run_id": run.id,
        "model": run.model.name,
        "quantization": run.model.quantization,
        "engine": run.engine,
        "engine_version": run.engine_version,
        "num_ctx": configuration.options.num_ctx,
        "num_thread": configuration.options.num_thread,
        "concurrency": configuration.concurrency,
        "request_rate": configuration.request_rate,
        "prompt_id": request.prompt_id,
        "repeat": request.repeat,
        "phase": request.phase,
        "started_at": _utc(run.zero_utc, request.start_ns),
        "prompt_tokens": request.prompt_tokens,
        "output_tokens": request.output_tokens,
        "load_s": load_s(start) if start else _seconds(request.server.load_ns),
        "server_queue_s": _seconds(request.server.queue_ns),
        "server_total_s": _seconds(request.server.total_ns),
        "first_answer_s": first_answer_s(request),
        "server_prefill_s": _seconds(request.server.prefill_ns),
        "server_decode_s": _seconds(request.server.decode_ns),
        "finish_reason": request.finish_reason,
        "error": request.error.error_class.value if request.error else None,
    }
    set_ = configuration.options.as_set()
    values |= {name: set_.get(name) for name in _option_names(run)}
    values |= {name: metric(request) for name, metric in METRICS.items()}
    # More digits than a clock of nanoseconds has would only look like knowledge.
    return {k: f"{v:.9g}" if isinstance(v, float) else v for k, v in values.items()}


def _seconds(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e9


def _utc(zero_utc: str, since_zero_ns: int) -> str:
    moment = datetime.fromisoformat(zero_utc) + timedelta(microseconds=since_zero_ns // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _environment(file: RunFile) -> dict[str, object]:
    end = file.end
    return {
        "run_id": file.run.id,
        "environment": file.run.environment,
        "after": {
            "pressure": end.pressure if end else None,
            "load_average": end.load_average if end else None,
        },
        "code": file.run.code,
        "engine": {"name": file.run.engine, "version": file.run.engine_version},
        "model": file.run.model,
        "command": file.run.command,
    }


def _write(path: Path, data: bytes) -> None:
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
