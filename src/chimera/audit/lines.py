"""Lines of a text by the offsets of its characters."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate


class Lines:
    """Finds the line of an offset without counting newlines anew each time."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]

    def at(self, offset: int) -> tuple[int, int]:
        """(line, column) of a character, both from 1."""
        index = bisect_right(self._starts, max(offset, 0)) - 1
        return index + 1, offset - self._starts[index] + 1
