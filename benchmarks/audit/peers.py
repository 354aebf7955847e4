"""numaudit on the same cases: it asks whether a number occurs anywhere in the data."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.audit.adapter import Found, Judge
from benchmarks.audit.cases import Case

NOT_INSTALLED = "left out: not installed (see requirements/audit-peers.txt)"


def numaudit(venv: Path | None) -> str | None:
    """Its command: in ``venv`` or on PATH; None where it is not installed."""
    if venv is not None:
        command = venv / "bin" / "numaudit"
        return str(command) if command.exists() else None
    return shutil.which("numaudit")


class Numaudit:
    """Reads all reports of a folder in one process, then answers from memory."""

    def __init__(self, command: str, cases: Sequence[Case]) -> None:
        self._answers: dict[tuple[str, str], list[Found]] = {}
        by_root: dict[str, list[str]] = {}
        for case in cases:
            both = [case.text, *([case.twin.text] if case.twin else [])]
            by_root.setdefault(str(case.world.root), []).extend(both)
        for root, texts in by_root.items():
            for text, found in zip(texts, _run(command, root, texts), strict=True):
                self._answers[root, text] = found

    def open(self, data: Path | None) -> Judge:
        root = str(data)

        def judge(text: str) -> list[Found]:
            return self._answers[root, text]

        return judge


def _run(command: str, root: str, texts: list[str]) -> list[list[Found]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{index:05d}.md") for index in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        arguments = [command, *map(str, paths), "--data", root, "--include-code", "--json"]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        if done.returncode not in {0, 1}:  # 1: some number has no source
            raise RuntimeError(f"numaudit ended with {done.returncode}: {done.stderr.strip()}")
        documents = {Path(d["path"]).name: d for d in json.loads(done.stdout)["documents"]}
    return [
        _located(text, documents[path.name]["findings"])
        for path, text in zip(paths, texts, strict=True)
    ]


def _located(text: str, findings: list[dict[str, object]]) -> list[Found]:
    """Each finding at its number; the n-th alike on a line is the n-th there."""
    starts = [0]
    for each in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(each))
    seen: dict[tuple[int, str], int] = {}
    found = []
    for finding in findings:
        line = int(str(finding["line"]))
        number = str(finding["text"])
        start = text.find(number, max(starts[line - 1], seen.get((line, number), 0)))
        if start < 0:
            continue
        seen[line, number] = start + len(number)
        label = "fabricated" if finding["status"] == "unsourced" else "supported"
        found.append(Found(start, start + len(number), "value", label))
    return found
