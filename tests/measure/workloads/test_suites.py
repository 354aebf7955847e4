"""The suites never change unseen, and hold what their names promise."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec
import pytest

from chimera.errors import InputError
from chimera.measure.workloads import Message, Workload, WorkloadPrompt, open_workload
from chimera.measure.workloads.built_in import SUITES, suite_file
from chimera.measure.workloads.long_context import read_long_context
from chimera.measure.workloads.random_text import words

# Changing a prompt makes new results incomparable with old ones: change this, too.
HASHES = {
    "built-in": "bb3e7084bdbc628c9b413817c0e6283110396ac7b0814b5da172d1aafb78a0e9",
    "short-answers": "bd4a0a25e8826e02b6ced1505a02081a38e3721e9a8fc63695dee9e66d223038",
    "long-context": "2efffcb4a4264c2d7bddc6b1d83876f55a5c821ae1b93c10c7ea45aac3727062",
    "summarising": "367dabf94c99c63167daa747bd972778f55cf5d06f50f3c67b71afd4e9fdb668",
    "code": "d37b638675191c4fcf298ca324190da7356412ceed4611292ba7dbff6e26aebb",
    "json-output": "0b59594e5b5bf59c1be27b0bd401177238d4391f6a3fb578afbb65115207d2f4",
    "multi-turn": "8341bb33b5c5f67ab4fce31766aafd4a8574ed7ac97496aae3be33e78b5a8ac4",
}


@pytest.mark.parametrize("name", SUITES)
def test_no_suite_changes_unseen(name: str) -> None:
    assert open_workload(name).sha256 == HASHES[name]


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_has_as_many_prompts_as_its_line_says(name: str) -> None:
    workload = open_workload(name)
    assert (workload.name, workload.notes) == (name, ())
    ids = [prompt.id for prompt in workload.prompts]
    assert len(ids) == len(set(ids))
    said = re.match(r"(\d+) ", SUITES[name])
    if said and name != "multi-turn":
        assert len(ids) == int(said[1])


def test_the_built_in_prompts_grow() -> None:
    prompts = open_workload("built-in").prompts
    assert [p.id for p in prompts] == ["short", "medium", "long"]
    assert [len(p.text) for p in prompts] == [93, 930, 3332]


def test_a_conversation_grows_turn_by_turn() -> None:
    prompts = open_workload("multi-turn").prompts
    talks: dict[str, list[WorkloadPrompt]] = {}
    for prompt in prompts:
        talks.setdefault(prompt.id.split("-turn")[0], []).append(prompt)
    assert len(talks) == 5
    for name, turns in talks.items():
        assert 3 <= len(turns) <= 5
        assert [turn.id for turn in turns] == [f"{name}-turn{n + 1}" for n in range(len(turns))]
        for before, after in pairwise(turns):
            assert after.messages[: len(before.messages)] == before.messages
            assert [m.role for m in after.messages[-2:]] == ["assistant", "user"]


def test_each_answer_of_the_long_contexts_stands_in_it_once() -> None:
    material = read_long_context(suite_file("long-context.json"))
    prompts = open_workload("long-context").prompts
    for wanted, prompt in zip(material.prompts, prompts, strict=True):
        assert prompt.text.count(wanted.answer) == 1
        assert prompt.text.endswith(wanted.question)
        place = prompt.text.index(wanted.answer) / len(prompt.text)
        assert abs(place - wanted.place) < 0.1
        assert "{" not in prompt.text
        assert wanted.words <= len(prompt.text.split()) < wanted.words + 80


def test_each_task_for_json_says_its_fields() -> None:
    for prompt in open_workload("json-output").prompts:
        assert prompt.json_schema is not None
        for field in prompt.json_schema["required"]:
            assert field in prompt.text


def test_the_words_are_many_and_plain() -> None:
    assert len(set(words())) == len(words()) >= 1000
    assert all(re.fullmatch(r"[a-z]{2,12}|a|i", word) for word in words())


def test_a_part_of_a_suite_is_taken_in_the_order_asked() -> None:
    part = open_workload(" built-in:long, short ")
    assert [p.id for p in part.prompts] == ["long", "short"]
    assert part.name == "built-in"
    assert part.sha256 != open_workload("built-in:short,long").sha256
    assert [p.id for p in open_workload("code:first=2").prompts] == [
        p.id for p in open_workload("code").prompts[:2]
    ]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("built-in:shrt", r"no prompt 'shrt'; the prompts are: short, medium, long"),
        ("built-in:", "no prompt chosen"),
        ("built-in:,", "no prompt chosen"),
        ("built-in:short,short", "stands twice"),
        ("built-in:first=0", "1 or more"),
        ("built-in:first=ten", "1 or more"),
        ("shrt", "the suites are built-in, short-answers"),
        ("", "the suites are"),
        (":", "the suites are"),
        ("\0", "the suites are"),
        ("~nobody-of-this-name/x.txt", "the suites are"),
        ("x" * 5000, "the suites are"),
    ],
)
def test_what_is_not_there_names_what_is(spec: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        open_workload(spec)
    assert len(str(raised.value)) < 600


def _sha(*prompts: WorkloadPrompt) -> str:
    return Workload("w", prompts).sha256


def test_the_hash_covers_what_is_asked_and_its_order() -> None:
    a, b = WorkloadPrompt(id="a", text="x"), WorkloadPrompt(id="b", text="y")
    different = (
        (a, b),
        (b, a),
        (a,),
        (WorkloadPrompt(id="a", text="y"), b),
        (WorkloadPrompt(id="c", text="x"), b),
        (WorkloadPrompt(id="a", text="x", max_tokens=5), b),
        (WorkloadPrompt(id="a", text="x", json_schema={"type": "object"}), b),
        (WorkloadPrompt(id="a", messages=(Message("user", "x"),)), b),
        (WorkloadPrompt(id="a", messages=(Message("system", "x"),)), b),
    )
    assert len({_sha(*prompts) for prompts in different}) == len(different)
    assert Workload("other", (a, b), ("noted",)).sha256 == _sha(a, b)
    assert _sha(WorkloadPrompt(id="a", text="x", at_s=1.0), b) == _sha(a, b)


def test_what_is_recorded_holds_no_text() -> None:
    workload = open_workload("multi-turn")
    recorded = workload.recorded()
    assert recorded.sha256 == workload.sha256
    assert b"tomatoes" not in msgspec.json.encode(recorded)
    first = workload.prompts[0]
    assert recorded.prompts[0].characters == sum(len(m.content) for m in first.messages)
    assert len({prompt.sha256 for prompt in recorded.prompts}) == len(workload.prompts)
