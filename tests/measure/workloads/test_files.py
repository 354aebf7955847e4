"""Files of prompts: what is read, and what a broken one is told."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.errors import InputError
from chimera.measure.workloads import Message, Workload, files, open_workload
from chimera.measure.workloads.opening import without_folder

Write = Callable[[str, str | bytes], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def _write(name: str, content: str | bytes) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return _write


def opened_or_refused(spec: str) -> tuple[Workload | None, str]:
    """The workload, or what was said of it."""
    try:
        return open_workload(spec), ""
    except InputError as error:
        return None, str(error)


def texts(workload: Workload) -> list[str]:
    return [prompt.text for prompt in workload.prompts]


def test_a_text_file_is_one_prompt(write: Write) -> None:
    workload = open_workload(write("ask me.txt", "\ufeffFirst.\r\n\r\nSecond.\r\n"))
    assert texts(workload) == ["First.\n\nSecond."]
    assert (workload.name, workload.prompts[0].id) == ("ask me.txt", "ask me")


@pytest.mark.parametrize("end", ["", "\n", "---", "---\n\n"])
def test_lines_of_three_dashes_divide_a_text_file(write: Write, end: str) -> None:
    workload = open_workload(write("p.txt", f"a\n---\nb\n-- -\n--- \nc\n{end}"))
    assert texts(workload) == ["a", "b\n-- -", "c"]
    assert [prompt.id for prompt in workload.prompts] == ["p-1", "p-2", "p-3"]


@pytest.mark.parametrize("field", ["prompt", "text", "question", "input", "Prompt"])
def test_a_line_of_json_is_a_prompt(write: Write, field: str) -> None:
    lines = [json.dumps({field: "Why?", "id": 7, "output_len": 12}), "", '"only text"']
    workload = open_workload(write("p.jsonl", "\n".join(lines)))
    assert texts(workload) == ["Why?", "only text"]
    assert [prompt.id for prompt in workload.prompts] == ["7", "line-3"]
    assert [prompt.max_tokens for prompt in workload.prompts] == [12, None]
    assert workload.notes == ()


def test_the_formats_agree(write: Write) -> None:
    rows = [{"id": "a", "prompt": "x, y", "max_tokens": 3}, {"id": "b", "prompt": 'l\n"m"'}]
    same = [
        open_workload(write("p.jsonl", "\n".join(map(json.dumps, rows)))),
        open_workload(write("p.json", json.dumps(rows))),
        open_workload(write("p.csv", 'id,prompt,max_tokens\na,"x, y",3\nb,"l\n""m""",\n')),
        open_workload(write("p.tsv", 'id\tprompt\tmax_tokens\na\tx, y\t3\nb\t"l\n""m"""\n')),
    ]
    assert len({workload.sha256 for workload in same}) == 1


def test_messages_become_a_chat(write: Write) -> None:
    turns = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Bye"},
        {"role": "assistant", "content": "left out, for it is what is asked for"},
    ]
    (prompt,) = open_workload(write("p.jsonl", json.dumps({"messages": turns}))).prompts
    assert prompt.messages == (
        Message("system", "Be brief."),
        Message("user", "Hi"),
        Message("assistant", "Hello."),
        Message("user", "Bye"),
    )


def test_sharegpt_is_read_and_what_asks_nothing_is_counted(write: Write) -> None:
    data = [
        {
            "id": "x",
            "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}],
        },
        {"id": "y", "conversations": []},
        {"id": "z", "conversations": [{"from": "gpt", "value": "A"}]},
    ]
    workload = open_workload(write("p.json", json.dumps(data)))
    assert [prompt.messages for prompt in workload.prompts] == [(Message("user", "Q"),)]
    assert workload.notes == (
        "left out, because they have no question in them: 2, the first at p.json, item 2",
    )


def test_a_system_message_beside_the_prompt(write: Write) -> None:
    line = json.dumps({"prompt": "Hi", "system": "Be brief.", "json_schema": {"type": "object"}})
    (prompt,) = open_workload(write("p.jsonl", line)).prompts
    assert prompt.messages == (Message("system", "Be brief."), Message("user", "Hi"))
    assert (prompt.text, prompt.json_schema) == ("", {"type": "object"})


def test_an_instruction_has_its_input_with_it(write: Write) -> None:
    lines = [{"instruction": "Sort", "input": "b a"}, {"instruction": "Rest", "input": ""}]
    path = write("p.jsonl", "\n".join(map(json.dumps, lines)))
    assert texts(open_workload(path)) == ["Sort\n\nb a", "Rest"]


