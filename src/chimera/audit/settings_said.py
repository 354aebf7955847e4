"""Settings as they stand in prose, with their levels: "num_ctx=4096", "two threads", "batch 8"."""

from __future__ import annotations

import re

from chimera.audit.number import UNIT
from chimera.audit.phrases import Mention
from chimera.record.vocabulary import PARAMETER_SPELLINGS

_SETTING_WORDS: tuple[tuple[str, str], ...] = (
    (r"context(?: (?:length|size|window))?(?:s)?|ctx", "num_ctx"),
    (r"(?:gpu|offloaded)[- ]layers?|layers? (?:offloaded |put )?(?:to|on|onto) (?:the )?gpu|offload(?:ed|ing)?", "num_gpu"),
    (r"(?:sampling )?temperatures?|temp|T(?==)", "temperature"),
    (r"thread(?:s|ed|ing)?", "num_thread"),
    (r"(?:prompt|pp)(?==\d)", "n_prompt"),
    (r"(?:gen|tg)(?==\d)", "n_gen"),
    (r"ngl", "num_gpu"),
    (r"(?:micro|u)[- ]?batch(?:[- ]sizes?)?", "num_ubatch"),
    (r"batch(?:[- ]sizes?)?|bs(?=\s?=?\s?\d)", "batch_size"),
    (r"(?:context )?depths?", "n_depth"),
    (r"(?:higher|more|heavier|added|increasing|growing|rising) loads?(?! time)|loads?(?= (?:grows?|grew|increases?|increased|rises?|rose|goes up))", "concurrency"),
    (r"conc|c(?==\d)|concurren(?:cy|t)(?:[- ](?:level|requests?|users?|clients?))?(?: of)?|clients?|users?|"
     r"parallel(?: requests?| streams?)?|(?:concurrent |simultaneous )?(?:requests? in flight|connections?|streams?)", "concurrency"),
    (r"request[- ]rates?|arrival rates?|offered (?:load|rate)", "request_rate"),
    (r"max(?:imum)?[- ]tokens|token limit", "num_predict"),
    (r"seeds?", "seed"),
    (r"prompt[- ]length|prompt tokens", "n_prompt"),
)  # fmt: skip
_SPELT = "|".join(
    sorted((re.escape(s) for s in PARAMETER_SPELLINGS if len(s) > 2), key=len, reverse=True)
)
_SETTING_NAME = re.compile(
    r"(?<![\w])(?:" + "|".join(f"({p})" for p, _ in _SETTING_WORDS) + rf"|({_SPELT}))(?![\w])",
    re.IGNORECASE,
)
_WORDS = {
    "single": "1", "one": "1", "two": "2", "dual": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10", "twelve": "12",
    "sixteen": "16", "thirty-two": "32", "sixty-four": "64",
}  # fmt: skip
_WORD = "|".join(sorted(_WORDS, key=len, reverse=True))
_VALUE_SPELT = re.compile(
    r"\s*(?:=|:|of|at|is|was|set to|to|equal to)?\s*(?P<v>-?\d+(?:\.\d+)?[kK]?)(?![\w]|\.\d|,\d{3})"
    r"|\s*(?:=|:|set to)\s*(?P<w>on|off|true|false)(?!\w)",
    re.IGNORECASE,
)
_VALUE_SAID = re.compile(
    rf"\s*(?:=|:|of|at|is|set to|to|equal to)?\s*(?P<v>\d+[kK]?|0\.\d+|1\.\d|(?:{_WORD})(?=\W|$))"
    r"(?![\w]|\.\d|,\d{3})",
    re.IGNORECASE,
)
_VALUE_NAME = re.compile(
    rf"(?:(?<![\w.,])(\d{{1,3}}(?:,\d{{3}})+|\d+(?:\.\d+)?[kK]?)|(?<![\w-])({_WORD}))[ -](?:(?:the|concurrent|parallel|simultaneous|CPU|worker) )?$",
    re.IGNORECASE,
)
_LATER = re.compile(
    rf"\b(?:with|on|at|for|using|to|and|vs\.?|versus|against|than)\s+(?P<v>{_WORD}|\d+[kK]?)"
    r"(?=\s*(?:[,;:)|]|\.(?!\d)|$|and\b|with\b))",
    re.IGNORECASE,
)
_SEVERAL = re.compile(r"\s+(?:values|counts|levels|settings|sizes|options)\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"(?:sizes|lengths|windows|levels|rates|depths|temperatures|seeds)$", re.IGNORECASE
)
_PLAIN_UNITS = frozenset({"tokens", "token", "times", "x"})
_BENCH_TEST = re.compile(r"(?<![\w])(pp|tg)[ ]?(\d+)(?![\w])")


_LENGTHS = (
    (re.compile(r"inputs? of (\d+) tokens", re.IGNORECASE), "n_prompt"),
    (re.compile(r"outputs? of (\d+) tokens", re.IGNORECASE), "n_gen"),
    (re.compile(r"prompts? (?:lengths? )?of (\d+) tokens", re.IGNORECASE), "n_prompt"),
    (
        re.compile(r"(?<![\w.])(\d+)[- ]tokens? (?:long )?(?:prompts?|inputs?)\b", re.IGNORECASE),
        "n_prompt",
    ),
    (re.compile(r"generat(?:ing|es?|ed|ion of) (\d+) (?:new )?tokens", re.IGNORECASE), "n_gen"),
    (
        re.compile(
            r"(?<![\w.])(\d+)[- ]tokens? (?:generations?|outputs?|answers?|completions?)\b",
            re.IGNORECASE,
        ),
        "n_gen",
    ),
)


