"""What is packed is unpacked, whatever it is; what is old stays readable, what is new is said."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chimera.errors import FormatError, StoreError
from chimera.record.request import Request, Watched
from chimera.record.runfile import VERSION, Line
from chimera.store.chunks import LAYOUT, pack, unpack
from chimera.store.columns import Table
from chimera.testing.sample_run import BLOCK, START, WATCHED, sample_end, sample_request
from tests.store.strategies import LINES, records


def a_request(index: int = 0, tokens: int = 4, **changes: Any) -> Request:
    return msgspec.structs.replace(sample_request(index, tokens), **changes)


def some_lines() -> list[Line]:
    """Every type of line."""
    requests = [sample_request(index, failed=index == 1) for index in range(3)]
    return [START, requests[0], WATCHED, *requests[1:], BLOCK, sample_end(3, 1)]


@given(st.lists(LINES, max_size=12))
@example([])
@example(some_lines())
@example([a_request(index, index % 3) for index in range(9)])
def test_lines_come_back_in_their_order(lines: list[Line]) -> None:
    assert unpack(pack(lines), "here") == lines


@given(st.lists(records(Request), min_size=1, max_size=6))
def test_requests_come_back_bit_for_bit(requests: list[Request]) -> None:
    # Equal is not enough: True == 1, and -0.0 == 0.0.
    assert list(map(repr, unpack(pack(requests), "here"))) == list(map(repr, requests))


def test_numbers_at_the_edge_of_64_bits() -> None:
    edge = [a_request(prompt_tokens=2**64 - 1, end_ns=-(2**63))]
    assert unpack(pack(edge), "here") == edge
    for beyond in (2**64, -(2**63) - 1):
        with pytest.raises(StoreError, match="64 bits"):
            pack([a_request(end_ns=beyond)])
    with pytest.raises(StoreError, match="64 bits"):
        pack([a_request(token_ns=(2**63, -(2**63)))])


def test_what_is_alike_stands_once() -> None:
    size = len(pack([a_request(index, 0) for index in range(500)])) / 500
    assert size < len(msgspec.msgpack.encode(a_request(0, 0))) / 10


def _tampered(data: bytes, change: Any) -> bytes:
    """A chunk whose columns, as plain dicts, were changed."""
    lines, order, tables, gaps = msgspec.msgpack.decode(data[2:])
    columns = msgspec.msgpack.decode(zlib.decompress(tables))
    change(columns)
    packed = zlib.compress(msgspec.msgpack.encode(columns))
    return data[:2] + msgspec.msgpack.encode([lines, order, packed, gaps])


def test_a_column_that_an_older_program_did_not_write_takes_the_default() -> None:
    whole = [a_request(index, 2, lag_ns=7, reused=True) for index in range(3)]

    def forget(columns: dict[str, Any]) -> None:
        for name in ("lag_ns", "reused", "stamped_by", "error"):
            del columns["request"][name]

    old = unpack(_tampered(pack(whole), forget), "here")
    assert old == [a_request(index, 2) for index in range(3)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda columns: columns["request"].pop("end_ns"), "lack end_ns"),
        (lambda columns: columns["request"].update(end_ns=[1, 2, 3]), "hold 3 end_ns, not 2"),
        (lambda columns: columns["request"].update(end_ns="late"), "damaged: Expected `array"),
        (lambda columns: columns["request"].update(colour=[1]), "damaged: Object contains unknown"),
        (lambda columns: columns["request"].update(phase=["hot"]), "damaged: Invalid enum"),
        (lambda columns: columns["request"].update(token_ns=[9, 9]), "lack 5 times"),
        (lambda columns: columns["request"].update(token_ns=[1, 1]), "more than its lines"),
        (lambda columns: columns["request"].update(rows=3), "hold 2 index, not 3"),
        (lambda columns: columns.pop("request"), "lines are missing"),
    ],
)
def test_what_is_damaged_is_said(change: Any, said: str) -> None:
    chunk = pack([a_request(0, 2), a_request(1, 2)])
    with pytest.raises(FormatError, match=said):
        unpack(_tampered(chunk, change), "here")


def test_what_is_newer_is_refused() -> None:
    chunk = bytearray(pack(some_lines()))
    for place, newer in ((0, LAYOUT + 1), (1, VERSION + 1)):
        changed = bytearray(chunk)
        changed[place] = newer
        with pytest.raises(FormatError, match=r"newer than this program.*update chimera-lab"):
            unpack(bytes(changed), "here")


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        unpack(data, "here")
    with pytest.raises(FormatError):
        unpack(bytes((LAYOUT, VERSION)) + data, "here")


def test_a_field_that_was_added_takes_its_default() -> None:
    kind = msgspec.defstruct(
        "Newer", [("t_ns", int), ("source", str), ("values", dict[str, float], {}), ("n", int, 3)]
    )
    before = Table(Watched).split([Watched(t_ns=1, source="cpu", values={"x": 2.0})], [])
    newer = msgspec.convert(msgspec.to_builtins(before), Table(kind).columns)
    assert Table(kind).join(newer, iter(())) == [kind(1, "cpu", {"x": 2.0}, 3)]
