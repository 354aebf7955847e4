"""Writing: all files or none, on full disks, without permission, and when interrupted."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import chimera
from chimera.errors import OutputError
from chimera.report.writing import write_report

NEW = {"report.md": b"new\n", "report.html": b"<p>new</p>", "report.json": b"{}"}
OLD = {"report.md": b"old\n", "report.html": b"<p>old</p>"}
SOURCE = str(Path(chimera.__file__).parent.parent)


def content(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an earlier report."""
    made = tmp_path / "out"
    write_report(made, OLD)
    return made


def in_process(code: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run ``code`` with ``write_report`` in another process."""
    lead = "from chimera.report.writing import write_report\nfrom chimera.errors import *\n"
    return subprocess.run(
        [sys.executable, "-c", lead + code],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def test_files_are_written_in_a_new_folder(tmp_path: Path) -> None:
    paths = write_report(tmp_path / "a" / "b", NEW)
    assert paths == [tmp_path / "a" / "b" / name for name in NEW]
    assert content(tmp_path / "a" / "b") == NEW


def test_an_earlier_report_is_replaced_and_other_files_stay(folder: Path) -> None:
    (folder / "mine.txt").write_bytes(b"mine")
    write_report(str(folder), NEW)
    assert content(folder) == {**NEW, "mine.txt": b"mine"}


def test_files_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        [path] = write_report(tmp_path, {"a": b""})
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "../a", "a\0b"])
def test_only_plain_names_are_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="not a plain file name"):
        write_report(tmp_path / "out", {"a": b"", name: b""})
    assert not (tmp_path / "out").exists()


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"file")
    for target in (tmp_path / "out", tmp_path / "out" / "deeper"):
        with pytest.raises(OutputError, match="a file stands where a folder is needed") as error:
            write_report(target, NEW)
        assert "--output" in str(error.value)
    assert content(tmp_path) == {"out": b"file"}


def test_a_folder_where_a_file_should_be(folder: Path) -> None:
    (folder / "report.json").mkdir()
    with pytest.raises(OutputError, match=r"report\.json'.*a folder stands where"):
        write_report(folder, NEW)
    (folder / "report.json").rmdir()
    assert content(folder) == OLD


def test_a_name_too_long_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="shorter"):
        write_report(tmp_path / "a" / "b", {"a": b"", "x" * 300: b""})
    assert content(tmp_path) == {}


def test_a_limit_on_file_size_leaves_the_earlier_report(folder: Path) -> None:
    code = f"write_report({str(folder)!r}, {{'report.md': b'new', 'report.html': b'x' * 9999}})"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    done = in_process(code, preexec_fn=limit)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.search(r"OutputError: cannot write '.*/report\.html': File too large; raise", last)
    assert content(folder) == OLD


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if subprocess.run([mount, *options], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_leaves_the_earlier_report(small_disk: Path) -> None:
    write_report(small_disk, OLD)
    with pytest.raises(OutputError, match=r"report\.html': No space left.*free some space"):
        write_report(small_disk, {"report.md": b"new", "report.html": b"x" * 100_000})
    assert content(small_disk) == OLD


def test_a_read_only_disk(small_disk: Path) -> None:
    write_report(small_disk, OLD)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(OutputError, match="read-only"):
        write_report(small_disk, NEW)
    assert content(small_disk) == OLD


def test_a_folder_without_permission() -> None:
    # Not under tmp_path, which another user may not enter.
    place = Path("/tmp") / f"chimera-test-{os.getpid()}"
    place.mkdir(mode=0o755)
    try:
        write_report(place, OLD)
        place.chmod(0o555)
        root = os.geteuid() == 0
        code = f"write_report({str(place)!r}, {NEW!r})"
        if root:  # whom no permission stops
            code = "import os; import chimera.errors; os.setuid(65534)\n" + code
        done = in_process(code)
        assert "OutputError: cannot write" in done.stderr
        assert "Permission denied; choose another folder" in done.stderr
        assert content(place) == OLD
    finally:
        place.chmod(0o755)
        shutil.rmtree(place)


@pytest.mark.parametrize("presses", [1, 3])
def test_ctrl_c_in_the_middle(folder: Path, presses: int) -> None:
    code = f"""
import os, sys, time
slow = os.fsync
def fsync(handle):
    slow(handle)
    print("synced", flush=True)
    time.sleep(30)
os.fsync = fsync
from chimera.report.writing import write_report
write_report({str(folder)!r}, {NEW!r})
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": SOURCE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "synced\n"
    assert len(content(folder)) == 3  # the new file waits under a hidden name
    for _ in range(presses):
        process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    _, errors = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in errors
    assert process.returncode != 0
    assert content(folder) == OLD


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_leaves_one_report_or_the_other(tmp_path: Path) -> None:
    place = tmp_path / "out"
    seen = set()
    for stop in range(1, 400):
        shutil.rmtree(place, ignore_errors=True)
        write_report(place, OLD)
        if not interrupted(place, stop):
            break
        now = content(place)
        assert now in (OLD, {**OLD, **NEW}), f"interrupted after {stop} lines"
        seen.add(len(now))
    else:
        pytest.fail("it never came to an end")
    assert seen == {len(OLD), len(NEW)}


def interrupted(place: Path, stop: int) -> bool:
    """Write, with KeyboardInterrupt raised before the ``stop``-th line; False if it was done.

    Lines of the cleaning up do not count: there a real Ctrl-C waits.
    """
    lines = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.endswith("report/writing.py"):
            return None
        if frame.f_code.co_name in ("undo", "clean", "_uninterrupted"):
            return None
        if event == "line":
            lines += 1
            if lines == stop:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        write_report(place, NEW)
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return lines >= stop