_ONE_TO = re.compile(
    rf"(?:s\b)?\s+(?:to|vs\.?|versus|→|->)\s+(\d+[kK]?|{_WORD})(?=\s*(?:[,;:)|]|\.(?!\d)|$))",
    re.IGNORECASE,
)


def settings_in(text: str) -> list[Mention]:
    """Settings with their values ("num_ctx=4096", "8 threads"), and names of settings alone."""
    found = []
    for match in _SETTING_NAME.finditer(text):
        coded = match.lastindex == len(_SETTING_WORDS) + 1
        key = (
            PARAMETER_SPELLINGS[match[0].lower()]
            if coded
            else _SETTING_WORDS[(match.lastindex or 1) - 1][1]
        )
        levels = _range_of_levels(text, match.start(), match.end(), key)
        if levels:
            found.extend(levels)
            continue
        after = (_VALUE_SPELT if coded else _VALUE_SAID).match(text, match.end())
        unit = UNIT.match(text, after.end()) if after else None
        if key == "request_rate" and unit:
            continue  # "a request rate of 8 req/s" was measured, not set
        if unit and unit["unit"].lower().strip() not in _PLAIN_UNITS:
            after = None  # "with two threads 90 tok/s"
        before = _VALUE_NAME.search(text, max(0, match.start() - 24), match.start())
        spelt = after and re.match(r"\s*[=:]" if coded else r"\s*=", text[match.end() :])
        several = _SEVERAL.match(text, match.end()) or _COUNTED.search(match[0])
        if before and several:
            found.append(Mention(match.start(), match.end(), "setting", key))
        elif before and not spelt:
            at, value = before.start(1 if before[1] else 2), before[1] or before[2]
            found.append(Mention(at, match.end(), "setting", key, value=plain_value(value)))
        elif after:
            value = after["v"] or after["w"] if coded else after["v"]
            found.append(
                Mention(match.start(), after.end(), "setting", key, value=plain_value(value))
            )
        else:
            found.append(Mention(match.start(), match.end(), "setting", key))
    found.extend(_without_name(text, found))
    for pattern, key in _LENGTHS:
        for match in pattern.finditer(text):
            value = plain_value(match[1])
            found.append(Mention(match.start(), match.end(), "setting", key, value=value))
    for match in _BENCH_TEST.finditer(text):
        key = "n_prompt" if match[1] == "pp" else "n_gen"
        found.append(Mention(match.start(), match.end(), "setting", key, value=match[2]))
    return found


_LINK = r"\s*(?:to|and|through|vs\.?|versus|→|->|=>|–|—|-)\s*"
_LEVEL = rf"(\d+(?:\.\d+)?[kK]?|(?:{_WORD})(?![\w-]))"
_LEVELS_AFTER = re.compile(
    rf"\s*(?:values?\s*)?(?:is\s+|was\s+|goes\s+|going\s+|raised\s+|increased\s+|changed\s+)?(?:from\s+|between\s+|=\s*|of\s+)?{_LEVEL}{_LINK}{_LEVEL}(?![\w.]*\w)",
    re.IGNORECASE,
)
_LEVELS_BEFORE = re.compile(
    rf"(?<![\w.]){_LEVEL}{_LINK}{_LEVEL}\s*(?:tokens?\s+of\s+|tokens?\s+|-?\s*)(?:the\s+)?$",
    re.IGNORECASE,
)
_ONE_BEFORE = re.compile(rf"(?<![\w.]){_LEVEL}(?:-|\s)tokens?\s+(?:of\s+)?$")


def _without_name(text: str, found: list[Mention]) -> list[Mention]:
    """Second levels without the name: "4.3 with one thread and 4.1 with two"."""
    valued = [m for m in found if m.value is not None]
    if not valued or len({m.key for m in valued}) > 1:
        return []
    first = valued[0]
    more = []
    for match in _LATER.finditer(text, valued[-1].end):
        value = plain_value(match["v"])
        like = match["v"].isdigit() and abs(len(value) - len(first.value or "")) > 1
        if value != first.value and not like:
            more.append(
                Mention(match.start("v"), match.end("v"), "setting", first.key, value=value)
            )
    return more


def _range_of_levels(text: str, start: int, end: int, key: str) -> list[Mention]:
    """Two levels of a setting: "num_ctx from 1024 to 4096", "2048 to 8192 tokens of context"."""
    after = _LEVELS_AFTER.match(text, end)
    if after and UNIT.match(text, after.end()) is None:
        return [
            Mention(start, after.end(1), "setting", key, value=plain_value(after[1])),
            Mention(after.start(2), after.end(2), "setting", key, value=plain_value(after[2])),
        ]
    low = max(0, start - 40)
    one = _ONE_TO.match(text, end)
    first = _VALUE_NAME.search(text, max(0, start - 24), start)
    if one and first:
        at, value = first.start(1 if first[1] else 2), first[1] or first[2]
        return [
            Mention(at, end, "setting", key, value=plain_value(value)),
            Mention(one.start(1), one.end(1), "setting", key, value=plain_value(one[1])),
        ]
    before = _LEVELS_BEFORE.search(text, low, start)
    if before:
        return [
            Mention(before.start(1), before.end(1), "setting", key, value=plain_value(before[1])),
            Mention(before.start(2), end, "setting", key, value=plain_value(before[2])),
        ]
    own = _ONE_BEFORE.search(text, low, start) if key == "num_ctx" else None
    if own:
        return [Mention(own.start(1), end, "setting", key, value=plain_value(own[1]))]
    return []


def plain_value(value: str) -> str:
    """A setting's value as files write it: "4k" is 4096."""
    if value[-1:] in "kK" and value[:-1].isdigit():
        return str(int(value[:-1]) * 1024)
    return _WORDS.get(value.lower(), value.lower().replace(",", ""))
