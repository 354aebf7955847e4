"""Made text: the same bytes for the same seed, and as long as was asked."""

from __future__ import annotations

import statistics
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chimera.errors import InputError
from chimera.measure.workloads import CountTokens, open_workload


def by_word(text: str) -> int:
    """One token a word and one in front, as Gemma counts these words."""
    return 1 + len(text.split())


def by_letter(text: str) -> int:
    """A coarse tokenizer: every three letters a token."""
    return sum((len(word) + 2) // 3 for word in text.split())


COUNTERS = st.sampled_from([None, by_word, by_letter])
LENGTHS = st.one_of(
    st.integers(20, 90).map(str),
    st.tuples(st.integers(20, 50), st.integers(50, 90)).map(lambda ab: f"uniform({ab[0]},{ab[1]})"),
    st.tuples(st.integers(20, 90), st.integers(0, 60)).map(lambda ab: f"normal({ab[0]},{ab[1]})"),
)
PREFIXES = st.sampled_from([0, 1, 8, 17])


@given(LENGTHS, LENGTHS, st.integers(1, 12), PREFIXES, st.integers(-5, 2**70), COUNTERS)
def test_the_same_seed_gives_the_same_prompts(
    ins: str, outs: str, n: int, prefix: int, seed: int, count: CountTokens | None
) -> None:
    spec = f"synthetic:in={ins},out={outs},n={n},prefix={prefix}"
    once = open_workload(spec, seed=seed, count_tokens=count)
    assert open_workload(spec, seed=seed, count_tokens=count) == once
    assert len(once.prompts) == len({prompt.id for prompt in once.prompts}) == n
    assert all((prompt.max_tokens or 0) >= 1 and prompt.at_s is None for prompt in once.prompts)
    other = open_workload(spec, seed=seed + 1, count_tokens=count)
    assert other.prompts[0].text != once.prompts[0].text


@given(st.integers(20, 90), st.integers(0, 30), st.integers(1, 12), PREFIXES, COUNTERS)
def test_lengths_are_within_their_bounds(
    low: int, more: int, n: int, prefix: int, count: CountTokens | None
) -> None:
    spec = f"synthetic:in=uniform({low},{low + more}),out=uniform(3,5),n={n},prefix={prefix}"
    workload = open_workload(spec, count_tokens=count)
    for prompt in workload.prompts:
        tokens = (count or (lambda text: len(text.split())))(prompt.text)
        slack = 1 if count is by_letter else 0  # its words have two tokens and more
        assert low - slack <= (tokens or 0) <= low + more + slack
        assert prompt.max_tokens in (3, 4, 5)


@given(st.integers(2, 12), st.integers(1, 17), st.integers(0, 99), COUNTERS)
def test_the_prefix_is_shared_and_nothing_behind_it(
    n: int, prefix: int, seed: int, count: CountTokens | None
) -> None:
    spec = f"synthetic:in=uniform(25,60),n={n},prefix={prefix},seed={seed}"
    texts = [p.text.split() for p in open_workload(spec, count_tokens=count).prompts]
    shared = 0
    while len({text[shared] for text in texts}) == 1:
        shared += 1
    counted = (count or (lambda text: len(text.split())))(" ".join(texts[0][:shared])) or 0
    least = 2 if count is by_word else 1  # the token in front, and one word at least
    assert abs(counted - max(prefix, least)) <= (2 if count is by_letter else 0)
    assert len({text[shared] for text in texts}) == n


def test_first_words_differ_even_where_there_are_more_prompts_than_words() -> None:
    prompts = open_workload("synthetic:in=4,n=3000").prompts
    assert len({tuple(prompt.text.split()[:2]) for prompt in prompts}) == 3000


def test_more_prompts_change_none_of_the_first() -> None:
    few, many = (open_workload(f"synthetic:in=normal(40,9),n={n}").prompts for n in (3, 50))
    assert [p.text for p in few] == [p.text for p in many[:3]]


def test_a_longer_prompt_does_not_begin_like_a_shorter_one() -> None:
    short, long = (open_workload(f"synthetic:in={n},n=1").prompts[0] for n in (20, 40))
    assert not long.text.startswith(short.text)


def test_the_bytes_are_pinned() -> None:
    """On every platform and Python: a change makes recorded runs incomparable."""
    workload = open_workload("synthetic:in=uniform(8,20),out=normal(30,8),n=40,prefix=4,seed=7")
    assert workload.sha256 == "4c3204bb13cc846aad6c32865fd496f04120c6cb2b5e47517bc6cf83993789f6"


def test_the_text_is_exact_where_tokens_are_counted() -> None:
    workload = open_workload("synthetic:in=300,n=5,prefix=50", count_tokens=by_word)
    assert {by_word(prompt.text) for prompt in workload.prompts} == {300}
    (note,) = workload.notes
    assert "counted by the target's own tokenizer" in note
    assert "could not" not in note


def test_a_length_that_cannot_be_met_is_said() -> None:
    workload = open_workload("synthetic:in=33,n=3", count_tokens=lambda text: 2 * by_word(text))
    assert "3 could not be met exactly, off by at most 1" in workload.notes[0]


@pytest.mark.parametrize("count", [None, lambda text: None])
def test_without_a_tokenizer_the_lengths_are_called_estimates(count: CountTokens | None) -> None:
    workload = open_workload("synthetic:in=33,n=3", count_tokens=count)
    assert {len(prompt.text.split()) for prompt in workload.prompts} == {33}
    assert "estimated" in workload.notes[0]


@pytest.mark.parametrize("count", [lambda text: 0, lambda text: 10**6, len, lambda t: len(t) // 40])
def test_an_odd_tokenizer_is_no_endless_loop(count: CountTokens) -> None:
    workload = open_workload("synthetic:in=40,n=2", count_tokens=count)
    assert all(prompt.text for prompt in workload.prompts)


def test_lengths_that_are_drawn_below_one_are_clipped_and_said() -> None:
    workload = open_workload("synthetic:in=10,out=normal(2,30),n=100")
    limits = [prompt.max_tokens or 0 for prompt in workload.prompts]
    assert min(limits) == 1
    clipped = next(note for note in workload.notes if note.startswith("out="))
    assert "of 100 lengths were outside 1 to 1,000,000" in clipped


def test_drawn_lengths_have_the_mean_and_the_spread_asked_for() -> None:
    normal = open_workload("synthetic:in=1,out=normal(500,50),n=4000").prompts
    limits = [prompt.max_tokens or 0 for prompt in normal]
    assert abs(statistics.mean(limits) - 500) < 4
    assert abs(statistics.stdev(limits) - 50) < 3
    even = open_workload("synthetic:in=1,out=uniform(1,6),n=6000").prompts
    throws = [prompt.max_tokens for prompt in even]
    assert all(900 < throws.count(side) < 1100 for side in range(1, 7))


def test_the_name_says_all_of_it() -> None:
    spec = "synthetic: n=3, in=uniform(8, 20) ,prefix=2"
    workload = open_workload(spec, seed=9)
    assert workload.name == "synthetic:in=uniform(8,20),out=128,n=3,prefix=2,seed=9"
    assert open_workload(workload.name) == workload
    assert len(open_workload("synthetic").prompts) == 32


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ("in", "unknown 'in'"),
        ("in=5,out=6,m=7", "in, out, n, prefix, seed"),
        ("in=5,in=6", "stands twice"),
        ("in=", "in='' is no length"),
        ("in=x", "write in=512"),
        ("in=-5", "write in=512"),
        ("in=5.5", "write in=512"),
        ("in=1e9", "write in=512"),
        ("in=0", "from 1 to 1,000,000"),
        ("in=1000001", "from 1 to 1,000,000"),
        ("out=uniform(5,4)", "from a smaller"),
        ("out=uniform(1.5,4)", "from a smaller"),
        ("out=normal(5)", "out=normal"),
        ("out=zipf(1,2)", "is no length"),
        ("in=uniform(1,2", "cannot read"),
        ("in=5,,n=2", "cannot read"),
        ("n=0", "n is a whole number"),
        ("n=999999999", "1 to 100000"),
        ("n=²", "n is a whole number"),
        ("prefix=600", "leaves no room"),
        ("in=uniform(10,900),prefix=9", "in must be 11 or more"),
        ("in=1000000,n=100000", "make n or in smaller"),
        ("seed=-1", "seed is a whole number"),
    ],
)
def test_a_bad_value_is_named(given_: str, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        open_workload(f"synthetic:{given_}")


@given(st.text(max_size=40))
def test_any_text_is_a_workload_or_an_input_error(text: str) -> None:
    with suppress(InputError):
        assert open_workload(f"synthetic:in=3,{text}").prompts
