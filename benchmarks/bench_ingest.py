"""Ingestion and facts against a bare read-and-parse of the same files, in one process.

python -m benchmarks.bench_ingest [FOLDER] [--rounds N] [--json]
"""

from __future__ import annotations

import argparse
import csv
import io
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import orjson

from benchmarks.frames import pandas_reads, polars_reads
from benchmarks.timing import default_folder, interleaved, show, summary

BASE = "bare read and parse"


def bare(folder: Path) -> int:
    """Read and parse every file and throw the result away: the least that any ingester must do."""
    return sum(_parse(name, content) for name, content in _contents(folder))


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    for place, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(place, name), "rb") as file:
                yield name, file.read()


def _parse(name: str, content: bytes) -> int:
    kind = name.rpartition(".")[2].lower()
    try:
        if kind == "json":
            orjson.loads(content)
        elif kind in ("jsonl", "ndjson"):
            for line in content.splitlines():
                orjson.loads(line)
        elif kind in ("csv", "tsv"):
            text = io.StringIO(content.decode("utf-8", "replace"), newline="")
            for _ in csv.reader(text, delimiter="\t" if kind == "tsv" else ","):
                pass
        else:
            content.decode("utf-8", "replace")
    except (csv.Error, orjson.JSONDecodeError):
        return 0  # a broken file costs what it costs to find that out
    return 1


def chimera_work(folder: Path) -> tuple[dict[str, Callable[[], object]], list[str]]:
    """Chimera's own two pieces of work, or a line why not."""
    try:
        ingest_folder = import_module("chimera.ingest").ingest_folder
        facts_of = import_module("chimera.facts").facts_of
    except (ImportError, AttributeError) as error:
        return {}, [f"chimera left out: {error}"]
    return {
        "chimera: ingest": lambda: ingest_folder(folder),
        "chimera: ingest and all facts": lambda: facts_of(ingest_folder(folder)),
    }, []


def frames_work(folder: Path) -> tuple[dict[str, Callable[[], object]], list[str]]:
    """The same reading with data frames, where they are installed."""
    work: dict[str, Callable[[], object]] = {}
    notes = []
    for name, reads in (("pandas", pandas_reads), ("polars", polars_reads)):
        try:
            library = import_module(name)
        except ImportError:
            notes.append(f"{name} left out: not installed (extra `benchmarks`)")
            continue
        work[f"{name}: read, mean by model"] = lambda reads=reads: reads(folder)  # type: ignore[misc]
        notes.append(f"{name} {library.__version__}")
    return work, notes


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    sizes = [len(content) for _, content in _contents(options.folder)]
    if not sizes:
        sys.exit(f"no files in {options.folder}; name a folder of results")
    own, missing = chimera_work(options.folder)
    frames, notes = frames_work(options.folder)
    work: dict[str, Callable[[], object]] = {BASE: lambda: bare(options.folder), **own, **frames}
    notes = [f"{len(sizes)} files, {sum(sizes) / 1e6:.2f} MB", *missing, *notes]
    rows = summary(interleaved(work, options.rounds), BASE)
    show("Ingestion, in one process", rows, notes, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
