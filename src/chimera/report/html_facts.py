"""The facts in an HTML report: once as data for the panel, once as a list to read and print."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chimera.facts.fact import Fact, Origin, Value
from chimera.facts.numbers import MISSING
from chimera.facts.text import Num
from chimera.report.flags import in_words
from chimera.report.html_text import text
from chimera.report.names import visible
from chimera.report.places import place, row_ranges

# Sources written out in the list of facts; the panel and report.json have all of them.
_LISTED_SOURCES = 4


def facts_json(facts: Mapping[str, Fact]) -> str:
    """The facts as JSON that is safe inside a script element.

    ``files`` are [name, sha256]; ``subjects`` are lists of [key, value] and ``sources`` lists of
    [file index, rows, column, pointer], which facts share; ``facts`` are display strings by id.
    """
    files: dict[tuple[str, str], int] = {}
    shared: dict[tuple[Origin, ...], int] = {}
    subjects: dict[tuple[tuple[str, str], ...], int] = {}
    content = {
        key: _entry(fact)
        | {
            "subject": subjects.setdefault(tuple(fact.subject.items()), len(subjects)),
            "source": shared.setdefault(fact.origins, len(shared)),
        }
        for key, fact in facts.items()
    }
    sources = [
        [
            [
                files.setdefault((o.file, o.sha256), len(files)),
                row_ranges(o.rows),
                o.column and visible(o.column),
                o.pointer and visible(o.pointer),
            ]
            for o in origins
        ]
        for origins in shared
    ]
    listed = [[visible(file), visible(sha256)] for file, sha256 in files]
    about = [[[visible(k), visible(v)] for k, v in subject] for subject in subjects]
    data = {"files": listed, "subjects": about, "sources": sources, "facts": content}
    raw = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # No markup can begin or end inside the element, whatever the names are.
    return raw.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _entry(fact: Fact) -> dict[str, Any]:
    entry = {
        "metric": visible(fact.metric),
        "statistic": visible(fact.statistic),
        "shown": visible(Num(fact).text),
        "value": visible(full(fact.value)),
        "unit": "" if fact.unit in ("", "1", "ratio") else visible(fact.unit),
        "why_none": visible(fact.why_none),
        "ci": None if fact.ci95 is None else [full(v) for v in fact.ci95],
        "ci_why": visible(fact.ci_why),
        "n": fact.n,
        "n_failed": fact.n_failed or None,
        "n_excluded": fact.n_excluded or None,
        "excluded_why": visible(fact.excluded_why),
        "scope": "" if fact.scope == "all" else visible(fact.scope),
        "flags": [visible(in_words(flag)) for flag in fact.flags],
        "expression": visible(fact.expression, keep="\n"),
        "operands": list(fact.operands),
    }
    return {k: v for k, v in entry.items() if v is not None and v not in ("", [])}


def full(value: Value) -> str:
    """A value at full precision: the shortest digits that read back as the same number."""
    if value is None:
        return MISSING
    return value if isinstance(value, str) else repr(value)


def fact_list(facts: Mapping[str, Fact]) -> str:
    """The facts as a compact list whose items carry the ids that the numbers link to."""
    return '<ol class="facts">' + "".join(_item(fact) for fact in facts.values()) + "</ol>"


def _item(fact: Fact) -> str:
    parts = [f"<b>{text(Num(fact).text)}</b>"]
    if fact.ci95 is not None:
        low, high = Num(fact, "ci_low", with_unit=False), Num(fact, "ci_high")
        parts.append(f"95% interval {text(low.text)} to {text(high.text)}")
    if fact.n is not None:
        parts.append(f"n&nbsp;{fact.n}")
    if fact.n_failed:
        parts.append(f"{fact.n_failed} failed")
    if fact.n_excluded:
        parts.append(f"{fact.n_excluded} left out ({text(fact.excluded_why)})")
    parts += [text(f"{k}: {v}") for k, v in fact.subject.items()]
    if fact.value is None and fact.why_none:
        parts.append(text(fact.why_none))
    parts += [text(in_words(flag)) for flag in fact.flags]
    if fact.expression:
        parts.append(f"<code>{text(fact.expression)}</code>")
    if fact.operands:
        parts.append("from " + ", ".join(_link(key) for key in fact.operands))
    return (
        f'<li id="{text(fact.id)}"><code>{text(fact.id)}</code> '
        f"<i>{text(fact.metric)}, {text(fact.statistic)}</i> "
        f"{' · '.join(parts)}{_sources(fact.origins)}</li>"
    )


def _link(key: str) -> str:
    return f'<a href="#{text(key)}">{text(key)}</a>'


def _sources(origins: tuple[Origin, ...]) -> str:
    if not origins:
        return ""
    shown = "; ".join(text(place(o)) for o in origins[:_LISTED_SOURCES])
    more = len(origins) - _LISTED_SOURCES
    return f" <small>{shown}{f'; and {more} more' if more > 0 else ''}</small>"
