"""Finding the tables in a JSON value of any shape.

* a list of objects is a table, a row an element;
* an object that holds only objects is a table too, a row a key ({"eager": {...}, "jit": {...}}),
  unless its keys are metrics ({"ttft": {"mean": ...}, "tpot": {"mean": ...}});
* lists of numbers of one length that stand side by side are the columns of one table;
* what is left of an object is a row of its own, and its scalars hold for the tables inside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chimera.ingest.names import normal_form, read_name
from chimera.ingest.tables import SEPARATOR, Header, RawTable, nested_header
from chimera.record.units import unit_of
from chimera.record.vocabulary import FAILURE_MARKS

MAX_DEPTH = 200
_KNOWN = ("metric", "parameter", "identity")
_OBJECTS = frozenset({dict})
_CONTAINERS = frozenset({dict, list})
_NUMBER_TYPES = frozenset({int, float, bool})
_PLAIN_NUMBERS = frozenset({int, float})
_NODE_TYPES = _NUMBER_TYPES | {dict}
_NUMBERS = _NUMBER_TYPES | {type(None)}
_SCALARS = _NUMBERS | {str}
_FAILS = ("error", "success", "status")
_BESIDE = ("status", "parameter")
Scalars = dict[str, Any]


class Found(list[RawTable]):
    """The tables found so far; ``unread`` are lists of numbers that are in none of them.

    Each is named once, with one of its numbers, whatever the number of rows that have it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.unread: dict[str, Any] = {}

    def leave(self, name: str, values: list[Any]) -> None:
        """Remember a list that is not read, when it holds numbers."""
        if name not in self.unread and not _PLAIN_NUMBERS.isdisjoint(map(type, values)):
            self.unread[name] = next(v for v in values if v.__class__ in _PLAIN_NUMBERS)


class TooDeep(ValueError):
    """The value is nested deeper than ``MAX_DEPTH``."""


def tables_of(documents: list[tuple[Any, int]]) -> list[RawTable]:
    """All tables of the documents of one file; rows of several documents are their lines.

    Raises TooDeep.
    """
    found = Found()
    objects = [(v, line) for v, line in documents if isinstance(v, dict)]
    if len(objects) > 1:
        lines = [line for _, line in objects]
        _rows([v for v, _ in objects], lines, None, "", {}, "", found, 0)
        found[-1].pointers = None
    elif objects:
        _object(objects[0][0], "", {}, "", found, 0)
    for value, _ in documents:
        if isinstance(value, list):
            _list(value, "", {}, "", found, 0)
    if found and found.unread:
        names, firsts = list(found.unread), [[v] for v in found.unread.values()]
        found.append(_named(names, firsts, [0], [""], {}, ""))
    return found


