"""The suites that were written for this project: original texts, always the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from io import BytesIO

import msgspec

from chimera.measure.workloads.files import json_line_rows
from chimera.measure.workloads.long_context import long_context_prompts
from chimera.measure.workloads.traces import Reading, prompts_of
from chimera.measure.workloads.workload import Message, Workload, WorkloadPrompt

# name -> what it is, for help texts; the prompts stand in suites/<name>.jsonl
SUITES = {
    "built-in": "three plain texts to go on with: short, medium, long",
    "short-answers": "20 questions with an answer of a few words",
    "long-context": "6 questions at the end of 2,000 to 8,000 tokens that hold the answer",
    "summarising": "8 texts to sum up",
    "code": "12 tasks to write, read, test or mend code",
    "json-output": "9 texts to turn into JSON, each with its schema",
    "multi-turn": "5 conversations of 3 to 5 turns; a prompt is the conversation so far",
}


class _Conversation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``turns`` are the user's and the assistant's, by turns; the user has the last one."""

    id: str
    system: str
    turns: tuple[str, ...]


def suite(name: str) -> Workload:
    """One of ``SUITES``."""
    if name == "long-context":
        return Workload(name, long_context_prompts(suite_file("long-context.json")))
    data = suite_file(f"{name}.jsonl")
    if name == "multi-turn":
        return Workload(name, tuple(_turns(data)))
    asked = list(Reading().read(json_line_rows(iter(BytesIO(data)), f"{name}.jsonl")))
    prompts, _ = prompts_of(asked, 0, None)
    return Workload(name, prompts)


def suite_file(name: str) -> bytes:
    """The bytes of a file of the suites."""
    return files("chimera.measure.workloads").joinpath("suites", name).read_bytes()


def _turns(data: bytes) -> Iterator[WorkloadPrompt]:
    """Each question with the conversation before it, the assistant's scripted part included.

    Scripted, because a model's own answers would make every run ask something else.
    """
    for line in data.splitlines():
        talk = msgspec.json.decode(line, type=_Conversation)
        said = [Message("system", talk.system)] if talk.system else []
        for number, text in enumerate(talk.turns):
            said.append(Message("assistant" if number % 2 else "user", text))
            if number % 2 == 0:
                name = f"{talk.id}-turn{number // 2 + 1}"
                yield WorkloadPrompt(id=name, messages=tuple(said))
