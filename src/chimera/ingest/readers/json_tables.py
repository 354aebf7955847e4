"""Finding the tables in a JSON value of any shape.

* a list of objects is a table, a row an element;
* an object that holds only objects is a table too, a row a key ({"eager": {...}, "jit": {...}}),
  unless its keys are metrics ({"ttft": {"mean": ...}, "tpot": {"mean": ...}});
* lists of numbers of one length that stand side by side are the columns of one table;
* what is left of an object is a row of its own, and its scalars hold for the tables inside it.
"""

from __future__ import annotations

from typing import Any

from chimera.ingest.names import read_name
from chimera.ingest.tables import SEPARATOR, RawTable
from chimera.record.units import unit_of

MAX_DEPTH = 200
_SCALARS = (str, int, float, bool, type(None))
Scalars = dict[str, Any]


class TooDeep(ValueError):
    """The value is nested deeper than ``MAX_DEPTH``."""


def tables_of(documents: list[tuple[Any, int]]) -> list[RawTable]:
    """All tables of the documents of one file; rows of several documents are their lines.

    Raises TooDeep.
    """
    found: list[RawTable] = []
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
    return found


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _is_family(node: dict[str, Any]) -> bool:
    """An object of objects whose keys are names of things, not of metrics."""
    values = list(node.values())
    if not values or not all(isinstance(v, dict) and v for v in values):
        return False
    if any(read_name(key).role == "metric" for key in node):
        return False
    if any(read_name(key).role in ("parameter", "identity") for key in node):
        return False
    if len(values) == 1:
        return any(isinstance(v, (int, float)) for v in values[0].values())
    shared = set(values[0])
    for value in values[1:]:
        shared &= set(value)
    return bool(shared)


def _flatten(
    node: dict[str, Any], prefix: str, flat: Scalars, nested: list[tuple[str, Any]], depth: int
) -> None:
    """Scalars of ``node`` under joined names into ``flat``; tables to be into ``nested``."""
    if depth > MAX_DEPTH:
        raise TooDeep
    unit = node.get("unit") or node.get("units")
    suffix = f" ({unit})" if isinstance(unit, str) and unit_of(unit) else ""
    for key, value in node.items():
        name = f"{prefix}{key}"
        if suffix and isinstance(value, (int, float)):
            name += suffix  # {"unit": "ms", "mean": 12.5}: the sibling says the unit
        if isinstance(value, _SCALARS):
            flat[name] = value
        elif isinstance(value, dict):
            if value and (_is_family(value) or _is_namespace(value)):
                nested.append((name, value))
            else:
                _flatten(value, name + SEPARATOR, flat, nested, depth + 1)
        elif isinstance(value, list) and value:
            nested.append((name, value))


def _is_namespace(node: dict[str, Any]) -> bool:
    """An object of objects with nothing in common and no scalars: each is looked at alone."""
    values = list(node.values())
    return (
        len(values) > 1
        and all(isinstance(v, dict) and v for v in values)
        and not any(read_name(key).role in ("metric", "parameter", "identity") for key in node)
        and not _is_family(node)
        and all(any(isinstance(x, (dict, int, float)) for x in v.values()) for v in values)
    )


def _object(
    node: dict[str, Any], pointer: str, above: Scalars, parent: str, found: list[RawTable], depth: int
) -> None:
    if depth > MAX_DEPTH:
        raise TooDeep
    if _is_family(node):
        keys = list(node)
        _rows(list(node.values()), list(range(len(keys))), keys, pointer, above, parent, found, depth)
        return
    if _is_namespace(node):
        for key, value in node.items():
            _object(value, f"{pointer}/{_escape(key)}", {**above, "name": key}, key, found, depth + 1)
        return
    flat: Scalars = {}
    nested: list[tuple[str, Any]] = []
    _flatten(node, "", flat, nested, depth)
    below = {**above, **flat}
    before = len(found)
    _nested(nested, pointer, below, found, depth)
    if flat:
        beside = any(len(t.rows) > 1 or t.pointer != pointer for t in found[before:])
        table = _table([flat], [0], [pointer], above)
        table.beside_rows = beside
        found.append(table)


