"""From rows to prompts: times from the beginning, and text where a row only has a length."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from chimera.errors import InputError
from chimera.measure.workloads.random_text import Openings, Sizer, WordStream, below, stream, words
from chimera.measure.workloads.rows import Asked, Row, read_row
from chimera.measure.workloads.workload import CountTokens, WorkloadPrompt

# Some 300 MB of text; what is asked is kept in memory for the whole run.
MOST_TOTAL_TOKENS = 50_000_000
# Mooncake's traces name each 512 tokens of a prompt by a hash, equal where the text is.
_HASHED_TOKENS = 512


class Reading:
    """Reads rows and remembers what the user should know of them afterwards."""

    def __init__(self) -> None:
        self._left_out: dict[str, list[str]] = {}
        self._unread: dict[str, None] = {}

    def read(self, rows: Iterable[Row]) -> Iterator[Asked]:
        """What each row asks; rows that ask nothing are left out and counted."""
        for row in rows:
            asked = read_row(row)
            self._unread |= dict.fromkeys(asked.unread)
            if asked.left_out:
                self._left_out.setdefault(asked.left_out, []).append(asked.place)
            else:
                yield asked

    def notes(self) -> tuple[str, ...]:
        """Sentences about rows left out and fields not read."""
        said = [
            f"left out, because they {why}: {len(places):,}, the first at {places[0]}"
            for why, places in self._left_out.items()
        ]
        if self._unread:
            names = [repr(name)[1:-1] for name in self._unread]
            shown = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
            said.append(f"fields that were not read: {shown}")
        return tuple(said)


def prompts_of(
    asked: Sequence[Asked], seed: int, count_tokens: CountTokens | None
) -> tuple[tuple[WorkloadPrompt, ...], tuple[str, ...]]:
    """The prompts, those of a trace in the order of their times, and notes about them.

    Raises:
        InputError: an id that stands twice, times on some rows only, or more text than fits.
    """
    _check_ids(asked)
    times, sorted_ = _times(asked)
    texts, about_texts = _texts(asked, seed, count_tokens)
    prompts = [
        WorkloadPrompt(
            id=one.id,
            text=text,
            messages=one.messages,
            max_tokens=one.max_tokens,
            at_s=at_s,
            json_schema=one.json_schema,
        )
        for one, text, at_s in zip(asked, texts, times, strict=True)
    ]
    if not sorted_:
        prompts.sort(key=lambda prompt: prompt.at_s or 0.0)
        about_texts = (
            "the rows were not in the order of their times and were put so",
            *about_texts,
        )
    return tuple(prompts), about_texts


def _check_ids(asked: Sequence[Asked]) -> None:
    first: dict[str, str] = {}
    for one in asked:
        before = first.setdefault(one.id, one.place)
        if before != one.place:
            raise InputError(f"{one.place}: the id {one.id!r} stands at {before} already")


def _times(asked: Sequence[Asked]) -> tuple[list[float | None], bool]:
    """Seconds from the beginning, and whether they rise."""
    timed = [one.at_us for one in asked if one.at_us is not None]
    if not timed:
        return [None] * len(asked), True
    for one in asked:
        if one.at_us is None:
            raise InputError(f"{one.place}: no time, but other prompts of the file have one")
    if len({one.from_first for one in asked}) > 1:
        raise InputError(f"{asked[0].place}: all times of a file must be of one kind")
    zero = min(timed) if asked[0].from_first else 0
    return [(at - zero) / 1e6 for at in timed], timed == sorted(timed)


def _texts(
    asked: Sequence[Asked], seed: int, count_tokens: CountTokens | None
) -> tuple[list[str], tuple[str, ...]]:
    """Each row's text, made where there is only a length."""
    total = sum(one.input_tokens or 0 for one in asked)
    if total > MOST_TOTAL_TOKENS:
        raise InputError(
            f"the prompts have {total:,} tokens, and more than {MOST_TOTAL_TOKENS:,} are not "
            "kept in memory; take a part with FILE:first=1000"
        )
    sizer = Sizer(count_tokens)
    block = _blocks(seed)
    lone = sum(1 for one in asked if one.input_tokens and not one.hash_ids)
    openings = Openings(seed, lone)
    texts, number = [], 0
    for one in asked:
        if one.input_tokens is None:
            texts.append(one.text)
            continue
        if one.hash_ids:
            start = [word for hash_id in one.hash_ids for word in block(hash_id)]
            least = 1
        else:
            start = openings.of(number)
            least = len(start)
            number += 1
        source = WordStream(stream(seed, f"row {one.id}"), start)
        texts.append(" ".join(sizer.sized(source, one.input_tokens, least)))
    return texts, sizer.notes()


def _blocks(seed: int) -> Callable[[int], tuple[str, ...]]:
    @lru_cache(maxsize=4096)
    def block(hash_id: int) -> tuple[str, ...]:
        random, known = stream(seed, f"block {hash_id}"), words()
        return tuple(known[below(random, len(known))] for _ in range(_HASHED_TOKENS))

    return block
