"""``chimera runs`` as a user runs it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.cli.main import main
from chimera.record.run import Options
from chimera.record.runfile import Line, RunWriter, read_lines, read_run
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_end, sample_request, sample_run
from chimera.testing.store_contract import ENDED, LINES, put

FIRST, SECOND = "20260102T030405Z-aaaaaa", "20260102T030405Z-bbbbbb"
Chimera = Callable[..., str]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with two runs; the variable names it."""
    url = str(tmp_path / "runs.db")
    monkeypatch.setenv("CHIMERA_STORE", url)
    monkeypatch.chdir(tmp_path)
    with open_store(url) as store:
        put(store, sample_run(FIRST, experiment="e1"), ENDED, tags=("kept",))
        later = sample_run(SECOND, zero_utc="2026-02-01T00:00:00.000000Z", target="o\x1b[31m")
        put(store, later, LINES)
    return url


@pytest.fixture
def chimera(url: str, capfd: pytest.CaptureFixture[str]) -> Chimera:
    """Run a command; its standard output, or what it says when it should fail."""

    def call(*words: str, fails: int = 0) -> str:
        assert main(["runs", *words]) == fails
        said = capfd.readouterr()
        return said.err if fails else said.out

    return call


def write_run_file(path: Path, run_id: str, lines: tuple[Line, ...] = ENDED) -> Path:
    with RunWriter(path, sample_run(run_id)) as writer:
        for line in lines:
            writer.add(line)
    return path


def test_without_a_verb_runs_are_listed(chimera: Chimera) -> None:
    head, newest, oldest = chimera().splitlines()
    assert head.split()[:2] == ["id", "experiment"]
    assert head.split()[-2:] == ["ended", "tags"]
    assert [run["ended"] for run in json.loads(chimera("--json"))] == ["unfinished", "complete"]
    assert newest.split() == [SECOND, "m", "llamacpp", "3", "1", "unfinished"]
    assert oldest.split() == [FIRST, "e1", "m", "llamacpp", "3", "1", "complete", "kept"]
    assert chimera("--experiment", "e1") == chimera("list", "--tag", "kept")
    assert [run["id"] for run in json.loads(chimera("--json", "--limit", "1"))] == [SECOND]
    assert json.loads(chimera("list", "--json", "--engine", "none")) == []


def test_show(chimera: Chimera) -> None:
    text = chimera("show", FIRST[:20])
    for part in ("llamacpp 1.2", "m Q4_K_M", "num_ctx=512", "3, 1 failed", "complete", "kept"):
        assert part in text
    latest = chimera("show", "latest")
    assert "no end line" in latest
    assert "\x1b" not in latest
    shown = json.loads(chimera("show", "latest", "--json"))
    assert (shown["run"]["id"], shown["stored"]["requests"], shown["end"]) == (SECOND, 3, None)


@pytest.mark.parametrize("verb", ["show", "export", "delete", "tag", "untag"])
def test_a_run_that_is_not_clear(chimera: Chimera, verb: str) -> None:
    more = ["t"] if verb in ("tag", "untag") else []
    assert "no run 'nothing'" in chimera(verb, "nothing", *more, fails=2)
    assert "begins several runs" in chimera(verb, "20260102", *more, fails=2)


def test_tags(chimera: Chimera) -> None:
    chimera("tag", "latest", "a", "b")
    chimera("untag", "latest", "a")
    assert json.loads(chimera("--json"))[0]["tags"] == ["b"]
    assert "a tag is a word" in chimera("tag", "latest", " ", fails=2)


def test_delete_asks_and_needs_a_terminal_for_it(chimera: Chimera) -> None:
    assert "give --yes" in chimera("delete", FIRST, fails=2)
    assert "no run" in chimera("delete", FIRST, "nothing", "--yes", fails=2)
    assert len(json.loads(chimera("--json"))) == 2
    assert chimera("delete", FIRST, SECOND, FIRST, "--yes").count("deleted") == 2
    assert json.loads(chimera("--json")) == []
    assert "holds no run" in chimera("show", "latest", fails=2)


