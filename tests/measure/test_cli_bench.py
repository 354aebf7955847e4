"""``chimera bench`` as a user runs it, on the embedded model."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chimera.record.runfile import read_run

CHIMERA = [sys.executable, "-c", "import sys; from chimera.cli.main import main; sys.exit(main())"]
SHORT = ["--workload", "built-in:short"]
SMALL = ["bench", "-s", "num_ctx=256", "-s", "num_thread=1,2", *SHORT, "--max-tokens", "3"]


def chimera(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CHIMERA, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.model
def test_a_whole_run(tmp_path: Path) -> None:
    done = chimera(*SMALL, "--repeats", "2", "--seed", "3", "--output", "deep/out", cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    folder = tmp_path / "deep" / "out"
    file = read_run(folder / "run.jsonl")
    assert file.notes == ()
    assert file.run.command == (
        "chimera bench --set num_ctx=256 --set num_thread=1,2 --workload built-in:short "
        "--repeats 2 "
        "--max-tokens 3 --seed 3 --output out"
    )
    assert len(file.requests) == 2 + 2 * 2
    for request in file.requests:
        assert request.error is None
        assert (request.output_tokens, request.cached_tokens) == (3, 0)
        assert request.first_token_ns == request.token_ns[0]
    rows = list(csv.DictReader((folder / "requests.csv").read_text().splitlines()))
    assert len(rows) == 6
    assert {row["model"] for row in rows} == {"gemma-3-270m"}
    assert all(float(row["ttft_s"]) > 0 for row in rows)
    assert "Cold starts" in done.stdout
    whole = "".join(path.read_text() for path in folder.iterdir())
    assert str(tmp_path) not in whole
    assert str(Path.home()) not in whole


@pytest.mark.model
def test_the_summary_as_json(tmp_path: Path) -> None:
    done = chimera(*SMALL, "--repeats", "3", "--json", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0
    summary = json.loads(done.stdout)
    both = summary["configurations"]
    assert [one["n"] for one in both] == [3, 3]
    assert [one["options"]["num_thread"] for one in both] == [1, 2]
    ttft = both[0]["metrics"]["ttft_s"]
    low, high = ttft["ci95_repeats"]
    assert low <= ttft["mean"] <= high
    assert (ttft["repeats"], ttft["p99"]) == (3, None)
    assert any("no p99 below 100" in warning for warning in summary["warnings"])


@pytest.mark.model
def test_synthetic_prompts_have_the_length_asked_for(tmp_path: Path) -> None:
    spec = "synthetic:in=uniform(40,70),out=uniform(2,4),n=3,prefix=8"
    arguments = ["bench", "--workload", spec, "--repeats", "1", "--seed", "5", "-o", "out"]
    done = chimera(*arguments, cwd=tmp_path)
    assert done.returncode == 0
    assert "counted by the target's own tokenizer" in done.stderr
    file = read_run(tmp_path / "out" / "run.jsonl")
    assert file.run.workload.name == f"{spec},seed=5"
    measured = [request for request in file.requests if request.phase == "measured"]
    assert all(40 <= (request.prompt_tokens or 0) <= 70 for request in measured)
    limits = file.run.plan.request["max_tokens_by_prompt"]
    assert {r.prompt_id: r.output_tokens for r in measured} == limits


@pytest.mark.model
def test_a_file_of_prompts_is_recorded_without_its_folder(tmp_path: Path) -> None:
    place = tmp_path / "private"
    place.mkdir()
    (place / "p.jsonl").write_text('{"prompt":"One"}\n{"messages":[{"role":"user","content":"2"}]}')
    arguments = ["--workload", f"{place / 'p.jsonl'}:first=2", "--repeats", "1"]
    done = chimera("bench", *arguments, "--max-tokens", "2", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0
    file = read_run(tmp_path / "out" / "run.jsonl")
    assert "--workload p.jsonl:first=2" in file.run.command
    assert file.run.workload.name == "p.jsonl"
    assert "private" not in (tmp_path / "out" / "run.jsonl").read_text()


@pytest.mark.model
def test_a_run_in_which_nothing_succeeded_fails(tmp_path: Path) -> None:
    arguments = ["bench", "-s", "num_ctx=256", "--workload", "built-in:long", "--repeats", "1"]
    done = chimera(*arguments, "-o", "out", cwd=tmp_path)
    assert done.returncode == 1
    assert "does_not_fit" in done.stdout
    assert "do not fit the context of 256 tokens" in done.stdout


@pytest.mark.model
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_run_keeps_its_samples(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "out" / "run.jsonl"
    with subprocess.Popen(
        [*CHIMERA, *SMALL, "--repeats", "2000", "-o", "out"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not path.exists() or path.read_text().count('"measured"') < 3:
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(how)
        _, said = process.communicate(timeout=30)
    file = read_run(path)
    assert sum(1 for request in file.requests if request.error is None) >= 3
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "Traceback" not in said
        assert "are kept" in said
        assert file.end is not None
        assert file.end.stopped == "interrupted"
        assert (tmp_path / "out" / "requests.csv").exists()
    else:
        assert file.end is None
        assert any("no end line" in note for note in file.notes)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-s", "num_ctx"], "no NAME=VALUE"),
        (["-s", "num_ctx=many"], "an option has a value that it cannot have"),
        (["-s", "num_thread=0"], "num_thread must be at least 1"),
        (["--repeats", "0"], "--repeats"),
        (["--workload", "built-in:tall"], "short, medium, long"),
        (["--workload", "tall"], "the suites are built-in"),
        (["--workload", "synthetic:in=0"], "lengths are from 1"),
        (["nothing"], "a target is one of"),
        (["llamacpp:none.gguf"], "no model file"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = chimera("bench", *arguments, "-o", "out", cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_older_run_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text("precious")
    done = chimera("bench", "-o", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
    assert (tmp_path / "run.jsonl").read_text() == "precious"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = chimera("bench", "-o", "file/out", cwd=tmp_path)
    assert done.returncode == 3
    assert "cannot make" in done.stderr
