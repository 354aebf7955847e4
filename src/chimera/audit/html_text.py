"""An HTML report as blocks and tables, each character at its own offset in the source."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from chimera.audit.document import Block, BlockKind, Cell, Document, Table, prose_of

_BLOCKS = frozenset(
    [
        "p",
        "div",
        "section",
        "article",
        "main",
        "header",
        "footer",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "td",
        "th",
        "tr",
        "table",
        "pre",
        "blockquote",
        "ul",
        "ol",
        "dl",
        "dt",
        "dd",
        "figure",
        "figcaption",
        "caption",
        "title",
        "body",
    ]
)
_HIDDEN = frozenset(("script", "style", "template", "noscript", "svg", "head"))
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)


def is_html(name: str, text: str) -> bool:
    """Whether a report is HTML, by its name or its first characters."""
    if name.lower().endswith((".html", ".htm")):
        return True
    return bool(re.match(r"\s*(?:<!doctype html|<html[\s>])", text[:400], re.IGNORECASE))


def read_html(source: str) -> Document:
    """The text of a page; what is not shown (scripts, styles) is left out."""
    reader = _Reader(source)
    reader.feed(source)
    reader.close()
    reader.flush()
    return Document(tuple(reader.parts))


class _Reader(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[Block | Table] = []
        self._starts = [0]
        for match in re.finditer("\n", source):
            self._starts.append(match.end())
        self._pieces: list[tuple[int, str]] = []
        self._hidden = 0
        self._kind: BlockKind = "paragraph"
        self._level = 0
        self._headings: list[tuple[int, str]] = []
        self._rows: list[list[Cell]] | None = None
        self._before = ""

    def _at(self) -> int:
        line, column = self.getpos()
        return self._starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        if tag in _BLOCKS:
            self.flush()
        if tag == "table":
            self._rows = []
        elif tag == "tr" and self._rows is not None:
            self._rows.append([])
        elif re.fullmatch(r"h[1-6]", tag):
            self._kind, self._level = "heading", int(tag[1])
        elif tag == "li":
            self._kind = "item"
        elif tag == "pre":
            self._kind = "code"

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        if tag in ("td", "th") and self._rows is not None:
            start, text = self._taken()
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append(Cell(start, text))
        elif tag in _BLOCKS:
            self.flush()
        if tag == "table":
            self._end_table()

    def _end_table(self) -> None:
        rows = [tuple(row) for row in self._rows or () if row]
        self._rows = None
        if rows:
            body = tuple(r for r in rows[1:] if any(c.text.strip() for c in r))
            start = rows[0][0].start
            self.parts.append(Table(start, rows[0], body, self._above(), self._before))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._pieces.append((self._at(), data))

    def _above(self) -> tuple[str, ...]:
        return tuple(text for _, text in reversed(self._headings))

    def _taken(self) -> tuple[int, str]:
        """The words since the last block, tags and entities as blanks."""
        pieces, self._pieces = self._pieces, []
        pieces = [p for p in pieces if p[1]]
        if not pieces:
            return self._at(), ""
        start = pieces[0][0]
        shown: list[str] = []
        reached = start
        for at, text in pieces:
            shown.append(" " * (at - reached))
            shown.append(text)
            reached = at + len(text)
        whole = "".join(shown)
        skip = len(whole) - len(whole.lstrip())
        return start + skip, prose_of(whole.strip())

    def flush(self) -> None:
        """End the block that is open."""
        start, text = self._taken()
        kind, level = self._kind, self._level
        self._kind, self._level = "paragraph", 0
        if not text.strip():
            return
        self.parts.append(Block(kind, start, text, self._above(), (), level))
        if kind == "heading":
            self._headings = [h for h in self._headings if h[0] < level]
            self._headings.append((level, text.strip()))
        else:
            self._before = text.strip()
