"""Which rows count: failures, warm-up, copies, repetitions, summaries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.folders import CSV, ROWS, kinds, only, read, values


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("error", "", "connection refused"),
        ("error_message", "None", "timed out"),
        ("success", "True", "False"),
        ("ok", "1", "0"),
        ("status", "ok", "timeout"),
        ("http_status", "200", "503"),
        ("response", "Paris", "Error: out of memory"),
    ],
)
def test_a_failed_row_in_every_spelling(tmp_path: Path, name: str, good: str, bad: str) -> None:
    text = f"model,{name},ttft_s\nm,{good},0.1\nm,{bad},0.0\nm,{good},0.3\n"
    result = read(tmp_path, a__csv=text)
    outcomes = only(result).outcomes
    assert [bool(o) for o in outcomes] == [False, True, False]
    assert result.files[0].n_failed == 1


def test_a_rate_of_zero_is_a_failure_that_nobody_recorded(tmp_path: Path) -> None:
    batch = only(read(tmp_path, a__csv="model,eval_rate,ttft_s\nm,50,0.1\nm,0,0.1\n"))
    assert batch.outcomes == ["", "no error is recorded, but eval_rate is 0"]


def test_a_blank_row_of_a_known_model_is_a_failure(tmp_path: Path) -> None:
    batch = only(read(tmp_path, a__csv="model,eval_rate,ttft_s\nm,50,0.1\nm,,\n"))
    assert batch.outcomes == ["", "no value was recorded"]


def test_a_column_of_zeros_was_not_measured(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="model,ttft_s,load_s\nm,0.1,0.0\nm,0.2,0.0\n")
    assert only(result).column("load_time", role="metric") is None
    assert "all-zero" in kinds(result)


@pytest.mark.parametrize(
    ("name", "cell", "phase"),
    [
        ("is_warmup", "True", "warm-up"),
        ("phase", "cold", "cold"),
        ("phase", "warmup", "warm-up"),
        ("phase", "measured", ""),
        ("rep", "-1", "warm-up"),
        ("cold_start", "yes", "cold"),
    ],
)
def test_phases(tmp_path: Path, name: str, cell: str, phase: str) -> None:
    batch = only(read(tmp_path, a__csv=f"model,{name},ttft_s\nm,{cell},0.1\nm,no,0.2\n"))
    assert batch.phases == [phase, ""]


def test_a_rounded_copy_counts_once(tmp_path: Path) -> None:
    rows = "".join(f"{m},{t:.2f},{r:.1f}\n" for m, t, r in ROWS)
    result = read(tmp_path, a__csv=CSV, b__csv="model,ttft_s,eval_rate\n" + rows)
    assert result.file("b.csv").n_repeated + result.file("a.csv").n_repeated in (0, 4)
    finer = "".join(f"{m},{t}123,{r}4567\n" for m, t, r in ROWS)
    result = read(tmp_path, b__csv="model,ttft_s,eval_rate\n" + finer)
    assert result.file("a.csv").n_repeated == 4
    assert "rounded-copy" in kinds(result, "a.csv")


def test_a_copy_in_another_unit_and_order_is_found(tmp_path: Path) -> None:
    rows = "".join(f"{m},{t * 1000:.4f},{r}\n" for m, t, r in reversed(ROWS))
    result = read(tmp_path, a__csv=CSV, b__csv="model,ttft_ms,eval_rate\n" + rows)
    assert result.file("b.csv").n_repeated + result.file("a.csv").n_repeated == 4


def test_another_model_with_the_same_numbers_is_no_copy(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv=CSV, b__csv=CSV.replace("m:1b", "n:2b"))
    assert [f.n_repeated for f in result.files] == [0, 0]


def test_a_copy_names_the_model_of_what_it_copies(tmp_path: Path) -> None:
    rows = "".join(f"{t},{r}\n" for _, t, r in ROWS)
    result = read(tmp_path, a__csv=CSV, b__csv="ttft_s,eval_rate\n" + rows)
    copy = next(b for b in result.batches if b.file == "b.csv")
    assert copy.constants["model"] == "m:1b"
    assert copy.constants_from["model"] == "copy"
    assert copy.duplicate_of[0] == "a.csv:2"


def test_a_summary_of_groups_is_derived(tmp_path: Path) -> None:
    rows = "".join(f"m,{c},{t}\n" for c in (1024, 2048) for t in (0.125 * c / 1024, 0.375))
    table = "model,num_ctx,mean_ttft_s\nm,1024,0.25\nm,2048,0.3125\n"
    result = read(tmp_path, runs__csv="model,num_ctx,ttft_s\n" + rows, summary__csv=table)
    summary = next(b for b in result.batches if b.file == "summary.csv")
    assert summary.derived_from == "runs.csv"
    off = read(tmp_path, summary__csv=table.replace("0.25", "0.26").replace("0.3125", "0.4"))
    assert not next(b for b in off.batches if b.file == "summary.csv").derived_from


def test_a_summary_is_held_against_rows_the_first_of_which_has_no_value(tmp_path: Path) -> None:
    rows = "model,ttft_s,eval_rate\nm,0.1312,\nm,0.1478,50.25\nm,0.1295,50.75\n"
    result = read(tmp_path, runs__csv=rows, means__csv="model,mean_eval_rate\nm,50.9\n")
    assert [b.derived_from for b in result.batches if b.kind == "summary"] == [""]


def test_the_path_gives_the_model_only_where_the_rows_do_not(tmp_path: Path) -> None:
    bare = "ttft_s,eval_rate\n0.1,50\n0.2,51\n"
    result = read(tmp_path, gemma3_270m_runs__csv=bare, runs__csv=bare.replace("50", "60"))
    by_file = {b.file: b for b in result.batches}
    assert by_file["gemma3_270m_runs.csv"].constants["model"] == "gemma3-270m"
    assert "model-from-path" in kinds(result, "gemma3_270m_runs.csv")
    assert "model-unknown" in kinds(result, "runs.csv")


def test_a_path_that_contradicts_the_rows_is_noted(tmp_path: Path) -> None:
    rows = "llama3:8b,0.8,0.1\nllama3:8b,0.8,0.2\n"
    text = "model,temperature,ttft_s\n" + rows
    result = read(tmp_path, qwen2_runs__csv=text, llama3_temp0p4__csv=text)
    assert {n.file for n in result.notes if n.kind == "path-contradicts"} == {
        "llama3_temp0p4.csv",
        "qwen2_runs.csv",
    }
    for batch in result.batches:
        assert values(batch, "model") == ["llama3:8b"] * 2
