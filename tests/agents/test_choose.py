"""One call settles many choices; only what is valid of its reply counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chimera.agents.asking import Caller
from chimera.agents.choose import Choice, follows_the_alphabet, grammar_of, parse, settle
from chimera.testing.scripted_engine import ScriptedEngine

CHOICES = [Choice(f"k{i}", ("one", "other", "third")[: 2 + i % 2]) for i in range(6)]


@given(st.text(max_size=60))
def test_every_choice_is_chosen_within_its_options_or_refused(reply: str) -> None:
    settled = parse(reply, CHOICES)
    assert {*settled.chosen, *settled.refused} == {c.key for c in CHOICES}
    assert not set(settled.chosen) & set(settled.refused)
    for choice in CHOICES:
        assert settled.chosen.get(choice.key, 0) < len(choice.options)


def test_letters_are_read_in_order() -> None:
    assert parse(" b a b c a b", CHOICES).chosen == {
        "k0": 1, "k1": 0, "k2": 1, "k3": 2, "k4": 0, "k5": 1,
    }  # fmt: skip


def test_a_reply_with_words_is_not_trusted_at_all() -> None:
    assert not parse(" a because b c", CHOICES).chosen


def test_a_short_reply_refuses_the_rest() -> None:
    settled = parse(" a b", CHOICES)
    assert list(settled.chosen) == ["k0", "k1"]
    assert settled.refused == ["k2", "k3", "k4", "k5"]


def test_the_grammar_bounds_each_choice_by_its_own_options() -> None:
    assert grammar_of([2, 3]) == 'root ::= " " [a-b] " " [a-c]'


def test_one_call_asks_for_everything_and_keeps_the_reply() -> None:
    engine = ScriptedEngine(lambda _: " a b a c a b")
    settled, call = settle(Caller(engine), "front", "choose", CHOICES, "wording")
    assert len(engine.requests) == 1
    assert engine.requests[0].grammar == grammar_of([len(c.options) for c in CHOICES])
    assert len(settled.chosen) == len(CHOICES)
    assert call.reply == " a b a c a b"
    assert call.prompt.startswith("front")


def test_nothing_to_choose_makes_no_call() -> None:
    engine = ScriptedEngine(lambda _: " a")
    settled, call = settle(Caller(engine), "front", "choose", [Choice("k", ("only",))], "wording")
    assert not engine.requests
    assert call.error
    assert settled.unasked == ["k"]


def test_a_reply_that_follows_the_alphabet_is_known_as_such() -> None:
    assert follows_the_alphabet(" a b c a b c a b a b c a b")
    assert not follows_the_alphabet(" b a c c a b b a c a a b")
    assert not follows_the_alphabet(" a b c")  # too short to tell


def test_an_engine_without_grammars_is_given_a_schema_for_the_letters() -> None:
    engine = ScriptedEngine(lambda _: '{"letters": "b a b c a b"}')
    engine.cannot = {"grammar": "it takes none"}  # type: ignore[attr-defined]
    settled, _ = settle(Caller(engine), "front", "choose", CHOICES, "wording")
    request = engine.requests[0]
    assert request.grammar is None
    assert request.json_schema is not None
    pattern = request.json_schema["properties"]["letters"]["pattern"]
    assert pattern == "^[a-b] [a-c] [a-b] [a-c] [a-b] [a-c]$"
    assert settled.chosen == {"k0": 1, "k1": 0, "k2": 1, "k3": 2, "k4": 0, "k5": 1}
