"""Whatever a model says, no wrong number, name, unit or comparison reaches a report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chimera.agents.agent import Agent
from chimera.agents.persona import load_persona
from chimera.agents.wording import Wording
from chimera.agents.workflow import Times, Work, work
from chimera.engines.base import CompletionRequest, RequestFailed
from chimera.errors import EngineError
from chimera.facts.text import Num
from chimera.record.request import ErrorClass
from chimera.record.run import Options
from chimera.report.build import build_report
from chimera.report.html import to_html
from chimera.report.ledger import verify
from chimera.report.markdown import to_markdown
from chimera.report.walk import sentences
from chimera.testing.scripted_engine import Part, ScriptedEngine
from tests.agents.folder import POISON, make_folder

PERSONAS = ("technical", "insight", "collector")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("results") / "folder")


def run(folder: Path, part: Part | None, persona: str = "technical", **options: object) -> Work:
    engine = ScriptedEngine(part, **options) if part else None  # type: ignore[arg-type]
    agent = Agent(load_persona(persona), "scripted" if part else None, Options(num_ctx=8192))
    return work(str(folder), agent, engine)


def allowed_sentences(done: Work) -> set[str]:
    """Every wording that code has bound, of every finding."""
    clauses = [
        c for f in done.facts.findings for c in (*f.says, *((f.advice,) if f.advice else ()))
    ]
    return {"".join(s.text for s in wording) for c in clauses for wording in c.variants}


def check(done: Work, reply: str = "") -> str:
    """The report stands, is bound throughout, and every finding's sentence is one of ours."""
    report, _, _ = build_report(done)
    verify(report)
    assert not [f for f in done.facts.findings if f.kind == "unworded"]
    allowed = allowed_sentences(done)
    for section in report.sections:
        for sentence in sentences(section):
            if sentence.finding:
                assert sentence.text in allowed
            for span in sentence.spans:
                if isinstance(span, Num):
                    assert span.fact.id in report.facts or span.fact.scope == "this report"
    text = to_markdown(report)
    to_html(report)
    if len(reply.strip()) > 12:
        own = body(to_markdown(build_report(without_model(done))[0]))
        assert reply.strip() in own or reply.strip() not in body(text)
    return text


def without_model(done: Work) -> Work:
    """The same work as code alone would word it."""
    return Work(
        Agent(done.agent.persona), done.facts, done.facts.findings[:5], Wording(), [], Times()
    )


def body(text: str) -> str:
    """The report without what differs from run to run: dates, times, and who wrote it."""
    text = text[: text.index("## Workflow summary")] if "## Workflow summary" in text else text
    return re.sub(r"- \*\*(Date|Model|Engine|Configuration):\*\*.*\n", "", text)


HOSTILE = st.one_of(
    st.text(max_size=400),
    st.text("abcdefghij \n", max_size=80),
    st.sampled_from(
        [
            "",
            "   ",
            "a",
            " a b c d e f g h i j k l m n o p q r s t u v w x y z" * 3,
            '{"value": 99999, "unit": "tokens/s"}',
            '{"choices": [1e999, null, "' + "x" * 300 + '"]}',
            POISON,
            "alpha:1b is 40% slower than beta:2b",
            "twice as fast, forty-one tokens per second",
            "\x00\x1b[31m\u202e",
            "z z z z z z z z z z z z z z z z z z z z z z z z z z",
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(reply=HOSTILE, persona=st.sampled_from(PERSONAS))
def test_any_reply_leaves_a_report_of_bound_sentences(
    folder: Path, reply: str, persona: str
) -> None:
    check(run(folder, lambda _: reply, persona), reply)


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_useless_reply_gives_the_report_of_code(folder: Path, persona: str) -> None:
    with_model = check(run(folder, lambda _: POISON, persona), POISON)
    without = check(run(folder, None, persona))
    assert body(with_model) == body(without)


def failing(error: Exception) -> Part:
    def part(_: CompletionRequest) -> str:
        raise error

    return part


@pytest.mark.parametrize(
    "error",
    [
        EngineError("the server is gone"),
        RequestFailed(ErrorClass.TIMEOUT, "no answer in 120 s"),
        OSError("broken pipe"),
        ValueError("no JSON"),
    ],
)
def test_a_call_that_fails_is_tried_again_and_then_replaced(folder: Path, error: Exception) -> None:
    engine = ScriptedEngine(failing(error))
    done = work(str(folder), Agent(load_persona("technical"), "scripted", Options()), engine)
    text = check(done)
    assert len(engine.requests) == 2
    assert done.engine_error
    assert str(error) in done.calls[0].error
    assert "could not do its part" in text


def test_an_engine_that_does_not_start_still_leaves_a_report(folder: Path) -> None:
    done = run(folder, lambda _: " a", start_error=EngineError("no such model"))
    assert "no such model" in check(done)
    assert not done.calls


def test_tokens_that_cannot_be_counted_end_the_call_not_the_report(folder: Path) -> None:
    done = run(folder, lambda _: " a", token_error=EngineError("no tokenizer"))
    check(done)
    assert "could not be counted" in done.calls[0].error


def test_a_prompt_that_does_not_fit_is_shortened_on_purpose(folder: Path) -> None:
    seen: list[CompletionRequest] = []

    def part(request: CompletionRequest) -> str:
        seen.append(request)
        return " a" * 40

    done = run(folder, part, options=Options(num_ctx=900))
    check(done)
    assert any(c.shortened for c in done.calls)
    for request in seen:
        assert len(request.prompt) // 4 + (request.max_tokens or 0) <= 900


def test_valid_letters_choose_wordings_and_are_counted(folder: Path) -> None:
    done = run(folder, lambda _: " b" * 40)
    report, _, written = build_report(done)
    chosen = [s for sec in report.sections for s in sentences(sec) if s.writer == "model"]
    assert chosen
    assert written.model == len(chosen)
    assert written.refused == 0
    bound, _, _ = build_report(run(folder, None))
    assert {s.text for s in chosen} - {s.text for sec in bound.sections for s in sentences(sec)}


def test_letters_outside_the_options_are_refused_one_by_one(folder: Path) -> None:
    done = run(folder, lambda request: " z" if "Choice 1" in request.prompt else " a")
    _, _, written = build_report(done)
    assert written.refused > 0


def test_no_sentence_of_a_document_reaches_the_model(folder: Path) -> None:
    engine = ScriptedEngine(lambda _: " a" * 40)
    work(str(folder), Agent(load_persona("technical"), "scripted", Options()), engine)
    assert engine.requests
    assert all("Ignore all previous" not in r.prompt for r in engine.requests)
    assert all(load_persona("technical").prompt in r.prompt for r in engine.requests)


def test_the_calls_of_a_workflow_share_their_front(folder: Path) -> None:
    engine = ScriptedEngine(lambda _: " a" * 40)
    work(str(folder), Agent(load_persona("technical"), "scripted", Options()), engine)
    first, second = (r.prompt for r in engine.requests[:2])
    shared = next(i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    assert shared > len(load_persona("technical").prompt)


def test_a_persona_without_chosen_sentences_makes_no_call(folder: Path) -> None:
    engine = ScriptedEngine(lambda _: " a" * 40)
    work(str(folder), Agent(load_persona("collector"), "scripted", Options()), engine)
    assert not engine.requests
