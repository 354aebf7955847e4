"""What an installation without a clone gets, and the benchmarks start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from tests.conftest import ROOT


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(str(word) for word in words)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_wheel_holds_every_file_of_the_package_and_the_examples(
    tmp_path: Path, examples: Path
) -> None:
    built = run("-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path)
    assert built.returncode == 0, built.stderr
    with ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = set(wheel.namelist())
    places = ((ROOT / "src" / "chimera", "chimera"), (examples, "chimera/examples"))
    expected = {
        f"{prefix}/{path.relative_to(folder).as_posix()}"
        for folder, prefix in places
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert not sorted(expected - packed)


def test_ingest_benchmark_compares_with_bare_parsing(examples: Path) -> None:
    done = run("-m", "benchmarks.bench_ingest", examples, "--rounds", "1", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert rows[0]["what"] == "bare read and parse"
    assert any(row["what"].startswith("chimera: ingest") for row in rows)
