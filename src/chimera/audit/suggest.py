"""The report with the right values in the place of the wrong ones, as a unified diff."""

from __future__ import annotations

import re
from difflib import unified_diff

import msgspec

from chimera.audit.claim import Audit, Claim

# A wrong value is replaced; what is fabricated has no value that would be right.
_CHANGED = frozenset(("contradicted", "misattributed", "inconsistent"))
_NUMBER = re.compile(r"[-+−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_CONTEXT = 3


class Suggestion(msgspec.Struct, frozen=True):
    """``diff`` is "" where nothing changes; ``left`` are the wrong claims that stay as they are."""

    text: str
    diff: str
    changed: tuple[Claim, ...]
    left: tuple[Claim, ...]


def suggest(audit: Audit) -> Suggestion:
    """Put the right values into the report, keeping everything around them.

    Of claims that overlap the first is changed, the shorter one where two begin together; the
    others are left, as are claims without a right value, those whose words hold no single number
    to replace, and words of comparison, whose sentence has to be written anew.
    """
    edits: list[tuple[int, int, str]] = []
    changed, left, done = [], [], 0
    bad = (claim for claim in audit.claims if claim.is_bad)
    for claim in sorted(bad, key=lambda c: (c.start, c.end)):
        edit = _edit(audit.text, claim)
        if edit is None or claim.start < done:
            left.append(claim)
            continue
        edits.append(edit)
        changed.append(claim)
        done = claim.end
    parts, at = [], 0
    for start, end, new in edits:
        parts += [audit.text[at:start], new]
        at = end
    text = "".join([*parts, audit.text[at:]])
    return Suggestion(text, _diff(audit, text), tuple(changed), tuple(left))


def _edit(text: str, claim: Claim) -> tuple[int, int, str] | None:
    """(start, end, replacement), None where the claim cannot be put right by one."""
    right = claim.right
    if claim.label not in _CHANGED or not right or not right.isprintable():
        return None
    if not 0 <= claim.start < claim.end <= len(text):
        return None
    old = text[claim.start : claim.end]
    numbers, values = list(_NUMBER.finditer(old)), list(_NUMBER.finditer(right))
    if len(numbers) == len(values) == 1:
        said, new = numbers[0], values[0]
        around = [
            (right[: new.start()], old[: said.start()]),
            (right[new.end() :], old[said.end() :]),
        ]
        same_unit = all(not a.strip() or a.strip() == b.strip() for a, b in around)
        bare = not old[: said.start()].strip() and not old[said.end() :].strip()
        if bare and not same_unit and not _in_table(text, claim):
            return None  # in prose the value's unit may show that another thing was meant
        if (same_unit or bare) and said[0] != new[0]:
            start = claim.start + said.start()
            edit = start, claim.start + said.end(), new[0]
        else:
            edit = claim.start, claim.end, right  # another unit: the number alone would be wrong
    elif numbers or values or "\n" in old or claim.kind != "name":
        return None  # a range, a word for a number, or a word that its sentence needs
    else:
        edit = claim.start, claim.end, right  # a name for a name
    return edit if text[edit[0] : edit[1]] != edit[2] else None


def _in_table(text: str, claim: Claim) -> bool:
    """Whether a claim stands in a row of a Markdown table, whose header gives the unit."""
    low = text.rfind("\n", 0, claim.start) + 1
    high = text.find("\n", claim.end)
    line = text[low : high if high >= 0 else len(text)]
    return line.count("|") > 1


def _diff(audit: Audit, text: str) -> str:
    """What ``patch`` takes: lines end at newlines alone, and a missing last one is said."""
    name = "".join(c if c.isprintable() else "_" for c in audit.name)
    lines = unified_diff(
        _lines(audit.text),
        _lines(text),
        f"a/{name}",
        f"b/{name}",
        n=_CONTEXT,
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)
