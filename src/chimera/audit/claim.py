"""What an audit finds: claims, each with its place in the report and what the data says of it."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal[
    "number",
    "range",
    "percent",
    "count",
    "date",
    "name",
    "comparison",
    "rank",
    "superlative",
    "direction",
    "trend",
    "quantifier",
    "cause",
    "adjective",
    "snippet",
    "definition",
    "heading",
]
Label = Literal[
    "supported",  # the value of exactly what the claim names, at the printed precision
    "derivable",  # computed from such values: a difference, ratio, share, sum ...
    "contradicted",  # the data has another value for exactly this
    "misattributed",  # a real value, but of something else
    "inconsistent",  # contradicts the report itself, or a definition
    "ambiguous",  # read in several ways, which give different verdicts
    "fabricated",  # names what is nowhere in the data
    "unsupported",  # could be checked, but the data has nothing, or not enough, for it
    "unverifiable",  # no data of this kind could tell
]
LABELS: tuple[Label, ...] = Label.__args__  # type: ignore[attr-defined]
GOOD: frozenset[Label] = frozenset(("supported", "derivable"))
BAD: frozenset[Label] = frozenset(("contradicted", "misattributed", "inconsistent", "fabricated"))
# The rest is abstaining: it is counted and shown, and never dressed as support.


class Place(msgspec.Struct, frozen=True):
    """Where evidence stands: rows are lines of text files or JSON pointers, "" for all of it."""

    file: str
    row: str = ""
    column: str = ""


class Bound(msgspec.Struct, frozen=True):
    """What a claim was understood to be about; "" where the report does not say.

    ``subject`` names models (and what else sets it apart), ``filter`` the settings.
    """

    subject: str
    metric: str
    statistic: str = ""
    unit: str | None = None
    filter: str = ""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One claim of a report and its verdict.

    ``start`` and ``end`` are character offsets in the report as it was read. ``right`` is what the
    data says in the claim's own unit, None where there is nothing to say. ``expression`` says how
    a derivable or right value is computed. ``warning`` is a remark on a claim that holds (a value
    cut off instead of rounded).
    """

    start: int
    end: int
    text: str
    kind: Kind
    label: Label
    reason: str
    right: str | None = None
    expression: str = ""
    warning: str = ""
    bound: Bound | None = None
    places: tuple[Place, ...] = ()
    section: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether the claim is wrong, as far as the data or the report itself can tell."""
        return self.label in BAD


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """All claims of one report in the order of their places, and what it was held against.

    ``data`` is the folder or run, "" where the report was read alone. ``notes`` say what could not
    be read, or what was left out.
    """

    name: str
    text: str
    claims: tuple[Claim, ...]
    data: str = ""
    notes: tuple[str, ...] = ()

    def count(self, label: Label) -> int:
        """How many claims have that label."""
        return sum(claim.label == label for claim in self.claims)

    def line(self, offset: int) -> int:
        """The 1-based line on which a character stands."""
        return self.text.count("\n", 0, offset) + 1
