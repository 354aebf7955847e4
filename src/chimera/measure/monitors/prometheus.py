"""Reading the Prometheus text format, only as much of it as a server's metrics need."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import NamedTuple

# Possessive, so that a broken line of any length fails at once.
_LABELS = r'(?:[^"}]|"(?:[^"\\]|\\.)*+")*+'
_NAME = re.compile(r"[ \t]*+([a-zA-Z_:][a-zA-Z0-9_:]*+)")
_LINE = re.compile(
    rf"{_NAME.pattern}[ \t]*+(?:\{{(?P<labels>{_LABELS})\}}[ \t]*+)?"
    r"(?P<value>[^ \t]++)",
    re.DOTALL,
)
_LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*+)[ \t]*+=[ \t]*+"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class Series(NamedTuple):
    """One line: a name, its labels and the value."""

    name: str
    labels: dict[str, str]
    value: float


def series(text: str, names: Container[str]) -> Iterator[Series]:
    """Every series of these names. A line that is not of the format is passed over.

    A server has thousands of lines of histogram buckets: what is not asked for costs little.
    """
    for line in text.split("\n"):  # only this ends a line; a label may hold any other
        name = _NAME.match(line)
        if name is None or name[1] not in names:
            continue
        match = _LINE.match(line)
        if match is None:
            continue
        try:
            value = float(match["value"])
        except ValueError:
            continue
        labels = {key: _unescape(raw) for key, raw in _LABEL.findall(match["labels"] or "")}
        yield Series(name[1], labels, value)


def _unescape(raw: str) -> str:
    return _ESCAPE.sub(lambda match: "\n" if match[1] == "n" else match[1], raw)
