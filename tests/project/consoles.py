"""Finds and runs the shell examples of the documentation.

A fenced block tagged ``console`` is a promise: each of its lines that starts with ``$ chimera``
is run, in a folder that holds a copy of the examples, and must end with exit code 0. The other
lines are what it printed and are not compared. A block tagged ``text`` is never run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})[ ]*(\S*)")
# These verbs ask the embedded model unless told not to.
MODEL_VERBS = {"report", "demo", "bench", "duel"}


@dataclass(frozen=True)
class Console:
    """The commands of one ``console`` block, in order; ``line`` is where the block opens."""

    file: Path
    line: int
    commands: tuple[str, ...]

    @property
    def chimera(self) -> tuple[str, ...]:
        """Only the commands that run ``chimera``."""
        return tuple(c for c in self.commands if re.match(r"chimera\b", c))

    @property
    def needs_model(self) -> bool:
        """Whether any of them asks the embedded model."""
        return any(_asks_model(command) for command in self.chimera)


def consoles(file: Path) -> list[Console]:
    """Every ``console`` block of a Markdown file."""
    return [
        Console(file, line, tuple(_commands(body)))
        for tag, line, body in fenced_blocks(file)
        if tag == "console"
    ]


def fenced_blocks(file: Path) -> list[tuple[str, int, list[str]]]:
    """The tag, the line and the body of each fenced block of a Markdown file."""
    blocks: list[tuple[str, int, list[str]]] = []
    fence, body = "", []
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        opening = _FENCE.match(text)
        if fence:
            if opening and opening[1].startswith(fence) and not opening[2]:
                fence = ""
            else:
                body.append(text)
        elif opening:
            fence, body = opening[1], []
            blocks.append((opening[2], number, body))
    return blocks


def run_console(console: Console, folder: Path) -> None:
    """Run the block's ``chimera`` commands in ``folder``; fail on the first that fails."""
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"]}
    for command in console.chimera:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, (
            f"{console.file.name}:{console.line}: $ {command}\n"
            f"ended with exit code {done.returncode}\n{done.stdout}{done.stderr}"
        )


def _commands(body: list[str]) -> list[str]:
    """The lines after a ``$``, each with its continuation lines."""
    commands: list[str] = []
    continued = False
    for line in body:
        if continued:
            commands[-1] += "\n" + line.removeprefix("> ")
        elif line.startswith("$ "):
            commands.append(line[2:].strip())
        else:
            continue
        continued = line.endswith("\\")
    return commands


def _asks_model(command: str) -> bool:
    words = command.split()
    verb = next((w for w in words[1:] if not w.startswith("-")), "")
    return verb in MODEL_VERBS and "--no-model" not in words and "--help" not in words
