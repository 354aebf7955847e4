"""Mutations of what is no single measured figure: counts, orders, words, dates, names, records."""

from __future__ import annotations

import datetime as dt
import json
import re

from benchmarks.audit.figures import Writer, in_words
from benchmarks.audit.relations import orders_of, quantity
from benchmarks.audit.statement import Statement
from benchmarks.audit.truth import clearly_above
from benchmarks.audit.world import FAMILIES, Group

ELSEWHERE_VENDORS = ("gpt-oss:20b", "command-r:35b", "falcon3:10b", "exaone3.5:7.8b", "yi:34b")


def count(writer: Writer, statement: Statement) -> Statement | None:
    """A count that is off by a few, in figures or in words as before."""
    name = "t" if "t" in statement.figures else "n" if statement.family == "rows" else "k"
    true = round(statement.figures[name].value)
    step = writer.rng.choice((1, 2, 3, 5, 10, max(1, true // 3)))
    number = true + writer.rng.choice((-1, 1)) * step
    limit = statement.figures["n"].value if statement.family == "failures" else float("inf")
    if number <= 0 or number > limit:
        return None
    spelled = not statement.fields[name].isdigit() and number < 100
    return statement.changed(name, **{name: in_words(number) if spelled else str(number)})


def interval(writer: Writer, statement: Statement) -> Statement | None:
    """One bound moved, outwards or inwards, so that the range still is one."""
    low, high = statement.figures["lo"], statement.figures["hi"]
    name, figure = writer.rng.choice((("lo", low), ("hi", high)))
    factor = writer.rng.choice((0.85, 0.92) if name == "lo" else (1.08, 1.15))
    number = f"{figure.value * figure.unit.factor * factor:.{figure.decimals}f}"
    if number == figure.number:
        return None
    return statement.changed(name, **{name: number + figure.tail})


def rank(writer: Writer, statement: Statement) -> Statement | None:
    """Two neighbours exchanged."""
    names = list(statement.order)
    place = writer.rng.randrange(len(names) - 1)
    names[place], names[place + 1] = names[place + 1], names[place]
    return statement.changed("c", **orders_of(names))


def direction(writer: Writer, statement: Statement) -> Statement | None:
    """The opposite word."""
    words = writer.phrasings.words
    if statement.family == "direction":
        rises = statement.fields["verb"] in words.rises
        verb = writer.rng.choice(words.falls if rises else words.rises)
        return statement.changed("c", verb=verb)
    word = statement.fields["word"]
    if statement.family == "speed":
        return statement.changed("c", word="slower" if word == "faster" else "faster")
    assert statement.metric is not None
    kind = "s" if statement.metric.unit == "s" else "rate"
    upward = word in words.higher[kind]
    return statement.changed(
        "c", word=writer.rng.choice((words.lower if upward else words.higher)[kind])
    )


def _groups(writer: Writer, statement: Statement) -> dict[str, Group]:
    return {
        g.model: g
        for g in writer.world.groups
        if (g.metric, g.settings) == (statement.metric, statement.settings)
    }


def superlative(writer: Writer, statement: Statement) -> Statement | None:
    """Another model of the scope."""
    named = statement.statistic.endswith("named")
    inside = [m for m in statement.order if not named or m in statement.fields["scope"]]
    others = [m for m in inside if m != statement.fields["a"]]
    return statement.changed("c", a=writer.rng.choice(others)) if others else None


def scope(writer: Writer, statement: Statement) -> Statement | None:
    """The first of some is called the first of all, or of more than there are."""
    pattern = writer.rng.choice(writer.phrasings.words.scopes)
    count = len(statement.order)
    if statement.statistic.endswith("all"):
        more = in_words(count + writer.rng.randint(1, 3))
        return statement.changed("c", scope=pattern.format(n=more))
    groups = _groups(writer, statement)
    top = statement.statistic.startswith("top")
    first = groups[statement.order[0 if top else -1]]
    own = groups[statement.fields["a"]]
    beaten = (first.values, own.values) if top else (own.values, first.values)
    if first.model == own.model or not clearly_above(*beaten):
        return None
    return statement.changed("c", scope=pattern.format(n=in_words(count)))


def quantifier(writer: Writer, statement: Statement) -> Statement | None:
    """Another number of the models."""
    k, n = (int(part) for part in statement.statistic.split("/"))
    others = [number for number in range(n + 1) if number != k]
    wrong = quantity(writer, writer.rng.choice(others), n)
    # "Most" is true of every majority, so it is wrong only where there is none.
    if "most" in wrong or "majority" in wrong:
        return statement.changed("c", quant=wrong) if 2 * k <= n else None
    return statement.changed("c", quant=wrong)


def cause(writer: Writer, statement: Statement) -> Statement | None:
    return statement.with_suffix(writer.rng.choice(writer.phrasings.words.causes))


def adjective(writer: Writer, statement: Statement) -> Statement | None:
    return statement.with_suffix(writer.rng.choice(writer.phrasings.words.adjectives))


def snippet(writer: Writer, statement: Statement) -> Statement | None:
    """A record whose measured values are in no file."""
    record = json.loads(statement.fields["record"])
    changed = {
        key: round(value * writer.rng.uniform(1.11, 1.6), 4)
        if isinstance(value, float)
        else round(value * writer.rng.uniform(1.2, 2.2)) + 1
        if isinstance(value, int) and value > 1000
        else value
        for key, value in record.items()
    }
    if changed == record:
        return None
    return statement.changed("record", record=json.dumps(changed))


def date(writer: Writer, statement: Statement) -> Statement | None:
    """Another day, never one on which some file was changed."""
    known = {file.date for file in writer.world.files}
    true = next(f.date for f in writer.world.files if f.name == statement.fields["file"])
    wrong = true + dt.timedelta(days=writer.rng.choice((-365, -90, -31, -12, 9, 16, 45, 200)))
    if wrong in known:
        return None
    printed = wrong.strftime(writer.rng.choice(writer.phrasings.words.dates))
    return statement.changed("date", date=printed)


def entity(writer: Writer, statement: Statement) -> Statement | None:
    """A model that is in no file, in place of one that is."""
    present = " ".join(writer.world.models)
    invented = [f"{n}:{t[0]}" for n, t in FAMILIES if n not in present] + list(ELSEWHERE_VENDORS)
    other = writer.rng.choice(invented)
    if statement.family == "entity":
        gone = writer.rng.choice(writer.world.models)
        names = re.sub(
            rf"(?<![\w.:/-]){re.escape(gone)}(?![\w:-])", other, statement.fields["names"]
        )
        return statement.changed("names", names=names) if other in names else None
    return statement.changed({"model", "v", "k"}, model=other)


def file(writer: Writer, statement: Statement) -> Statement | None:
    """A file that does not exist, and with it its rows or date."""
    known = {f.name for f in writer.world.files}
    stems = ("final_results", "summary_v2", "benchmark_full", "latency_report", "merged_runs")
    name = f"{writer.rng.choice(stems)}.{writer.rng.choice(('csv', 'json', 'jsonl'))}"
    if name in known:
        return None
    return statement.changed({"file", "n", "date"}, file=name)
