"""Lines of a run as one block of bytes, in columns.

    byte 0    version of this layout
    byte 1    version of the run format, whose types the columns are
    the rest  msgpack: the order of the lines, the columns of each type of line, token times

The columns are compressed: most values of a run repeat. Token times are not: it would cost
more time than all of the rest, and win an eighth of the space.

History of the layout:

    1   first version
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from chimera.errors import FormatError, StoreError
from chimera.record.request import Block, EngineStart, Request, RunEnd, Watched
from chimera.record.runfile import VERSION, Line
from chimera.store.columns import Table

LAYOUT = 1
_FAST = 1

# A line's place in this list is its code in a chunk: types are only ever added at the end.
_TABLES: tuple[tuple[str, Table[Any]], ...] = (
    ("start", Table(EngineStart)),
    ("request", Table(Request, ragged="token_ns")),
    ("block", Table(Block)),
    ("watched", Table(Watched)),
    ("end", Table(RunEnd)),
)
_CODES = {table.kind: code for code, (_, table) in enumerate(_TABLES)}
_Tables: Any = msgspec.defstruct(
    "_Tables",
    [(name, table.columns | None, None) for name, table in _TABLES],
    omit_defaults=True,
    forbid_unknown_fields=True,
)


class _Chunk(msgspec.Struct, forbid_unknown_fields=True, array_like=True):
    """``order`` has a byte for each line, its type; where all are alike, a single one."""

    lines: int
    order: bytes
    tables: bytes
    gaps: list[int]


_encoder = msgspec.msgpack.Encoder()
_decode_chunk = msgspec.msgpack.Decoder(_Chunk).decode
_decode_tables = msgspec.msgpack.Decoder(_Tables).decode


def pack(lines: Sequence[Line]) -> bytes:
    """Lines as a chunk.

    Raises:
        StoreError: a whole number among them has more than 64 bits.
    """
    codes = bytes([_CODES[type(line)] for line in lines])
    gaps: list[int] = []
    tables = {
        name: table.split([line for line in lines if type(line) is table.kind], gaps)
        for code, (name, table) in enumerate(_TABLES)
        if code in codes
    }
    order = codes[:1] if len(tables) == 1 else codes
    try:
        columns = zlib.compress(_encoder.encode(_Tables(**tables)), _FAST)
        body = _encoder.encode(_Chunk(len(lines), order, columns, gaps))
    except OverflowError:
        raise StoreError("cannot store a whole number of more than 64 bits") from None
    return bytes((LAYOUT, VERSION)) + body


def unpack(data: bytes, where: str) -> list[Line]:
    """The lines of a chunk; ``where`` names it in an error.

    Raises:
        FormatError: it is none, or newer than this program.
    """
    if len(data) < 2 or not data[0]:
        raise FormatError(f"{where}: stored samples are damaged: they have no beginning")
    if data[0] > LAYOUT or data[1] > VERSION:
        raise FormatError(
            f"{where}: samples of layout {data[0]}, run format {data[1]} are newer than this "
            f"program, which reads up to {LAYOUT} and {VERSION}; update chimera-lab"
        )
    try:
        chunk = _decode_chunk(memoryview(data)[2:])
        tables = _decode_tables(zlib.decompress(chunk.tables))
    except (msgspec.MsgspecError, zlib.error) as error:
        raise FormatError(f"{where}: stored samples are damaged: {error}") from None
    gaps = iter(chunk.gaps)
    parts: dict[int, Iterator[Line]] = {}
    for code, (name, table) in enumerate(_TABLES):
        columns = getattr(tables, name)
        if columns is not None:
            parts[code] = iter(table.join(columns, gaps))
    order = chunk.order * chunk.lines if len(chunk.order) == 1 else chunk.order
    try:
        lines = [next(parts[code]) for code in order]
    except (KeyError, StopIteration):
        raise FormatError(f"{where}: stored samples are damaged: lines are missing") from None
    if any(next(rest, None) is not None for rest in (gaps, *parts.values())):
        raise FormatError(f"{where}: stored samples are damaged: they hold more than its lines")
    return lines
