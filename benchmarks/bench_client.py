"""The measuring client beside its peers, each against a mock server that knows the truth.

python -m benchmarks.bench_client [--peers-venv PATH] [--streams N,...] [--repeats N] [--json]
"""

from __future__ import annotations

import argparse
import compileall
import http.server
import json
import os
import random
import shlex
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import chimera
from benchmarks import client_costs
from benchmarks.clients import Client, Load, Place, Reported, clients, make_tokenizer
from benchmarks.process_tree import Tree, Used
from benchmarks.timing import Row, machine, show
from chimera.stats.describe import quantile
from chimera.testing.mock_server import MockServer, RequestTruth

LIMIT_S = 120.0  # of each client's run
_PACED = "mock?ttft_ms=200&itl_ms=20&tokens=48"
_FLAT = Load("mock?ttft_ms=50&flat=1&tokens=256", tokens=256, streams=512, rounds=2)
_WAITING = Load("mock?ttft_ms=10000&tokens=1", tokens=1, streams=512, rounds=1)
_WAIT_S = 8.0
# More is better for these; the ratio of the others is turned so that above 1 is better as well.
_MORE = {"delivered", "chunks_per_cpu_s", "after_start_per_cpu_s"}
_COMPARED = (*sorted(_MORE), "cpu_s", "peak_rss_mb", "waiting_cpu_percent")


class Bench:
    """Runs clients one after another, each against a mock server of its own."""

    def __init__(self, temporary: Path, book_url: str) -> None:
        self.temporary = temporary
        self.book_url = book_url
        self.commands: dict[str, str] = {}
        self.failures: list[str] = []
        self._count = 0

    @contextmanager
    def started(self, client: Client, load: Load) -> Iterator[tuple[MockServer, Tree, Path]]:
        self._count += 1
        folder = self.temporary / f"{self._count}-{client.name}"
        folder.mkdir()
        with MockServer(model=load.model) as server:
            place = Place(server.url, folder, self.temporary / "tokenizer", self.book_url)
            words = client.command(load, place)
            # Peers leave caches and sockets behind, so they get folders of their own for them.
            place_of_own = str(self.temporary)
            own = {"HOME": place_of_own, "TMPDIR": place_of_own} if client.name != "chimera" else {}
            tree = Tree(words, folder, {**os.environ, **client.environment, **own})
            shown = shlex.join([Path(words[0]).name, *words[1:]])
            shown = shown.replace(str(folder), "RESULTS").replace(server.url, "URL")
            shown = shown.replace(str(self.temporary), "TEMP").replace(self.book_url, "BOOK")
            self.commands[f"{client.name}, {load.streams} streams, {load.model}"] = shown
            yield server, tree, folder

    def failed(self, client: Client, load: Load, tree: Tree, used: Used) -> bool:
        """Whether the run is of no use; what it said about it is kept."""
        if not used.exit_code and not used.timed_out:
            return False
        how = f"took over {LIMIT_S:g} s" if used.timed_out else f"exit code {used.exit_code}"
        self.missed(client, load, f"{how}: {tree.last_words()}")
        return True

    def missed(self, client: Client, load: Load, why: str) -> None:
        self.failures.append(f"{client.name}, {load.streams} streams, {load.model}: {why}")

    def measured(self, client: Client, load: Load) -> Row | None:
        """One run of a client under ``load``: what it says beside the truth, and what it used."""
        with self.started(client, load) as (server, tree, folder):
            used = tree.wait(LIMIT_S)
            if self.failed(client, load, tree, used):
                return None
            requests = server.truth().requests
        chunks = sum(request.tokens for request in requests)  # one to an event
        # Probes and cold starts come before the measured requests, or ask for fewer tokens.
        full = [r for r in requests if r.tokens == load.tokens and r.outcome == "done"]
        measured = full[-load.count :]
        if len(measured) < load.count:
            self.missed(client, load, f"{len(measured)} of {load.count} requests were answered")
        try:
            reported = client.read(folder)
        except (OSError, ValueError, LookupError, AssertionError) as error:
            self.missed(client, load, f"its result cannot be read: {error!r}")
            return None
        if reported.requests != load.count:
            self.missed(client, load, f"it reports {reported.requests} of {load.count} requests")
        if not measured:
            return None
        return {**_against(reported, measured, load), **_cost(used, chunks, requests[0])}

    def waiting(self, client: Client) -> Row | None:
        """The share of a core that a client takes while 512 requests wait for their answers."""
        load = _WAITING
        with self.started(client, load) as (server, tree, _):
            give_up = time.monotonic() + LIMIT_S
            while not _all_wait(server, load):
                if not tree.running or time.monotonic() > give_up:
                    break
                time.sleep(0.1)
            if not tree.running or time.monotonic() > give_up:
                used = tree.wait(0)
                if not self.failed(client, load, tree, used):
                    self.missed(client, load, "its requests never waited all at once")
                return None
            time.sleep(0.3)
            before, start = tree.cpu_s(), time.monotonic()
            time.sleep(_WAIT_S)
            cpu_s = tree.cpu_s() - before
            share = 100 * cpu_s / (time.monotonic() - start)
            if not _all_wait(server, load):
                self.missed(client, load, "some answers came before the 8 s were over")
            tree.wait(0)
        return {"waiting_cpu_percent": share}


