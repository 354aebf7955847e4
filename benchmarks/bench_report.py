"""A whole report with the embedded model: wall time, time in the engine, and our own share.

python -m benchmarks.bench_report [FOLDER] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import compileall
import json
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from benchmarks.timing import ROOT, default_folder, new_process_environment, show

NOTES = [
    "engine: wall time in which an engine call ran (start of the model, counting, completing)",
    "own: all the rest of the wall time, the start and the end of the process included",
    "own cpu: processor time of the command's process; the model runs in another one",
]


def measure(folder: Path) -> dict[str, Any]:
    """One report in a new process."""
    with TemporaryDirectory() as temporary:
        clock = Path(temporary, "clock.json")
        output = Path(temporary, "report")
        words = [sys.executable, "-m", "benchmarks.engine_clock", str(clock), "report"]
        start = perf_counter()
        done = subprocess.run(
            [*words, str(folder), "--output", str(output)],
            env=new_process_environment(),
            cwd=ROOT,
            capture_output=True,
            check=False,
        )
        wall_s = perf_counter() - start
        if done.returncode:
            sys.exit(f"chimera report: exit code {done.returncode}\n{done.stderr.decode()}")
        return {"wall_s": wall_s, **json.loads(clock.read_text("utf-8"))}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    options.folder = options.folder.resolve()

    if find_spec("xllamacpp") is None:
        print("bench_report left out: the embedded engine is not installed (extra `local`)")
        return 0
    compileall.compile_dir(ROOT / "src", quiet=2)
    runs = [measure(options.folder) for _ in range(options.rounds + 1)]
    rows: list[dict[str, object]] = [
        {
            "run": "first" if i == 0 else f"run {i}",
            "wall_s": run["wall_s"],
            "engine_s": run["busy_s"],
            "complete_s": run["calls"].get("complete", {}).get("sum_s", 0.0),
            "completions": int(run["calls"].get("complete", {}).get("n", 0)),
            "own_s": run["wall_s"] - run["busy_s"],
            "own_percent": 100 * (1 - run["busy_s"] / run["wall_s"]),
            "own_cpu_s": run["own_cpu_s"],
        }
        for i, run in enumerate(runs)
    ]
    middle: dict[str, object] = {"run": f"median of {options.rounds}"}
    for key in list(rows[0])[1:]:
        middle[key] = statistics.median(float(str(row[key])) for row in rows[1:])
    show(f"Whole report, {options.folder.name}", [*rows, middle], NOTES, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
