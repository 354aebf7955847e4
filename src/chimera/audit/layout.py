"""How the source of a report is laid out: elements over ranges of its characters.

Nothing is rendered anew. The page shows the source itself, every character in its order, with
elements around ranges of it and with the characters that are only syntax hidden.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import msgspec

MAX_DEPTH = 60  # browsers keep 512 levels; no report needs them
# Beyond these, marko's time grows with the square of a block or takes many seconds.
_MOST = 300_000  # characters of a report
_MOST_SIGNS = 6_000  # signs of inline syntax in one block
_LONGEST_LINE = 20_000
_SIGNS = "[*_`<!~@"
_NESTED = re.compile(r"^(?:[ \t]{0,8}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])){40}", re.MULTILINE)
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_PARENT_ONLY = frozenset(("table", "thead", "tbody", "tr", "ul", "ol"))
_BLOCKS = {
    "Paragraph": "p",
    "Quote": "blockquote",
    "Alert": "blockquote",
    "CodeBlock": "pre",
    "HTMLBlock": "pre",
    "LinkRefDef": "pre",
    "ThematicBreak": "hr",
    "StrongEmphasis": "strong",
    "Emphasis": "em",
    "CodeSpan": "code",
    "InlineHTML": "code",
    "Strikethrough": "s",
    "TableCell": "td",
    "TableRow": "tr",
    "Table": "table",
    "ListItem": "li",
}
_WHOLE = frozenset(("RawText", "HTMLBlock", "CodeBlock", "LinkRefDef", "InlineHTML", "Url"))
_INNER = frozenset(("CodeSpan", "Literal", "AutoLink"))
_FRONT = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_GAP = re.compile(rb"\0+")
_WORDY = re.compile(r"[^\W_]")
_NOT_NEWLINE = re.compile(r"[^\n]+")
_MARKER = re.compile(r"[ \t]*(?:\d{1,9}[.)]|[-+*])[ \t]*")
_ASIDE = str.maketrans({"\f": "\n", "\0": "\ufffd"})


class Node(msgspec.Struct):
    """An element over [start, end); ``attributes`` are written as they are."""

    tag: str
    start: int
    end: int
    children: list[Node] = []
    attributes: str = ""


class Layout(msgspec.Struct):
    """``hidden`` has a byte a character, 1 for syntax; ``instead`` shows a character for it."""

    root: Node
    hidden: bytearray
    instead: dict[int, str] = {}


class TooDeepError(ValueError):
    """The report nests deeper than a page can show."""


def plain_layout(text: str) -> Layout:
    """The text as it is."""
    return Layout(Node("pre", 0, len(text)), bytearray(len(text)))


def markdown_layout(text: str) -> Layout:
    """The elements of a Markdown report; its source as it is where that would take too long."""
    # The same length: every offset of the tree is one of the text.
    source = text.replace("\r\n", " \n").replace("\r", "\n").translate(_ASIDE)
    if _is_too_much(source):
        return plain_layout(text)
    from marko import Markdown
    from marko.ext.gfm import GFM

    front = _FRONT.match(source)
    if front:
        source = _NOT_NEWLINE.sub(lambda m: " " * len(m[0]), front[0]) + source[front.end() :]
    try:
        tree = Markdown(extensions=[GFM]).parse(source)
        maker = _Maker(source)
        root = Node("div", 0, len(text), maker.nodes(tree.children))
        if front:
            root.children.insert(0, Node("pre", 0, front.end()))
            maker.show(0, front.end())
        settle(root)
    except Exception:  # noqa: BLE001 - another's parser fails on hostile text; the text still shows
        return plain_layout(text)
    return Layout(root, maker.hidden())


def _is_too_much(source: str) -> bool:
    return (
        len(source) > _MOST
        or max(map(len, source.split("\n"))) > _LONGEST_LINE
        or _NESTED.search(source) is not None
        or any(
            sum(block.count(sign) for sign in _SIGNS) > _MOST_SIGNS
            for block in _BLANK_LINE.split(source)
        )
    )


class _Maker:
    """Nodes of marko's tree, and which characters are to be seen."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.shown = bytearray(len(source))
        self.syntax: list[tuple[int, int]] = []

    def show(self, start: int, end: int) -> None:
        self.shown[start:end] = b"\1" * (end - start)

    def nodes(self, elements: Any, depth: int = 0) -> list[Node]:
        if depth > MAX_DEPTH:
            raise TooDeepError
        found: list[Node] = []
        for element in elements if isinstance(elements, list) else ():
            found += self._nodes_of(element, depth)
        return found

    def _nodes_of(self, element: Any, depth: int) -> list[Node]:
        kind, span = element.get_type(), element.source_span
        children = self.nodes(getattr(element, "children", None), depth + 1)
        if span is None:
            return children
        start, end = span
        syntax = element.syntax_spans or []
        self.syntax += syntax
        if kind in _WHOLE or kind in _INNER:
            self.show(start, end)
            for first, last in syntax:
                self.shown[first:last] = bytes(last - first)
        if getattr(element, "checked", None) is not None:
            self.show(start, start + 3)
        if kind == "FencedCode":
            return [self._fenced(start, end)]
        tag, attributes = _BLOCKS.get(kind, ""), ""
        if kind in ("Heading", "SetextHeading"):
            tag = f"h{min(element.level + 1, 6)}"
        elif kind == "List":
            tag = "ol" if element.ordered else "ul"
            attributes = f' start="{element.start}"' if element.ordered else ""
        elif kind == "ListItem" and (marker := _MARKER.match(self.source, start)):
            self.syntax.append((start, marker.end()))
        elif kind == "LineBreak" and syntax:
            tag = "br"
        elif kind == "TableCell":
            tag = "th" if element.header else "td"
            attributes = ' class="r"' if element.align == "right" else ""
        return [Node(tag, start, end, children, attributes)] if tag else children

    def _fenced(self, start: int, end: int) -> Node:
        """The lines between the fences; what the opening one says is syntax."""
        first = self.source.find("\n", start, end) + 1 or end
        last = self.source.rfind("\n", first, max(end - 1, first)) + 1 or first
        closing = self.source[last:end].strip().lstrip("> ")
        if not closing or closing.strip("`~"):
            last = end
        self.syntax += [(start, first), (last, end)]
        self.show(first, last)
        return Node("pre", first, last)

    def hidden(self) -> bytearray:
        """What no element shows and is syntax: by its kind, or because it holds no word."""
        hidden = bytearray(len(self.source))
        for start, end in self.syntax:
            hidden[start:end] = b"\1" * (end - start)
        for gap in _GAP.finditer(self.shown):
            for part in _NOT_NEWLINE.finditer(self.source, gap.start(), gap.end()):
                if not _WORDY.search(part[0]):
                    hidden[part.start() : part.end()] = b"\1" * len(part[0])
        return hidden


def settle(node: Node, depth: int = 0) -> None:
    """Let each child lie in its parent and behind its brother, and let tables be tables.

    A browser moves text that stands in a table and in no cell: cells are stretched over it.

    Raises:
        TooDeepError: deeper than a page can show.
    """
    if depth > MAX_DEPTH:
        raise TooDeepError
    wanted = {"table": ("tr", "thead", "tbody"), "thead": ("tr",), "tbody": ("tr",),
              "tr": ("td", "th"), "ul": ("li",), "ol": ("li",)}.get(node.tag)  # fmt: skip
    at, kept = node.start, []
    for child in node.children:
        child.start, child.end = max(child.start, at), min(child.end, node.end)
        if child.start < child.end and (wanted is None or child.tag in wanted):
            kept.append(child)
            at = child.end
    node.children = kept
    if node.tag in _PARENT_ONLY:
        if kept:
            kept[0].start, kept[-1].end = node.start, node.end
            for child, following in pairwise(kept):
                child.end = following.start
        else:
            node.tag, node.attributes = "div", ""
    for child in kept:
        settle(child, depth + 1)
