"""Spans as HTML: everything from the data is text, never markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from chimera.facts.text import Name, Num, Sentence, Span, Spans
from chimera.report.names import visible


def text(value: str, keep: str = "") -> str:
    """``value`` as HTML text or as a quoted attribute's value."""
    return escape(visible(value, keep))


def name(value: str, code: bool = True) -> str:
    """A name from the data, set apart so that its writing direction stays its own."""
    return f"<code>{text(value)}</code>" if code else f"<bdi>{text(value)}</bdi>"


def number(num: Num) -> str:
    """A number as a link to its fact; without script the link leads to the list of facts."""
    words = " w" if isinstance(num.fact.value, str) and num.field == "value" else ""
    field = "" if num.field == "value" else f' data-field="{num.field}"'
    link = f'<a class="n{words}" href="#{text(num.fact.id)}"{field}>{text(num.text)}</a>'
    return f"<strong>{link}</strong>" if num.strong else link


def inline(some: Spans) -> str:
    """Spans as HTML, in order."""
    return "".join(_span(span) for span in some)


def _span(span: Span) -> str:
    match span:
        case Num():
            return number(span)
        case Name():
            return name(span.text, span.code)
        case _:
            return text(span.text)


def sentences(some: Iterable[Sentence]) -> str:
    """Sentences with a space between."""
    return " ".join(inline(s.spans) for s in some)
