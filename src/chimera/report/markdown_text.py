"""Text as Markdown that means nothing but itself: CommonMark and GitHub's additions."""

from __future__ import annotations

import re

from chimera.report.names import visible

# An underscore between letters or digits (num_ctx) is never emphasis.
_SPECIAL = re.compile(r"[\\`*\[\]~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<!\S)#")
_ENTITY = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
_MARKUP = re.compile(r"[&<>|]")
_BACKTICKS = re.compile(r"`+")
_LIST_NUMBER = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


def plain(text: str) -> str:
    """``text`` escaped for the middle of a line, in and out of tables.

    Angle brackets and pipes become entities, which every reader shows as themselves even where
    it would pass raw HTML on or cut a table's cell. Addresses do not become links.
    """
    text = _MARKUP.sub(lambda m: _ENTITY[m.group()], visible(text))
    text = _SPECIAL.sub(r"\\\g<0>", text)
    return text.replace("://", "&#58;//").replace("www.", "www&#46;").replace("@", "&#64;")


def code(text: str, in_table: bool = False) -> str:
    """``text`` as a code span; inside a table one with a pipe is set as plain text.

    (A pipe ends a table's cell even in a code span, and escaping it there is read in two ways.)
    """
    text = visible(text)
    if not text.strip() or (in_table and "|" in text):
        return plain(text) if text.strip() else "` `"
    fence = fence_for(text, 1)
    # A space next to the fence is dropped by the reader, and keeps backticks apart from it.
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fence_for(text: str, least: int) -> str:
    """A run of backticks longer than every one in ``text``, at least ``least`` long."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


def line(text: str) -> str:
    """A line made of escaped pieces, kept from starting a list, a heading or a rule."""
    text = text.strip()
    if _LIST_NUMBER.match(text):
        return _LIST_NUMBER.sub(r"\1\\\2", text, count=1)
    return "\\" + text if text[:1] in tuple("#+-=:") else text


def fenced(text: str, language: str = "") -> str:
    """``text`` as a fenced code block; only letters, digits and ``+-_`` of the language stay."""
    body = visible(text, keep="\n\t").rstrip("\n")
    fence = fence_for(body, 3)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+_-]', '', language)}\n{body}\n{fence}"
