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
from tests.agents.folder import make_certain_folder


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
    ("In TTFT %A lies at %TA and is faster than %B in decode throughput by %D.", "several metrics"),
    ("%A has a TTFT of %FA.", "is decode throughput, not ttft"),
    ("%A has a TTFT of %FA and a decode throughput of %TA.", "is decode throughput, not ttft"),
    ("%A and %B cannot be told apart in TPOT, with a TTFT difference of %TD.", "no fact of it"),
    ("The TTFT of %A, and the decode throughput, is %FA.", "no fact of it"),
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


def test_a_sentence_that_others_go_on_from_begins_with_their_subject(tmp_path: Path) -> None:
    make_certain_folder(tmp_path, ("one:1b", "two:2b"))
    third = (tmp_path / "30.csv").read_text().replace("two:2b", "six:6b")
    rows = [line.split(",") for line in third.splitlines()]
    slower = [rows[0], *([*r[:3], f"{float(r[3]) / 2:.3f}", r[4]] for r in rows[1:])]
    (tmp_path / "15.csv").write_text("\n".join(map(",".join, slower)) + "\n")
    facts = facts_of(ingest_folder(str(tmp_path)))
    made = Offer(facts)
    point = points_of(facts.findings, made)[0]
    assert point.finding is not None
    assert len(point.finding.says) > 1  # "It is certainly ahead of every other model ..."
    a, b = (f"{{{made.letter(name, 'subject')}}}" for name in ("one:1b", "two:2b"))
    gap = ref(made, "decode_throughput", "difference")
    right = f"In decode throughput, {a} is ahead of {b} by {gap}."
    turned = f"In decode throughput, {b} is behind {a} by {gap}."
    assert verify(right, made, point.refs, point.first).reason == ""
    assert verify(turned, made).reason == ""
    assert f"name {a} first" in verify(turned, made, point.refs, point.first).reason


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


SWEPT = ("one:1b", "two:2b")


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Offer:
    """An offer of changes: two settings of two models, each with an effect that is certain."""
    folder = tmp_path_factory.mktemp("swept")
    for base, name in zip((40.0, 60.0), SWEPT, strict=True):
        lines = ["model,num_ctx,num_thread,decode_tps,eval_count"]
        for i in range(32):
            ctx, thread = (1024, 4096)[i % 2], (1, 2)[i // 2 % 2]
            rate = base + (ctx - 1024) / 500 + 9 * thread + 0.131 * ((i * 7) % 5)
            lines.append(f"{name},{ctx},{thread},{rate:.3f},100")
        (folder / f"{base:.0f}.csv").write_text("\n".join(lines) + "\n")
    facts = facts_of(ingest_folder(str(folder)))
    made = Offer(facts)
    for sweep in facts.sweeps:
        for effect in sweep.effects:
            made.add(effect.difference)
    return made


def change(offer: Offer, who: str, setting: str) -> tuple[str, str, str, str, str]:
    """(reference, subject, setting, low, high) of a change, each in braces."""
    card = next(
        c for c in offer.cards.values()
        if c.who == who and c.names[0] == setting and c.fact.metric == "decode_throughput"
    )  # fmt: skip
    assert card.certain
    kinds = ("setting", "level", "level")
    letters = [offer.letter(t, k) for t, k in zip(card.names, kinds, strict=True)]
    of = offer.letter(who, "subject")
    ref, subject, name, low, high = (f"{{{x}}}" for x in (card.ref, of, *letters))
    return ref, subject, name, low, high


def test_a_setting_changes_in_the_order_of_its_levels(swept: Offer) -> None:
    ref, who, name, low, high = change(swept, SWEPT[0], "num_ctx")
    said = "From {} {} to {}, the decode throughput of {} changes by {}."
    assert verify(said.format(name, low, high, who, ref), swept).reason == ""
    for wrong in ((name, high, low), (low, name, high), (who, low, high)):
        assert verify(said.format(*wrong, who, ref), swept).spans is None


def test_changes_of_two_settings_are_not_mixed_up(swept: Offer) -> None:
    ref, who, name, low, high = change(swept, SWEPT[0], "num_ctx")
    other, _, thread, one, two = change(swept, SWEPT[0], "num_thread")
    said = (
        f"With {name} from {low} to {high} the decode throughput of {who} changes by %s, and "
        f"with {thread} from {one} to {two} it changes by %s."
    )
    assert verify(said % (ref, other), swept).reason == ""
    assert "say so before it" in verify(said % (other, ref), swept).reason


def test_changes_of_two_models_are_not_mixed_up(swept: Offer) -> None:
    ref, who, name, low, high = change(swept, SWEPT[0], "num_ctx")
    other, someone, _, _, _ = change(swept, SWEPT[1], "num_ctx")
    said = (
        f"With {name} from {low} to {high} the decode throughput of {who} changes by {other} and "
        f"that of {someone} by {ref}."
    )
    assert "of one model" in verify(said, swept).reason
