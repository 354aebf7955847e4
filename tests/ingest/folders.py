"""Small folders for the tests of ingest, and short ways to look at what became of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chimera.ingest import FileReport, Ingest, ingest_folder
from chimera.record.batch import Batch, Column

ROWS = (
    ("m:1b", 0.1312, 51.23),
    ("m:1b", 0.1478, 49.87),
    ("m:1b", 0.1295, 52.41),
    ("m:1b", 0.1523, 50.66),
)
CSV = "model,ttft_s,eval_rate\n" + "".join(f"{m},{t},{r}\n" for m, t, r in ROWS)


def read(folder: Path, **files: str | bytes) -> Ingest:
    """Write ``name__extension=content`` into ``folder`` and ingest it."""
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return ingest_folder(folder)


def only(result: Ingest) -> Batch:
    """The one batch of a folder."""
    assert len(result.batches) == 1, [f.reason for f in result.files]
    return result.batches[0]


def column(batch: Batch, key: str, statistic: str = "") -> Column:
    """The metric or parameter of that name, which must be there."""
    found = batch.column(key, statistic)
    assert found is not None, [(c.name, c.role, c.key) for c in batch.columns]
    return found


def values(batch: Batch, key: str, statistic: str = "") -> list[Any]:
    """Its values, in canonical units."""
    return column(batch, key, statistic).values


def kinds(result: Ingest, file: str = "") -> set[str]:
    """The kinds of the data notes, of one file or of all."""
    return {n.kind for n in result.notes if not file or n.file == file}


def outcome(result: Ingest, file: str) -> FileReport:
    """The report of a file."""
    return result.file(file)
