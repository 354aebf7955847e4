"""What a cited sentence may say: right ones stand, wrong ones are refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.agents.cite.cards import Card, Offer
from chimera.agents.cite.front import headline
from chimera.agents.cite.points import points_of
from chimera.agents.cite.verify import verify
from chimera.agents.cite.words import COMPARING, EXTREMES, ORDINARY
from chimera.facts import Facts, facts_of
from chimera.facts.lexicon import NUMBER_WORDS, WORDS
from chimera.facts.text import Num
from chimera.ingest import ingest_folder
from chimera.report.number_words import FRACTIONS, number_word
from chimera.report.number_words import NUMBER_WORDS as REPORT_NUMBER_WORDS
from tests.agents.folder import make_certain_folder, make_folder


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    folder = make_certain_folder(tmp_path_factory.mktemp("certain") / "folder")
    return facts_of(ingest_folder(str(folder)))


@pytest.fixture(scope="module")
def offer(facts: Facts) -> Offer:
    made = Offer(facts)
    points_of(facts.findings, made)
    for subject in facts.data.by_subject:
        for metric in ("decode_throughput", "ttft"):
            fact = headline(facts, subject, metric, "median")
            assert fact is not None
            made.add(fact)
    return made


def ref(offer: Offer, metric: str, statistic: str, who: str = "") -> str:
    """The reference, in braces, of the first fact of that kind."""

    def fits(card: Card) -> bool:
        fact = card.fact
        same = fact.metric == metric and fact.statistic == statistic
        return same and (not who or (card.kind == "value" and card.names[0] == who))

    return "{" + next(r for r, card in offer.cards.items() if fits(card)) + "}"


@pytest.fixture(scope="module")
def words(offer: Offer) -> dict[str, str]:
    """Short names for what sentences are made of: A and B are the models, D their difference."""
    a, b = "alpha:1b", "beta:2b"
    return {
        "A": "{" + offer.letter(a, "subject") + "}",
        "B": "{" + offer.letter(b, "subject") + "}",
        "FA": ref(offer, "decode_throughput", "mean", a),
        "FB": ref(offer, "decode_throughput", "mean", b),
        "MA": ref(offer, "decode_throughput", "median", a),
        "D": ref(offer, "decode_throughput", "difference"),
        "TA": ref(offer, "ttft", "mean", a),
        "TB": ref(offer, "ttft", "mean", b),
        "TD": ref(offer, "ttft", "difference"),
    }


RIGHT = [
    "%A is faster than %B in decode throughput: %FA against %FB, a difference of %D.",
    "In decode throughput, %A is ahead of %B by %D.",
    "%B is slower than %A in decode throughput, with a difference of %D.",
    "The decode throughput of %A and %B is %FA and %FB, respectively.",
    "%A reaches a mean decode throughput of %FA, whereas %B reaches %FB.",
    "With a decode throughput of %FA, %A is the fastest.",
    "The median decode throughput of %A lies at %MA.",
    "%A and %B cannot be told apart in TTFT, where %TA stands against %TB with a gap of %TD",
    "the time to first token of **%A** is %TA, and its decode throughput is %FA.",
    "%A's decode throughput was %FA.",
    "%A reaches a decode throughput of %FA tokens per second.",
    "Between %A and %B in decode throughput lies a gap of %D.",
]  # fmt: skip
WRONG = [
    ("", "nothing was written"),
    ("%A has a decode throughput of 52 tokens.", "numeral"),
    ("%A has a decode throughput of five tokens, not %FA.", "number word"),
    ("%A is twice as quick as %B in decode throughput by %D.", "number word"),
    ("%A had a decode throughput of %FA in March.", "date"),
    ("%A reaches a decode throughput of {F0000}.", "no reference"),
    ("alpha:1b reaches a decode throughput of %FA.", "spells out a name"),
    ("It reaches a decode throughput of %FA.", "does not name"),
    ("Falcon, %A, reaches a decode throughput of %FA.", "not among the words"),
    ("%B is faster than %A in decode throughput, with a difference of %D.", "other way round"),
    ("%A is slower than %B in decode throughput, with a difference of %D.", "other way round"),
    ("%A is faster than %B in decode throughput: %FA against %FB.", "needs the difference"),
    ("%A is faster than %B in TTFT, with a difference of %TD.", "holds zero"),
    ("%B and %A differ in TTFT by %TD.", "holds zero"),
    ("%A and %B cannot be told apart in decode throughput: a gap of %D.", "excludes zero"),
    ("%A is faster than %B in TTFT, and in decode throughput the gap is %D.", "several metrics"),
    ("%A has a TTFT of %FA.", "is decode throughput, not ttft"),
    ("%A has a TTFT of %FA and a decode throughput of %TA.", "is decode throughput, not ttft"),
    ("%A stands at %FA.", "which the sentence does not say"),
    ("%A has a decode throughput of %FB against %B.", "no fact of it"),
    ("The decode throughput of %A and %B is %FB and %FA.", "is of"),
    ("%A, %B: the decode throughput is %FA, %FB, and the TTFT is %TA.", "not clear whose"),
    ("%A and %B have a decode throughput.", "cites no fact"),
    ("The mean decode throughput of %A lies at %MA.", "is a median"),
    ("%A has a cold decode throughput of %FA.", "cold records"),
    ("%B is the fastest with a decode throughput of %FB.", "not certain"),
    ("%A has the lowest decode throughput, %FA.", "not certain"),
    ("%A has a good decode throughput of %FA.", "needs a proof"),
    ("%A has a terrific decode throughput of %FA.", "not among the words"),
    ("%A has a decode throughput of %FA because it is there.", "needs a proof"),
    ("All decode throughput records of %A lie at %FA.", "needs a proof"),
    ("%A has a decode throughput of %FA, and %B is not behind by %D.", "not among the words"),
    ("%A has a decode throughput over %FA.", "makes a bound of it"),
    ("%A has a decode throughput of %FA. It is the one.", "more than one sentence"),
    ("%A has a decode throughput of %FA <b>here</b>.", "may not stand"),
    ("%A has a decode throughput of %FA and %FA.", "more than once"),
    ("%A %FA.", "whole sentence"),
    ("%A has " + "the " * 60 + "decode throughput of %FA.", "too long"),
    ("%A has a decode throughput of %FA while %B is there.", "no fact of it is cited"),
    ("%A reaches %D of decode throughput where %B is behind.", "write it as"),
    ("%A has a decode throughput of %D, a difference to %B.", "write it as"),
    ("From %B to %A, decode throughput changes by a factor of %FA.", "no fact of it is cited"),
    ("For %A, decode throughput changes by a factor of %FA.", "says else"),
    ("%A differs by %FA in decode throughput.", "needs a proof"),
    ("The gap of %A in decode throughput is %FA.", "none is cited"),
    ("The gap of %A in decode throughput is %FA, by a difference of %D to %B.", "cited with"),
    ("From %A to %B, the decode throughput changes by %D.", "is a difference"),
    ("%A has a decode throughput of %MA, the mean.", "is a median"),
    ("Of %B and %A in decode throughput there is a gap of %D.", "in this order"),
    ("%A hat einen \u00fcblen decode throughput of %FA.", "may not stand"),
    ("%A has a decode throughput of %FA \u2460 times.", "numeral"),
]  # fmt: skip


def filled(text: str, words: dict[str, str]) -> str:
    for short in sorted(words, key=len, reverse=True):
        text = text.replace("%" + short, words[short])
    return text


@pytest.mark.parametrize("text", RIGHT)
def test_a_right_sentence_stands(text: str, offer: Offer, words: dict[str, str]) -> None:
    verdict = verify(filled(text, words), offer)
    assert verdict.reason == ""
    assert verdict.spans is not None
    cited = text.count("%") - text.count("%A") - text.count("%B")
    assert sum(isinstance(s, Num) and s.field == "value" for s in verdict.spans) == cited


@pytest.mark.parametrize(("text", "reason"), WRONG)
def test_a_wrong_sentence_is_refused_with_the_reason(
    text: str, reason: str, offer: Offer, words: dict[str, str]
) -> None:
    verdict = verify(filled(text, words), offer)
    assert verdict.spans is None
    assert reason in verdict.reason


def test_what_a_sentence_leaves_unsaid_is_added_by_code(
    offer: Offer, words: dict[str, str]
) -> None:
    verdict = verify(filled("The decode throughput of %A is %FA.", words), offer)
    assert verdict.spans is not None
    said = "".join(s.text for s in verdict.spans)
    assert "alpha:1b" in said
    assert said.endswith("tokens/s (mean, shared conditions, n = 24).")


def test_a_difference_is_printed_with_its_interval(offer: Offer, words: dict[str, str]) -> None:
    verdict = verify(filled("In decode throughput, %A is ahead of %B by %D.", words), offer)
    assert verdict.spans is not None
    fields = [s.field for s in verdict.spans if isinstance(s, Num)]
    assert fields == ["value", "ci_low", "ci_high"]


def test_a_point_must_be_spoken_of(offer: Offer, words: dict[str, str]) -> None:
    about = frozenset({words["TA"].strip("{}")})
    verdict = verify(filled("The decode throughput of %A is %FA.", words), offer, about)
    assert verdict.spans is None
    assert words["TA"] in verdict.reason


def test_no_word_that_claims_something_is_among_the_ordinary_ones() -> None:
    assert not ORDINARY & (WORDS.keys() | COMPARING.keys() | EXTREMES.keys())
    assert not ORDINARY & (NUMBER_WORDS | REPORT_NUMBER_WORDS | FRACTIONS)


@given(st.text(max_size=120))
def test_any_text_is_refused_or_free_of_numbers(offer: Offer, text: str) -> None:
    verdict = verify(text, offer)
    if verdict.spans is not None:
        own = " ".join(s.text for s in verdict.spans if not isinstance(s, Num))
        assert number_word(own) is None


@given(st.lists(st.sampled_from([
    "%A", "%B", "%FA", "%FB", "%D", "%TA", "%TD", "is", "faster", "than", "in", "decode throughput",
    "TTFT", "and", "the", "difference", "of", "ahead", "slower", "cannot be told apart", ",", "by",
]), min_size=3, max_size=14))  # fmt: skip
def test_no_shuffled_sentence_turns_a_comparison_round(
    offer: Offer, words: dict[str, str], parts: list[str]
) -> None:
    text = filled(" ".join(parts), words)
    verdict = verify(text, offer)
    if verdict.spans is None:
        return
    said = [p for p in parts if p in ("faster", "ahead", "slower")]
    assert len(said) <= 1
    if said:
        first, second = ("%A", "%B") if said[0] != "slower" else ("%B", "%A")
        at = parts.index(said[0])
        assert first in parts[:at]
        assert second in parts[at:]
        assert "TTFT" not in parts
    if "cannot be told apart" in parts:
        assert "%D" not in parts


def test_a_setting_changes_in_the_order_of_its_levels(tmp_path: Path) -> None:
    facts = facts_of(ingest_folder(str(make_folder(tmp_path / "folder"))))
    made = Offer(facts)
    effects = [e for s in facts.sweeps for e in s.effects]
    for effect in effects:
        made.add(effect.difference)
    changes = [card for card in made.cards.values() if card.kind == "change"]
    assert changes or not effects
    for card in changes:
        setting, low, high = (
            made.letter(t, k)
            for t, k in zip(card.names, ("setting", "level", "level"), strict=True)
        )
        who = made.letter(card.who, "subject")
        what = "decode throughput" if card.fact.metric == "decode_throughput" else "TTFT"
        end = "" if card.certain else " and cannot be told from chance"
        said = f"From {{{setting}}} {{%s}} to {{%s}}, the {what} of {{{who}}} changes by "
        said += f"{{{card.ref}}}{end}."
        assert verify(said % (low, high), made).reason == ""
        assert "in this order" in verify(said % (high, low), made).reason
