"""The store: a million samples written, a run read back, kills of writers; beside plain rows.

python -m benchmarks.bench_store [--samples N] [--rounds N] [--json]

Plain rows are one row a request in a table of scalar columns (and one of bytes for the times of
tokens), written by executemany with the same driver, in transactions of the same size. They are
what the store would be without chunks. PostgreSQL is Debian's, started for this on this machine
with its disk waited for; without one only SQLite is measured.
"""

from __future__ import annotations

import argparse
import gc
import json
import sqlite3
import sys
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import msgspec

from chimera.record.request import Request
from chimera.store.chunks import pack, unpack
from chimera.store.opening import open_store
from chimera.testing.killed_writers import kill_round
from chimera.testing.postgres_server import NoPostgres, new_database, postgres_server
from chimera.testing.sample_run import sample_request, sample_run

BATCH = 1000
READS = 20
LEFT_OUT = ("server", "error", "token_ns", "chunk_tokens")
COLUMNS = [name for name in Request.__struct_fields__ if name not in LEFT_OUT]
Figures = dict[str, float | int | str]


class Cursor(Protocol):
    """What both drivers' cursors can."""

    def execute(self, sql: Any, values: Any = ..., /) -> Any: ...
    def executemany(self, sql: Any, rows: Any, /) -> Any: ...
    def fetchall(self) -> list[Any]: ...


class PlainRows:
    """One row a request, with the driver that the store uses."""

    def __init__(self, url: str) -> None:
        postgres = url.startswith("postgresql://")
        if postgres:
            import psycopg

            self.connection: Any = psycopg.connect(url)
        else:
            self.connection = sqlite3.connect(url)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
        self.mark = "%s" if postgres else "?"
        self.cursor: Cursor = self.connection.cursor()
        # Without types in SQLite; texts and whole numbers need them in PostgreSQL.
        example = sample_request(0)
        kinds = {str: "TEXT", bool: "BOOLEAN"}
        columns = ", ".join(
            f'"{name}" {kinds.get(type(getattr(example, name)), "BIGINT")}' for name in COLUMNS
        )
        blob = "BYTEA" if postgres else "BLOB"
        self.cursor.execute(f"CREATE TABLE plain (run TEXT, {columns}, tokens {blob})")
        self.cursor.execute("CREATE INDEX plain_run ON plain (run)")
        marks = ", ".join([self.mark] * (len(COLUMNS) + 2))
        self.insert = f"INSERT INTO plain VALUES ({marks})"
        self.connection.commit()

    def write(self, run: str, requests: Sequence[Request]) -> None:
        """One transaction."""
        self.cursor.executemany(
            self.insert,
            [
                (
                    run,
                    *(getattr(request, name) for name in COLUMNS),
                    array("q", request.token_ns).tobytes(),
                )
                for request in requests
            ],
        )
        self.connection.commit()

    def read(self, run: str) -> int:
        """All rows of a run, the times of tokens as numbers."""
        self.cursor.execute(f"SELECT * FROM plain WHERE run = {self.mark}", (run,))
        return sum(1 for row in self.cursor.fetchall() if array("q", bytes(row[-1])) is not None)


def batches(samples: int, tokens: int) -> Iterator[list[Request]]:
    """Requests in parts as a run's flushes are; making them is not measured."""
    for start in range(0, samples, BATCH):
        yield [sample_request(start + n, tokens) for n in range(min(BATCH, samples - start))]


def seconds_of(write: Callable[[list[Request]], None], samples: int, tokens: int) -> float:
    total = 0.0
    gc.disable()
    for part in batches(samples, tokens):
        begun = time.perf_counter()
        write(part)
        total += time.perf_counter() - begun
    gc.enable()
    return total


def measure(new: Callable[[str], str], tokens: int, samples: int) -> Figures:
    """Writing, alternating by turns would share a cache; each has its own database."""
    plain = PlainRows(new(f"plain{tokens}"))
    rows_s = seconds_of(lambda part: plain.write("all", part), samples, tokens)
    one = [sample_request(n, tokens) for n in range(1000)]
    plain.write("one", one)
    with open_store(new(f"store{tokens}")) as store:
        sink = store.begin(sample_run("all"))

        def write(part: list[Request]) -> None:
            for request in part:
                sink.add(request)
            sink.flush()

        store_s = seconds_of(write, samples, tokens)
        sink.close()
        single = store.begin(sample_run("one"))
        for request in one:
            single.add(request)
        single.close()
        reads: dict[str, list[float]] = {"store": [], "plain rows": []}
        for _ in range(READS):
            begun = time.perf_counter()
            assert len(store.read("one").requests) == 1000
            between = time.perf_counter()
            assert plain.read("one") == 1000
            reads["store"].append(between - begun)
            reads["plain rows"].append(time.perf_counter() - between)
    plain.connection.close()
    return {
        "tokens": tokens,
        "samples": samples,
        "store_us_a_sample": store_s / samples * 1e6,
        "plain_rows_us_a_sample": rows_s / samples * 1e6,
        "written_ratio": rows_s / store_s,
        "store_read_1000_ms": median(reads["store"]) * 1e3,
        "plain_rows_read_1000_ms": median(reads["plain rows"]) * 1e3,
    }


def packing(tokens: int) -> Figures:
    """What a request costs in a chunk, without any database."""
    part = [sample_request(n, tokens) for n in range(BATCH)]
    data = pack(part)
    packed, unpacked = [], []
    for _ in range(READS):
        begun = time.perf_counter()
        pack(part)
        between = time.perf_counter()
        unpack(data, "here")
        packed.append(between - begun)
        unpacked.append(time.perf_counter() - between)
    return {
        "tokens": tokens,
        "bytes_a_request": len(data) / BATCH,
        "pack_us": median(packed) / BATCH * 1e6,
        "unpack_us": median(unpacked) / BATCH * 1e6,
    }


def kills(url: str, rounds: int, folder: Path) -> Figures:
    """Rounds of four writers that are killed, all on one store."""
    promised = found = lost = broken = 0
    for number in range(rounds):
        done = kill_round(url, folder, f"kill{number}", seed=number)
        promised, found = promised + done.promised, found + done.found
        lost, broken = lost + done.lost, broken + len(done.broken)
        for text in done.broken:
            print(text, file=sys.stderr)
    return {
        "rounds": rounds,
        "promised": promised,
        "found": found,
        "lost": lost,
        "broken": broken,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    results: dict[str, list[Figures]] = {"chunks": [packing(tokens) for tokens in (0, 64)]}
    with ExitStack() as held:
        folder = Path(held.enter_context(TemporaryDirectory()))
        stores: dict[str, Callable[[str], str]] = {"SQLite": lambda name: str(folder / name)}
        try:
            server = held.enter_context(postgres_server(durable=True))
            stores["PostgreSQL"] = lambda _: new_database(server)
        except NoPostgres as error:
            print(f"without PostgreSQL: {error}", file=sys.stderr)
        for name, new in stores.items():
            results[name] = [measure(new, tokens, options.samples) for tokens in (0, 64)]
            results[name].append(kills(new("kills"), options.rounds, folder))
    if options.json:
        print(msgspec.json.encode(results).decode())
        return 0
    for name, parts in results.items():
        for part in parts:
            shown = {k: f"{v:.4g}" if isinstance(v, float) else v for k, v in part.items()}
            print(f"{name}: {json.dumps(shown)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
