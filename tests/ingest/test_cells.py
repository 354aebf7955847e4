"""What single cells, names and tables of odd syntax are read as."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.ingest.cells import parse_number
from chimera.ingest.columns import parameter_value
from chimera.ingest.names import read_name
from tests.ingest.folders import CSV, column, kinds, only, read, values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12.5", (12.5, "", 1.0)),
        (" 1,234.5 ", (1234.5, "", 1.0)),
        ("-3e-2", (-0.03, "", 1.0)),
        ("12.5 ms", (12.5, "s", 1e-3)),
        ("**77.6**", (77.6, "", 1.0)),
        ("77.6 tok/s", (77.6, "tokens/s", 1.0)),
        ("1.2k", (1200.0, "", 1.0)),
        ("45%", (45.0, "%", 1.0)),
        ("", None),
        ("n/a", None),
        ("inf", None),
        ("1e400", None),
        ("28 CSV", None),
        ("q4_0", None),
        ("2025-01-01", None),
    ],
)
def test_numbers_as_people_write_them(text: str, expected: object) -> None:
    assert parse_number(text) == expected


@pytest.mark.parametrize("value", [0.8, "0.8", 0.800000011920929, "0.800000"])
def test_one_setting_in_many_spellings(value: object) -> None:
    assert parameter_value(value) == 0.8


@pytest.mark.parametrize(
    ("name", "parent", "key", "statistic", "unit"),
    [
        ("ttft_s", "", "ttft", "", "s"),
        ("mean_ttft_ms", "", "ttft", "mean", "s"),
        ("p99_itl_ms", "", "itl", "p99", "s"),
        ("Time to First Token (ms)", "", "ttft", "", "s"),
        ("timeToFirstTokenMs", "", "ttft", "", "s"),
        ("eval rate (tok/s)", "", "decode_throughput", "", "tokens/s"),
        ("output tokens", "", "output_tokens", "", "tokens"),
        ("tokens_per_second", "", "token_rate", "", "tokens/s"),
        ("95% percentile latency", "", "", "", ""),
        ("mean", "ttft", "ttft", "mean", ""),
        ("p50_ms", "request_latency", "e2e_latency", "p50", "s"),
    ],
)
def test_names_of_metrics(name: str, parent: str, key: str, statistic: str, unit: str) -> None:
    reading = read_name(name, parent)
    if key:
        assert (reading.role, reading.key) == ("metric", key)
        assert (reading.statistic, reading.unit) == (statistic, unit)


@pytest.mark.parametrize("name", ["fan_speed", "gpu[0].fan_speed", "happiness_ms", "läuft", ""])
def test_unknown_names_stay_unknown(name: str) -> None:
    assert read_name(name).role == "unknown"
    assert read_name(name).key == name


def test_decimal_commas_and_thousands_points(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="model;ttft_s\nm;0,125\nm;1.234,5\n")
    assert values(only(result), "ttft") == [0.125, 1234.5]
    assert "decimal-comma" in kinds(result)


def test_a_dot_groups_thousands_where_its_column_has_decimal_commas(tmp_path: Path) -> None:
    text = "model;ttft_ms;latency_ms;temp\na;1.204;1.250;0,8\na;980,5;1.500;0,8\n"
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "ttft") == [pytest.approx(1.204), pytest.approx(0.9805)]
    assert values(batch, "e2e_latency") == [pytest.approx(0.00125), pytest.approx(0.0015)]
    assert column(batch, "temperature").values == [0.8, 0.8]


def test_thousands_separators_and_si_suffixes(tmp_path: Path) -> None:
    text = 'model,eval_rate,prompt_eval_rate\nm,"1,234.5",1.5k\nm,"2,000",2k\n'
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "decode_throughput") == [1234.5, 2000.0]
    assert values(batch, "prefill_throughput") == [1500.0, 2000.0]


def test_a_row_of_units_below_the_names(tmp_path: Path) -> None:
    text = "model,ttft,eval_rate\n,ms,tok/s\nm,125,50\nm,250,60\n"
    result = read(tmp_path, a__csv=text)
    assert values(only(result), "ttft") == [0.125, 0.25]
    assert column(only(result), "decode_throughput").unit == "tokens/s"
    assert only(result).rows == [3, 4]
    assert "unit-row" in kinds(result)


def test_three_header_rows(tmp_path: Path) -> None:
    text = "Run of today,,\n,Latency,\nmodel,ttft_s,output_tokens\nm,0.125,10\nm,0.25,20\n"
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "ttft") == [0.125, 0.25]
    assert batch.rows == [4, 5]


def test_several_tables_in_one_file(tmp_path: Path) -> None:
    text = "Results\n\nmodel,ttft_s\na,0.1\na,0.2\n\nmodel,compile_time_ms\nx,100\ny,200\n"
    result = read(tmp_path, a__csv=text)
    assert [b.rows for b in result.batches] == [[4, 5], [8, 9]]
    assert values(result.batches[1], "compile_time") == [0.1, 0.2]


def test_blank_lines_and_empty_header_cells(tmp_path: Path) -> None:
    batch = only(read(tmp_path, a__csv="\nmodel,,ttft_s,\n\nm,1,0.125,x\n\nm,2,0.25,y\n"))
    assert values(batch, "ttft") == [0.125, 0.25]
    assert batch.rows == [4, 6]


def test_comments_above_the_header(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="# run 7\n# host x\n" + CSV)
    assert only(result).rows == [4, 5, 6, 7]
    assert "comment-lines" in kinds(result)


def test_options_as_json_in_a_cell(tmp_path: Path) -> None:
    text = (
        'model,options,ttft_s\nm,"{""num_ctx"": 2048, ""x"": [1]}",0.1\n'
        'm,"{""num_ctx"": 4096, ""num_gpu"": ""0.80""}",0.2\n'
    )
    batch = only(read(tmp_path, a__csv=text))
    assert values(batch, "num_ctx") == [2048, 4096]
    assert values(batch, "num_gpu") == [None, 0.8]


@pytest.mark.parametrize("bad", ["NaN", "Infinity", "1e400", "1" * 401, "-1e999"])
def test_what_is_not_finite_is_no_measurement(tmp_path: Path, bad: str) -> None:
    rows = f'[{{"model":"m","ttft_s":{bad}}},{{"model":"m","ttft_s":0.25}}]'
    table = f"model,ttft_s\nm,{bad}\nm,0.25\n"
    result = read(tmp_path, a__json=rows, b__csv=table)
    for batch in result.batches:
        assert values(batch, "ttft") == [None, 0.25]
        assert batch.outcomes == ["no value was recorded", ""]
    assert {n.file for n in result.notes if n.kind == "not-finite"} == {"a.json", "b.csv"}


def test_a_number_of_five_thousand_digits_is_not_finite(tmp_path: Path) -> None:
    rows = '{"model":"m","ttft_s":%s}\n{"model":"m","ttft_s":0.25}\n' % ("9" * 5000)
    result = read(tmp_path, a__json=rows, b__jsonl=rows)
    assert [values(b, "ttft") for b in result.batches] == [[None, 0.25]] * 2


def test_an_underscore_is_no_thousands_separator(tmp_path: Path) -> None:
    batch = only(read(tmp_path, a__csv="model,ttft_s\nm,1_0\nm,0.25\nm,0.5\n"))
    assert values(batch, "ttft") == [None, 0.25, 0.5]


def test_a_text_among_numbers_is_noted_with_its_line(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="model,ttft_s\nm,0.1\nm,oops\nm,0.3\n")
    note = next(n for n in result.notes if n.kind == "not-a-number")
    assert (note.rows, note.column, note.detail) == ((3,), "ttft_s", "oops")


def test_a_cell_of_another_dimension_is_left_out(tmp_path: Path) -> None:
    result = read(tmp_path, a__csv="model,ttft\nm,125 ms\nm,0.25 s\nm,50 tok/s\n")
    assert values(only(result), "ttft") == [0.125, 0.25, None]
    assert "cell-unit-misfit" in kinds(result)


def test_keys_that_stand_twice(tmp_path: Path) -> None:
    text = '[{"model":"m","ttft_s" : 0.1,"ttft_s":0.2}, {"model":"a: \\"b\\" : c","ttft_s":1}]'
    result = read(tmp_path, a__json=text)
    assert values(only(result), "ttft") == [0.2, 1.0]
    assert [(n.kind, n.column) for n in result.notes if n.kind == "duplicate-key"] == [
        ("duplicate-key", "ttft_s")
    ]


def test_colons_and_quotes_inside_texts_are_no_keys(tmp_path: Path) -> None:
    text = '[{"model": "m", "prompt": "say \\"a\\" : b", "ttft_s": 0.1}]'
    assert kinds(read(tmp_path, a__json=text)) == set()


def test_json_lines_with_bad_lines(tmp_path: Path) -> None:
    good = '{"model":"m","ttft_s":0.1}\n'
    result = read(tmp_path, mid__jsonl=good + "oops\n" + good, end__jsonl=good * 2 + '{"mod')
    assert [b.rows for b in result.batches] == [[1, 2], [1, 3]]
    assert [(n.file, n.kind, n.rows) for n in result.notes if n.kind != "copied-rows"] == [
        ("end.jsonl", "truncated", (3,)),
        ("mid.jsonl", "bad-lines", (2,)),
    ]


def test_concatenated_json(tmp_path: Path) -> None:
    text = '{"model":"m","ttft_s":0.1}{"model":"m","ttft_s":0.2}\n{"model":"m","ttft_s":0.3}'
    result = read(tmp_path, a__json=text)
    assert values(only(result), "ttft") == [0.1, 0.2, 0.3]
    assert only(result).rows == [1, 1, 2]
    assert "several-documents" in kinds(result)


@pytest.mark.parametrize(
    ("cells", "mixed"),
    [
        (["2025-01-01T00:00:00", "2025-01-01T00:00:00Z"], True),
        (["2025-01-01T00:00:00+02:00", "1735689600"], True),
        (["2025-01-01 00:00:00", "1735689600.5"], True),
        (["2025-01-01T00:00:00Z", "2025-01-01T00:00:00.123456789+01:00", ""], False),
        (["2025-01-01", "2025-01-02T10:00:00"], False),
        (["1735689600", "1735689601.25"], False),
    ],
)
def test_times_in_several_forms(tmp_path: Path, cells: list[str], mixed: bool) -> None:
    rows = "".join(f"m,{c},0.{i + 1}\n" for i, c in enumerate(cells))
    result = read(tmp_path, a__csv="model,timestamp,ttft_s\n" + rows)
    assert ("mixed-times" in kinds(result)) == mixed


def test_a_time_that_is_a_context_length(tmp_path: Path) -> None:
    rows = "m,1024.0,0.1\nm,1024.0,0.2\n"
    result = read(tmp_path, a__csv="model,latency_ms,ttft_s\n" + rows)
    assert only(result).column("e2e_latency", role="metric") is None
    assert "looks-like-setting" in kinds(result)


def test_degrees_are_no_sampling_temperature(tmp_path: Path) -> None:
    batch = only(read(tmp_path, a__csv="model,temperature,ttft_s\nm,65,0.1\nm,66,0.2\n"))
    assert batch.column("temperature", role="parameter") is None


def test_windows_line_ends_and_encodings(tmp_path: Path) -> None:
    windows = CSV.replace("\n", "\r\n")
    result = read(
        tmp_path,
        a__csv=windows,
        b__csv=b"\xef\xbb\xbf" + windows.encode(),
        c__csv=windows.encode("utf-16"),
        d__csv=windows.replace("m:1b", "m:é").encode("cp1252"),
    )
    for batch in result.batches:
        assert values(batch, "ttft") == [0.1312, 0.1478, 0.1295, 0.1523]
        assert batch.rows == [2, 3, 4, 5]
    assert {n.file for n in result.notes if n.kind == "encoding"} == {"b.csv", "c.csv", "d.csv"}
