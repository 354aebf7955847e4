"""What a bench says while it runs and at its end."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.cli.bench_output import Progress
from chimera.cli.main import main
from chimera.measure.progress import Tally
from chimera.record.runfile import read_run
from chimera.testing.mock_server import MockServer

QUICK = "mock?ttft_ms=2&itl_ms=1&tokens=4"
ONCE = ("--workload", "built-in:short", "--repeats", "1", "--no-watch", "--no-store", "-o", "out")


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    with MockServer(model=QUICK) as server:
        yield f"openai@{server.url}/v1"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_an_open_loop_says_what_its_throughput_is_divided_by(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", target, "--rate", "40", "-n", "4", "--slo", "ttft=9s", *ONCE]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "output tok/s and goodput/s are over the time to the last answer" in said


def test_a_closed_loop_needs_no_such_word(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", target, "-n", "4", "--slo", "ttft=9s", *ONCE]) == 0
    assert "time to the last answer" not in capsys.readouterr().out


def test_a_search_says_a_line_for_each_rate(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    find = ["--find-rate", "50:100", "--slo", "ttft=9s", "--arrival", "constant", "-n", "5"]
    assert main(["bench", target, *find, *ONCE]) == 0
    lines = re.findall(
        r"^(\S+) requests/s: (\S+) met every limit, (enough|too few .*); (.*)$",
        capsys.readouterr().err,
        re.MULTILINE,
    )
    file = read_run(Path("out") / "run.jsonl")
    tried = [file.run.configurations[block.configuration].request_rate for block in file.blocks]
    assert [float(rate) for rate, *_ in lines] == tried
    assert {(share, word) for _, share, word, _ in lines} == {("100.0%", "enough")}
    nexts = [following for *_, following in lines]
    assert nexts == [*(f"next {rate:g} requests/s" for rate in tried[1:]), "the search ends"]


def test_a_terminal_gets_each_result_on_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    progress, tally = Progress(), Tally()
    progress(tally.live(10, 1, "measuring"))
    tally.result = "5 requests/s: 100.0% met every limit, enough; next 6 requests/s"
    progress(tally.live(10, 1, "measuring"))
    progress(tally.live(10, 1, "measuring"))
    assert screen.getvalue().count(f"\r{tally.result}\n") == 1


def test_an_error_stream_that_is_full_ends_no_measurement(
    target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", Full())
        assert main(["bench", target, *ONCE]) == 0
    assert (Path("out") / "run.jsonl").exists()
