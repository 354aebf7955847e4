"""Tables with more than one header line: whatever is read, no header line is a record."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.ingest.folders import column, kinds, only, read, values

GROUPED = (
    "Run,Run,Latency,Latency,TTFT,TTFT,Requests\n"
    "Model,Index,Successful Sec,Successful Sec,Successful ms,Successful ms,Errored\n"
    ",,Mean,Percentiles,Mean,Median,\n"
    'a,0,1.5,"[1.0, 2.0]",125,120,0\n'
    'a,1,2.5,"[2.0, 3.0]",250,240,0\n'
)


def test_three_lines_of_names_become_one(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv=GROUPED)
    batch = only(result)
    assert (batch.kind, batch.rows, batch.outcomes) == ("summary", [4, 5], ["", ""])
    assert values(batch, "e2e_latency", "mean") == [1.5, 2.5]
    assert values(batch, "ttft", "mean") == [0.125, 0.25]
    assert values(batch, "ttft", "median") == [0.12, 0.24]
    assert "header-lines" in kinds(result)
    assert "not-a-number" not in kinds(result)


def test_statistics_below_the_names(tmp_path: Path) -> None:
    batch = only(read(tmp_path, a__csv="run,TTFT,Latency\nx,Mean,p95\na,0.1,0.5\nb,0.2,0.6\n"))
    assert batch.rows == [3, 4]
    assert (column(batch, "ttft", "mean").name, batch.kind) == ("TTFT Mean", "summary")
    assert values(batch, "e2e_latency", "p95") == [0.5, 0.6]


@pytest.mark.parametrize(
    "line", ["text,number,number", "the model,until the first token,as the server says"]
)
def test_other_words_below_the_names_are_no_record(tmp_path: Path, line: str) -> None:
    text = f"model,ttft_s,eval_rate\n{line}\nm,0.1,50\nm,0.2,51\n"
    batch = only(read(tmp_path, a__csv=text))
    assert (batch.rows, batch.outcomes) == ([3, 4], ["", ""])
    assert values(batch, "ttft") == [0.1, 0.2]


@pytest.mark.parametrize(
    "line",
    [
        "m,timed out,",
        "m,error,error",
        "m,n/a,n/a",
        "m,refused,see the log",  # the model's name stands below again
        "1,refused,refused",  # a number
    ],
)
def test_a_first_record_that_failed_is_still_a_record(tmp_path: Path, line: str) -> None:
    text = f"model,ttft_s,eval_rate\n{line}\nm,0.1,50\nm,0.2,51\n"
    batch = only(read(tmp_path, a__csv=text))
    assert (len(batch), batch.outcomes.count("")) == (3, 2)


def test_a_group_row_names_what_statistics_below_it_are_of(tmp_path: Path) -> None:
    text = ",TTFT,,Latency,\nmodel,mean ms,p95 ms,mean ms,p95 ms\na,100,150,900,950\nb,1,2,3,4\n"
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "ttft", "mean") == [0.1, 0.001]
    assert values(batch, "ttft", "p95") == [0.15, 0.002]
    assert values(batch, "e2e_latency", "mean") == [0.9, 0.003]
    assert not [c for c in batch.metrics() if c.key == "duration"]


def test_units_below_decimal_commas(tmp_path: Path) -> None:
    text = "model;ttft;eval_rate\n;ms;tok/s\nm;125,5;50,25\nm;250,5;60,5\n"
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "ttft") == [pytest.approx(0.1255), pytest.approx(0.2505)]
    assert batch.rows == [3, 4]
