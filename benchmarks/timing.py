"""What the benchmarks share: interleaved rounds, medians, a table, and the state of the machine."""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

ROOT = Path(__file__).resolve().parent.parent
Times = dict[str, list[float]]
Row = dict[str, object]


def interleaved(work: dict[str, Callable[[], object]], rounds: int) -> Times:
    """Seconds of each piece of work in each of ``rounds`` rounds, in a new order every round.

    Interleaving gives a neighbour's load, or a warming processor, to all alike. The first round
    is kept as index 0: it pays lazy imports and empty caches, so medians leave it out.
    """
    order = random.Random(0)
    times: Times = {name: [] for name in work}
    for _ in range(rounds + 1):
        names = list(work)
        order.shuffle(names)
        for name in names:
            start = perf_counter()
            work[name]()
            times[name].append(perf_counter() - start)
    return times


def summary(times: Times, base: str) -> list[Row]:
    """A row for each piece of work: its first round, the median of the rest, the ratio to base."""
    bottom = statistics.median(times[base][1:])
    return [
        {
            "what": name,
            "n": len(seconds) - 1,
            "first_s": seconds[0],
            "median_s": statistics.median(seconds[1:]),
            "min_s": min(seconds[1:]),
            "max_s": max(seconds[1:]),
            "ratio": statistics.median(seconds[1:]) / bottom,
        }
        for name, seconds in times.items()
    ]


def show(title: str, rows: Sequence[Row], notes: Sequence[str], as_json: bool) -> None:
    """Print rows as a table, or with everything about the machine as JSON."""
    if as_json:
        document = {"title": title, "rows": rows, "notes": notes, "machine": machine()}
        print(json.dumps(document, indent=2))
        return
    print(f"\n{title}")
    columns = list(rows[0]) if rows else []
    cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        first, *rest = (text.rjust(width) for text, width in zip(line, widths, strict=True))
        print("  " + "  ".join([first.strip().ljust(widths[0]), *rest]))
    for note in notes:
        print(f"  {note}")
    described = ", ".join(f"{key} {value}" for key, value in machine().items())
    print(f"  ({described})")


def machine() -> Row:
    """What the figures depend on and cannot be seen in them."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "cpu_pressure_avg60_percent": cpu_pressure(),
    }


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def cpu_pressure() -> float | None:
    """Percent of the last minute in which some work waited for a core; None where not told."""
    try:
        first = Path("/proc/pressure/cpu").read_text("ascii").splitlines()[0]
    except OSError:
        return None
    return float(first.split("avg60=")[1].split()[0])


def default_folder() -> Path:
    """The corpus of real results where it is beside the project, otherwise the examples."""
    named = os.environ.get("CHIMERA_CORPUS")
    corpus = (Path(named) if named else ROOT.parent / "shared" / "corpus") / "tr108"
    return corpus if corpus.is_dir() else ROOT / "examples"


def new_process_environment() -> dict[str, str]:
    """This environment, with compiled bytecode allowed: a user's installation has it."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def command() -> list[str]:
    """The installed ``chimera`` of this environment."""
    script = Path(sys.executable).parent / "chimera"
    return [str(script)] if script.exists() else [sys.executable, "-m", "chimera"]
