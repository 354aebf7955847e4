"""Fails when a file names what only holds on one machine: a package index or a private path.

The lock says which packages, never where from: that is the user's own setting.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# Written with brackets, so that no pattern matches its own text.
FORBIDDEN = (
    (
        "the address of a package registry",
        re.compile(
            r"pypi[.]org|pythonhosted[.]org|crates[.]io|registry[.]npmjs[.]|repo1?[.]maven[.]"
            r"|proxy[.]golang[.]org|deb[.]debian[.]org|--(?:extra-)?index-url[ =]+\w+:",
            re.IGNORECASE,
        ),
    ),
    (
        "an absolute path of a private machine",
        re.compile(r"(?<![\w.~*}>-])/(?:work|root|home/[\w.-]+|Users/[\w.-]+)[/]"),
    ),
)
SKIPPED_FOLDERS = {"__pycache__", "build", "dist", "node_modules"}


def offences(root: Path) -> list[str]:
    """One line ``file:line: what`` for each forbidden word under ``root``."""
    found = []
    for path in sorted(_files(root)):
        content = path.read_bytes()
        if b"\0" in content:
            continue
        lines = content.decode("utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            for what, pattern in FORBIDDEN:
                if match := pattern.search(line):
                    place = f"{path.relative_to(root).as_posix()}:{number}"
                    found.append(f"{place}: {what}: {match.group()}")
    return found


def _files(root: Path) -> Iterator[Path]:
    """What git would commit; without git, every file outside caches and hidden folders."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    if (root / ".git").exists():
        listing = subprocess.run(command, cwd=root, capture_output=True, check=False)
        if listing.returncode == 0:
            paths = (root / os.fsdecode(name) for name in listing.stdout.split(b"\0") if name)
            yield from (path for path in paths if path.is_file() and not path.is_symlink())
            return
    for folder, names, files in os.walk(root):
        names[:] = [n for n in names if n not in SKIPPED_FOLDERS and not n.startswith(".")]
        yield from (Path(folder, file) for file in files)


def main(arguments: list[str]) -> int:
    """Check the folder given (default: this project); print each offence; 1 if there is one."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    found = offences(root)
    for offence in found:
        print(offence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
