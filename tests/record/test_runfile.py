"""The run file: what is written is read, and what is broken is named with its line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.errors import FormatError, InputError, OutputError
from chimera.record.request import ErrorClass, Failure
from chimera.record.runfile import VERSION, RunFile, RunWriter, read_run
from tests.measure.samples import END, REQUEST, START, a_run

FAILED = msgspec.structs.replace(
    REQUEST, index=1, error=Failure(ErrorClass.TIMEOUT, "too slow"), output_tokens=None
)
ENDED = msgspec.structs.replace(END, requests=2, failed=1, planned=2)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole run file of five lines."""
    path = tmp_path / "run.jsonl"
    with RunWriter(path, a_run()) as writer:
        for line in (START, REQUEST, FAILED, ENDED):
            writer.add(line)
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_written_is_read(path: Path) -> None:
    file = read_run(path)
    assert file == RunFile(
        run=file.run, starts=(START,), requests=(REQUEST, FAILED), end=ENDED, notes=()
    )
    assert msgspec.structs.replace(file.run, environment=None) == msgspec.structs.replace(
        a_run(), environment=None
    )


def test_the_first_line_says_what_the_file_is(path: Path) -> None:
    header = lines(path)[0]
    assert (header["format"], header["version"]) == ("chimera-run", VERSION)
    assert [line["type"] for line in lines(path)[1:]] == ["start", "request", "request", "end"]


def test_each_line_is_on_disk_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunWriter(path, a_run()) as writer:
        assert path.read_bytes().count(b"\n") == 1
        writer.add(REQUEST)
        assert read_run(path).requests == (REQUEST,)


def test_a_kill_at_any_byte_loses_at_most_the_line_being_written(path: Path) -> None:
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    for cut in range(header, len(whole)):
        path.write_bytes(whole[:cut])
        file = read_run(path)
        complete = whole[:cut].count(b"\n") - 1
        assert len(file.starts) + len(file.requests) == complete
        assert file.end is None
        ended = whole[cut - 1 : cut] == b"\n"
        assert any("cut off" in note for note in file.notes) is not ended
        assert any("no end line" in note for note in file.notes)


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[]\n", b"half a li", b"\xff\xfe\n"])
def test_another_file_is_no_run_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.jsonl:1: not a run file"):
        read_run(path)


def _no_option(line: dict[str, Any]) -> None:
    line["surprise"] = 1


def _without_index(line: dict[str, Any]) -> None:
    del line["index"]


def _text_for_a_number(line: dict[str, Any]) -> None:
    line["end_ns"] = "soon"


def _unknown_error(line: dict[str, Any]) -> None:
    line["error"] = {"error_class": "gremlins", "text": ""}


def _no_such_configuration(line: dict[str, Any]) -> None:
    line["configuration"] = 9


def _unknown_type(line: dict[str, Any]) -> None:
    line["type"] = "riddle"


def _twice(line: dict[str, Any]) -> None:
    line["index"] = 1


@pytest.mark.parametrize(
    "harm",
    [
        _no_option,
        _without_index,
        _text_for_a_number,
        _unknown_error,
        _no_such_configuration,
        _unknown_type,
    ],
)
def test_a_broken_line_is_named(path: Path, harm: Callable[[dict[str, Any]], None]) -> None:
    content = lines(path)
    harm(content[2])
    path.write_text("".join(json.dumps(line) + "\n" for line in content))
    with pytest.raises(FormatError, match=r"run\.jsonl:3: \w+"):
        read_run(path)


def test_a_broken_line_in_the_middle_is_not_taken_for_a_cut(path: Path) -> None:
    content = path.read_bytes().split(b"\n")
    content[2] = content[2][:30]
    path.write_bytes(b"\n".join(content))
    with pytest.raises(FormatError, match=r"run\.jsonl:3"):
        read_run(path)


def test_a_request_stands_once(path: Path) -> None:
    content = lines(path)
    _twice(content[2])
    path.write_text("".join(json.dumps(line) + "\n" for line in content))
    with pytest.raises(FormatError, match=r"run\.jsonl:4: request 1 stands twice"):
        read_run(path)


@pytest.mark.parametrize("counts", [{"requests": 3}, {"failed": 0}])
def test_the_end_line_counts_right(path: Path, counts: dict[str, int]) -> None:
    content = lines(path)
    content[-1] |= counts
    path.write_text("".join(json.dumps(line) + "\n" for line in content))
    with pytest.raises(FormatError, match=r"run\.jsonl:5: the end line counts"):
        read_run(path)


def test_nothing_follows_the_end(path: Path) -> None:
    content = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*content, content[2]]))
    with pytest.raises(FormatError, match=r"run\.jsonl:6: a line after the end line"):
        read_run(path)


@pytest.mark.parametrize(
    ("version", "said"), [(VERSION + 1, "newer than this program"), (0, "no version 0")]
)
def test_another_version(path: Path, version: int, said: str) -> None:
    content = lines(path)
    content[0] = {"format": "chimera-run", "version": version, "run": {"of": "another shape"}}
    path.write_text("".join(json.dumps(line) + "\n" for line in content))
    with pytest.raises(FormatError, match=said):
        read_run(path)


def test_a_missing_file_is_the_users_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        read_run(tmp_path / "none.jsonl")


def test_a_run_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InputError, match="holds a run already"):
        RunWriter(path, a_run())
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot write"):
        RunWriter(tmp_path / "none" / "run.jsonl", a_run())


@pytest.mark.parametrize(("limit", "kept"), [(100, None), (6000, True)])
def test_a_full_disk_keeps_what_was_written(
    tmp_path: Path, limit: int, kept: bool | None, root: Path
) -> None:
    code = """
import resource, sys
from pathlib import Path
from chimera.errors import OutputError
from chimera.record.runfile import RunWriter
from tests.measure.samples import REQUEST, a_run
import msgspec
run = a_run()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    with RunWriter(Path(sys.argv[1]), run) as writer:
        for index in range(100):
            writer.add(msgspec.structs.replace(REQUEST, index=index))
except OutputError as error:
    print(error)
"""
    path = tmp_path / "run.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(limit)],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    assert "the disk is full" in done.stdout
    assert path.exists() is bool(kept)
    if kept:
        file = read_run(path)
        assert [request.index for request in file.requests] == list(range(len(file.requests)))
        assert len(file.requests) > 1
