"""The command in a new process: its help, a whole report without a model, the size of the page.

python -m benchmarks.bench_cli [FOLDER] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import compileall
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.timing import (
    ROOT,
    command,
    default_folder,
    interleaved,
    new_process_environment,
    show,
    summary,
)

BASE = "python -c pass"


def runs(words: list[str]) -> Callable[[], object]:
    """A function that runs ``words`` in a new process and stops everything when that fails."""
    environment = new_process_environment()

    def run() -> None:
        done = subprocess.run(words, env=environment, capture_output=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stderr.decode()}")

    return run


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    compileall.compile_dir(ROOT / "src", quiet=2)
    with TemporaryDirectory() as temporary:
        output = Path(temporary, "report")
        report = [*command(), "report", str(options.folder), "--no-model", "--output", str(output)]
        work = {
            BASE: runs([sys.executable, "-c", "pass"]),
            "chimera --help": runs([*command(), "--help"]),
            "chimera report --no-model": runs(report),
        }
        rows = summary(interleaved(work, options.rounds), BASE)
        files = sorted(path for path in Path(temporary).rglob("*") if path.is_file())
        notes = [f"{path.name}: {path.stat().st_size / 1e6:.3f} MB" for path in files]
    show(f"New processes, {options.folder.name}", rows, notes, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
