"""What people do with data frames today: read every file, take the mean of each column by model.

It keeps no sources, no units and no failures apart; it is here to compare the time, and each
library is used as its own documentation shows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MODEL_COLUMNS = ("model", "model_name", "model_id")


def pandas_reads(folder: Path) -> int:
    """Read with pandas; return how many tables had a model to group by."""
    import pandas as pd

    grouped = 0
    for path, kind in _paths(folder):
        try:
            if kind in ("csv", "tsv"):
                table = pd.read_csv(path, sep="\t" if kind == "tsv" else ",")
            elif kind == "json":
                table = pd.json_normalize(_rows(json.loads(path.read_bytes())))
            else:
                path.read_text("utf-8", "replace")
                continue
            model = next((c for c in MODEL_COLUMNS if c in table.columns), None)
            if model:
                table.groupby(model).mean(numeric_only=True)
                grouped += 1
        except Exception:  # noqa: BLE001 - a file that cannot be read is passed by
            continue
    return grouped


def polars_reads(folder: Path) -> int:
    """Read with polars; return how many tables had a model to group by."""
    import polars as pl
    import polars.selectors as cs

    grouped = 0
    for path, kind in _paths(folder):
        try:
            if kind in ("csv", "tsv"):
                table = pl.read_csv(
                    path,
                    separator="\t" if kind == "tsv" else ",",
                    infer_schema_length=None,
                    truncate_ragged_lines=True,
                )
            elif kind == "json":
                rows = _rows(json.loads(path.read_bytes()))
                table = pl.json_normalize(rows, infer_schema_length=None, strict=False)
            else:
                path.read_text("utf-8", "replace")
                continue
            model = next((c for c in MODEL_COLUMNS if c in table.columns), None)
            if model:
                table.group_by(model).agg(cs.numeric().mean())
                grouped += 1
        except Exception:  # noqa: BLE001 - a file that cannot be read is passed by
            continue
    return grouped


def _paths(folder: Path) -> Iterator[tuple[Path, str]]:
    for place, _, names in os.walk(folder):
        for name in names:
            yield Path(place, name), name.rpartition(".")[2].lower()


def _rows(document: Any) -> Any:
    """The first list of objects in a document: where most tools keep their rows."""
    if isinstance(document, dict):
        for value in document.values():
            if isinstance(value, list) and value and isinstance(value[0], dict):
                return value
    return document
