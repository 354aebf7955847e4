"""Fails when a file or a function is too long to be read at one sitting.

A file stays under 400 lines and a function under 60, from its ``def`` on: the decorators of a
command are its options, a table rather than code.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

FOLDERS = ("src", "tests", "tools", "benchmarks")
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def long_files(root: Path) -> list[str]:
    """One line for each file or function under ``root`` that is too long."""
    paths = sorted(path for folder in FOLDERS for path in (root / folder).rglob("*.py"))
    return [offence for path in paths for offence in _offences(path, root)]


def _offences(path: Path, root: Path) -> list[str]:
    source = path.read_text(encoding="utf-8")
    place = path.relative_to(root).as_posix()
    lines = len(source.splitlines())
    found = []
    if lines >= MAX_FILE_LINES:
        found.append(f"{place}:1: {lines} lines; a file stays under {MAX_FILE_LINES}")
    for node in ast.walk(ast.parse(source, filename=str(path))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length >= MAX_FUNCTION_LINES:
                found.append(
                    f"{place}:{node.lineno}: {node.name} has {length} lines; "
                    f"a function stays under {MAX_FUNCTION_LINES}"
                )
    return found


def main(arguments: list[str]) -> int:
    """Check the folder given (default: this project); print each offence; 1 if there is one."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    offences = long_files(root)
    for offence in offences:
        print(offence)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