def _all_wait(server: MockServer, load: Load) -> bool:
    now = server.summary()
    return now.n - now.done >= load.streams


def _against(reported: Reported, measured: list[RequestTruth], load: Load) -> Row:
    """Biases are reported minus true."""
    ttft = sorted(value / 1e6 for r in measured if (value := r.ttft_ns) is not None)
    true_ms = statistics.fmean(ttft)
    row: Row = {
        "requests": len(measured),
        "true_ttft_ms": true_ms,
        "ttft_bias_ms": reported.ttft_mean_ms - true_ms,
        "p99_bias_ms": reported.ttft_p99_ms and reported.ttft_p99_ms - quantile(ttft, 0.99),
    }
    if "flat" in load.model:  # the client itself sets the pace, so there is no truth to be held to
        return row
    spans = [(r.write_ns[-1] - r.write_ns[0]) / 1e6 for r in measured]
    gap_ms = statistics.fmean(spans) / (load.tokens - 1)
    first = min(r.arrival_ns for r in measured)
    wall_ms = (max(r.write_ns[-1] for r in measured) - first) / 1e6
    possible = load.streams * wall_ms / (true_ms + statistics.fmean(spans))
    told = reported.gap_mean_ms
    return {
        **row,
        "true_itl_ms": gap_ms,
        "itl_bias_percent": None if told is None else 100 * (told / gap_ms - 1),
        "delivered": len(measured) / possible,
    }


def _cost(used: Used, chunks: int, first: RequestTruth) -> Row:
    after = used.cpu_s - used.cpu_before(first.arrival_ns)
    return {
        "wall_s": used.wall_s,
        "cpu_s": used.cpu_s,
        "chunks_per_cpu_s": chunks / used.cpu_s,
        "after_start_per_cpu_s": chunks / after if after else None,
        "peak_rss_mb": used.peak_rss / 1e6,
    }


def in_turn(
    found: list[Client], repeats: int, measure: Callable[[Client], Row | None]
) -> dict[str, Row]:
    """Medians of ``repeats`` rounds over the clients, in a new order each round."""
    order = random.Random(0)
    rows: dict[str, list[Row]] = {client.name: [] for client in found}
    for _ in range(repeats):
        for client in order.sample(found, len(found)):
            row = measure(client)
            if row is not None:
                rows[client.name].append(row)
    return {name: _median(several) for name, several in rows.items() if several}


def _median(rows: list[Row]) -> Row:
    middle: Row = {"n": len(rows)}
    for key in rows[0]:
        values = [value for row in rows if isinstance(value := row[key], int | float)]
        middle[key] = statistics.median(values) if values else None
    return middle


