"""The example that ships is a whole run, and its table is what the record says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chimera.measure.files import requests_csv
from chimera.measure.summary import summarise
from chimera.record.runfile import read_run


@pytest.fixture(scope="module")
def folder(examples: Path) -> Path:
    return examples / "gemma3-270m-cpu"


def test_the_run_is_whole(folder: Path) -> None:
    """Also the proof that files of this version stay readable."""
    file = read_run(folder / "run.jsonl")
    assert file.notes == ()
    summary = summarise(file)
    assert (summary.failed, summary.stopped) == (0, "complete")
    assert summary.requests == summary.planned
    cells = [cell for one in summary.configurations for cell in one.cells]
    assert min(cell.n for cell in cells) >= 5
    assert len(summary.starts) == len(file.run.configurations)


def test_the_table_is_derived_from_the_run(folder: Path) -> None:
    file = read_run(folder / "run.jsonl")
    assert (folder / "requests.csv").read_text(encoding="utf-8") == requests_csv(file)


def test_the_readme_has_the_command_that_was_given(folder: Path) -> None:
    command = read_run(folder / "run.jsonl").run.command
    assert command in (folder / "README.md").read_text(encoding="utf-8")


def test_nothing_of_the_machines_folders_or_name_is_in_it(folder: Path) -> None:
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?<![\w.])/(home|root|tmp|usr|work|Users)/", text), path.name
    host = read_run(folder / "run.jsonl").run.environment.host
    assert host is None or host.startswith("host-")
