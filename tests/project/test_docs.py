"""What the documentation says can be typed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chimera.cli.main import COMMANDS
from tests.conftest import ROOT
from tests.project.consoles import Console, consoles, fenced_blocks, run_console

DOCUMENTS = [
    path
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md"))]
    if path.exists()
]
CONSOLES = [console for document in DOCUMENTS for console in consoles(document)]


def _parameters() -> list[object]:
    return [
        pytest.param(
            console,
            id=f"{console.file.name}:{console.line}",
            marks=[pytest.mark.model] if console.needs_model else [],
        )
        for console in CONSOLES
        if console.chimera
    ]


@pytest.mark.parametrize("console", _parameters())
def test_each_console_example_runs(console: Console, examples: Path, tmp_path: Path) -> None:
    shutil.copytree(examples, tmp_path / "examples")
    run_console(console, tmp_path)


def test_each_make_target_named_in_an_example_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        (console.file.name, command.split()[1])
        for console in CONSOLES
        for command in console.commands
        if command.startswith("make ")
    }
    assert not [f"{file}: make {target}" for file, target in named if target not in targets]


def test_every_document_that_the_project_promises_exists() -> None:
    promised = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "docs/design.md")
    assert not [name for name in promised if not (ROOT / name).is_file()]


def _verbs_of_readme() -> set[str]:
    """Verbs after ``chimera`` where the README shows code, not where it tells a story."""
    readme = ROOT / "README.md"
    code = [line for _, _, body in fenced_blocks(readme) for line in body]
    code += re.findall(r"`([^`\n]+)`", readme.read_text("utf-8"))
    return {
        verb for line in code for verb in re.findall(r"^(?:\$ )?chimera ([a-z]+)\b", line.strip())
    }


def test_readme_and_program_have_the_same_commands() -> None:
    assert _verbs_of_readme() == set(COMMANDS)


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_every_command_explains_itself(verb: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chimera", verb, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: chimera {verb}")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    text = re.sub(
        r"^(`{3,}).*?^\1", "", document.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", text)
    local = [link for link in links if not re.match(r"[a-z]+:", link)]
    assert not [link for link in local if not (document.parent / link).exists()]