def _nested(
    nested: list[tuple[str, Any]], pointer: str, below: Scalars, found: list[RawTable], depth: int
) -> None:
    """The containers of a row: parallel lists of numbers together, the others one by one."""
    numbers: dict[int, list[tuple[str, list[Any]]]] = {}
    for name, value in nested:
        at = f"{pointer}/{'/'.join(_escape(k) for k in name.split(SEPARATOR))}"
        last = name.rpartition(SEPARATOR)[2]
        if isinstance(value, dict):
            _object(value, at, below, last, found, depth + 1)
        elif all(isinstance(v, (int, float)) or v is None for v in value):
            numbers.setdefault(len(value), []).append((name, value))
        else:
            _list(value, at, below, last, found, depth + 1)
    for length, columns in numbers.items():
        wanted = [
            (n, v) for n, v in columns if read_name(n.rpartition(SEPARATOR)[2]).role == "metric"
        ]
        if wanted:
            first = f"{pointer}/{wanted[0][0].replace(SEPARATOR, '/')}"
            names, lists = [n for n, _ in wanted], [v for _, v in wanted]
            places = [f"{first}/{i}" for i in range(length)]
            found.append(_named(names, lists, list(range(length)), places, below, pointer))


def _list(
    node: list[Any], pointer: str, above: Scalars, parent: str, found: list[RawTable], depth: int
) -> None:
    if depth > MAX_DEPTH:
        raise TooDeep
    objects = [(v, i) for i, v in enumerate(node) if isinstance(v, dict)]
    if objects:
        _rows(
            [v for v, _ in objects], [i for _, i in objects], None, pointer, above, parent, found, depth
        )
    if len(objects) < len(node):
        for i, value in enumerate(node):
            if isinstance(value, list):
                _list(value, f"{pointer}/{i}", above, parent, found, depth + 1)


def _singular(parent: str) -> str:
    """The name of the column that holds a family's keys: "models" -> "model"."""
    name = parent[:-1] if parent.endswith("s") else parent
    return name if read_name(name).role in ("identity", "parameter") else "name"


def _rows(
    values: list[dict[str, Any]],
    numbers: list[int],
    keys: list[str] | None,
    pointer: str,
    above: Scalars,
    parent: str,
    found: list[RawTable],
    depth: int,
) -> None:
    """A table of objects, and the tables inside each of its rows."""
    flats: list[Scalars] = []
    pointers: list[str] = []
    for place, value in enumerate(values):
        key = keys[place] if keys else str(numbers[place])
        at = f"{pointer}/{_escape(key)}"
        flat: Scalars = {}
        nested: list[tuple[str, Any]] = []
        _flatten(value, "", flat, nested, depth + 1)
        if keys:
            label = _singular(parent)
            if label not in flat:
                flat = {label: key, **flat}
        if nested:
            _nested(nested, at, {**above, **flat}, found, depth + 1)
        flats.append(flat)
        pointers.append(at)
    table = _table(flats, numbers, pointers, above)
    table.pointer = pointer
    found.append(table)


def _table(
    flats: list[Scalars], numbers: list[int], pointers: list[str], above: Scalars
) -> RawTable:
    names = list(flats[0]) if len(flats) == 1 else list({k: None for flat in flats for k in flat})
    columns = [[flat.get(name) for flat in flats] for name in names]
    return _named(names, columns, numbers, pointers, above, pointers[0])


def _named(
    names: list[str],
    columns: list[list[Any]],
    numbers: list[int],
    pointers: list[str],
    above: Scalars,
    pointer: str,
) -> RawTable:
    """A table whose joined names are split into leaf and parent for reading, dotted for people."""
    split = [name.split(SEPARATOR) for name in names]
    return RawTable(
        [".".join(parts) for parts in split],
        columns,
        numbers,
        pointer,
        [parts[-2] if len(parts) > 1 else "" for parts in split],
        above,
        pointers=pointers,
        leaves=[parts[-1] for parts in split],
    )