def table(rows: dict[str, Row]) -> list[Row]:
    """The rows with their clients' names, and Chimera against the best peer: above 1 is better."""
    shown: list[Row] = [{"client": name, **row} for name, row in rows.items()]
    peers = [row for name, row in rows.items() if name != "chimera"]
    ours = rows.get("chimera")
    if ours is None or not peers:
        return shown
    ratios: Row = dict.fromkeys(shown[0])  # "waiting" may be too little to be counted: no ratio
    ratios["client"] = "chimera : best peer"
    for key in _COMPARED:
        theirs = [value for row in peers if isinstance(value := row.get(key), int | float)]
        mine = ours.get(key)
        if isinstance(mine, int | float) and theirs:
            better = (mine, max(theirs)) if key in _MORE else (min(theirs), mine)
            ratios[key] = better[0] / better[1] if better[1] else None
    return [*shown, ratios]


@contextmanager
def book() -> Iterator[str]:
    """The address of a text of our own words, served from memory to whoever wants a book."""
    text = " ".join(f"w{i * 37 % 100}" for i in range(20_000)).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its base's word)
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/book.txt"
        finally:
            server.shutdown()


def costs(found: list[Client], temporary: Path, at_most: Row | None) -> list[Row]:
    """What Chimera costs by itself, each beside its target."""
    sizes = {"chimera": client_costs.installed_mb(client_costs.wheel(temporary), temporary / "s0")}
    for peer in found[1:]:
        pinned = f"{peer.name}=={peer.version}"
        sizes[peer.name] = client_costs.installed_mb(pinned, temporary / "s1")
    rows: list[tuple[str, object, object]] = [
        ("chimera bench --help, s", client_costs.help_s(), 0.3),
        ("CPU of 32 short requests, s", client_costs.small_run_cpu_s(found[0], temporary), 0.5),
        ("memory at the most streams, MB", at_most["peak_rss_mb"] if at_most else None, 100),
        ("base install, MB", sizes.pop("chimera"), sizes.get("llama-benchy")),
    ]
    rows += [(f"install of {name}, MB", size, None) for name, size in sizes.items()]
    return [{"what": what, "figure": figure, "target": target} for what, figure, target in rows]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--peers-venv", type=Path, default=Path(".venv/peers"))
    parser.add_argument("--streams", default="1,32,128,512", help="levels, with commas between")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--skip-costs", action="store_true", help="measure no start-up and size")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    compileall.compile_dir(str(Path(chimera.__file__).parent), quiet=2)  # as installed ones are
    found, notes = clients(options.peers_venv.absolute())
    notes += [f"{client.name} {client.version}" for client in found]
    tables: dict[str, list[Row]] = {}
    with TemporaryDirectory() as name, book() as book_url:
        temporary = Path(name)
        if len(found) > 1:
            make_tokenizer(options.peers_venv.absolute(), temporary / "tokenizer")
        bench = Bench(temporary, book_url)
        most: dict[str, Row] = {}
        for streams in sorted(map(int, options.streams.split(","))):
            load = Load(_PACED, tokens=48, streams=streams, rounds=max(4, -(-10 // streams)))
            most = in_turn(found, options.repeats, partial(bench.measured, load=load))
            tables[f"{streams} streams, {load.rounds} requests each, {_PACED}"] = table(most)
        flat = in_turn(found, options.repeats, partial(bench.measured, load=_FLAT))
        tables[f"Flat out: {_FLAT.streams} streams, {_FLAT.model}"] = table(flat)
        waits = in_turn(found, options.repeats, bench.waiting)
        tables[f"Waiting: 8 s, {_WAITING.streams} streams, {_WAITING.model}"] = table(waits)
        if not options.skip_costs:
            tables["What Chimera costs by itself"] = costs(found, temporary, most.get("chimera"))
        notes += [f"failed: {failure}" for failure in bench.failures]
        notes += [f"{what}: {words}" for what, words in bench.commands.items()]
    if options.json:
        document = {"tables": tables, "notes": notes, "machine": machine()}
        print(json.dumps(document, indent=2))
        return 0
    for title, rows in tables.items():
        show(title, rows, [], as_json=False)
    print("\n" + "\n".join(notes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
