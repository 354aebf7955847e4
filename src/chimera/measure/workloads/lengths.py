"""Lengths in tokens: a number, or one drawn for each prompt."""

from __future__ import annotations

import math
import re
from random import Random
from typing import Literal

import msgspec

from chimera.errors import InputError

LONGEST = 1_000_000
_CALL = re.compile(r"(uniform|normal)\(\s*(\d+(?:\.\d+)?)\s*,\s*(\d+(?:\.\d+)?)\s*\)")


class Length(msgspec.Struct, frozen=True):
    """``fixed``: ``a``. ``uniform``: whole numbers from ``a`` to ``b``. ``normal``: mean, sd."""

    kind: Literal["fixed", "uniform", "normal"]
    a: float
    b: float = 0

    def __str__(self) -> str:
        a, b = (str(int(x)) if x == int(x) else repr(x) for x in (self.a, self.b))
        return a if self.kind == "fixed" else f"{self.kind}({a},{b})"

    def draw(self, random: Random) -> int:
        """One length, not yet clipped to what is possible."""
        if self.kind == "fixed":
            return int(self.a)
        if self.kind == "uniform":
            return int(self.a) + int(random.random() * (self.b - self.a + 1))
        # Box and Muller; 1 - u, because the logarithm of 0 does not exist.
        radius = math.sqrt(-2 * math.log(1 - random.random()))
        turn = math.cos(2 * math.pi * random.random())
        return math.floor(self.a + self.b * radius * turn + 0.5)


def parse_length(name: str, text: str) -> Length:
    """``512``, ``uniform(128,1024)`` or ``normal(128,32)``.

    Raises:
        InputError: none of these, or out of range; ``name`` is whose value it is.
    """
    call = _CALL.fullmatch(text.strip())
    if call is None:
        if not re.fullmatch(r"[0-9]{1,9}", text.strip()):
            raise InputError(
                f"{name}={text!r:.60} is no length; write {name}=512, "
                f"{name}=uniform(128,1024) or {name}=normal(128,32)"
            )
        length = Length("fixed", int(text))
    elif call[1] == "uniform":
        length = Length("uniform", float(call[2]), float(call[3]))
        if length.a != int(length.a) or length.b != int(length.b) or length.a > length.b:
            raise InputError(f"{name}={text}: uniform goes from a smaller whole number to a larger")
    else:
        length = Length("normal", float(call[2]), float(call[3]))
    if length.a < 1 or max(length.a, length.b) > LONGEST:
        raise InputError(f"{name}={text}: lengths are from 1 to {LONGEST:,} tokens")
    return length
