"""A report as blocks of text and tables, each character at its own offset in the source.

Marks of Markdown are blanks in a block's text, so that ``block.start + i`` is always the place of
``block.text[i]`` in the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

BlockKind = Literal["heading", "paragraph", "item", "quote", "code", "meta"]
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]\w{1,30});")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")
_BREAK = re.compile(r"(?:[.:;!?|]|  )[ \t*_]*\n|\n(?=[ \t]*(?:\*\*|__|[-*+•] |\d+[.)] ))")
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad]")
MAX_NESTING = 40


class Block(msgspec.Struct, frozen=True):
    """A piece of running text: ``text[i]`` stands at ``start + i`` of the report.

    ``headings`` are those above it, nearest first, and ``leads`` the list items that it belongs
    to, nearest first. ``level`` is that of a heading, ``language`` that of a code block.
    """

    kind: BlockKind
    start: int
    text: str
    headings: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    level: int = 0
    language: str = ""


class Cell(msgspec.Struct, frozen=True):
    """A cell of a table; its text, as that of a block, keeps every offset."""

    start: int
    text: str


class Table(msgspec.Struct, frozen=True):
    """A table. ``before`` is the text of the block above it, often its caption."""

    start: int
    header: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    headings: tuple[str, ...] = ()
    before: str = ""


class Document(msgspec.Struct, frozen=True):
    """Blocks and tables in the order of the report; ``notes`` say what could not be read."""

    parts: tuple[Block | Table, ...]
    notes: tuple[str, ...] = ()

    def blocks(self) -> Iterator[Block]:
        """The blocks alone."""
        return (p for p in self.parts if isinstance(p, Block))

    def tables(self) -> Iterator[Table]:
        """The tables alone."""
        return (p for p in self.parts if isinstance(p, Table))


def blank(text: str, start: int, end: int) -> str:
    """``text`` with the characters of a range as blanks, line ends kept."""
    middle = re.sub(r"[^\n]", " ", text[start:end])
    return text[:start] + middle + text[end:]


def readable(text: str) -> str:
    """The text with what nobody sees (direction marks, zero-width characters) as blanks."""
    return _HIDDEN.sub(" ", text) if not text.isascii() else text


def read_markdown(source: str) -> Document:
    """The parts of a Markdown report; one nested too deeply is read line by line."""
    text = _one_line_end(source)
    meta: list[Block] = []
    front = _FRONT_MATTER.match(text)
    if front and ":" in front[1]:
        meta.append(Block("meta", front.start(1), front[1]))
        text = blank(text, 0, front.end())
    for match in _COMMENT.finditer(text):
        text = blank(text, *match.span())
    if _nesting(text) <= MAX_NESTING:
        try:
            from marko.ext.gfm import gfm

            tree = gfm.parse(text)
            return Document((*meta, *_Reader(text).read(tree)))
        except (RecursionError, AttributeError, IndexError, TypeError, ValueError):
            pass
    note = "the Markdown could not be parsed (nested too deeply?); it was read line by line"
    return Document((*meta, *_lines(text)), (note,))


def _one_line_end(text: str) -> str:
    """The text with lines that end in newlines alone, every character at its place."""
    return text.replace("\r\n", " \n").replace("\r", "\n")


def _nesting(text: str) -> int:
    """How deep quotes, lists and brackets are nested, at most, by a quick look."""
    deepest = 0
    for line in text.splitlines():
        marks = line[: len(line) - len(line.lstrip(" \t>*-+"))]
        deepest = max(deepest, sum(c in ">*-+" for c in marks), len(marks) // 4)
    runs = re.findall(r"[\[*_(]{41,}", text)
    return max(deepest, *map(len, runs)) if runs else deepest


def _lines(text: str) -> list[Block]:
    found: list[Block] = []
    at, headings = 0, tuple[str, ...]()
    for line in text.splitlines(keepends=True):
        if line.strip():
            kind: BlockKind = "heading" if line.startswith("#") else "paragraph"
            shown = line.rstrip("\r\n").replace("#", " ")
            found.append(Block(kind, at, prose_of(shown), headings))
            if kind == "heading":
                headings = (shown.strip(),)
        at += len(line)
    return found


def prose_of(text: str) -> str:
    """Running text on one line: a line break that ends nothing is a blank."""
    text = _ENTITY.sub(lambda m: " " * len(m[0]), text)
    text = readable(text)
    if "\n" not in text:
        return text
    ends = {m.start() + m[0].index("\n") for m in _BREAK.finditer(text)}
    return "".join(" " if c == "\n" and i not in ends else c for i, c in enumerate(text))


class _Reader:
    """Walks marko's tree, which gives each element its span in the source."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._headings: list[tuple[int, str]] = []
        self._parts: list[Block | Table] = []
        self._before = ""

    def read(self, tree: Any) -> list[Block | Table]:
        for child in tree.children:
            self._block(child, "paragraph", ())
        return self._parts

    def _above(self) -> tuple[str, ...]:
        return tuple(text for _, text in reversed(self._headings))

    def _masked(self, element: Any) -> tuple[int, str]:
        """(start, text) of an element's words; all else are blanks."""
        start, end = element.source_span
        shown = [c if c == "\n" else " " for c in self._text[start:end]]
        for low, high in self._leaves(element):
            shown[low - start : high - start] = self._text[low:high]
        text = "".join(shown)
        kept = text.rstrip()
        skip = len(kept) - len(kept.lstrip())
        return start + skip, kept[skip:]

    def _leaves(self, element: Any) -> Iterator[tuple[int, int]]:
        name = type(element).__name__
        children = getattr(element, "children", None)
        if name in ("InlineHTML", "Image", "LineBreak", "HTMLBlock"):
            return
        if isinstance(children, str):
            low, high = element.source_span
            if name in ("CodeSpan", "Literal"):
                for first, last in getattr(element, "syntax_spans", ()):
                    low = last if first == low else low
                    high = first if last == high else high
            yield low, high
            return
        for child in children or ():
            yield from self._leaves(child)

    def _add(self, kind: BlockKind, element: Any, leads: tuple[str, ...], level: int = 0) -> str:
        start, masked = self._masked(element)
        text = prose_of(masked)
        if text.strip():
            self._parts.append(Block(kind, start, text, self._above(), leads, level))
        return text

    def _block(self, element: Any, kind: BlockKind, leads: tuple[str, ...]) -> None:
        name = type(element).__name__
        if name in ("Heading", "SetextHeading"):
            text = self._add("heading", element, leads, element.level)
            self._headings = [h for h in self._headings if h[0] < element.level]
            self._headings.append((element.level, text.strip()))
            self._before = ""
        elif name == "Paragraph":
            text = self._add(kind, element, leads)
            self._before = text.strip()
            if kind == "paragraph" and _is_bold_line(element):
                self._bold_heading(text.strip())
        elif name == "List":
            for item in element.children:
                self._item(item, leads)
        elif name == "Quote":
            for child in element.children:
                self._block(child, "quote", leads)
        elif name in ("FencedCode", "CodeBlock"):
            self._code(element)
        elif name == "Table":
            self._table(element)
        elif name == "HTMLBlock":
            self._html(element)

    def _bold_heading(self, text: str) -> None:
        """A line in bold on its own is the heading of what follows, below every real one."""
        self._headings = [h for h in self._headings if h[0] < 7]
        self._headings.append((7, text))

    def _item(self, item: Any, leads: tuple[str, ...]) -> None:
        own = leads
        for child in item.children:
            if type(child).__name__ == "Paragraph":
                text = self._add("item", child, own)
                self._before = text.strip()
                if own is leads:
                    own = (text.strip(), *leads)
            else:
                self._block(child, "item", own)

    def _code(self, element: Any) -> None:
        start, end = element.source_span
        text = self._text[start:end]
        if type(element).__name__ == "FencedCode":
            first = text.find("\n") + 1
            last = text.rstrip().rfind("\n") + 1
            closed = text[last:].strip().startswith(("```", "~~~")) and last >= first
            text, start = text[first : last if closed else len(text)], start + first
        language = getattr(element, "lang", "") or ""
        if text.strip():
            self._parts.append(Block("code", start, text, self._above(), (), 0, language))

    def _html(self, element: Any) -> None:
        start, end = element.source_span
        text = _TAG.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), self._text[start:end])
        if text.strip():
            self._parts.append(Block("paragraph", start, prose_of(text), self._above()))

    def _table(self, element: Any) -> None:
        rows = [tuple(Cell(*self._cell(c)) for c in row.children) for row in element.children]
        if rows:
            start = element.source_span[0]
            body = tuple(r for r in rows[1:] if any(c.text.strip() for c in r))
            self._parts.append(Table(start, rows[0], body, self._above(), self._before))

    def _cell(self, element: Any) -> tuple[int, str]:
        if getattr(element, "source_span", None) is None:  # a row may end before its table does
            return 0, ""
        start, masked = self._masked(element)
        return start, prose_of(masked.replace("\n", " "))


def _is_bold_line(element: Any) -> bool:
    children = [c for c in element.children if getattr(c, "children", "") not in ("", " ")]
    return len(children) == 1 and type(children[0]).__name__ == "StrongEmphasis"