def _escape(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1") if "/" in key or "~" in key else key


def _shape(node: dict[str, Any]) -> str:
    """What an object of objects is; "" for any other.

    "family": its keys are names of things, not of metrics. "namespace": its values have nothing
    in common and no scalars, so each is looked at alone.
    """
    if not node or next(iter(node.values())).__class__ is not dict:
        return ""  # most objects end here
    values = list(node.values())
    if not _OBJECTS.issuperset(map(type, values)) or not all(values):
        return ""
    if any(read_name(key).role in _KNOWN for key in node):
        return ""
    if len(values) == 1:
        holds = _NUMBER_TYPES.isdisjoint(map(type, values[0].values()))
        return "" if holds else "family"
    if set(values[0]).intersection(*values[1:]):
        return "family"
    if any(_NODE_TYPES.isdisjoint(map(type, v.values())) for v in values):
        return ""
    return "namespace"


def _is_flat(node: dict[str, Any]) -> bool:
    """Whether an object holds only scalars, none of which is the unit of the others."""
    return (
        _CONTAINERS.isdisjoint(map(type, node.values()))
        and "unit" not in node
        and "units" not in node
    )


def _flatten(
    node: dict[str, Any], prefix: str, flat: Scalars, nested: list[tuple[str, Any]], depth: int
) -> None:
    """Scalars of ``node`` under joined names into ``flat``; tables to be into ``nested``."""
    if depth > MAX_DEPTH:
        raise TooDeep
    suffix = ""
    unit = node.get("unit") or node.get("units")
    if unit and isinstance(unit, str):
        known = unit_of(unit)
        if known and known[0] != "tokens":  # what counts tokens says so
            suffix = f" ({unit})"
    for key, value in node.items():
        kind = value.__class__
        if kind is dict:
            first = next(iter(value.values()), None)
            if first.__class__ is dict and _shape(value):
                nested.append((prefix + key, value))
            else:
                _flatten(value, prefix + key + SEPARATOR, flat, nested, depth + 1)
        elif kind is list:
            if value:
                nested.append((prefix + key, value))
        elif suffix and isinstance(value, (int, float)):
            # {"unit": "ms", "mean": 12.5}: the sibling says the unit
            flat[prefix + key + suffix] = value
        else:
            flat[prefix + key] = value


def _object(
    node: dict[str, Any],
    pointer: str,
    above: Scalars,
    parent: str,
    found: Found,
    depth: int,
) -> None:
    if depth > MAX_DEPTH:
        raise TooDeep
    shape = _shape(node)
    if shape == "family":
        values = list(node.values())
        _rows(values, range(len(values)), list(node), pointer, above, parent, found, depth)
        return
    if shape == "namespace":
        for key, value in node.items():
            at = f"{pointer}/{_escape(key)}"
            _object(value, at, {**above, "name": key}, key, found, depth + 1)
        return
    flat: Scalars = {}
    nested: list[tuple[str, Any]] = []
    _flatten(node, "", flat, nested, depth)
    before = len(found)
    if nested:
        _nested(nested, pointer, {**above, **flat}, found, depth)
    if flat:
        beside = any(len(t.rows) > 1 or t.pointer != pointer for t in found[before:])
        columns = [[value] for value in flat.values()]
        table = _named(list(flat), columns, [0], [pointer], above, pointer)
        table.beside_rows = beside
        table.holds_records = table.header.lasts and _holds_records(nested)
        found.append(table)


def _nested(
    nested: list[tuple[str, Any]], pointer: str, below: Scalars, found: Found, depth: int
) -> None:
    """The containers of a row: parallel lists of numbers together, the others one by one."""
    numbers: dict[int, list[tuple[str, list[Any]]]] = {}
    for name, value in nested:
        if value.__class__ is list and _SCALARS.issuperset(map(type, value)):
            numbers.setdefault(len(value), []).append((name, value))
            continue
        key = name
        if SEPARATOR in name:
            *path, key = name.split(SEPARATOR)
            at = "/".join([pointer, *map(_escape, path), _escape(key)])
        else:
            at = f"{pointer}/{_escape(name)}"
        if value.__class__ is dict:
            _object(value, at, below, key, found, depth + 1)
        else:
            _list(value, at, below, key, found, depth + 1)
    for length, columns in numbers.items():
        metrics = [
            n for n, v in columns if _role(n) == "metric" and _NUMBERS.issuperset(map(type, v))
        ]
        names: list[str] = []
        if metrics:
            first = f"{pointer}/{metrics[0].replace(SEPARATOR, '/')}"
            wanted = [(n, v) for n, v in columns if n in metrics or _role(n) in _BESIDE]
            names, lists = [n for n, _ in wanted], [v for _, v in wanted]
            places = [f"{first}/{i}" for i in range(length)]
            found.append(_named(names, lists, range(length), places, below, pointer))
        for name, value in columns:
            if name not in names:
                found.leave(name, value)


def _holds_records(nested: list[tuple[str, Any]]) -> bool:
    """Whether a row has a list of objects: what it says of itself, it says of all of them."""
    lists = [v for _, v in nested if v.__class__ is list]
    for _, value in nested:
        if value.__class__ is dict:
            lists += [v for v in value.values() if v.__class__ is list]
    return any(v[0].__class__ is dict for v in lists if v)


def _role(name: str) -> str:
    """What a list's name says: its role, "status" for one that tells of failures."""
    last = name.rpartition(SEPARATOR)[2]
    return "status" if normal_form(last) in FAILURE_MARKS else read_name(last).role


def _list(
    node: list[Any], pointer: str, above: Scalars, parent: str, found: Found, depth: int
) -> None:
    if depth > MAX_DEPTH:
        raise TooDeep
    kinds = set(map(type, node))
    if dict in kinds:
        places = [i for i, v in enumerate(node) if v.__class__ is dict]
        values = node if len(kinds) == 1 else [node[i] for i in places]
        _rows(values, places, None, pointer, above, parent, found, depth)
    if list in kinds:
        for i, value in enumerate(node):
            if value.__class__ is list:
                _list(value, f"{pointer}/{i}", above, parent, found, depth + 1)
                if parent:
                    found.leave(f"{parent} (lists)", value)


def _singular(parent: str) -> str:
    """The name of the column that holds a family's keys: "models" -> "model"."""
    name = parent.removesuffix("s")
    return name if read_name(name).role in ("identity", "parameter") else "name"


def _rows(
    values: list[dict[str, Any]],
    numbers: Sequence[int],
    keys: list[str] | None,
    pointer: str,
    above: Scalars,
    parent: str,
    found: Found,
    depth: int,
) -> None:
    """A table of objects, and the tables inside each of its rows."""
    flats: list[Scalars] = []
    pointers: list[str] = []
    label = _singular(parent) if keys else ""
    inner: list[list[tuple[str, Any]]] = []
    for place, value in enumerate(values):
        at = f"{pointer}/{_escape(keys[place]) if keys else numbers[place]}"
        flat = value
        nested: list[tuple[str, Any]] = []
        if not _is_flat(value):
            flat = {}
            _flatten(value, "", flat, nested, depth + 1)
        if keys and label not in flat:
            flat = {label: keys[place], **flat}
        if nested:
            _nested(nested, at, {**above, **flat}, found, depth + 1)
            inner.append(nested)
        flats.append(flat)
        pointers.append(at)
    for part in _alike(flats) if keys else [range(len(flats))]:
        members = [flats[i] for i in part]
        names, columns = _columns(members)
        at_rows, at_pointers = [numbers[i] for i in part], [pointers[i] for i in part]
        table = _named(names, columns, at_rows, at_pointers, above, pointer)
        table.holds_records = table.header.lasts and any(map(_holds_records, inner))
        table.without_metrics = _without_metrics(members, names, table.header)
        found.append(table)


def _alike(flats: list[Scalars]) -> list[Sequence[int]]:
    """The members of a family that name a metric, and those that are another kind of thing."""
    measured: list[int] = []
    others: list[int] = []
    for i, flat in enumerate(flats):
        header = nested_header(tuple(flat))
        fails = any(r.role == "status" and r.key in _FAILS for r in header.readings)
        (measured if header.measures or fails else others).append(i)
    return [part for part in (measured, others) if part]


def _without_metrics(flats: list[Scalars], names: list[str], header: Header) -> frozenset[int]:
    """The objects that lack the keys of every metric of their table; ``names`` are all keys."""
    if not header.measures or sum(map(len, flats)) == len(names) * len(flats):
        return frozenset()
    pairs = zip(names, header.readings, strict=True)
    metrics = {name for name, reading in pairs if reading.role == "metric"}
    return frozenset(i for i, flat in enumerate(flats) if metrics.isdisjoint(flat))


def _columns(flats: list[Scalars]) -> tuple[list[str], list[list[Any]]]:
    """The keys of all rows in the order of their first appearance, and a column for each."""
    names = list(flats[0])
    if len(flats) == 1:
        return names, [[value] for value in flats[0].values()]
    if all(list(flat) == names for flat in flats):
        rows: Iterable[Iterable[Any]] = [flat.values() for flat in flats]
    else:
        names = list({k: None for flat in flats for k in flat})
        rows = [map(flat.get, names) for flat in flats]
    return names, list(map(list, zip(*rows, strict=True)))


def _named(
    names: list[str],
    columns: list[list[Any]],
    numbers: Sequence[int],
    pointers: list[str],
    above: Scalars,
    pointer: str,
) -> RawTable:
    header = nested_header(tuple(names))
    return RawTable(header, columns, list(numbers), pointer, above, pointers=pointers)
