"""Facts by prompt: a long prompt takes longer, so a mean over prompts hides what happened."""

from __future__ import annotations

from hashlib import blake2b

from chimera.facts.book import FactBook, describe
from chimera.facts.dataset import Dataset, Sample, Subject
from chimera.facts.measures import RATES, TIMES, members_of

MAX_PROMPTS = 12
_MIN_RECORDS = 3
_MAX_NAME = 60


def prompt_label(prompt: str) -> str:
    """A prompt's name for people: its id, or the beginning of its text.

    Prompts that only begin alike get a mark each, so that no name stands for two.
    """
    line = " ".join(prompt.split())
    if len(line) <= _MAX_NAME:
        return line
    mark = blake2b(prompt.encode("utf-8", "backslashreplace"), digest_size=2).hexdigest()
    return f"{line[: _MAX_NAME - 10]}... [{mark}]"


def prompted(subject: Subject, prompt: str) -> Subject:
    """A subject asked one prompt."""
    return (*subject, ("prompt", prompt_label(prompt)))


def prompt_facts(book: FactBook, data: Dataset, subject: Subject) -> None:
    """The mean of each prompt on warm records, where a subject was asked a few of them several
    times each, at each load where that varies.
    """
    for population in data.populations(subject):
        _prompt_facts(book, data, population)


def _prompt_facts(book: FactBook, data: Dataset, subject: Subject) -> None:
    groups: dict[str, list[Sample]] = {}
    for sample in data.good(subject):
        if sample.phase != "cold":
            groups.setdefault(sample.prompt, []).append(sample)
    named = {p: members for p, members in groups.items() if p}
    if not 2 <= len(named) <= MAX_PROMPTS:
        return
    if min(len(members) for members in named.values()) < _MIN_RECORDS:
        return
    for prompt, samples in named.items():
        for (metric, unit), members in members_of(samples).items():
            if metric in RATES or metric in TIMES:
                describe(
                    book, prompted(subject, prompt), metric, unit, members, scope="warm", full=False
                )
