"""The layout of an HTML report: its text where it stands, its tags hidden, nothing of it run."""

from __future__ import annotations

import re
from html import unescape

from chimera.audit.layout import MAX_DEPTH, Layout, Node, TooDeepError, plain_layout, settle

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)>")
_OTHER = re.compile(r"<[!?/][^<>]*>")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_SILENT = frozenset(("script", "style", "template", "head", "svg", "noscript"))
_TAGS = {
    name: name
    for name in ("p", "pre", "blockquote", "ul", "ol", "li", "table", "thead", "tbody", "tr", "td",
                 "th", "code", "em", "strong", "s", "div")
}  # fmt: skip
_TAGS |= {f"h{n}": f"h{min(n + 1, 6)}" for n in range(1, 7)}
_TAGS |= {"b": "strong", "i": "em", "section": "div", "article": "div", "dt": "p", "dd": "p",
          "summary": "p", "figcaption": "p", "caption": "p"}  # fmt: skip
_CLOSES = {"li": ("li", ("ul", "ol")), "td": ("td", ("tr",)), "th": ("td", ("tr",)),
           "tr": ("tr", ("table", "tbody", "thead"))}  # fmt: skip
_INLINE = frozenset(("code", "em", "strong", "s"))
_START = re.compile(r"\s*<(?:!doctype html|html|head|body)\b", re.IGNORECASE)


def is_html(name: str, text: str) -> bool:
    """Whether a report is HTML, by its name or its beginning."""
    return name.lower().endswith((".html", ".htm")) or bool(_START.match(text))


def html_layout(text: str) -> Layout:
    """The elements of an HTML report; its source as it is where it nests too deep."""
    hidden, instead = bytearray(len(text)), {}
    root = Node("div", 0, len(text))
    stack, at = [root], 0
    while (at := text.find("<", at)) >= 0:
        end = _comment_end(text, at)
        tag = None
        if not end:
            tag = _TAG.match(text, at)
            other = tag or _OTHER.match(text, at)
            if other is None:
                at += 1
                continue
            end = other.end()
        if tag is not None:
            name = tag[2].lower()
            if name in _SILENT and not tag[1]:
                end = _silent_end(text, name, end)
            else:
                _step(stack, name, bool(tag[1]), at, end)
            if len(stack) > MAX_DEPTH:
                return plain_layout(text)
        hidden[at:end] = b"\1" * (end - at)
        at = end
    for node in stack[1:]:
        node.end = len(text)
    if not any(hidden):
        return plain_layout(text)
    for entity in _ENTITY.finditer(text):
        char = unescape(entity[0])
        if char != entity[0] and not hidden[entity.start()]:
            hidden[entity.start() : entity.end()] = b"\1" * len(entity[0])
            instead[entity.start()] = char
    try:
        settle(root)
    except TooDeepError:
        return plain_layout(text)
    return Layout(root, hidden, instead)


def _comment_end(text: str, at: int) -> int:
    """Where a comment ends; 0 where none begins. One that is never closed ends the text."""
    if not text.startswith("<!--", at):
        return 0
    return (text.find("-->", at) + 3) if text.find("-->", at) >= 0 else len(text)


def _silent_end(text: str, name: str, start: int) -> int:
    found = re.compile(rf"</{name}\s*>", re.IGNORECASE).search(text, start)
    return found.end() if found else len(text)


def _step(stack: list[Node], name: str, closing: bool, start: int, end: int) -> None:
    """Open or close one element; what it stands in ends where HTML says that it does."""
    if name == "br" and not closing:
        stack[-1].children.append(Node("br", start, end))
        return
    tag = _TAGS.get(name)
    if tag is None:
        return
    if closing:
        _close(stack, tag, (), end)
        return
    if tag not in _INLINE:
        _close(stack, "p", ("td", "th", "li", "div", "blockquote"), start)
    if tag in _CLOSES:
        inner, borders = _CLOSES[tag]
        _close(stack, inner, borders, start)
        if inner == "td":
            _close(stack, "th", borders, start)
    node = Node(tag, start, end)
    stack[-1].children.append(node)
    stack.append(node)


def _close(stack: list[Node], tag: str, borders: tuple[str, ...], end: int) -> None:
    for i in range(len(stack) - 1, 0, -1):
        if stack[i].tag == tag:
            for node in stack[i:]:
                node.end = end
            del stack[i:]
            return
        if stack[i].tag in borders:
            return
