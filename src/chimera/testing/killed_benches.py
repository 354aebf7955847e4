"""A real ``chimera bench`` that is killed at any moment, and whether the store has what had ended.

The mock server knows which answers were whole and when their last byte was written. What was
written so shortly before the kill that the client cannot have read it is in flight.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import msgspec

from chimera.record.request import Request
from chimera.store.opening import open_store
from chimera.testing.mock_server import MockServer, RequestTruth

_TOKENS = 16
_MODEL = f"mock?ttft_ms=20&itl_ms=5&tokens={_TOKENS}"
_ALIKE_NS = 2_000_000
_START_S = 60.0


class KilledBench(msgspec.Struct, kw_only=True):
    """``ended`` answers were whole before the kill, and the client had read at least ``seen`` of
    them: it had sent so many requests in their place. ``kept`` are in the store afterwards;
    ``lost`` of those that were seen are not. ``unseen_ns`` is how long before the kill the last
    byte was written of each other one that is missing. ``recovered`` of the kept ones reached
    the store only when somebody looked; ``strange`` ones belong to no answer.
    """

    ended: int
    seen: int
    kept: int
    lost: int
    unseen_ns: list[int]
    recovered: int
    strange: int


def kill_bench(
    url: str, folder: Path, *, seed: int, streams: int = 8, options: tuple[str, ...] = ()
) -> KilledBench:
    """Start a bench on the store at ``url``, kill it within a second and a half of its first
    requests, have `chimera runs` look, and compare. ``url`` must be of a store without runs.
    """
    moment_s = random.Random(seed).uniform(0.05, 1.5)  # noqa: S311 - a moment, no secret
    environment = {**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CACHE_HOME": str(folder)}
    with MockServer(model=_MODEL) as server:
        target = f"openai:{_MODEL}@{server.url}/v1"
        words = ["bench", target, "--workload", "built-in:short", "-c", str(streams), "-n", "4000"]
        words += [
            "--max-tokens",
            str(_TOKENS),
            "--repeats",
            "1",
            "--no-watch",
            "--store",
            url,
            *options,
        ]
        with (folder / f"bench-{seed}").open("wb") as log:
            bench = subprocess.Popen(
                _chimera(*words), stdout=log, stderr=log, env=environment, stdin=subprocess.DEVNULL
            )
            try:
                _await_load(server, bench)
                time.sleep(moment_s)
                bench.kill()
                killed_ns = time.monotonic_ns()
            finally:
                bench.kill()
                bench.wait()
        truth = server.truth().requests
    before = _requests(url)
    look = _chimera("runs", "list", "--store", url)
    subprocess.run(look, env=environment, check=True, timeout=_START_S, capture_output=True)
    after = _requests(url)
    # Those that ask for fewer tokens come before the run, to try the server.
    answers = [request for request in truth if request.tokens == _TOKENS or not request.end_ns]
    whole = sorted((r for r in answers if r.outcome == "done"), key=_end_ns)
    ended = [answer for answer in whole if _end_ns(answer) < killed_ns]
    # Further processes go on until they notice, and keep what they have.
    missing, strange = _compared(after, whole)
    missing = [answer for answer in missing if _end_ns(answer) < killed_ns]
    # The first one comes alone; then each stream has one at a time.
    seen = max(min(1, len(ended)), len(answers) - streams)
    return KilledBench(
        ended=len(ended),
        seen=seen,
        kept=len(after),
        lost=max(0, seen - (len(ended) - len(missing))),
        unseen_ns=[killed_ns - _end_ns(request) for request in missing],
        recovered=len(after) - len(before),
        strange=strange,
    )


def _chimera(*words: str) -> list[str]:
    return [sys.executable, "-P", "-c", "from chimera.cli.main import main; main()", *words]


def _await_load(server: MockServer, bench: subprocess.Popen[bytes]) -> None:
    """Wait until the first answer of the run is whole."""
    until = time.monotonic() + _START_S
    while server.summary().tokens < 2 * _TOKENS:
        if bench.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the bench did not begin: {bench.poll()}")
        time.sleep(0.02)


def _requests(url: str) -> list[Request]:
    """What the store holds by itself of its only run."""
    with open_store(url) as store:
        return list(store.read(store.find("latest")).requests)


def _end_ns(request: RequestTruth) -> int:
    return request.end_ns or 0


def _compared(found: list[Request], ended: list[RequestTruth]) -> tuple[list[RequestTruth], int]:
    """(answers that no request is the record of, how many requests are the record of none).

    The first of each is the same; from there on they are matched by the time of their last token.
    """
    found = sorted(found, key=lambda request: request.token_ns[-1:])
    if not found or not ended:
        return ended, len(found)
    zero_ns = ended[0].write_ns[-1] - found[0].token_ns[-1]
    missing, strange, rest = [], 0, deque(found)
    for answer in ended:
        while rest and rest[0].token_ns[-1] + zero_ns < answer.write_ns[-1] - _ALIKE_NS:
            rest.popleft()
            strange += 1
        if rest and rest[0].token_ns[-1] + zero_ns < answer.write_ns[-1] + _ALIKE_NS:
            rest.popleft()
        else:
            missing.append(answer)
    return missing, strange + len(rest)
