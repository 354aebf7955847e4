"""docs/run-format.md names every field of the format, and no field that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from chimera.record import environment, request, run, runfile

STRUCTS: dict[str, type[msgspec.Struct]] = {
    name: value
    for module in (run, request, environment)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, msgspec.Struct) and name != "Struct"
}


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs" / "run-format.md").read_text(encoding="utf-8")


def _fields(text: str, name: str) -> set[str]:
    """The first column of the table under a type's heading."""
    section = re.search(rf"^### {name}$(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, f"no heading for {name}"
    return set(re.findall(r"^\| `(\w+)` \|", section[1], re.MULTILINE))


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_every_field_is_described(text: str, name: str) -> None:
    assert _fields(text, name) == set(STRUCTS[name].__struct_fields__)


def test_every_error_class_is_described(text: str) -> None:
    assert {error.value for error in request.ErrorClass} == _fields(text, "ErrorClass")


def test_the_version_is_the_programs(text: str) -> None:
    assert f'"format": "{runfile.FORMAT}", "version": {runfile.VERSION}' in text
    assert max(map(int, re.findall(r"^- \*\*(\d+)\*\*", text, re.MULTILINE))) == runfile.VERSION
