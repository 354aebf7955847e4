"""Facts looked up and explained: the rows behind one, and its value computed once more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isclose, isfinite

import msgspec

from chimera.facts.fact import Fact, Value
from chimera.facts.folder import Facts
from chimera.facts.raw_cells import Found, Missing, RawCells, Row
from chimera.facts.recompute import NotComputable, recomputed

_CLOSE = 1e-9
_NEAR_ZERO = 1e-12


class Explanation(msgspec.Struct, frozen=True):
    """What stands behind a fact.

    ``rows`` are the places of its origins, ``operands`` the facts that it was computed from.
    ``recomputed`` is its value by another path, from the raw cells; ``agrees`` says whether that
    is the fact's value. ``agrees`` is None where it cannot be computed again, and ``why`` says
    why; otherwise ``why`` is "".
    """

    fact: Fact
    rows: tuple[Row, ...]
    operands: tuple[Fact, ...]
    recomputed: Value
    agrees: bool | None
    why: str = ""


def explain(facts: Facts, fact: Fact, cells: RawCells | None = None) -> Explanation:
    """The rows behind ``fact``, and its value computed again from their raw cells.

    ``cells`` saves reading the folder's tables anew when many facts are explained.
    """
    cells = cells or RawCells(facts)
    operands = tuple(f for i in fact.operands if (f := facts.book.facts.get(i)) is not None)
    found: list[Found] = []
    try:
        # A note may be about a line that is no record: a header, a row that was left out.
        any_line = "note" in fact.subject
        for origin in fact.origins:
            found.extend(cells.of(origin, any_line=any_line))
        rows = tuple(f.row for f in found)
        if len(operands) != len(fact.operands):
            raise Missing("a fact that it was computed from is not in the book")
        value = recomputed(facts, fact, found, operands, cells)
    except (Missing, NotComputable) as error:
        rows = tuple(f.row for f in found)
        return Explanation(fact, rows, operands, None, None, str(error))
    except OverflowError:
        why = "the result is beyond what a float can hold"
        return Explanation(fact, rows, operands, None, None, why)
    return Explanation(fact, rows, operands, value, _agree(fact.value, value))


def _agree(a: Value, b: Value) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        if not (isfinite(a) and isfinite(b)):
            return repr(a) == repr(b)
        return isclose(a, b, rel_tol=_CLOSE, abs_tol=_NEAR_ZERO)
    return a == b


def find_facts(
    facts: Facts,
    *,
    metric: str | None = None,
    model: str | None = None,
    statistic: str | None = None,
    scope: str | None = None,
    file: str | None = None,
    text: str | None = None,
) -> list[Fact]:
    """The facts that match every filter given, in the order of the book.

    ``metric``, ``statistic`` and ``scope`` match whole, ``model`` and ``file`` a part of the
    name (of any file that the fact is from), ``text`` a part of anything that a fact says.
    Letters match in either case.
    """
    wanted: list[tuple[str | None, Callable[[Fact], Sequence[str]], bool]] = [
        (metric, _metrics, True),
        (statistic, _statistics, True),
        (scope, _scopes, True),
        (model, _models, False),
        (file, _files, False),
        (text, _texts, False),
    ]
    active = [(value.lower(), of, whole) for value, of, whole in wanted if value]
    return [
        fact
        for fact in facts.book
        if all(
            any((value == t.lower()) if whole else (value in t.lower()) for t in of(fact))
            for value, of, whole in active
        )
    ]


def _metrics(fact: Fact) -> Sequence[str]:
    return [fact.metric]


def _statistics(fact: Fact) -> Sequence[str]:
    return [fact.statistic]


def _scopes(fact: Fact) -> Sequence[str]:
    return [fact.scope]


def _models(fact: Fact) -> Sequence[str]:
    return [v for k, v in fact.subject.items() if k in ("model", "a", "b")]


def _files(fact: Fact) -> Sequence[str]:
    return [fact.subject.get("file", ""), *(o.file for o in fact.origins)]


def _texts(fact: Fact) -> Sequence[str]:
    named = [f"{k}={v}" for k, v in fact.subject.items()]
    return [fact.id, fact.metric, fact.statistic, fact.scope, fact.expression, fact.unit,
            str(fact.value), *named, *fact.flags, *_files(fact)]  # fmt: skip
