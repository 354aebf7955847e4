"""The report with every claim marked, as one self-contained HTML file that loads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path

from chimera.audit.annotated_claims import SYMBOLS, claim_list, filters
from chimera.audit.as_json import verdict
from chimera.audit.claim import BAD, GOOD, Audit, Claim
from chimera.audit.layout import Layout, Node, markdown_layout
from chimera.audit.layout_html import html_layout, is_html
from chimera.report.html_text import text as escaped
from chimera.report.shell import DOCTYPE, asset, head

_HIDDEN = re.compile(rb"\x01+")
_VOID = frozenset(("br", "hr"))
_VERDICTS = {
    "wrong": "Claims of this report do not hold.",
    "open": "Nothing was found wrong, and some claims could not be told.",
    "holds": "Every claim is supported or derivable.",
    "empty": "No claim was found: nothing was checked.",
}


MARK = f"{DOCTYPE}<!-- chimera audit -->"  # a page of ours is no report to audit
_PANEL = (
    '<aside id="panel" role="dialog" aria-label="Evidence" tabindex="-1" hidden><header>'
    '<p class="kind">Claim</p><button type="button" id="panel-close" aria-label="Close">✕</button>'
    '</header><div id="panel-body" class="claims"></div></aside>\n'
)


def to_html(audit: Audit) -> str:
    """The whole page. The text inside ``#source`` is the report's own, character by character."""
    style = asset("page.css") + _asset("css")
    script = _asset("js")
    body, anchors = _source(audit)
    against = escaped(audit.data) if audit.data else "no data: against itself alone"
    digest = sha256(audit.text.encode("utf-8", "backslashreplace")).hexdigest()
    notes = "".join(f'<p class="note">{escaped(note)}</p>\n' for note in audit.notes)
    return "".join(
        (
            head(f"Audit of {audit.name}", style, script, MARK),
            '<body class="audit">\n<a class="skip" href="#source">Skip to the report</a>\n',
            f'<div class="page">\n{filters(audit)}<main id="report">\n<header class="head">\n',
            f"<h1>Audit of <bdi>{escaped(audit.name)}</bdi></h1>\n",
            f'<p class="verdict {verdict(audit)}">{_VERDICTS[verdict(audit)]}</p>\n',
            f'<dl class="meta"><div><dt>Held against</dt><dd>{against}</dd></div>',
            f"<div><dt>Claims</dt><dd>{_sums(audit)}</dd></div>",
            f"<div><dt>SHA-256</dt><dd>{digest}</dd></div></dl>\n{notes}</header>\n",
            f'<article id="source" aria-label="The report">{body}</article>\n',
            claim_list(audit, anchors),
            "</main>\n</div>\n",
            _PANEL,
            f"<script>{script}</script>\n</body>\n</html>\n",
        )
    )


def _asset(kind: str) -> str:
    return Path(__file__).with_name(f"annotated.{kind}").read_text(encoding="utf-8")


def _sums(audit: Audit) -> str:
    bad = sum(claim.label in BAD for claim in audit.claims)
    good = sum(claim.label in GOOD for claim in audit.claims)
    rest = len(audit.claims) - bad - good
    return f"{len(audit.claims)}: {good} hold, {bad} do not, {rest} could not be told"


def _source(audit: Audit) -> tuple[str, dict[int, str]]:
    """The report as HTML, and where each claim is first seen (claim index to element id)."""
    text = audit.text
    layout = html_layout(text) if is_html(audit.name, text) else markdown_layout(text)
    for claim in audit.claims:
        _uncover(text, layout.hidden, claim)
    return _Writer(audit, layout).write()


def _uncover(text: str, hidden: bytearray, claim: Claim) -> None:
    """A claim that stands in hidden syntax alone (an address, a comment) is shown."""
    start, end = max(claim.start, 0), min(claim.end, len(text))
    if start < end and b"\0" not in hidden[start:end]:
        hidden[start:end] = bytes(end - start)