def test_what_is_not_read_is_said(write: Write) -> None:
    path = write("p.jsonl", '{"question": "Q", "answer": "A", "con\\u001btext": "C"}')
    assert open_workload(path).notes == ("fields that were not read: answer, con\\x1btext",)


def test_a_part_of_a_file(write: Write) -> None:
    path = write("p.jsonl", '{"id":"a/1","prompt":"A"}\n{"id":"b","prompt":"B"}\nbroken')
    assert texts(open_workload(f"{path}:first=2")) == ["A", "B"]  # no further than needed
    path = write("q.jsonl", '{"id":"a/1","prompt":"A"}\n{"id":"b","prompt":"B"}')
    assert texts(open_workload(f"{path}:b,a/1")) == ["B", "A"]
    assert without_folder(f"{path}:b,a/1") == "q.jsonl:b,a/1"
    assert without_folder(path) == "q.jsonl"


def test_a_colon_may_stand_in_a_name(write: Write) -> None:
    path = write("a:b.txt", "x")
    assert open_workload(path).name == without_folder(path) == "a:b.txt"


@pytest.mark.parametrize(
    "spec", ["built-in", "built-in:short", "synthetic", "synthetic:in=uniform(1,2)"]
)
def test_what_is_no_file_is_recorded_whole(spec: str) -> None:
    assert without_folder(spec) == spec


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.jsonl", '{"prompt":"x"}\n{"prompt":', "p.jsonl, line 2: not JSON"),
        ("p.jsonl", '{"prompt":"x"}\n[1]', "line 2: a prompt is an object or text"),
        ("p.jsonl", '{"prompt":"x"}\n\n{"prompt":" "}', "line 3: the prompt is empty"),
        ("p.jsonl", '{"prompt":7}', "line 1: 'prompt' is no text: 7"),
        ("p.jsonl", '{"prompt":"x","text":"y"}', "'prompt' and 'text' may each be the prompt"),
        ("p.jsonl", '{"prompt":"x","PROMPT":"y"}', "are one field"),
        ("p.jsonl", '{"answer":"x"}', r"no prompt; it stands in .*there is: answer"),
        ("p.jsonl", '{"prompt":null}', "no prompt; it stands in"),
        (
            "p.jsonl",
            '{"prompt":"x","id":"a"}\n{"prompt":"y","id":"a"}',
            "line 2: the id 'a' stands",
        ),
        ("p.jsonl", '{"prompt":"x","id":""}', "line 1: the id ''"),
        ("p.jsonl", '{"prompt":"x","id":"a\\u001b[2J"}', "not printable"),
        ("p.jsonl", '{"prompt":"x","id":[1]}', "neither text nor a whole number"),
        ("p.jsonl", '{"prompt":"x","max_tokens":0}', "asks for 0 tokens"),
        ("p.jsonl", '{"prompt":"x","max_tokens":1.5}', "max_tokens is a whole number"),
        ("p.jsonl", '{"prompt":"x","max_tokens":true}', "max_tokens is a whole number"),
        ("p.jsonl", '{"prompt":"x","max_tokens":-1}', "max_tokens is a whole number"),
        ("p.jsonl", '{"prompt":"x","json_schema":"object"}', "json_schema is an object"),
        ("p.jsonl", '{"prompt":"x\\u0000y"}', "zero character"),
        ("p.jsonl", '{"prompt":"\\ud800"}', "not JSON"),
        ("p.jsonl", '{"messages":"x"}', "is a list of turns"),
        ("p.jsonl", '{"messages":[]}', "holds no question"),
        ("p.jsonl", '{"messages":["x"]}', "turn 1: a turn is an object"),
        ("p.jsonl", '{"messages":[{"role":"tool","content":"x"}]}', "unknown role 'tool'"),
        ("p.jsonl", '{"messages":[{"role":"user","content":3}]}', "the content is not text"),
        ("p.jsonl", '{"messages":[{"role":"user","content":" "}]}', "the question is empty"),
        (
            "p.jsonl",
            '{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}',
            "only text can be asked",
        ),
        (
            "p.jsonl",
            '{"system":"c","messages":[{"role":"system","content":"a"},{"role":"user","content":"b"}]}',
            "leave one",
        ),
        ("p.jsonl", b'{"prompt":"x"}\n{"prompt":"caf\xe9"}', "line 2: byte 0xe9 is not UTF-8"),
        ("p.jsonl", "[" * 5000, "line 1: not JSON"),
        ("p.jsonl", "", "p.jsonl holds no prompt"),
        ("p.jsonl", "\n \n", "p.jsonl holds no prompt"),
        ("p.json", '{"prompts":[]}', "holds no list of prompts"),
        ("p.json", '["a",\n x]', "not JSON: .* at line 2"),
        ("p.json", "[]", "holds no prompt"),
        ("p.txt", "", "line 1: the prompt is empty"),
        ("p.txt", "a\n---\n\n---\nb", "p.txt, line 3: the prompt is empty"),
        ("p.txt", b"a\nb\xff", "byte 0xff in line 2 is not UTF-8"),
        ("p.txt", b"GGUF\0\0", "is no text"),
        ("p.txt", "a".encode("utf-16"), "is not UTF-8"),
        ("p.csv", "", "no column prompt"),
        ("p.csv", "a,b\n1,2", "no column prompt among 'a, b'"),
        ("p.csv", "prompt,id\nx,1\ny,2,3", "line 3: 3 cells, but 2 columns"),
        ("p.csv", "prompt,prompt\nx,y", "two columns have one name"),
        ("p.csv", 'id,prompt\n1,"x', "not CSV"),
        ("p.csv", "id,prompt\n1,x\n2,", "line 3: the prompt is empty"),
        ("p.csv", "prompt\n", "holds no prompt"),
        ("p.gguf", "x", "no kind of file that holds prompts; use .txt, .jsonl"),
        ("noending", "x", "no kind of file"),
    ],
)
def test_a_broken_file_is_told_where(
    write: Write, name: str, content: str | bytes, said: str
) -> None:
    with pytest.raises(InputError, match=said) as raised:
        open_workload(write(name, content))
    assert len(str(raised.value)) < 500


