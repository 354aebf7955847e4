"""``chimera bench`` and the store, as a user runs them, on the embedded model."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from chimera.cli.main import main
from chimera.errors import StoreError
from chimera.record.runfile import read_lines, read_run
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import ENDED, put

CHIMERA = [sys.executable, "-c", "import sys; from chimera.cli.main import main; sys.exit(main())"]
SMALL = (
    "bench",
    "--workload",
    "built-in:short",
    "--max-tokens",
    "2",
    "--warmup",
    "0",
    "--no-watch",
)
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; the store is elsewhere."""
    monkeypatch.setenv("CHIMERA_STORE", str(tmp_path / "runs.db"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def chimera(capfd: pytest.CaptureFixture[str]) -> Call:
    def call(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


@pytest.mark.model
def test_a_run_goes_to_the_store_and_no_folder_is_made(chimera: Call, folder: Path) -> None:
    code, out, _ = chimera(*SMALL, "--repeats", "1", "--experiment", "e")
    assert code == 0
    with open_store() as store:
        (run,) = store.runs(experiment="e")
        assert (run.requests, run.ended) == (len(store.read(run.id).requests), "complete")
    assert out.splitlines()[-1].endswith(f"next: chimera report --run {run.id}")
    assert list(folder.iterdir()) == []


@pytest.mark.model
def test_with_a_folder_the_same_run_is_in_both(chimera: Call, folder: Path) -> None:
    url = str(folder.parent / "other.db")
    code, out, _ = chimera(*SMALL, "--repeats", "1", "--output", "out", "--store", url)
    assert code == 0
    assert out.splitlines()[-1].endswith("next: chimera report out")
    assert {path.name for path in (folder / "out").iterdir()} == {
        "run.jsonl", "requests.csv", "environment.json",
    }  # fmt: skip
    run, lines, _ = read_lines(folder / "out" / "run.jsonl")
    with open_store(url) as store:
        assert store.header(run.id) == run
        assert list(store.lines(run.id)) == lines
    assert "other.db" not in run.command


@pytest.mark.model
def test_without_the_store_a_folder_has_it(chimera: Call, folder: Path) -> None:
    code, _, _ = chimera(*SMALL, "--repeats", "1", "--no-store")
    assert code == 0
    (made,) = folder.iterdir()
    assert made.name.startswith("bench-")
    assert read_run(made / "run.jsonl").end is not None
    assert not (folder.parent / "runs.db").exists()


@pytest.mark.model
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_was_ended_goes_on(chimera: Call, folder: Path, end: signal.Signals) -> None:
    long = (*SMALL, "--repeats", "300")
    process = subprocess.Popen([*CHIMERA, *long], stderr=subprocess.DEVNULL)
    _wait_for_requests(process, 3)
    process.send_signal(end)
    process.wait(60)
    with open_store() as store:
        (before,) = store.runs()
        kept = store.read(before.id).requests
    assert before.ended == ("interrupted" if end == signal.SIGINT else "unfinished")
    code, _, err = chimera(*SMALL, "--repeats", "5", "--resume", "latest")
    assert code == 2
    assert "its repeats differ" in err
    with open_store() as store:
        (now,) = store.runs()  # what had been received and not stored yet has come in meanwhile
        assert now.requests in (before.requests, before.requests + 1)
        assert now == msgspec.structs.replace(before, requests=now.requests)
        assert [r for r in store.read(now.id).requests if r in kept] == list(kept)
    process = subprocess.Popen([*CHIMERA, *long, "--resume", before.id[:-2], "-o", "out"])
    _wait_for_requests(process, before.requests + 4)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    with open_store() as store:
        (after,) = store.runs()
        file = store.read(before.id)
        assert list(store.lines(after.id)) == read_lines(folder / "out" / "run.jsonl")[1]
    assert after.requests > before.requests
    assert [request for request in file.requests if request in kept] == list(kept)


def _wait_for_requests(process: subprocess.Popen[bytes], count: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert process.poll() is None, "the bench has ended too early"
        try:
            with open_store() as store:
                if store.runs() and store.runs()[0].requests >= count:
                    return
        except StoreError:
            pass
        time.sleep(0.1)
    raise AssertionError("too slow")


def test_options_that_exclude_each_other(chimera: Call, folder: Path) -> None:
    for words in (("--store", "x.db"), ("--resume", "latest")):
        code, _, err = chimera("bench", "--no-store", *words)
        assert code == 2
        assert f"--no-store and {words[0]} exclude each other" in err
    assert list(folder.iterdir()) == []


def test_what_cannot_be_resumed(chimera: Call) -> None:
    assert "holds no run" in chimera("bench", "--resume", "latest")[2]
    with open_store() as store:
        put(store, sample_run("complete"), ENDED)
    code, _, err = chimera("bench", "--resume", "complete", "-o", "out")
    assert (code, "run complete is complete" in err) == (2, True)
    assert not Path("out").exists()


def test_a_store_that_cannot_be_opened_is_said_before_measuring(chimera: Call) -> None:
    Path("file").write_text("")
    code, _, err = chimera("bench", "--store", "file/runs.db", "-o", "out")
    assert (code, "cannot open the store" in err) == (3, True)
    assert not Path("out").exists()
