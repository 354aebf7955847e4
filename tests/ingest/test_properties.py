"""What must hold for any table and any bytes, tried on many."""

from __future__ import annotations

import csv
import io
import json
import string
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chimera.ingest import Ingest, ingest_folder
from chimera.ingest.cells import parse_number
from chimera.ingest.names import read_name
from chimera.ingest.readers.markdown import document_tables

EXTENSIONS = ("csv", "tsv", "json", "jsonl", "md", "txt")
NAMES = ("model", "ttft_s", "eval_rate")
_measured = st.floats(1e-4, 1e4, allow_nan=False).map(lambda v: float(f"{v:.7g}"))
_texts = st.text(string.ascii_letters + string.digits + " .:-_,;|\t\"'é", min_size=1, max_size=12)
_models = _texts.map(lambda t: "m" + t.strip()).filter(lambda t: not t.endswith(("gguf",)))
_tables = st.lists(st.tuples(_models, _measured, _measured), min_size=2, max_size=8)
slow = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def _ingest(**files: bytes) -> Ingest:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name.replace("__", ".")).write_bytes(content)
        return ingest_folder(folder)


def _as_csv(rows: list[Any], delimiter: str, quoting: Any = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting)
    writer.writerow(NAMES)
    writer.writerows(rows)
    return out.getvalue()


def _metrics(result: Ingest) -> list[list[Any]]:
    assert len(result.batches) == 1, [(f.outcome, f.reason) for f in result.files]
    columns = result.batches[0].columns
    return [next(c.values for c in columns if c.name == name) for name in NAMES[1:]]


