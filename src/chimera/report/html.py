"""The report as one self-contained HTML file: nothing is loaded, nothing from the data runs."""

from __future__ import annotations

from chimera.facts.text import Name, Spans
from chimera.report.charts import chart_html, sample_limit
from chimera.report.document import (
    Block,
    Bullets,
    Chart,
    Details,
    Paragraph,
    Quotation,
    Report,
    Section,
    Table,
    Timeline,
)
from chimera.report.html_facts import fact_list, facts_json
from chimera.report.html_text import inline, name, sentences, text
from chimera.report.ledger import verify
from chimera.report.markdown import numeric_columns
from chimera.report.names import slug
from chimera.report.places import place
from chimera.report.shell import asset, head
from chimera.report.timeline import timeline_html
from chimera.report.walk import blocks, used_facts

_VERY_SHORT, _SHORT, _LONG = 14, 40, 1_000  # characters
_HINT = (
    "Every number is a link. It opens the fact behind it: the file, the rows and the calculation."
)
_PANEL = (
    '<aside id="panel" role="dialog" aria-labelledby="panel-title" tabindex="-1" hidden>'
    '<header><p class="kind">Fact</p><button type="button" id="panel-close" aria-label="Close">'
    '<svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M3 3L13 13M13 3L3 13"/></svg></button></header><div id="panel-body"></div></aside>'
)


def to_html(report: Report) -> str:
    """The whole page. Raises UnboundNumber as ``verify`` does."""
    verify(report)
    style, script = asset("page.css"), asset("page.js")
    facts = used_facts(report)
    ids = _section_ids(report)
    limit = sample_limit([b for _, b in blocks(report) if isinstance(b, Chart)])
    title = "".join(span.text for span in report.title)
    return "".join(
        (
            head(title, style, script),
            '<body>\n<a class="skip" href="#report">Skip to the report</a>\n<div class="page">\n',
            _contents(report, ids),
            f'<main id="report">\n<header class="head">\n<h1>{inline(report.title)}</h1>\n',
            _meta(report),
            f'<p class="hint">{_HINT}</p>\n</header>\n' if facts else "</header>\n",
            *_sections(report, ids, limit),
            _facts(fact_list(facts)) if facts else "",
            f"</main>\n</div>\n{_PANEL}\n",
            f'<script type="application/json" id="fact-data">{facts_json(facts)}</script>\n',
            f"<script>{script}</script>\n</body>\n</html>\n",
        )
    )


def _section_ids(report: Report) -> list[str]:
    ids: list[str] = []
    for section in report.sections:
        wanted = "s-" + slug(section.key)
        number, unique = 1, wanted
        while unique in ids:
            number += 1
            unique = f"{wanted}-{number}"
        ids.append(unique)
    return ids


def _contents(report: Report, ids: list[str]) -> str:
    items = [
        f'<li><a href="#{key}">{text("".join(s.text for s in section.title))}</a></li>'
        for key, section in zip(ids, report.sections, strict=True)
    ]
    items.append('<li><a href="#facts">Facts</a></li>')
    return f'<nav class="toc" aria-label="Contents"><ol>{"".join(items)}</ol></nav>\n'


def _meta(report: Report) -> str:
    rows = (
        f"<div><dt>{text(label)}</dt><dd>{inline(value)}</dd></div>" for label, value in report.meta
    )
    return f'<dl class="meta">{"".join(rows)}</dl>\n' if report.meta else ""


def _sections(report: Report, ids: list[str], limit: int) -> list[str]:
    parts, number = [], 0
    for key, section in zip(ids, report.sections, strict=True):
        number += section.numbered
        parts.append(_section(section, key, number, limit))
    return parts


def _section(section: Section, key: str, number: int, limit: int) -> str:
    lead = f'<span class="no">{number}</span>' if section.numbered else ""
    body = "\n".join(_block(b, limit) for b in section.blocks)
    title = f'<h2 id="{key}-title">{lead}{inline(section.title)}</h2>'
    return f'<section id="{key}" aria-labelledby="{key}-title">\n{title}\n{body}\n</section>\n'


def _facts(listed: str) -> str:
    return (
        '<section id="facts" class="appendix"><h2>Facts</h2>\n'
        '<p class="note">What the numbers in this report rest on.</p>\n'
        f'<details open id="fact-list"><summary>All facts</summary>{listed}</details></section>\n'
    )


def _block(block: Block, limit: int) -> str:
    match block:
        case Paragraph():
            return f"<p>{sentences(block.sentences)}</p>"
        case Bullets():
            tag = "ol" if block.ordered else "ul"
            items = "".join(f"<li>{sentences(item)}</li>" for item in block.items)
            return f"<{tag}>{items}</{tag}>"
        case Table():
            return _table(block)
        case Chart():
            return chart_html(block, limit)
        case Timeline():
            return timeline_html(block)
        case Quotation():
            return _quotation(block)
        case Details():
            inner = "\n".join(_block(b, limit) for b in block.blocks)
            return f"<details><summary>{inline(block.summary)}</summary>\n{inner}\n</details>"


def _table(table: Table) -> str:
    numeric = numeric_columns(table)
    caption = f'<p class="cap">{inline(table.caption)}</p>' if table.caption else ""
    body = "\n".join(_row(row, "td", numeric) for row in table.rows)
    return (
        f'{caption}<div class="scroll" tabindex="0" role="group" aria-label="Table">'
        f"<table><thead>{_row(table.header, 'th', numeric)}</thead>"
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(row: tuple[Spans, ...], tag: str, numeric: list[bool]) -> str:
    cells = [*row, *[()] * (len(numeric) - len(row))]
    parts = []
    for cell, right in zip(cells, numeric, strict=True):
        # A short name is kept on one line, a very short one on a phone too; a long one may break
        # anywhere.
        length = sum(len(s.text) for s in cell) if any(type(s) is Name for s in cell) else _LONG
        short = ' class="k s"' if length <= _VERY_SHORT else ' class="k"'
        kind = ' class="r"' if right else short if length <= _SHORT else ""
        parts.append(f"<{tag}{kind}>{inline(cell)}</{tag}>")
    return f"<tr>{''.join(parts)}</tr>"


def _quotation(quotation: Quotation) -> str:
    caption = inline(quotation.caption)
    if quotation.origin is not None:
        caption = f"{caption} {name(place(quotation.origin))}".strip()
    shown = f"<figcaption>{caption}</figcaption>" if caption else ""
    body = text(quotation.text, keep="\n\t").strip("\n")
    return f'<figure class="quote">{shown}<pre tabindex="0"><code>{body}</code></pre></figure>'
