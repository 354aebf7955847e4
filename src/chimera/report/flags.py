"""Flags of facts in plain words."""

from __future__ import annotations

import re

_WORDS = {
    "n = 1": "a single observation: nothing can be said about its spread",
    "percentile of means": "a percentile of means, which hides the spread of single requests",
    "cold start mixed in": "requests that paid a model load are mixed in",
    "several loads": "records at several concurrencies or request rates are pooled: no request "
    "was served under such a load",
    "derived": "computed from other values, not measured",
    "summary": "taken from a summary in the data, not computed from its samples",
    "unit unknown": "the data do not say the unit",
    "claim": "what a document says, not what was measured",
    "implausible": "not plausible: check the source before using it",
    "duplicate": "the same values stand in another file as well",
}
_TAIL = re.compile(r"(p\d+) with n < (\d+)")


def in_words(flag: str) -> str:
    """What a flag means; an unknown flag reads as it is."""
    if tail := _TAIL.fullmatch(flag):
        return f"{tail[1]} of fewer than {tail[2]} samples: little more than one of the extremes"
    return _WORDS.get(flag, flag)
