"""``chimera report`` and ``chimera facts`` of stored runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chimera.cli.main import main
from chimera.measure.export import import_run
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import ENDED, LINES, put

RUN = "20260102T030405Z-aaaaaa"
Facts = Callable[..., Any]


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHIMERA_STORE", str(tmp_path / "runs.db"))
    monkeypatch.chdir(tmp_path)
    with open_store() as store:
        put(store, sample_run(RUN, experiment="a/b"), ENDED)
        for name in ("20260103T000000Z-bbbbbb", "../../evil"):
            put(store, sample_run(name, experiment="a/b", zero_utc="2026-01-03T00:00:00Z"), LINES)


@pytest.fixture
def facts(capfd: pytest.CaptureFixture[str]) -> Facts:
    def call(*words: str, fails: int = 0) -> Any:
        assert main(["facts", *words, *([] if fails else ["--json"])]) == fails
        said = capfd.readouterr()
        return said.err if fails else json.loads(said.out)

    return call


def test_the_facts_of_a_run_are_those_of_its_run_file(facts: Facts, tmp_path: Path) -> None:
    of_run = facts("--run", RUN)
    (tmp_path / "out" / "run").mkdir(parents=True)
    assert main(["runs", "export", RUN, "-o", f"out/run/{RUN}.jsonl"]) == 0
    of_folder = facts("out")

    def about_rows(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [fact for fact in found if fact["metric"] in ("ttft", "e2e_latency")]

    assert about_rows(of_run) == about_rows(of_folder) != []
    assert f"run/{RUN}.jsonl" in json.dumps(of_run)
    assert facts("--run", RUN) == of_run


def test_a_fact_of_a_run_is_explained(facts: Facts) -> None:
    fact = next(f for f in facts("--run", "latest", "--run", RUN) if f["metric"] == "ttft")
    told = facts("--run", "latest", "--run", RUN, "--explain", fact["id"])
    assert told["agrees"] is True
    assert all(row["place"].startswith("run/") for row in told["rows"])


def test_a_place_in_a_stored_run_can_be_looked_up(
    facts: Facts, capfd: pytest.CaptureFixture[str]
) -> None:
    fact = next(f for f in facts("--run", RUN) if f["metric"] == "ttft")
    (row, *_) = facts("--run", RUN, "--explain", fact["id"])["rows"]
    assert main(["facts", "--run", RUN, "--explain", fact["id"]]) == 0
    assert "`chimera runs export ID` prints it" in capfd.readouterr().out
    assert main(["runs", "export", RUN]) == 0
    name, _, line = row["place"].rpartition(":")
    assert name == f"run/{RUN}.jsonl"
    assert '"type":"request"' in capfd.readouterr().out.splitlines()[int(line) - 1]


def test_an_experiment_is_all_of_its_runs(facts: Facts, tmp_path: Path) -> None:
    text = json.dumps(facts("--experiment", "a/b"))
    for name in (RUN, "20260103T000000Z-bbbbbb", "evil"):
        assert name in text
    assert not list(tmp_path.parent.glob("evil*"))
    assert "no run of an experiment 'c'" in facts("--experiment", "c", fails=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give a FOLDER, or stored runs"),
        (("x", "--run", RUN), "exclude each other"),
        (("x", "--experiment", "e"), "exclude each other"),
        (("x", "--store", "s.db"), "exclude each other"),
        (("--run", "nothing"), "no run 'nothing'"),
        (("--run", RUN, "--store", "new.db"), "there is no store at 'new.db'"),
    ],
)
def test_what_is_not_clear_is_refused(facts: Facts, words: tuple[str, ...], said: str) -> None:
    assert said in facts(*words, fails=2)


def test_a_report_of_a_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], examples: Path
) -> None:
    (path,) = [p.parent for p in examples.glob("**/run.jsonl")][:1]
    with open_store() as store:
        run_id = import_run(store, path).run_id
    assert main(["report", "--run", run_id, "--no-model"]) == 0
    made = tmp_path / f"{run_id}-report"
    html, data = (made / "report.html").read_text(), json.loads((made / "report.json").read_text())
    assert f"run {run_id}" in html
    assert "chimera runs export ID -o FILE" in (made / "report.md").read_text()
    assert data["folder"] == f"run {run_id}"
    assert [file["name"] for file in data["files"]] == [f"run/{run_id}.jsonl"]
    assert "chimera-runs-" not in html + json.dumps(data)
    assert str(made / "report.html").rpartition("/")[2] in capfd.readouterr().out


def test_a_report_of_an_experiment(tmp_path: Path) -> None:
    assert main(["report", "--experiment", "a/b", "--no-model", "--persona", "collector"]) == 0
    assert "experiment a-b" in (tmp_path / "experiment-a-b-report" / "report.md").read_text()
