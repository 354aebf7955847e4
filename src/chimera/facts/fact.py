"""A fact: a value with everything needed to believe it."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

Value = float | int | str | None


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where values came from: one column of some rows of one file.

    ``rows`` are 1-based line numbers in text files, element indices (0-based) in JSON,
    whose place is ``pointer`` (RFC 6901). ``column`` is the file's own name of the column
    or key; None when the origin is the file itself (its name, its size).
    """

    file: str
    sha256: str
    rows: tuple[int, ...] = ()
    column: str | None = None
    pointer: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One value, what it is about, and how to compute it again.

    ``value`` is None when there is none, and ``why_none`` says why. ``unit`` is the canonical
    unit ("s", "tokens/s", "tokens", "1" for counts and ratios, "" for text).
    ``ci95`` is None where ``n`` allows no interval; ``ci_why`` then says why.
    ``subject`` holds only what sets this fact apart (model, engine, parameters ...).
    """

    id: str
    subject: dict[str, str]
    metric: str
    statistic: str
    value: Value
    unit: str
    scope: str = "all"
    n: int | None = None
    n_failed: int = 0
    n_excluded: int = 0
    excluded_why: str = ""
    ci95: tuple[float, float] | None = None
    ci_why: str = ""
    why_none: str = ""
    origins: tuple[Origin, ...] = ()
    operands: tuple[str, ...] = ()
    expression: str = ""
    flags: tuple[str, ...] = ()


def fact_id(
    subject: dict[str, str],
    metric: str,
    statistic: str,
    scope: str,
    value: Value,
    origins: tuple[Origin, ...],
    operands: tuple[str, ...] = (),
) -> str:
    """A short hash of what a fact is about, its value and where it is from.

    The same data gives the same id. What follows from the arguments (unit, n, interval, flags)
    is left out. ``FactBook.add`` sees to it that no two facts that differ in anything share an
    id, be it by these or by chance (with 40 bits, one in two hundred among 100,000 facts).
    """
    content: Any = (sorted(subject.items()), metric, statistic, scope, value, origins, operands)
    try:
        data = msgspec.msgpack.encode(content)
    except (OverflowError, UnicodeEncodeError):  # a huge integer, or half a character in a name
        data = repr(content).encode()
    return "F" + blake2b(data, digest_size=5).hexdigest()
