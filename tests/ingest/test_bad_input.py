"""Folders as they should not be: each file gets a clear outcome, and the rest goes on."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chimera.errors import InputError
from chimera.ingest import ingest_folder
from chimera.ingest.scan import Found, read_whole
from tests.ingest.folders import CSV, kinds, only, read, values

NEEDS_LINKS = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no links and pipes here")


def test_an_empty_folder_is_no_error(tmp_path: Path) -> None:
    result = ingest_folder(tmp_path)
    assert result.files == []
    assert result.batches == []
    assert result.complete


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the folder .*nowhere"):
        ingest_folder(tmp_path / "nowhere")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    with pytest.raises(InputError, match=r"a\.csv' is no folder"):
        ingest_folder(str(tmp_path / "a.csv"))


def test_a_folder_name_that_no_system_takes_is_named() -> None:
    with pytest.raises(InputError, match="cannot read the folder"):
        ingest_folder("a\0b")


@NEEDS_LINKS
def test_a_dangling_link_is_rejected_and_the_rest_is_read(tmp_path: Path) -> None:
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nothing")
    result = read(tmp_path, good__csv=CSV)
    assert result.file("gone.csv").outcome == "rejected"
    assert "cannot be opened" in result.file("gone.csv").reason
    assert result.file("good.csv").n_records == 4


@NEEDS_LINKS
def test_links_that_form_a_loop_are_followed_once(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.csv").write_text(CSV)
    (inner / "again").symlink_to(tmp_path)
    (tmp_path / "also").symlink_to(inner)
    (tmp_path / "self.csv").symlink_to(tmp_path / "self.csv")
    result = ingest_folder(tmp_path)
    assert [f.name for f in result.files] == ["inner/a.csv", "self.csv"]
    assert result.file("self.csv").outcome == "rejected"
    assert [s.partition(":")[0] for s in result.skipped] == ["also/", "inner/again/"]


@NEEDS_LINKS
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    result = read(tmp_path, good__csv=CSV)
    assert "pipe" in result.file("pipe.csv").reason
    assert result.file("good.csv").outcome == "samples"


@NEEDS_LINKS
def test_a_pipe_that_took_the_place_of_a_file_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    content = read_whole(Found(str(tmp_path / "a.csv"), "a.csv"), 1 << 20)
    assert content.data is None
    assert "pipe" in content.problem


def test_an_unreadable_file_is_rejected_by_name(tmp_path: Path) -> None:
    (tmp_path / "good.csv").write_text(CSV)
    secret = tmp_path / "secret.csv"
    secret.write_text(CSV)
    secret.chmod(0)
    if os.access(secret, os.R_OK):  # root reads everything: ask somebody else
        report = _read_as_nobody(tmp_path)
    else:
        result = ingest_folder(tmp_path)
        report = {f.name: [f.outcome, f.reason] for f in result.files}
    assert report["good.csv"][0] == "samples"
    assert report["secret.csv"] == ["rejected", "it cannot be opened: Permission denied"]


def _read_as_nobody(folder: Path) -> dict[str, list[str]]:
    for parent in folder.parents[:3]:
        parent.chmod(0o755)
    folder.chmod(0o755)
    program = (
        "import json, os, sys\n"
        "from chimera.ingest import ingest_folder\n"
        "os.chdir('/'); os.setgid(65534); os.setuid(65534)\n"
        "found = ingest_folder(sys.argv[1]).files\n"
        "print(json.dumps({f.name: [f.outcome, f.reason] for f in found}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if done.returncode:
        pytest.skip(f"rights cannot be dropped here: {done.stderr[-200:]}")
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_a_file_of_2_gb_is_rejected_without_being_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2_000_000_000)
    result = read(tmp_path, good__csv=CSV)
    report = result.file("huge.csv")
    assert report.outcome == "rejected"
    assert report.reason == (
        "it is larger (2000 MB) than the limit of 268 MB for one file; raise it with --max-file-mb"
    )
    assert report.sha256 == ""
    assert result.file("good.csv").outcome == "samples"


def test_the_limit_is_the_callers(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV)
    assert ingest_folder(tmp_path, max_bytes=len(CSV)).files[0].outcome == "samples"
    assert ingest_folder(tmp_path, max_bytes=len(CSV) - 1).files[0].outcome == "rejected"


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CSV + "m:1b,0.2,50\n" * 200_000)
    stop = threading.Event()

    def write() -> None:
        with path.open("a") as file:
            while not stop.is_set():
                file.write("m:1b,0.3,51\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        deadline = time.monotonic() + 20
        changed = False
        while not changed and time.monotonic() < deadline:
            content = read_whole(Found(str(path), "a.csv"), 1 << 30)
            assert content.data is not None
            assert content.data.startswith(CSV.encode())
            changed = content.changed
    finally:
        stop.set()
        writer.join()
    assert changed


def test_hidden_folders_and_the_output_are_left_out(tmp_path: Path) -> None:
    for folder in (".cache", "report", "data"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.csv").write_text(CSV)
    result = ingest_folder(tmp_path, exclude=str(tmp_path / "report"))
    assert [f.name for f in result.files] == ["data/a.csv"]


@pytest.mark.parametrize("name", ["a\nb.csv", '<b>&".csv', "\u202egnp.csv", "a b;rm -rf.csv"])
def test_odd_names_are_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(CSV)
    assert ingest_folder(tmp_path).files[0].name == name


def test_a_name_that_is_no_utf8_becomes_printable(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.csv"
    try:
        with open(raw, "wb") as file:
            file.write(CSV.encode())
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    result = ingest_folder(tmp_path)
    assert result.files[0].name == "caf\ufffd.csv"
    assert result.files[0].n_records == 4
    result.files[0].name.encode()


def test_a_hundred_levels_of_json_are_read(tmp_path: Path) -> None:
    value: object = [{"model": "m", "ttft_s": 0.125}, {"model": "m", "ttft_s": 0.25}]
    for level in range(99):
        value = {f"k{level}": value}
    batch = only(read(tmp_path, deep__json=json.dumps(value)))
    assert values(batch, "ttft") == [0.125, 0.25]


@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")])
def test_a_hundred_thousand_levels_are_rejected(tmp_path: Path, left: str, right: str) -> None:
    deep = left * 100_000 + "1" + right * 100_000
    result = read(tmp_path, a__json=deep, b__jsonl=deep, good__csv=CSV)
    assert result.file("a.json").reason == "it is nested too deeply to be read"
    assert result.file("b.jsonl").outcome == "rejected"
    assert result.file("good.csv").outcome == "samples"


def test_binary_files_are_rejected_whatever_their_name(tmp_path: Path) -> None:
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))
    result = read(tmp_path, a__csv=png, b__json=png, c__md=png, d__jsonl=png)
    assert {f.outcome for f in result.files} == {"rejected"}
    assert {f.reason for f in result.files} == {"it is no text"}


def test_nuls_late_in_a_table_spoil_only_their_row(tmp_path: Path) -> None:
    rows = "".join(f"m,0.1{i:03d},50\n" for i in range(200))
    batch = only(read(tmp_path, a__csv="model,ttft_s,n\n" + rows + "m,0.\0002,51\n"))
    assert values(batch, "ttft")[-1] is None
    assert len(batch) == 201


def test_an_open_quotation_mark_costs_one_line(tmp_path: Path) -> None:
    text = 'model,prompt,ttft_s\nm,"a, b",0.1\nm,"open,0.2\nm,"c",0.3\n'
    result = read(tmp_path, a__csv=text)
    assert values(only(result), "ttft") == [0.1, 0.3]
    assert [(n.kind, n.rows) for n in result.notes if n.kind == "open-quote"] == [
        ("open-quote", (3,))
    ]


def test_a_line_of_a_megabyte_and_ten_thousand_columns(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(10_000)) + ",ttft_s\n"
    wide = names + (",".join(["1.5"] * 10_000) + ",0.125\n") * 2
    line = '{"ttft_s": [' + ",".join(["0.125"] * 170_000) + "]}"
    result = read(tmp_path, wide__csv=wide, line__json=line, none__csv="a" * 1_000_000)
    assert result.file("none.csv").outcome == "rejected"
    assert result.file("line.json").n_records == 170_000
    assert result.file("wide.csv").n_records == 2


def test_empty_files_hold_no_data(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="", b__json=" \n", c__jsonl="", d__csv="model,ttft_s\n")
    assert {f.outcome for f in result.files} == {"no benchmark data"}


def test_a_wrong_extension_does_not_hide_the_content(tmp_path: Path) -> None:
    rows = json.dumps([{"model": "m", "ttft_s": 0.1}, {"model": "m", "ttft_s": 0.2}], indent=1)
    result = read(tmp_path, a__csv=rows, b__json="model,ttft_s\nx,0.3\nx,0.4\n", c__jsonl=rows)
    assert [f.outcome for f in result.files] == ["samples"] * 3
    assert result.file("c.jsonl").n_records == 2


def test_utf16_taken_for_text_is_rejected_with_what_it_says(tmp_path: Path) -> None:
    twice = "==ERROR== no counters".encode("utf-16").decode("latin-1").encode()
    result = read(tmp_path, a__csv=twice)
    assert "==ERROR==" in result.files[0].reason


def test_files_read_one_by_one_or_together_give_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {f"{i}__{kind}" for i in range(3) for kind in ("csv", "json", "md", "txt")}
    files = {name: CSV + name if "2" in name else CSV for name in names}
    together = read(tmp_path, **files)
    monkeypatch.setattr("chimera.ingest.folder._HELD", 0)
    assert ingest_folder(tmp_path) == together
    assert [f.name for f in together.files] == sorted(n.replace("__", ".") for n in names)


def test_reading_makes_no_cycles_while_the_collector_is_paused(tmp_path: Path) -> None:
    read(tmp_path, a__csv=CSV, b__csv=CSV + "x\n", c__json='[{"ttft_s": 1}', d__md="| a |\n|--|\n")
    gc.collect()
    gc.disable()
    try:
        result = ingest_folder(tmp_path)
        assert gc.collect() == 0
        assert not gc.isenabled()  # left as it was found
    finally:
        gc.enable()
    assert ingest_folder(tmp_path) == result
    assert gc.isenabled()


def test_the_same_bytes_under_two_names_count_once(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv=CSV, b__csv=CSV, c__md="# a", d__md="# a")
    assert [f.n_repeated for f in result.files] == [0, 4, 0, 0]
    assert kinds(result, "b.csv") == {"copied-file"}
    assert [d.file for d in result.documents] == ["c.md", "d.md"]
    assert result.batches[1].duplicate_of == ["a.csv:2", "a.csv:3", "a.csv:4", "a.csv:5"]


def test_a_report_of_our_own_is_no_source_even_twice(tmp_path: Path) -> None:
    report = "<!-- chimera-report -->\n# Report\n\n| model | ttft |\n|---|---|\n| m | 0.1 |\n"
    result = read(tmp_path, a__md=report, b__md=report, c__csv=CSV)
    assert result.documents == []
    assert [f.outcome for f in result.files] == ["document", "document", "samples"]
