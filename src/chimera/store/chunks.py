"""Lines of a run as one block of bytes.

A chunk is the msgpack of a list of lines, each under its fields' names. Names cost space, but
msgspec writes and reads them at a million requests a second, and a chunk of any older version
stays readable: what it does not have takes the field's default.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chimera.errors import FormatError
from chimera.record.runfile import Line

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[list[Line]] = msgspec.msgpack.Decoder(list[Line])


def pack(lines: Sequence[Line]) -> bytes:
    """Lines as a chunk."""
    return _encoder.encode(lines)


def unpack(data: bytes, where: str) -> list[Line]:
    """The lines of a chunk; ``where`` names it in an error.

    Raises:
        FormatError: it is none, or newer than this program.
    """
    try:
        return _decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise FormatError(
            f"{where}: samples that cannot be read ({error}): newer than this program, or broken"
        ) from None
