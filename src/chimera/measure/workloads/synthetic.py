"""Synthetic prompts: text of given lengths, ``in=512,out=128,n=32,prefix=256,seed=7``."""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from chimera.errors import InputError
from chimera.measure.workloads.lengths import LONGEST, Length, parse_length
from chimera.measure.workloads.random_text import Openings, Sizer, WordStream, stream
from chimera.measure.workloads.traces import MOST_TOTAL_TOKENS
from chimera.measure.workloads.workload import CountTokens, Workload, WorkloadPrompt

KEYS = ("in", "out", "n", "prefix", "seed")
_MOST_PROMPTS = 100_000
_PART = re.compile(r"(?:[^,()]|\([^()]*\))+")


class Synthetic(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted. ``prompt`` is the whole prompt's length, the shared ``prefix`` in it."""

    prompt: Length = Length("fixed", 512)
    answer: Length = Length("fixed", 128)
    n: int = 32
    prefix: int = 0
    seed: int = 0

    def __str__(self) -> str:
        prefix = f",prefix={self.prefix}" if self.prefix else ""
        return f"synthetic:in={self.prompt},out={self.answer},n={self.n}{prefix},seed={self.seed}"


def parse_synthetic(text: str, seed: int) -> Synthetic:
    """What stands behind ``synthetic:``; all of it may be left out.

    Raises:
        InputError: an unknown key or a value that cannot be; names it.
    """
    text = text.strip()
    parts = _PART.findall(text)
    if ",".join(parts) != text:
        raise InputError(f"cannot read {text!r:.80}; write synthetic:in=512,out=128,n=32")
    given: dict[str, str] = {}
    for part in parts:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or key not in KEYS:
            raise InputError(f"unknown {part!r:.60}; synthetic takes {', '.join(KEYS)}, as in=512")
        if key in given:
            raise InputError(f"{key}= stands twice in {text!r:.80}; leave one")
        given[key] = value
    wanted = Synthetic(
        prompt=parse_length("in", given.get("in", "512")),
        answer=parse_length("out", given.get("out", "128")),
        n=_whole(given, "n", 32, 1, _MOST_PROMPTS),
        prefix=_whole(given, "prefix", 0, 0, LONGEST),
        seed=_whole(given, "seed", seed, 0, 2**63) if "seed" in given else seed,
    )
    room = _least_tokens(wanted)
    if wanted.prefix and wanted.prompt.a < room:
        raise InputError(
            f"in={wanted.prompt} leaves no room behind prefix={wanted.prefix}, which is part of "
            f"it; in must be {room} or more"
        )
    return wanted


def synthetic_workload(wanted: Synthetic, count_tokens: CountTokens | None) -> Workload:
    """The prompts; the same for the same ``wanted`` and the same tokenizer.

    Raises:
        InputError: more text than is kept in memory.
    """
    lengths, limits, notes = _lengths(wanted)
    if sum(lengths) > MOST_TOTAL_TOKENS:
        raise InputError(
            f"{wanted} has {sum(lengths):,} tokens, and more than {MOST_TOTAL_TOKENS:,} are not "
            "kept in memory; make n or in smaller"
        )
    sizer = Sizer(count_tokens)
    # Prompts of another length are not the beginnings of these: a server may still have those.
    seed = int.from_bytes(
        sha256(f"{wanted.seed}/{wanted.prompt}/{wanted.prefix}".encode()).digest()
    )
    shared: list[str] = []
    if wanted.prefix:
        shared = sizer.sized(WordStream(stream(seed, "prefix")), wanted.prefix)
    openings = Openings(seed, wanted.n)
    digits = len(str(wanted.n))
    prompts = []
    for index, (tokens, limit) in enumerate(zip(lengths, limits, strict=True)):
        start = [*shared, *openings.of(index)]
        source = WordStream(stream(seed, f"prompt {index}"), start)
        text = " ".join(sizer.sized(source, tokens, len(start)))
        name = f"synthetic-{index + 1:0{digits}d}"
        prompts.append(WorkloadPrompt(id=name, text=text, max_tokens=limit))
    return Workload(str(wanted), tuple(prompts), (*notes, *sizer.notes()))


def _least_tokens(wanted: Synthetic) -> int:
    # Behind a prefix there must be words of the prompt's own, or all prompts were the same.
    return wanted.prefix + 2 if wanted.prefix else 1


def _lengths(wanted: Synthetic) -> tuple[list[int], list[int], tuple[str, ...]]:
    """Lengths of prompts and of answers, and what had to be clipped."""
    notes: list[str] = []

    def drawn(length: Length, label: str, key: str, least: int) -> list[int]:
        random = stream(wanted.seed, label)
        raw = [length.draw(random) for _ in range(wanted.n)]
        kept = [min(max(one, least), LONGEST) for one in raw]
        clipped = sum(1 for before, after in zip(raw, kept, strict=True) if before != after)
        if clipped:
            notes.append(
                f"{key}={length}: {clipped} of {wanted.n} lengths were outside {least} to "
                f"{LONGEST:,} and were clipped"
            )
        return kept

    lengths = drawn(wanted.prompt, "prompt lengths", "in", _least_tokens(wanted))
    return lengths, drawn(wanted.answer, "answer lengths", "out", 1), tuple(notes)


def _whole(given: dict[str, str], key: str, default: int, least: int, most: int) -> int:
    if key not in given:
        return default
    if not re.fullmatch(r"[0-9]{1,19}", given[key]) or not least <= int(given[key]) <= most:
        raise InputError(f"{key}={given[key]!r:.60}: {key} is a whole number, {least} to {most}")
    return int(given[key])