def covered(claims: tuple[Claim, ...], length: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, claim index) without overlaps: the wrong claim wins, then the shorter one."""
    borders: set[int] = set()
    begin: dict[int, list[int]] = {}
    for i, claim in enumerate(claims):
        start, end = max(claim.start, 0), min(claim.end, length)
        if start < end:
            borders |= {start, end}
            begin.setdefault(start, []).append(i)
    ordered = sorted(borders)
    heap: list[tuple[bool, int, int]] = []
    for start, end in pairwise(ordered):
        for i in begin.get(start, ()):
            claim = claims[i]
            heappush(heap, (claim.label not in BAD, claim.end - claim.start, i))
        while heap and claims[heap[0][2]].end <= start:
            heappop(heap)
        if heap:
            yield start, end, heap[0][2]


class _Writer:
    """Writes every character of the source once and in order, whatever the layout says."""

    def __init__(self, audit: Audit, layout: Layout) -> None:
        self.audit, self.layout, self.text = audit, layout, audit.text
        self.out: list[str] = []
        self.anchors: dict[int, str] = {}
        self.last: dict[int, int] = {}  # claim index -> its last mark in ``out``
        self.spans = list(covered(audit.claims, len(self.text)))
        self.next_span = 0
        self.pending = sorted(
            range(len(audit.claims)), key=lambda i: -audit.claims[i].start
        )  # the first one last
        self.edges = sorted({e for m in _HIDDEN.finditer(layout.hidden) for e in m.span()})
        self.next_edge = 0

    def write(self) -> tuple[str, dict[int, str]]:
        self._node(self.layout.root)
        for index, i in self.last.items():
            symbol = SYMBOLS[self.audit.claims[index].label]
            self.out[i] = self.out[i].replace("<mark ", f'<mark data-s="{symbol}" ', 1)
        return "".join(self.out), self.anchors

    def _node(self, node: Node) -> None:
        if node.tag in _VOID:
            self.out.append(f"<{node.tag}>")
            self._run(node.start, node.end)
            return
        # A browser drops a newline that follows <pre>: this one is for it to drop.
        newline = "\n" if node.tag == "pre" else ""
        wrap = node.tag == "table"
        self.out.append('<div class="scroll" tabindex="0">' if wrap else "")
        self.out.append(f"<{node.tag}{node.attributes}>{newline}")
        at = node.start
        for child in node.children:
            self._run(at, child.start)
            self._node(child)
            at = child.end
        self._run(at, node.end)
        self.out.append(f"</{node.tag}>" + ("</div>" if wrap else ""))

    def _run(self, start: int, end: int) -> None:
        """The characters between two borders of elements, cut at those of claims and of syntax."""
        while start < end:
            while self.next_edge < len(self.edges) and self.edges[self.next_edge] <= start:
                self.next_edge += 1
            while self.next_span < len(self.spans) and self.spans[self.next_span][1] <= start:
                self.next_span += 1
            stop, claim = end, -1
            if self.next_edge < len(self.edges):
                stop = min(stop, self.edges[self.next_edge])
            if self.next_span < len(self.spans):
                first, last, index = self.spans[self.next_span]
                stop = min(stop, last if first <= start else first)
                claim = index if first <= start else -1
            self._piece(start, stop, claim)
            start = stop

    def _piece(self, start: int, end: int, claim: int) -> None:
        # A browser reads every line end as a newline; a cut may fall into the middle of one.
        first = start + (self.text[start] == "\n" and self.text[start - 1 : start] == "\r")
        raw = self.text[first:end].replace("\r\n", "\n").replace("\r", "\n")
        shown = escaped(raw, keep="\n\t")
        if self.layout.hidden[start]:
            instead = self.layout.instead.get(start)
            if instead is not None:
                self.out.append(f'<span class="e" data-e="{escaped(instead)}"></span>')
            self.out.append(f"<span hidden>{shown}</span>")
        elif claim < 0:
            self.out.append(shown)
        else:
            label = self.audit.claims[claim].label
            while self.pending and self.audit.claims[self.pending[-1]].start <= start:
                self.anchors.setdefault(self.pending.pop(), f"m{start}")
            self.last[claim] = len(self.out)
            self.out.append(
                f'<mark class="{label}" id="m{start}" data-c="{claim + 1}">'
                f'<a href="#c{claim + 1}" title="{label}">{shown}</a></mark>'
            )