def test_a_schema_too_deep_is_refused(write: Write) -> None:
    schema = '{"a":' * 1000 + "1" + "}" * 1000
    path = write("p.jsonl", f'{{"prompt":"x","json_schema":{schema}}}')
    workload, refused = opened_or_refused(path)
    assert workload.sha256 if workload else "line 1" in refused


def test_a_folder_and_a_pipe_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        open_workload(str(tmp_path))
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(InputError, match="no regular file"):
        open_workload(str(tmp_path / "pipe.jsonl"))


def test_a_file_too_large_is_read_in_part_only(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 10)
    path = write("p.jsonl", '{"prompt":"x"}\n' * 3)
    with pytest.raises(InputError, match=r"45 bytes, too many; take .* p.jsonl:first=1000"):
        open_workload(path)
    assert texts(open_workload(f"{path}:first=1")) == ["x"]
    with pytest.raises(InputError, match="split it"):
        open_workload(write("p.json", '["a long enough text"]') + ":first=1")


def test_a_line_too_long_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LONGEST_LINE", 100)
    with pytest.raises(InputError, match="line 2: longer than 100 bytes"):
        open_workload(write("p.jsonl", '"a"\n"' + "b" * 200 + '"'))


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(write: Write) -> None:
    path = write("p.txt", "x")
    Path(path).chmod(0)
    with pytest.raises(InputError, match="cannot read"):
        open_workload(path)


def test_a_name_that_is_no_text_can_still_be_recorded(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.txt")
    with open(path, "wb") as file:
        file.write(b"x")
    workload = open_workload(os.fsdecode(path))
    assert workload.recorded().name == "caf\\udce9.txt"


@given(st.binary(max_size=60), st.sampled_from(["p.jsonl", "p.json", "p.csv", "p.txt", "p.tsv"]))
def test_any_bytes_are_prompts_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    workload, refused = opened_or_refused(str(path))
    assert workload.recorded().prompts if workload else name in refused


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**30) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
_FIELDS = st.sampled_from(
    [
        "prompt",
        "text",
        "input",
        "messages",
        "conversations",
        "instruction",
        "system",
        "id",
        "max_tokens",
        "json_schema",
        "timestamp",
        "at_s",
        "arrival_time",
        "input_length",
        "output_length",
        "hash_ids",
    ]
)


@given(st.lists(st.dictionaries(_FIELDS, _JSON, max_size=5), min_size=1, max_size=3))
def test_any_row_is_a_prompt_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    workload, refused = opened_or_refused(str(path))
    if workload is None:
        assert "rows.jsonl" in refused or "tokens" in refused
    else:
        assert all(p.text.strip() or p.messages for p in workload.prompts)
        assert workload.sha256