@pytest.mark.parametrize(("answer", "left"), [("y", 1), ("n", 2), ("", 2)])
def test_the_answer_counts(
    chimera: Chimera, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    terminal = io.StringIO(answer + "\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdin", terminal)
    chimera("delete", FIRST, fails=0 if answer == "y" else 130)
    assert len(json.loads(chimera("--json"))) == left


def test_jsonl_is_the_run_file(chimera: Chimera, tmp_path: Path) -> None:
    with RunWriter(tmp_path / "direct.jsonl", sample_run(FIRST, experiment="e1")) as writer:
        for line in ENDED:
            writer.add(line)
    chimera("export", FIRST, "-o", "run.jsonl")
    run, lines, _ = read_lines(tmp_path / "run.jsonl")
    assert run.id == FIRST
    assert lines == list(ENDED)
    written, direct = ((tmp_path / name).read_text() for name in ("run.jsonl", "direct.jsonl"))
    assert written.splitlines()[1:] == direct.splitlines()[1:]
    assert chimera("export", FIRST) == written


def test_json_is_one_document(chimera: Chimera, tmp_path: Path) -> None:
    chimera("export", SECOND, "-o", "run.json")
    document = json.loads((tmp_path / "run.json").read_text())
    assert list(document) == ["format", "version", "run", "lines"]
    assert (document["format"], document["version"]) == ("chimera-run", 2)
    assert [line["type"] for line in document["lines"]] == [
        "start", "request", "request", "request", "watched", "block",
    ]  # fmt: skip


def test_csv_has_a_row_for_each_request(chimera: Chimera) -> None:
    rows = list(csv.DictReader(io.StringIO(chimera("export", FIRST, "--format", "csv"))))
    assert [row["error"] for row in rows] == ["", "timeout", ""]
    assert rows[0]["run_id"] == FIRST


def test_parquet_has_a_row_for_each_request(chimera: Chimera, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow (extra `parquet`)")
    chimera("export", FIRST, "-o", "run.parquet")
    rows: list[dict[str, Any]] = parquet.read_table(tmp_path / "run.parquet").to_pylist()
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert rows[0]["token_ns"] == list(sample_request(0).token_ns)
    assert rows[0]["option_num_ctx"] == 512
    assert rows[0]["server_prefill_ns"] == 80_000_000
    assert (rows[1]["error_class"], rows[1]["output_tokens"]) == ("timeout", None)
    assert rows[2]["token_ns"] == []


def test_parquet_of_a_run_without_requests_and_of_mixed_options(
    chimera: Chimera, url: str, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow (extra `parquet`)")
    run = sample_run("20260303T000000Z-empty")
    (one,) = run.configurations
    other = Options(other={"mode": "fast", "num_ctx": "auto"})
    two = msgspec.structs.replace(one, index=1, options=other)
    with open_store(url) as store:
        put(store, msgspec.structs.replace(run, configurations=(one, two)))
        second = msgspec.structs.replace(run, id="20260303T000000Z-mixed")
        second = msgspec.structs.replace(second, configurations=(one, two))
        put(store, second, [sample_request(0), sample_request(1)])
    chimera("export", run.id, "-o", "empty.parquet")
    chimera("export", second.id, "-o", "mixed.parquet")
    empty, mixed = (parquet.read_table(tmp_path / f"{n}.parquet") for n in ("empty", "mixed"))
    assert empty.num_rows == 0
    assert empty.column_names == mixed.column_names
    assert mixed.to_pylist()[0]["option_num_ctx"] == "512"


def test_parquet_without_its_package_says_how_to_get_it(
    chimera: Chimera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "chimera-lab[parquet]" in chimera("export", FIRST, "-o", "x.parquet", fails=4)
    assert not list(tmp_path.glob("*x.parquet*"))


def test_export_refuses_what_it_cannot_do(chimera: Chimera, tmp_path: Path) -> None:
    (tmp_path / "there.jsonl").write_text("mine")
    assert "exists already" in chimera("export", FIRST, "-o", "there.jsonl", fails=2)
    assert (tmp_path / "there.jsonl").read_text() == "mine"
    assert "give --format" in chimera("export", FIRST, "-o", "run.xlsx", fails=2)
    assert "give a file" in chimera("export", FIRST, "--format", "parquet", fails=2)
    assert "cannot write" in chimera("export", FIRST, "-o", "none/run.csv", fails=3)


def test_what_is_exported_is_imported_elsewhere(chimera: Chimera, tmp_path: Path) -> None:
    for name in (FIRST, SECOND):
        chimera("export", name, "-o", f"{name}.jsonl")
    files = [f"{FIRST}.jsonl", f"{SECOND}.jsonl"]
    assert chimera("import", *files).count("was there already") == 2
    assert chimera("import", *files, "--store", "other.db").count("imported") == 2
    with open_store("runs.db") as here, open_store("other.db") as there:
        for name in (FIRST, SECOND):
            assert list(here.lines(name)) == list(there.lines(name))
            assert here.header(name) == there.header(name)


def test_a_folder_of_a_bench_is_imported(chimera: Chimera, tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    path = write_run_file(tmp_path / "bench" / "run.jsonl", "20260505T000000Z-cccccc", LINES)
    with path.open("ab") as file:
        file.write(b'{"type": "requ')
    (done,) = json.loads(chimera("import", "bench", "--json"))
    assert (done["new"], done["requests"]) == (True, 3)
    assert any("cut off" in note for note in done["notes"])


def test_a_file_of_version_1_is_imported(chimera: Chimera, examples: Path) -> None:
    (path,) = [p.parent for p in examples.glob("**/run.jsonl")][:1]
    assert json.loads((path / "run.jsonl").read_text().splitlines()[0])["version"] == 1
    (done,) = json.loads(chimera("import", str(path), "--json"))
    assert done["requests"] == len(read_run(path / "run.jsonl").requests)
    assert "complete" in chimera("show", done["run_id"])


def test_a_part_of_a_stored_run_is_left_alone(chimera: Chimera, tmp_path: Path) -> None:
    whole = chimera("export", FIRST).splitlines(keepends=True)
    (tmp_path / "part.jsonl").write_text("".join(whole[:3]) + whole[3][:20])
    said = chimera("import", "part.jsonl")
    assert f"nothing to do, the store holds more of it than this file: {FIRST}" in said
    (done,) = json.loads(chimera("import", "part.jsonl", "--json"))
    assert (done["new"], done["fuller"]) == (False, True)
    assert chimera("export", FIRST).splitlines(keepends=True) == whole
    (tmp_path / "whole.jsonl").write_text("".join(whole))
    (same,) = json.loads(chimera("import", "whole.jsonl", "--json"))
    assert (same["new"], same["fuller"]) == (False, False)


def test_more_of_a_stored_run_says_that_the_store_holds_less(
    chimera: Chimera, tmp_path: Path
) -> None:
    whole = chimera("export", FIRST)
    (tmp_path / "more.jsonl").write_text(whole)
    (tmp_path / "less.jsonl").write_text("".join(whole.splitlines(keepends=True)[:4]))
    chimera("import", "less.jsonl", "--store", "other.db")
    said = chimera("import", "more.jsonl", "--store", "other.db", fails=2)
    assert f"the store holds less of run {FIRST}; `chimera runs delete" in said


def test_another_run_of_the_same_id_is_refused(chimera: Chimera, tmp_path: Path) -> None:
    write_run_file(tmp_path / "x.jsonl", FIRST, (*LINES[:2], sample_end(1)))
    said = chimera("import", "x.jsonl", fails=2)
    assert f"holds another run {FIRST}" in said
    assert f"runs delete {FIRST}" in said
    assert json.loads(chimera("--json"))[1]["requests"] == 3


def test_bad_input_is_named(chimera: Chimera, tmp_path: Path) -> None:
    assert "cannot read" in chimera("import", "none.jsonl", fails=2)
    (tmp_path / "notes.txt").write_text("notes\n")
    assert "notes.txt:1: not a run file" in chimera("import", "notes.txt", fails=1)
    write_run_file(tmp_path / "wrong.jsonl", "wrong", (*LINES, sample_end(9)))
    assert "wrong.jsonl:8: the end line counts" in chimera("import", "wrong.jsonl", fails=1)
    assert len(json.loads(chimera("--json"))) == 2
    assert "no store of the kind" in chimera("--store", "mysql://x", fails=2)
