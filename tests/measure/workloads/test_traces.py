"""Traces: times from the beginning, lengths as they stand, and text that is made for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chimera.errors import InputError
from chimera.measure.workloads import Workload, open_workload


def opened(folder: Path, name: str, content: str) -> Workload:
    (folder / name).write_text(content)
    return open_workload(str(folder / name), count_tokens=lambda text: len(text.split()))


def shape(workload: Workload) -> list[tuple[float | None, int, int | None]]:
    return [(p.at_s, len(p.text.split()), p.max_tokens) for p in workload.prompts]


def test_azure(tmp_path: Path) -> None:
    workload = opened(
        tmp_path,
        "trace.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2023-11-16 18:15:46.6805900,374,44\n"
        "2023-11-16 18:15:50.9951690,396,109\n",
    )
    assert shape(workload) == [(0.0, 374, 44), (4.314579, 396, 109)]


def test_azure_of_the_next_year_has_time_zones(tmp_path: Path) -> None:
    workload = opened(
        tmp_path,
        "trace.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2024-05-10 00:00:00.009930+00:00,20,1\n2024-05-10 02:00:01+02:00,30,2\n",
    )
    assert shape(workload) == [(0.0, 20, 1), (0.99007, 30, 2)]


def test_burstgpt_counts_seconds_and_keeps_failed_requests(tmp_path: Path) -> None:
    workload = opened(
        tmp_path,
        "burst.csv",
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,ChatGPT,472,18,490,Conversation log\n"
        "45,GPT-4,30,0,30,API log\n"
        "118,ChatGPT,12,9,21,API log\n",
    )
    assert shape(workload) == [(0.0, 472, 18), (113.0, 12, 9)]
    assert any("1, the first at burst.csv, line 3" in note for note in workload.notes)
    assert any("not read: Model, Total tokens, Log Type" in note for note in workload.notes)


def test_mooncake_counts_milliseconds_and_shares_what_its_hashes_share(tmp_path: Path) -> None:
    rows = [
        {"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [0, 1, 2]},
        {"timestamp": 3500, "input_length": 1300, "output_length": 7, "hash_ids": [0, 1, 3]},
        {"timestamp": 4000, "input_length": 600, "output_length": 7, "hash_ids": [4, 5]},
    ]
    workload = opened(tmp_path, "trace.jsonl", "\n".join(map(json.dumps, rows)))
    assert shape(workload) == [(0.0, 1100, 5), (3.5, 1300, 7), (4.0, 600, 7)]
    first, second, third = (prompt.text.split() for prompt in workload.prompts)
    assert first[:1024] == second[:1024]
    assert first[1024:] != second[1024:1100]
    assert first[:5] != third[:5]


def test_own_times_and_texts(tmp_path: Path) -> None:
    rows = [{"at_s": 5.25, "prompt": "a"}, {"at_s": 2, "prompt": "b", "max_tokens": 4}]
    workload = opened(tmp_path, "trace.jsonl", "\n".join(map(json.dumps, rows)))
    assert [(p.at_s, p.text, p.max_tokens) for p in workload.prompts] == [
        (2.0, "b", 4),
        (5.25, "a", None),
    ]
    assert "not in the order of their times" in workload.notes[0]


def test_arrival_times_count_from_the_earliest(tmp_path: Path) -> None:
    workload = opened(tmp_path, "t.csv", "arrival_time,prompt\n1700000000.5,a\n1700000001.75,b\n")
    assert [p.at_s for p in workload.prompts] == [0.0, 1.25]


def test_made_texts_differ_from_their_first_word(tmp_path: Path) -> None:
    rows = "\n".join(f"{n},50,9" for n in range(100))
    workload = opened(tmp_path, "t.csv", f"at_s,input_length,output_length\n{rows}\n")
    assert len({p.text.split()[0] for p in workload.prompts}) == 100


def test_lengths_without_times_are_no_trace(tmp_path: Path) -> None:
    workload = opened(tmp_path, "t.csv", "input_length,output_length\n50,9\n60,8\n")
    assert shape(workload) == [(None, 50, 9), (None, 60, 8)]


def test_the_seed_decides_the_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("input_length\n50\n")
    once, again, other = (open_workload(str(tmp_path / "t.csv"), seed=s) for s in (1, 1, 2))
    assert once == again != other
    assert "estimated" in once.notes[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("timestamp,prompt\n5,a\n", "line 2: the unit of 'timestamp' is not known; name .* at_s"),
        ("at_s,prompt\n5,a\n,b\n", "line 3: no time, but other prompts"),
        ("at_s,prompt\n-1,a\n", "line 2: at_s is seconds from the beginning"),
        ("at_s,prompt\n1e300,a\n", "line 2: at_s is seconds"),
        ("arrival_time,prompt\nnan,a\n", "line 2: arrival_time is no time: 'nan'"),
        ("arrival_time,prompt\nsoon,a\n", "line 2: arrival_time is no time: 'soon'"),
        ("arrival_time,prompt\n1e300,a\n", "line 2: arrival_time is no time"),
        ("at_s,input_length\n1,many\n", "line 2: input_length is a whole number"),
        ("at_s,input_length\n1,-3\n", "line 2: input_length is a whole number"),
        ("at_s,input_length\n" + "1,9000000\n" * 6, "take a part with FILE:first"),
        ("input_length,output_length\n0,5\n", "holds no prompt; left out"),
    ],
)
def test_a_broken_trace_is_told_where(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        opened(tmp_path, "t.csv", content)


def test_hash_ids_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hash_ids is a list of whole numbers"):
        opened(tmp_path, "t.jsonl", '{"input_length": 5, "hash_ids": "abc"}')
