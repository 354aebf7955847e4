"""Personas: ours are valid, a user's own are found, broken ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from chimera.agents.persona import all_personas, load_persona, parse_persona
from chimera.errors import InputError

MINE = '+++\nname = "mine"\ntitle = "Mine"\nsections = ["summary"]\n+++\nSay what matters.\n'


def test_three_personas_come_with_it() -> None:
    assert set(all_personas()) >= {"technical", "insight", "collector"}
    insight = load_persona("insight")
    assert (insight.contract.min_words, insight.contract.max_words) == (300, 400)
    assert insight.contract.recommendations == 3
    assert insight.contract.risk_rows == 2
    assert load_persona("collector").contract.max_words == 250


def test_a_users_own_is_found_by_name_and_by_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.md").write_text(MINE)
    monkeypatch.setenv("CHIMERA_PERSONAS", str(tmp_path))
    assert load_persona("mine").prompt == "Say what matters."
    assert load_persona(str(tmp_path / "mine.md")).name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no head", "must begin with"),
        ("+++\nname = \n+++\nx", "no TOML"),
        (MINE.replace('"summary"', '"poem"'), "poem"),
        (MINE.replace("Say what matters.\n", ""), "prompt is missing"),
        (MINE.replace("title", "titel"), "titel"),
        (MINE.replace('name = "mine"', "name = 3"), "str"),
        (MINE.replace("+++\nSay", "[contract]\nmax_wrods = 3\n+++\nSay"), "max_wrods"),
    ],
)
def test_a_broken_one_is_named_with_its_fault(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse_persona(text, "p.md")
    assert "p.md" in str(caught.value)


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(InputError, match="technical"):
        load_persona("nobody")
