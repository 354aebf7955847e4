"""Text of a wanted length in tokens, made of ordinary words, the same bytes for the same seed.

Only ``random.Random.random`` is drawn from: Python promises that it never changes, which it
does not promise of ``choice`` or ``shuffle``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files
from random import Random

from chimera.measure.workloads.workload import CountTokens

# How many other words are tried in the last place to meet a length exactly.
_TRIED_LAST = 24


@cache
def words() -> tuple[str, ...]:
    """Ordinary English words.

    Measured over all of them, tokens a word: 1.00 for Gemma 3 and o200k, 1.01 for Llama 3, 1.10
    for the first Mistral, 1.22 for Llama 2. Prose is nearer to 1.3.
    """
    text = files("chimera.measure.workloads").joinpath("words.txt").read_text(encoding="utf-8")
    return tuple(text.split())


def stream(seed: int, label: str) -> Random:
    """Random numbers of their own for each label: a longer list changes no earlier prompt."""
    # Seeding with text is Python's own affair and may change; with an integer it may not.
    digest = sha256(f"{seed}/{label}".encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))  # noqa: S311 - text, not a secret


def below(random: Random, limit: int) -> int:
    """A whole number from 0 to ``limit`` - 1."""
    return int(random.random() * limit)


class WordStream:
    """Endless words: those it begins with, then random ones."""

    def __init__(self, random: Random, beginning: Iterable[str] = ()) -> None:
        self._random = random
        self._words = list(beginning)

    def first(self, count: int) -> list[str]:
        """The first ``count`` words; always the same ones."""
        known = words()
        while len(self._words) < count:
            self._words.append(known[below(self._random, len(known))])
        return self._words[:count]


class Openings:
    """First words that no two prompts share, so that no cache of the server's can help.

    One word where there are fewer prompts than words, two otherwise.
    """

    def __init__(self, seed: int, prompts: int) -> None:
        random = stream(seed, "openings")
        self._order = list(words())
        for last in range(len(self._order) - 1, 0, -1):
            other = below(random, last + 1)
            self._order[last], self._order[other] = self._order[other], self._order[last]
        self._two = prompts > len(self._order)

    def of(self, index: int) -> list[str]:
        """The opening of prompt number ``index``, from 0."""
        size = len(self._order)
        first = self._order[index % size]
        return [first, self._order[index // size % size]] if self._two else [first]


class Sizer:
    """Cuts word streams to a length in tokens, and remembers how well that went.

    Without ``count_tokens``, or where it says None, one word is taken for one token.
    """

    def __init__(self, count_tokens: CountTokens | None) -> None:
        self._count_tokens = count_tokens
        self.made = 0
        self.missed = 0
        self.farthest = 0

    def sized(self, source: WordStream, tokens: int, least: int = 1) -> list[str]:
        """Words from ``source`` that are ``tokens`` tokens or as near as can be had.

        ``least`` is the number of words that must stand there whatever their length.
        """
        self.made += 1
        if self._count_tokens is None or self._count(source.first(1)) is None:
            self._count_tokens = None
            return source.first(max(least, tokens))
        best, off = self._fitted(source, tokens, least)
        self.missed += off != 0
        self.farthest = max(self.farthest, abs(off))
        return best

    def notes(self) -> tuple[str, ...]:
        """What the user should know about the lengths; nothing where no text was made."""
        if not self.made:
            return ()
        if self._count_tokens is None:
            said = (
                "prompt lengths are estimated at one token a word, as no tokenizer of the target's "
                "counted them: the real ones are up to a quarter longer"
            )
            return (said,)
        said = "prompt lengths are counted by the target's own tokenizer, as plain text"
        if self.missed:
            said += f"; {self.missed} could not be met exactly, off by at most {self.farthest}"
        return (said,)

    def _count(self, chosen: list[str]) -> int | None:
        return self._count_tokens(" ".join(chosen)) if self._count_tokens else None

    def _tokens(self, chosen: list[str]) -> int:
        return self._count(chosen) or 0

    def _fitted(self, source: WordStream, tokens: int, least: int) -> tuple[list[str], int]:
        """The best words and by how many tokens they miss."""
        low, low_tokens = self._most(source, tokens, least)
        best, off = source.first(low), low_tokens - tokens
        if off >= 0:
            return best, off
        # One word more is too much: another word in its place may fit.
        known = words()
        spaced = (known[i * len(known) // _TRIED_LAST] for i in range(_TRIED_LAST))
        for word in (*source.first(low + 1)[low:], *spaced):
            tried = [*source.first(low), word]
            miss = self._tokens(tried) - tokens
            if abs(miss) < abs(off):
                best, off = tried, miss
            if off == 0:
                break
        return best, off

    def _most(self, source: WordStream, tokens: int, least: int) -> tuple[int, int]:
        """The largest number of words that are not more than ``tokens``, and their tokens."""
        low, low_tokens = least, self._tokens(source.first(least))
        high: int | None = None
        per_word, probes = 1.0, 0
        # Beyond this the count does not grow with the text, and no length can be met.
        limit = least + 8 * tokens + 16
        while low_tokens < tokens and low < limit and (high is None or high - low > 1):
            guess = low + round((tokens - low_tokens) / per_word)
            if high is not None and probes >= 4:  # guesses may creep up from one side
                guess = (low + high) // 2
            guess = max(low + 1, min(guess, limit if high is None else high - 1))
            found = self._tokens(source.first(guess))
            per_word = max(0.1, (found - low_tokens) / (guess - low))
            probes += 1
            if found <= tokens:
                low, low_tokens = guess, found
            else:
                high = guess
        return low, low_tokens
