"""``chimera audit`` as a user runs it, on audits made by hand."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chimera.audit import LABELS, Audit, Auditor
from chimera.cli.main import main
from chimera.store.opening import open_store
from chimera.testing.sample_run import sample_run
from chimera.testing.store_contract import ENDED, put
from tests.audit.samples import TEXT, sample

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Call:
    def audit(self: Auditor, text: str, *, name: str = "", ledger: object = None) -> Audit:
        found = sample(name=name, text=text, data=self.data)
        return found if text == TEXT else msgspec.structs.replace(found, claims=())

    monkeypatch.setattr(Auditor, "audit", audit)
    monkeypatch.chdir(tmp_path)
    Path("report.md").write_text(TEXT)
    Path("fine.md").write_text("nothing here")
    Path("runs").mkdir()
    Path("runs", "runs.csv").write_text("model,eval_rate\nalpha,114.2\n")
    Path("hollow").mkdir()

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["audit", *words])
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def test_one_report_by_section(call: Call) -> None:
    code, out, _ = call("report.md", "--data", "runs")
    assert code == 0
    assert "\x1b" not in out
    for words in ("against runs", "Results", "line 3 ", "114.2 tokens/s", "it is contradicted",
                  "runs.csv, row 7, column eval_rate", "cut off instead of rounded",
                  "7 claims: 1 supported, 1 derivable, 1 contradicted",
                  "wrong: 4 of 7 claims do not hold"):  # fmt: skip
        assert words in out
    assert "120 ms" not in out
    assert "120 ms" in call("report.md", "--all")[1]
    assert "against itself alone" in call("report.md")[1]


def test_colours_are_for_terminals(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[1;31mcontradicted" in call("report.md")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert ";31m" not in call("report.md")[1]


def test_strict_is_for_ci(call: Call) -> None:
    assert call("report.md", "--strict")[0] == 1
    assert call("fine.md", "--strict")[0] == 0
    assert call("fine.md", "report.md", "--strict", "--json")[0] == 1


def test_a_table_of_many(call: Call) -> None:
    code, out, _ = call(".")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["report", "claims", *LABELS, "verdict"]
    assert lines[1].split() == ["fine.md", "0", *["0"] * 9, "empty"]
    assert lines[2].split()[-1] == "wrong"
    assert lines[3].startswith("2 reports")


def test_json_is_a_line_a_report(call: Call) -> None:
    _, out, err = call("fine.md", "report.md", "--json", "--data", "runs")
    empty, full = map(json.loads, out.splitlines())
    assert (empty["verdict"], full["verdict"], err) == ("empty", "wrong", "")
    assert (full["format"], full["version"], full["name"]) == ("chimera-audit", 1, "report.md")
    assert full["counts"]["contradicted"] == 1
    first: dict[str, Any] = full["claims"][0]
    assert (first["line"], first["column"]) == (3, 29)
    assert TEXT[first["start"] : first["end"]] == first["text"] == "14.11 tokens/s"
    assert first["places"] == [{"file": "runs.csv", "row": "7", "column": "eval_rate"}]


def test_pages_and_suggestions(call: Call) -> None:
    assert call("report.md", "--html", "page.html")[0] == 0
    assert "data-c=" in Path("page.html").read_text()
    assert call(".", "--html", "pages")[0] == 0
    assert len(list(Path("pages").iterdir())) == 2
    _, out, err = call("report.md", "--suggest")
    assert out.startswith("--- a/report.md\n")
    assert "not changed  line 10: 28 runs" in err


def test_stored_runs_are_named_as_such(call: Call) -> None:
    with open_store("runs.db") as store:
        put(store, sample_run("20260102T030405Z-aaaaaa"), ENDED)
    _, out, _ = call("report.md", "--run", "latest", "--store", "runs.db")
    assert "report.md against run 20260102T030405Z-aaaaaa\n" in out


def test_standard_input(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert "wrong: 4 of 7" in call("-")[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gone.md",), "no report 'gone.md'"),
        (("runs",), "no report in 'runs'"),
        (("report.md", "--run", "x", "--store", "none.db"), "there is no store"),
        (("blank.md",), "is empty"),
        (("binary.md",), "is no text"),
        (("report.md", "--data", "nowhere"), "'nowhere' is no folder"),
        (("report.md", "--data", "runs", "--run", "x"), "exclude each other"),
        (("report.md", "--suggest", "--json"), "give one of them"),
        (("report.md", "fine.md", "--suggest"), "takes one report"),
    ],
)
def test_what_cannot_be_used_is_said_in_a_line(
    call: Call, words: tuple[str, ...], said: str
) -> None:
    Path("blank.md").write_text(" \n")
    Path("binary.md").write_bytes(b"\x7fELF\0\0\1\2" * 20)
    code, out, err = call(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
