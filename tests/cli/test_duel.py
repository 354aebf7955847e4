"""``chimera duel`` as a user runs it: in a process of its own, against real servers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chimera.cli.duel_options import Asked, parse_agent
from chimera.errors import InputError
from chimera.store.opening import open_store
from chimera.testing.mock_server import MockServer
from tests.agents.folder import make_folder

REPORT = {"report.md", "report.html", "report.json"}


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(defaults="ttft_ms=20&itl_ms=1&tokens=6", max_streams=1) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("data") / "results")


def start(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "chimera", *words], cwd=cwd, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip


def chimera(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    process = start(*words, cwd=cwd)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def agents(server: MockServer, *more: str) -> list[str]:
    target = f"openai:mock@{server.url}/v1"
    return ["--agent", target, "--agent", target + "".join(f",{m}" for m in more)]


@pytest.fixture(scope="module")
def done(
    server: MockServer, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    place = tmp_path_factory.mktemp("duel")
    words = [*agents(server, "temperature=0.5"), "--persona", "technical", "--store", "s.db"]
    return place, chimera("duel", str(folder), *words, cwd=place)


def content(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def test_it_writes_the_combined_report_and_each_agents_own(
    done: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    place, ended = done
    assert ended.returncode == 0, ended.stderr
    out = place / "results-duel"
    assert {p.name for p in out.iterdir()} == REPORT | {"agent-a", "agent-b"}
    for agent in ("agent-a", "agent-b"):
        assert {p.name for p in (out / agent).iterdir()} == REPORT | {"calls.jsonl"}
    assert content(out / "agent-b" / "report.json")["persona"] == "technical"
    assert "results-duel/report.html" in ended.stdout
    assert "speedup" in ended.stdout


def test_every_report_of_a_duel_passes_a_strict_audit(
    done: tuple[Path, subprocess.CompletedProcess[str]], folder: Path, tmp_path: Path
) -> None:
    out = done[0] / "results-duel"
    reports = [str(p) for p in out.rglob("*.md")]
    assert len(reports) == 3
    audit = chimera("audit", *reports, "--data", str(folder), "--strict", cwd=tmp_path)
    assert audit.returncode == 0, audit.stdout
    changed = tmp_path / "report.md"
    changed.with_suffix(".json").write_bytes((out / "report.json").read_bytes())
    report = content(out / "report.json")
    speedup = next(
        n["text"] for n in report["numbers"] if report["facts"][n["fact"]]["metric"] == "speedup"
    )
    changed.write_text((out / "report.md").read_text().replace(speedup, "1.999"))
    again = chimera("audit", str(changed), "--data", str(folder), "--strict", cwd=tmp_path)
    assert again.returncode == 1


def test_the_json_holds_every_turn_and_facts_point_to_them(
    done: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    report = content(done[0] / "results-duel" / "report.json")
    turns = report["duel"]["as_given"]["turns"]
    assert [t["number"] for t in turns] == list(range(len(turns)))
    walls = [
        max(t["start_s"] + t["total_s"] for t in own) - min(t["start_s"] for t in own)
        for repeat in (1, 2, 3)
        if (own := [t for t in turns if t["kind"] == "together" and t["repeat"] == repeat])
    ]
    alone = [t["total_s"] for t in turns if t["kind"] == "alone"]
    facts = {(f["metric"], f["statistic"]): f for f in report["facts"].values()}
    speedup = facts["speedup", "ratio"]
    assert speedup["value"] == pytest.approx((sum(alone) / 4) / (sum(walls) / 3))
    assert {o["pointer"] for o in speedup["origins"]} == {"/duel/as_given/turns"}
    rows = {row for o in speedup["origins"] for row in o["rows"]}
    assert {turns[row]["kind"] for row in rows} == {"alone", "together"}


def test_its_calls_are_runs_of_the_store_that_can_be_reported_on(
    done: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    store = done[0] / "s.db"
    with open_store(str(store)) as opened:
        runs = opened.runs(tag="duel")
    assert len(runs) == 4
    assert len({r.experiment for r in runs}) == 1
    reported = chimera(
        "report", "--experiment", runs[0].experiment, "--store", str(store), "--no-model",
        "-o", "out", cwd=tmp_path,
    )  # fmt: skip
    assert reported.returncode == 0, reported.stderr


def test_scenarios_have_a_folder_each_and_a_report_over_all(
    server: MockServer, folder: Path, tmp_path: Path
) -> None:
    words = ["--scenario", "chimera_homo", "--scenario", "baseline_vs_chimera", "--repeats", "1"]
    ended = chimera("duel", str(folder), *agents(server), *words, "--no-store", "--json", "-o",
                    "out", cwd=tmp_path)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert set(json.loads(ended.stdout)["duel"]) == {"chimera_homo", "baseline_vs_chimera"}
    out = tmp_path / "out"
    assert {p.name for p in out.iterdir()} == REPORT | {"chimera_homo", "baseline_vs_chimera"}
    assert "no verdict" in (out / "report.md").read_text()  # one repeat has no interval
    audit = chimera("audit", str(out / "report.md"), "--data", str(folder), "--strict",
                    cwd=tmp_path)  # fmt: skip
    assert audit.returncode == 0, audit.stdout


def test_three_agents_work_the_same_way(server: MockServer, folder: Path, tmp_path: Path) -> None:
    words = [*agents(server), "--agent", f"openai:mock@{server.url}/v1,persona=collector"]
    ended = chimera("duel", str(folder), *words, "--repeats", "1", "--no-store", "-o", "out",
                    cwd=tmp_path)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    text = (tmp_path / "out" / "report.md").read_text()
    assert "C − A, together" in text
    assert "for 3 agents" in text
    assert (tmp_path / "out" / "agent-c" / "report.md").is_file()


def test_ctrl_c_keeps_the_repeats_that_were_whole(
    server: MockServer, folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.db"
    process = start("duel", str(folder), *agents(server), "--repeats", "500", "--store",
                    str(store), "-o", "out", cwd=tmp_path)  # fmt: skip
    deadline = time.monotonic() + 60
    with open_store(str(store)) as opened:
        while time.monotonic() < deadline:
            runs = opened.runs(tag="together")
            if runs and all(r.requests >= 4 for r in runs):
                break
            time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    duel = content(tmp_path / "out" / "report.json")["duel"]["as_given"]
    assert duel["interrupted"]
    repeats = {t["repeat"] for t in duel["turns"] if t["kind"] == "together"}
    assert repeats == set(range(1, max(repeats) + 1))
    assert "stopped early" in (tmp_path / "out" / "report.md").read_text()
    with open_store(str(store)) as opened:
        assert {r.ended for r in opened.runs(tag="duel")} == {"interrupted"}


def test_agents_are_read_from_words() -> None:
    asked = parse_agent("ollama:m:1b@http://h:1,num_ctx=512,temperature=0.5,persona=insight")
    settings: dict[str, Any] = {"num_ctx": 512, "temperature": 0.5}
    assert asked == Asked("ollama:m:1b@http://h:1", settings, "insight")
    for wrong in ("", ",num_ctx=1", "llamacpp,num_ctx", "llamacpp,num_ctx=1,num_ctx=2"):
        with pytest.raises(InputError):
            parse_agent(wrong)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["FOLDER", "--agent", "llamacpp"], "2 to 8 agents"),
        (["FOLDER", "--agent", "oracle", "--agent", "llamacpp"], "oracle"),
        (["FOLDER", "--agent", "llamacpp,num_treads=1", "--agent", "llamacpp"], "num_thread"),
        (["FOLDER", "--set", "num_ctx=1,2"], "several values"),
        (["FOLDER", "--persona", "nobody"], "nobody"),
        (["FOLDER", "--agent", "openai:m@http://127.0.0.1:9/v1", "--agent", "llamacpp"], "agent A"),
    ],
)
def test_bad_input_is_one_clear_line(
    folder: Path, tmp_path: Path, words: list[str], said: str
) -> None:
    ended = chimera("duel", *[str(folder) if w == "FOLDER" else w for w in words], cwd=tmp_path)
    assert ended.returncode not in (0, 70)
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "results-duel").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_asked(
    server: MockServer, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")
    words = [*agents(server), "--output", "taken", "--no-store"]
    ended = chimera("duel", str(folder), *words, cwd=tmp_path)
    assert ended.returncode == 3
    assert "cannot write 'taken'" in ended.stderr
    assert "of" not in ended.stderr.split("chimera: error")[0]  # no progress


@pytest.mark.model
def test_two_embedded_engines_with_a_core_each(examples: Path, tmp_path: Path) -> None:
    data = str(examples / "gemma3-270m-cpu")
    ended = chimera("duel", data, "--scenario", "chimera_homo", "--repeats", "1", "-o", "out",
                    cwd=tmp_path)  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    report = content(tmp_path / "out" / "report.json")
    turns = report["duel"]["chimera_homo"]["turns"]
    for turn in turns:
        phases = turn["phases_s"]
        assert phases["load"] > 0
        assert phases["prefill"] > 0
        assert phases["decode"] > 0
        assert phases["wait"] is None
        assert turn["engine_cpu_s"] > 0
    prompts = {t["prompt_tokens"] for t in turns}
    cached = {t["cached_tokens"] for t in turns}
    assert len(prompts) == len(cached) == 1  # every turn had the same to do
    audit = chimera("audit", str(tmp_path / "out" / "report.md"), "--data", data, "--strict",
                    cwd=tmp_path)  # fmt: skip
    assert audit.returncode == 0, audit.stdout
