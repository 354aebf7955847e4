"""Every line that can be recorded comes back from a chunk as it was."""

from __future__ import annotations

from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chimera.record.request import Block, EngineStart, Request, RunEnd, Watched
from chimera.store.chunks import pack, unpack

TYPES: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    str: st.text(st.characters(exclude_categories=["Cs"])),
    type(None): st.none(),
}


def of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that a line's field has."""
    if kind in TYPES:
        return TYPES[kind]
    arguments = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        return st.one_of(*map(of, arguments))
    if get_origin(kind) is Literal:
        return st.sampled_from(arguments)
    if get_origin(kind) is dict:
        return st.dictionaries(*map(of, arguments), max_size=3)
    if get_origin(kind) is tuple and arguments[-1] is ...:
        return st.lists(of(arguments[0]), max_size=5).map(tuple)
    if get_origin(kind) is tuple:
        return st.tuples(*map(of, arguments))
    if issubclass(kind, msgspec.Struct):
        fields = {f.name: of(f.type) for f in msgspec.structs.fields(kind)}
        return st.fixed_dictionaries(fields).map(lambda values: kind(**values))
    return st.sampled_from(kind)  # an enumeration


@given(st.lists(st.one_of(*map(of, (EngineStart, Request, Block, Watched, RunEnd))), max_size=6))
def test_what_is_packed_is_unpacked(lines: list[Any]) -> None:
    assert unpack(pack(lines), "here") == lines


def test_a_chunk_of_an_older_version_takes_the_defaults() -> None:
    older = {"type": "watched", "t_ns": 1, "source": "cpu", "values": {}}
    end = {"type": "end", "requests": 0, "failed": 0, "planned": 0, "stopped": "complete",
           "end_ns": 1, "pressure": None, "load_average": None}  # fmt: skip
    first, last = unpack(msgspec.msgpack.encode([older, end]), "here")
    assert first == Watched(t_ns=1, source="cpu", values={})
    assert isinstance(last, RunEnd)
    assert last.notes == ()
