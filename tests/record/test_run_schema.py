"""docs/run-format.schema.json says what the types say, and real run files fit it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from chimera.measure.export import run_file_lines
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import ENDED, put
from tools.run_schema import text

Checks = dict[str, jsonschema.Draft202012Validator]


@pytest.fixture(scope="module")
def checks(root: Path) -> Checks:
    """A validator for the first line and one for the others."""
    schema = json.loads((root / "docs" / "run-format.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return {
        name: jsonschema.Draft202012Validator(schema | {"anyOf": [{"$ref": f"#/$defs/{name}"}]})
        for name in ("Header", "Line")
    }


def test_it_is_made_from_the_types(root: Path) -> None:
    kept = (root / "docs" / "run-format.schema.json").read_text("utf-8")
    assert kept == text(), "the types have changed: python tools/run_schema.py"


def check_all(checks: Checks, lines: list[Any]) -> None:
    checks["Header"].validate(lines[0])
    for line in lines[1:]:
        checks["Line"].validate(line)


def test_an_exported_run_fits(checks: Checks, tmp_path: Path) -> None:
    with open_store(str(tmp_path / "runs.db")) as store:
        put(store, sample_run("one"), ENDED)
        lines = [json.loads(line) for line in run_file_lines(store, "one")]
    assert {line.get("type") for line in lines} == {
        None, "start", "request", "block", "watched", "end",
    }  # fmt: skip
    check_all(checks, lines)


def test_the_example_fits(checks: Checks, examples: Path) -> None:
    for path in examples.glob("**/run.jsonl"):
        check_all(checks, [json.loads(line) for line in path.read_text("utf-8").splitlines()])


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Line", {"type": "riddle"}),
        ("Line", {"type": "watched", "t_ns": 1, "source": "cpu"}),
        ("Line", {"type": "watched", "t_ns": "1", "source": "cpu", "values": {}}),
        ("Line", {"type": "watched", "t_ns": 1, "source": "cpu", "values": {}, "more": 1}),
        ("Header", {"format": "other", "version": 2, "run": {}}),
        ("Header", {"format": "chimera-run", "version": 3, "run": {}}),
    ],
)
def test_what_the_reader_refuses_does_not_fit(
    checks: Checks, name: str, line: dict[str, Any]
) -> None:
    assert not checks[name].is_valid(line)
