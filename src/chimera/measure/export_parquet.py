"""A run as Parquet: a row for each request, times of tokens as lists (extra ``parquet``).

Columns are the fields of ``Request``, those of its server and error parts under "server_" and
"error_", after what holds for the run and its configuration ("option_" and the option's name).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chimera.errors import MissingExtra
from chimera.record.request import Request
from chimera.record.run import Configuration
from chimera.record.runfile import RunFile

_TEXTS = (
    "run_id",
    "experiment",
    "model",
    "quantization",
    "engine",
    "engine_version",
    "target",
    "arrival",
    "prompt_id",
    "phase",
    "tokens_basis",
    "finish_reason",
    "stamped_by",
    "error_class",
    "error_text",
)
_FLAGS = ("reused", "reloaded")
_NUMBERS = ("request_rate",)
_LISTS = ("token_ns", "chunk_tokens")


def write_parquet(path: Path, file: RunFile) -> None:
    """Write the requests of a run.

    Raises:
        MissingExtra: pyarrow is not installed.
        OSError: the file cannot be written.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra(
            "Parquet needs the package pyarrow; get it with: pip install 'chimera-lab[parquet]'"
        ) from None
    configurations = {c.index: c for c in file.run.configurations}
    about = {c.index: _about(file, c) for c in configurations.values()}
    options = _option_columns(list(configurations.values()))
    rows = [
        about[request.configuration] | options[request.configuration] | _values(request)
        for request in file.requests
    ]
    kinds = {
        **dict.fromkeys(_TEXTS, pa.string()),
        **dict.fromkeys(_FLAGS, pa.bool_()),
        **dict.fromkeys(_NUMBERS, pa.float64()),
        **dict.fromkeys(_LISTS, pa.list_(pa.int64())),
    }
    columns = {}
    for name in _names(about, options):
        values = [row[name] for row in rows]
        kind = None if name.startswith("option_") else kinds.get(name, pa.int64())
        columns[name] = pa.array(values, type=kind)
    parquet.write_table(pa.table(columns), str(path))


def _names(*parts: dict[int, dict[str, Any]]) -> list[str]:
    """All columns in their order, also those of a run without requests."""
    names = {name: None for part in parts for values in part.values() for name in values}
    fields = [name for name in Request.__struct_fields__ if name not in ("server", "error")]
    return [*names, *fields, *_SERVER, *_ERROR]


_SERVER = tuple(f"server_{part}_ns" for part in ("load", "queue", "prefill", "decode", "total"))
_ERROR = ("error_class", "error_text", "error_http_status")


def _about(file: RunFile, configuration: Configuration) -> dict[str, Any]:
    run = file.run
    return {
        "run_id": run.id,
        "experiment": run.experiment,
        "model": run.model.name,
        "quantization": run.model.quantization,
        "engine": run.engine,
        "engine_version": run.engine_version,
        "target": run.target,
        "arrival": configuration.arrival,
        "concurrency": configuration.concurrency,
        "request_rate": configuration.request_rate,
    }


def _option_columns(configurations: list[Configuration]) -> dict[int, dict[str, Any]]:
    """Every option that any configuration sets; as text where they do not agree on its kind."""
    names = sorted({name for c in configurations for name in c.options.as_set()})
    columns: dict[int, dict[str, Any]] = {c.index: {} for c in configurations}
    for name in names:
        values = {c.index: c.options.as_set().get(name) for c in configurations}
        mixed = len({type(value) for value in values.values() if value is not None}) > 1
        for index, value in values.items():
            shown = str(value) if mixed and value is not None else value
            columns[index][f"option_{name}"] = shown
    return columns


def _values(request: Request) -> dict[str, Any]:
    values = msgspec.structs.asdict(request)
    server, error = values.pop("server"), values.pop("error")
    values |= {f"server_{name}": value for name, value in msgspec.structs.asdict(server).items()}
    values["error_class"] = error.error_class.value if error else None
    values["error_text"] = error.text if error else None
    values["error_http_status"] = error.http_status if error else None
    return values
