"""Writes docs/run-format.schema.json: the run file's lines as JSON Schema, made from the types.

python tools/run_schema.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from chimera.record.request import Block, EngineStart, Request, RunEnd, Watched
from chimera.record.runfile import FORMAT, VERSION, Header

PATH = Path(__file__).resolve().parent.parent / "docs" / "run-format.schema.json"
LINES = (EngineStart, Request, Block, Watched, RunEnd)


def schema() -> dict[str, Any]:
    """The schema of one line of a run file: "#/$defs/Header" the first, "#/$defs/Line" others."""
    references, parts = msgspec.json.schema_components(
        (Header, *LINES), ref_template="#/$defs/{name}"
    )
    header = dict(parts["Header"])
    # What the reader checks beyond the types.
    header["properties"] = header["properties"] | {
        "format": {"const": FORMAT},
        "version": {"type": "integer", "minimum": 1, "maximum": VERSION},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A line of a Chimera run file, version {VERSION}",
        "anyOf": [{"$ref": "#/$defs/Header"}, {"$ref": "#/$defs/Line"}],
        "$defs": dict(sorted(parts.items()))
        | {"Header": header, "Line": {"anyOf": list(references[1:])}},
    }


def text() -> str:
    """The schema as its file holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
