"""Chimera's own run files: JSON lines, the first of which says ``"format": "chimera-run"``.

Each request becomes a row, its values under the names of ``requests.csv``, in seconds and
tokens; the row's number is its line. So does each block, in a table of its own, with the
throughputs of its requests together. ``chimera.record.runfile`` describes the format.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chimera.ingest.readers.base import Content, Reader, Tables
from chimera.ingest.tables import RawTable, flat_header
from chimera.record.metrics.block_throughput import (
    by_block,
    goodput_per_s,
    output_tokens_per_s,
    requests_per_s,
)
from chimera.record.metrics.decode_throughput import decode_tokens_per_s
from chimera.record.metrics.e2e_latency import e2e_latency_s
from chimera.record.metrics.first_answer import first_answer_s
from chimera.record.metrics.prefill_throughput import prefill_tokens_per_s
from chimera.record.metrics.tpot import tpot_s
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import Block, EngineStart, Request, RunEnd
from chimera.record.run import Run
from chimera.record.runfile import FORMAT, VERSION, Line

_LOOK = 200
_NAMED = f'"{FORMAT}"'
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class _Header(msgspec.Struct, frozen=True):
    format: str
    version: int
    run: Run


def _is_run(content: Content) -> bool:
    head = content.text[:_LOOK]
    return '"format"' in head and _NAMED in head


def read_chimera_run(content: Content) -> Tables:
    """(a table of requests and, where the run has them, one of blocks; why there is none).

    A run that was stopped keeps its rows and is noted; so is every line that is no record.
    """
    lines = content.text.split("\n")
    try:
        header = msgspec.json.decode(lines[0], type=_Header)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        return [], f"line 1 is no header of a run file: {error}"
    if not 1 <= header.version <= VERSION:
        return [], (
            f"version {header.version} of the run format is unknown to this program, which "
            f"reads up to {VERSION}; update chimera-lab"
        )
    requests: list[tuple[int, Request]] = []
    blocks: list[tuple[int, Block]] = []
    starts: dict[int, EngineStart] = {}
    bad: list[int] = []
    ended = False
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        try:
            record = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            bad.append(number)
            continue
        if isinstance(record, Request):
            requests.append((number, record))
        elif isinstance(record, Block):
            blocks.append((number, record))
        elif isinstance(record, EngineStart):
            starts.setdefault(record.configuration, record)
        elif isinstance(record, RunEnd):
            ended = True
    cut = bad[-1:] == [len(lines)]
    if cut:
        content.note("truncated", (bad.pop(),), detail=lines[-1][:80])
    if bad:
        content.note("bad-lines", tuple(bad), detail=lines[bad[0] - 1][:80])
    if not ended or cut:
        content.note("unfinished-run", (len(lines) if lines[-1] else len(lines) - 1,))
    if not requests:
        return [], "the file is empty: the run holds no request"
    tables = [_table(header.run, requests, starts)]
    return tables + ([_block_table(header.run, blocks, requests)] if blocks else []), ""


CHIMERA_RUN = Reader("Chimera run", _is_run, read_chimera_run)


def _table(
    run: Run, requests: list[tuple[int, Request]], starts: dict[int, EngineStart]
) -> RawTable:
    settings = _settings(run)
    limits = run.plan.request.get("max_tokens_by_prompt")
    rows: list[dict[str, Any]] = []
    for _, request in requests:
        start = starts.pop(request.configuration, None) if request.phase == "cold" else None
        rows.append(settings.get(request.configuration, {}) | _values(request, start))
        if isinstance(limits, dict):
            rows[-1]["max_tokens"] = limits.get(request.prompt_id)
    return _raw(run, rows, [number for number, _ in requests])


def _block_table(
    run: Run, blocks: list[tuple[int, Block]], requests: list[tuple[int, Request]]
) -> RawTable:
    settings, slo = _settings(run), run.plan.slo
    rows = [
        settings.get(block.configuration, {})
        | {
            "repeat": block.repeat,
            "output_tokens_per_s": output_tokens_per_s(block, own),
            "requests_per_s": requests_per_s(block, own),
        }
        | ({"goodput_requests_per_s": goodput_per_s(block, own, slo)} if slo else {})
        for block, own in by_block([b for _, b in blocks], [r for _, r in requests])
    ]
    return _raw(run, rows, [number for number, _ in blocks], of_blocks=True)


def _settings(run: Run) -> dict[int, dict[str, Any]]:
    """What was set, by configuration."""
    return {
        c.index: c.options.as_set() | {"concurrency": c.concurrency, "request_rate": c.request_rate}
        for c in run.configurations
    }


def _raw(
    run: Run, rows: list[dict[str, Any]], lines: list[int], of_blocks: bool = False
) -> RawTable:
    names = tuple({name: None for row in rows for name in row})
    columns = [[row.get(name) for row in rows] for name in names]
    constants = _constants(run)
    return RawTable(flat_header(names), columns, lines, constants=constants, of_blocks=of_blocks)


def _constants(run: Run) -> dict[str, Any]:
    """What holds for every request; names are those that columns have elsewhere."""
    gpus = run.environment.gpus
    asked = run.plan.request
    if "max_tokens_by_prompt" in asked:  # then it holds for no request but its own: a column
        asked = {k: v for k, v in asked.items() if not k.startswith("max_tokens")}
    return {
        "run_id": run.id,
        "model": run.model.name,
        "quantization": run.model.quantization,
        "engine": run.engine,
        "engine_version": run.engine_version,
        "workload": run.workload.name,
        "cpu": run.environment.cpu_model,
        "gpu": ", ".join(sorted({gpu.name for gpu in gpus})) if gpus else None,
        **asked,
    }


def _values(request: Request, start: EngineStart | None) -> dict[str, Any]:
    """One request in seconds and tokens; None for what was not measured.

    ``load_s`` stands on the cold request that paid the load.
    """
    load = start.server_load_ns if start else None
    return {
        "prompt_id": request.prompt_id,
        "repeat": request.repeat,
        "phase": request.phase,
        "prompt_tokens": request.prompt_tokens,
        "cached_tokens": request.cached_tokens,
        "output_tokens": request.output_tokens,
        "ttft_s": ttft_s(request),
        "tpot_s": tpot_s(request),
        "e2e_latency_s": e2e_latency_s(request),
        "load_s": _seconds(request.server.load_ns if load is None else load),
        "server_queue_s": _seconds(request.server.queue_ns),
        "server_total_s": _seconds(request.server.total_ns),
        "first_answer_s": first_answer_s(request),
        "server_prefill_s": _seconds(request.server.prefill_ns),
        "server_decode_s": _seconds(request.server.decode_ns),
        "decode_tokens_per_s": decode_tokens_per_s(request),
        "prefill_tokens_per_s": prefill_tokens_per_s(request),
        "finish_reason": request.finish_reason,
        "error": request.error.error_class.value if request.error else None,
    }


def _seconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / 1e9
