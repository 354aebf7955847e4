"""The instrument measures itself: this client on this machine against a server that knows.

The mock server runs as a process of its own, says when it really received each request and
sent each token, and so gives the truth that the client's figures are compared with.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from itertools import repeat
from pathlib import Path
from statistics import fmean
from typing import Any

import msgspec

from chimera import __version__
from chimera.engines.base import CompletionRequest, Measurable
from chimera.engines.targets import open_target
from chimera.engines.wire.address import parse_address
from chimera.engines.wire.call import Call
from chimera.engines.wire.loop import Loop
from chimera.engines.wire.once import ask, fetch
from chimera.engines.wire.wire import Wire
from chimera.errors import EngineError
from chimera.measure.clock import RunClock
from chimera.measure.environment import utc_now
from chimera.measure.load import Ended, Sender
from chimera.measure.recording import Step, recorded
from chimera.measure.workloads import WorkloadPrompt
from chimera.record.metrics.tpot import tpot_s
from chimera.record.metrics.ttft import ttft_s
from chimera.record.request import Request
from chimera.record.run import SelfTest

LEVELS = (1, 32, 128, 512)
FILE = "selftest.json"

_TTFT_MS, _ITL_MS, _TOKENS = 200, 20, 48
_ROUNDS = 4  # requests of each stream, one after another
_FLAT_STREAMS, _FLAT_TOKENS = 512, 256
_PROMPT = WorkloadPrompt(id="selftest", text="What time is it?")
_START_S = 20.0


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """What was found with so many streams at once; biases are measured minus true.

    ``delivered`` is the load that came about as a share of what a perfect client would have
    done with this server. ``server_lag_p99_ns`` is how late the server itself was: where that is
    large the machine is too small for both. ``client_cpu_share`` is of one core.
    """

    streams: int
    requests: int
    failed: int
    true_ttft_mean_ns: float
    ttft_bias_mean_ns: float
    ttft_bias_p99_ns: float
    true_itl_mean_ns: float
    itl_bias_percent: float
    delivered: float
    client_cpu_share: float
    server_lag_p99_ns: float


class SelfTestReport(msgspec.Struct, frozen=True, kw_only=True):
    """All levels, and how many chunks a second of CPU can take when they come at once."""

    version: str
    captured_utc: str
    levels: tuple[Level, ...]
    chunks_per_cpu_s: float

    def recorded(self) -> SelfTest:
        """As it is kept with a run: the level with the most streams."""
        most = self.levels[-1]
        return SelfTest(
            captured_utc=self.captured_utc,
            streams=most.streams,
            requests=most.requests,
            ttft_bias_mean_ns=round(most.ttft_bias_mean_ns),
            ttft_bias_p99_ns=round(most.ttft_bias_p99_ns),
            itl_bias_percent=most.itl_bias_percent,
            chunks_per_cpu_s=self.chunks_per_cpu_s,
        )


def run_selftest(
    levels: tuple[int, ...] = LEVELS, on_level: Callable[[int], None] | None = None
) -> SelfTestReport:
    """Measure this client; a few seconds for each level.

    Raises:
        EngineError: the mock server did not start, or nothing succeeded.
    """
    captured = utc_now()
    paced = f"mock?ttft_ms={_TTFT_MS}&itl_ms={_ITL_MS}"
    with _mock(paced) as url:
        found = []
        for streams in levels:
            if on_level is not None:
                on_level(streams)
            found.append(_level(url, paced, streams))
    flat = f"mock?ttft_ms=50&flat=1&tokens={_FLAT_TOKENS}"
    with _mock(flat) as url:
        many, cpu_s, _ = _measured(url, flat, _FLAT_STREAMS, 2 * _FLAT_STREAMS, _FLAT_TOKENS)
    chunks = sum(len(request.token_ns) for request in many)
    return SelfTestReport(
        version=__version__,
        captured_utc=captured,
        levels=tuple(found),
        chunks_per_cpu_s=chunks / cpu_s if cpu_s else 0.0,
    )


@contextmanager
def _mock(model: str) -> Iterator[str]:
    """The mock server's address while it runs; it ends with us, however we end."""
    options = ("--with-parent", f"--model={model}")
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "chimera.testing.mock_server", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url:
            raise EngineError("the mock server of the self-test did not start")
        yield url
    finally:
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            process.wait(_START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _level(url: str, model: str, streams: int) -> Level:
    count = max(10, _ROUNDS * streams)
    requests, cpu_s, wall_s = _measured(url, model, streams, count, _TOKENS)
    truth = ask(parse_address(url), "GET", "/truth/summary")
    good = [request for request in requests if request.error is None]
    firsts = sorted(value for r in good if (value := ttft_s(r)) is not None)
    gaps = [value for r in good if (value := tpot_s(r)) is not None]
    if not firsts or not gaps:
        raise EngineError("nothing succeeded in the self-test; is this machine overloaded?")
    true_first, true_gap = _number(truth, "ttft_mean_ns"), _number(truth, "gap_mean_ns")
    ideal_s = count / streams * (true_first + (_TOKENS - 1) * true_gap) / 1e9
    return Level(
        streams=streams,
        requests=len(requests),
        failed=len(requests) - len(good),
        true_ttft_mean_ns=true_first,
        ttft_bias_mean_ns=fmean(firsts) * 1e9 - true_first,
        ttft_bias_p99_ns=_p99(firsts) * 1e9 - _number(truth, "ttft_p99_ns"),
        true_itl_mean_ns=true_gap,
        itl_bias_percent=100 * (fmean(gaps) * 1e9 - true_gap) / true_gap,
        delivered=ideal_s / wall_s,
        client_cpu_share=cpu_s / wall_s,
        server_lag_p99_ns=_number(truth, "lag_p99_ns"),
    )


def _measured(
    url: str, model: str, streams: int, count: int, tokens: int
) -> tuple[list[Request], float, float]:
    """(requests as a run would keep them, CPU seconds, seconds from the first to the last)."""
    address = parse_address(url)
    fetch(address, "DELETE", "/truth")
    engine = open_target(f"openai:{model}@{url}/v1")
    clock, kept = RunClock(), list[Request]()
    step = Step(0, _PROMPT, 1, "measured")

    def prepare(prompt: WorkloadPrompt) -> Call:
        return engine.prepare(CompletionRequest(prompt=prompt.text, max_tokens=tokens))

    def take(ended: Ended) -> None:
        kept.append(recorded(len(kept), step, ended, engine, clock))

    with _started(engine), closing(Loop()) as loop, closing(Wire(loop)) as wire:
        fetch(address, "DELETE", "/truth")  # what the start asked is no part of it
        before = _cpu_s()
        Sender(loop, wire, prepare, take, lambda: "").closed(repeat(_PROMPT, count), streams)
        used = _cpu_s() - before
    wall_ns = max(r.end_ns for r in kept) - min(r.start_ns for r in kept)
    return kept, used, wall_ns / 1e9


@contextmanager
def _started(engine: Measurable) -> Iterator[None]:
    try:
        engine.start()
        yield
    finally:
        engine.close()


def _number(truth: dict[str, Any], name: str) -> float:
    value = truth.get(name)
    if not isinstance(value, (int, float)):
        raise EngineError(f"the mock server of the self-test does not know its {name}")
    return float(value)


def _p99(ordered: list[float]) -> float:
    """The 99th percentile, linear between neighbours (type 7)."""
    place = 0.99 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def keep_selftest(report: SelfTestReport, folder: Path) -> None:
    """Keep a report for later runs; a folder that cannot be written is no matter."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{FILE}.{time.monotonic_ns()}"
        temporary.write_bytes(msgspec.json.encode(report))
        temporary.replace(folder / FILE)


def kept_selftest(folder: Path) -> SelfTest | None:
    """The newest report of this version on this machine; None without one."""
    try:
        report = msgspec.json.decode((folder / FILE).read_bytes(), type=SelfTestReport)
    except (OSError, msgspec.MsgspecError):
        return None
    return report.recorded() if report.version == __version__ and report.levels else None
