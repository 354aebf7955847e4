"""Lines of a run with any values that their types allow."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from chimera.record.request import Block, EngineStart, Request, RunEnd, Watched

# Between neighbouring times lies no more than 64 bits hold.
NUMBERS = st.integers(-(2**62), 2**62)
TEXTS = st.text(max_size=8)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a record's field has."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is int:
        return NUMBERS
    if hint is float:
        return st.floats(allow_nan=False)
    if hint is str:
        return TEXTS
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, UnionType):
        return st.one_of(*map(values, arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=5).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin is dict:
        return st.dictionaries(TEXTS, values(arguments[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return records(hint)
    return st.from_type(hint)


def records(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any record of a type."""
    hints = get_type_hints(kind)
    return st.fixed_dictionaries(
        {name: values(hints[name]) for name in kind.__struct_fields__}
    ).map(lambda fields: kind(**fields))


LINES = st.one_of([records(kind) for kind in (EngineStart, Request, Block, Watched, RunEnd)])
