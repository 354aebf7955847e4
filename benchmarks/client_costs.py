"""What the measuring client costs before it measures anything: start-up, a small run, its size."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from benchmarks.clients import Client, Load, Place
from benchmarks.process_tree import Tree
from benchmarks.timing import ROOT, command, new_process_environment
from chimera.testing.mock_server import MockServer

_PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def help_s(rounds: int = 11) -> float:
    """Median wall time of ``chimera bench --help``, the first left out."""
    environment = new_process_environment()
    times = []
    for _ in range(rounds):
        start = perf_counter()
        words = [*command(), "bench", "--help"]
        subprocess.run(words, env=environment, capture_output=True, check=True)
        times.append(perf_counter() - start)
    return statistics.median(times[1:])


def small_run_cpu_s(chimera: Client, folder: Path, rounds: int = 3) -> float:
    """Median CPU seconds of a run of 32 short requests, everything included."""
    load = Load("mock?ttft_ms=20&itl_ms=2&tokens=8", tokens=8, streams=8, rounds=4)
    used = []
    for number in range(rounds):
        with MockServer(model=load.model) as server:
            place = Place(server.url, folder / f"small{number}", folder, "")
            place.folder.mkdir()
            tree = Tree(chimera.command(load, place), place.folder, new_process_environment())
            done = tree.wait(60)
            if done.exit_code:
                raise RuntimeError(f"the small run failed: {tree.last_words()}")
            used.append(done.cpu_s)
    return statistics.median(used)


def installed_mb(what: str, folder: Path) -> float:
    """Megabytes of ``what`` with all it depends on; without compiled bytecode."""
    words = [*_PIP, "install", "--no-compile", "--target", str(folder), what]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip install {what}: {done.stderr.strip().splitlines()[-1:]}")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    return size / 1e6


def wheel(folder: Path) -> str:
    """The path of this project's wheel, built into ``folder``."""
    words = [*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*words, str(ROOT)], check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return str(path)