@slow
@given(
    rows=_tables,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_any_way_to_write_a_table_gives_the_same_values(
    rows: list[Any], delimiter: str, encoding: str, quoting: int
) -> None:
    expected = [[r[1] for r in rows], [r[2] for r in rows]]
    objects = [dict(zip(NAMES, r, strict=True)) for r in rows]
    columns = {name: [o[name] for o in objects] for name in NAMES[1:]}
    assert _metrics(_ingest(a__csv=_as_csv(rows, delimiter, quoting).encode(encoding))) == expected
    assert _metrics(_ingest(a__json=json.dumps(objects).encode(encoding))) == expected
    assert _metrics(_ingest(a__json=json.dumps({"results": objects}).encode())) == expected
    assert _metrics(_ingest(a__json=json.dumps(columns).encode())) == expected
    lines = "\n".join(map(json.dumps, objects))
    assert _metrics(_ingest(a__jsonl=lines.encode(encoding))) == expected


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_as_it_was_written(value: float) -> None:
    parsed = parse_number(repr(value))
    assert parsed == (value, "", 1.0)


@given(st.floats(-1e9, 1e9), st.sampled_from(["ms", "s", "tok/s", "tokens/s", "%", "us"]))
def test_a_number_with_a_unit_keeps_its_value(value: float, unit: str) -> None:
    parsed = parse_number(f"{value!r} {unit}")
    assert parsed is not None
    assert parsed[0] == value
    assert parsed[1]


@given(st.text(max_size=40), st.booleans())
def test_any_text_is_a_number_or_none(text: str, comma: bool) -> None:
    parsed = parse_number(text, comma)
    assert parsed is None or isinstance(parsed[0], float)


@given(st.text(max_size=60), st.text(max_size=20))
def test_any_name_can_be_read(name: str, parent: str) -> None:
    assert read_name(name, parent).role in (
        "metric",
        "parameter",
        "identity",
        "status",
        "unknown",
    )


@given(st.text(alphabet="|-: \n#`~ab1", max_size=200))
def test_any_markdown_can_be_read(text: str) -> None:
    for table in document_tables(text):
        assert all(len(row) == len(table.names) for row in table.rows)


_json_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
_json_keys = st.sampled_from(
    ["ttft", "mean", "unit", "model", "results", "error", "latency_ms", "p99", "options", "x", ""]
)
_json_values = st.recursive(
    _json_leaves | st.sampled_from(["ms", "q4_0", "{}", "timeout"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_json_keys, inner, max_size=4),
    max_leaves=20,
)


@slow
@given(_json_values)
def test_any_json_ends_with_an_outcome(value: Any) -> None:
    text = json.dumps(value).encode()
    result = _ingest(a__json=text, b__jsonl=text, c__csv=text)
    for report in result.files:
        assert report.outcome in ("samples", "summaries", "no benchmark data", "rejected")
        assert report.reason or report.outcome in ("samples", "summaries")
    for batch in result.batches:
        lengths = {len(c.values) for c in batch.columns} | {len(c.raw) for c in batch.columns}
        assert lengths == {len(batch)}
        assert len(batch.outcomes) == len(batch.phases) == len(batch.duplicate_of) == len(batch)


_cells = st.sampled_from(
    ["", "0", "1.5", "1e400", "nan", "ms", "model", "ttft_s", "tok/s", '"', "#", "a b", "1,5", "é"]
)
_lines = st.lists(st.lists(_cells, max_size=5), max_size=8)


@slow
@given(_lines, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_table_of_odd_cells_ends_with_an_outcome(
    lines: list[list[str]], delimiter: str, end: str
) -> None:
    text = end.join(delimiter.join(cells) for cells in lines)
    report = _ingest(a__csv=text.encode()).files[0]
    assert report.outcome in ("samples", "summaries", "no benchmark data", "rejected")


@slow
@given(st.binary(max_size=300), st.sampled_from(EXTENSIONS))
def test_no_bytes_make_ingest_fail(data: bytes, extension: str) -> None:
    result = _ingest(**{f"a__{extension}": data})
    assert len(result.files) == 1
    assert result.files[0].outcome


@pytest.mark.parametrize("extension", EXTENSIONS)
@slow
@given(st.text(max_size=200))
def test_no_text_makes_ingest_fail(extension: str, text: str) -> None:
    result = _ingest(**{f"a__{extension}": text.encode("utf-8", "surrogatepass")})
    assert result.files[0].outcome


_distinct = st.lists(
    st.tuples(st.integers(100_000, 999_999), st.integers(100_000, 999_999)),
    min_size=4,
    max_size=10,
    unique_by=(lambda r: r[0], lambda r: r[1]),
).map(lambda rows: [("m:1b", a / 1e6, b / 1e3) for a, b in rows])


@slow
@given(_distinct, st.sampled_from(["csv", "json", "jsonl", "columns"]), st.randoms())
def test_a_copy_in_another_format_is_found(rows: list[Any], form: str, random: Any) -> None:
    original = _as_csv(rows, ",").encode()
    copied = list(rows)
    random.shuffle(copied)
    objects = [dict(zip(NAMES, r, strict=True)) for r in copied]
    columns = {name: [o[name] for o in objects] for name in NAMES[1:]} | {"model": "m:1b"}
    copies = {
        "csv": ("b__csv", _as_csv(copied, ";")),
        "json": ("b__json", json.dumps(objects, indent=1)),
        "jsonl": ("b__jsonl", "\n".join(map(json.dumps, objects))),
        "columns": ("b__json", json.dumps(columns)),
    }
    name, text = copies[form]
    result = _ingest(a__csv=original, **{name: text.encode()})
    assert sum(f.n_repeated for f in result.files) == len(rows)


@slow
@given(_distinct, st.integers(1, 9))
def test_repeated_measurements_are_no_copies(rows: list[Any], step: int) -> None:
    again = [(m, round(t + step * 1e-6, 6), round(r + step * 1e-3, 3)) for m, t, r in rows]
    for row in again:
        if any(row[1] == other[1] or row[2] == other[2] for other in rows):
            return
    result = _ingest(a__csv=_as_csv(rows, ",").encode(), b__csv=_as_csv(again, ",").encode())
    assert [f.n_repeated for f in result.files] == [0, 0]


@slow
@given(_tables, st.sets(st.integers(0, 7)))
def test_failed_rows_never_count(rows: list[Any], failed: set[int]) -> None:
    lines = ["model,ttft_s,eval_rate,error"]
    for i, (_, ttft, rate) in enumerate(rows):
        lines.append("m,0,0,refused" if i in failed else f"m,{ttft!r},{rate!r},")
    result = _ingest(a__csv="\n".join(lines).encode())
    report = result.files[0]
    expected = sum(1 for i in range(len(rows)) if i in failed)
    assert (report.n_records, report.n_failed) == (len(rows), expected)
    for batch in result.batches:
        good = [i for i, o in enumerate(batch.outcomes) if not o]
        assert good == [i for i in range(len(rows)) if i not in failed]
