"""The project keeps its own rules."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import chimera
from tests.conftest import ROOT

MODULES = sorted((ROOT / "src").rglob("*.py"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT / "src").as_posix())
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text("utf-8")))


def test_version_is_the_same_everywhere() -> None:
    assert chimera.__version__ == PROJECT["project"]["version"]


def test_changelog_tells_what_is_new() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings
    assert headings[0].split()[0].strip("[]") in ("Unreleased", chimera.__version__)


@pytest.mark.parametrize("tool", ["check_sizes.py", "check_words.py"])
def test_check_passes(tool: str) -> None:
    done = run(sys.executable, ROOT / "tools" / tool)
    assert done.returncode == 0, done.stdout


def test_imports_point_one_way() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert command is not None
    done = run(command, "--no-cache")
    assert done.returncode == 0, done.stdout


def test_size_check_names_file_and_function(tmp_path: Path) -> None:
    folder = tmp_path / "src"
    folder.mkdir()
    body = "    pass\n" * 59
    (folder / "long.py").write_text(f"def short():\n    pass\n\n@x\ndef long():\n{body}", "utf-8")
    (folder / "longer.py").write_text("x = 1\n" * 400, "utf-8")
    done = run(sys.executable, ROOT / "tools" / "check_sizes.py", tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "src/long.py:5: long has 60 lines; a function stays under 60",
        "src/longer.py:1: 400 lines; a file stays under 400",
    ]


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("https://" + "pypi" + ".org/simple", True),
        ("https://files.python" + "hosted.org/packages", True),
        ("cd /" + "work/main", True),
        ("see /" + "home/anna/results", True),
        ("--index" + "-url https://example.test", True),
        ("a package on PyPI", False),
        ("example.test/" + "work/here and homework/root/", False),
        ("~/" + "work/models", False),
    ],
)
def test_word_check_knows_addresses_and_private_paths(
    tmp_path: Path, line: str, refused: bool
) -> None:
    (tmp_path / "notes.md").write_text(f"first\n{line}\n", "utf-8")
    done = run(sys.executable, ROOT / "tools" / "check_words.py", tmp_path)
    assert done.returncode == (1 if refused else 0)
    assert done.stdout.startswith("notes.md:2: ") == refused


@pytest.mark.parametrize("name", ["local", "dev", "benchmarks"])
def test_lock_has_hashes_and_says_not_where_from(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    pinned = re.findall(r"^[a-z0-9][\w.-]*==\S+.*(?:\n +--hash=\S+.*)*", text, re.MULTILINE)
    assert len(pinned) > 10
    assert all("--hash=sha256:" in block for block in pinned)
    assert "://" not in text


def test_lock_covers_what_pyproject_asks_for() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {
        "local": PROJECT["project"]["dependencies"] + extras["local"],
        "dev": extras["dev"],
        "benchmarks": extras["benchmarks"],
    }
    for lock, requirements in wanted.items():
        text = (ROOT / "requirements" / f"{lock}.txt").read_text("utf-8")
        pinned = set(re.findall(r"^([a-z0-9][\w.-]*)==", text, re.MULTILINE))
        names = {re.split(r"[<>=!~ \[;]", requirement)[0] for requirement in requirements}
        assert names <= pinned, f"requirements/{lock}.txt is behind: make lock"
