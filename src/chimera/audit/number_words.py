"""Numbers in words: forty-one, a dozen, half of, a third, twice."""

from __future__ import annotations

import re

from chimera.audit.number import UNIT, Number, modified, with_unit

_WORDS = {
    w: i
    for i, w in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
} | {
    w: 10 * i
    for i, w in enumerate(["thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], 3)
}
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES = "one|two|three|four|five|six|seven|eight|nine"
_WORD = re.compile(
    rf"\b(?:(?P<tens>{_TENS})[- ](?P<ones>{_ONES})|(?P<hundreds>a|one|two|three|four|five|six|"
    rf"seven|eight|nine) hundred(?: and (?P<rest>[a-z]+(?:-[a-z]+)?))?|(?P<word>"
    + "|".join(sorted(_WORDS, key=len, reverse=True))
    + r"|dozen|both))\b",
    re.IGNORECASE,
)
_SHARES = re.compile(
    r"\b(?P<half>(?:one |a )?half)\b|\b(?P<top>an?|one|two|three|four)[- ](?P<part>thirds?|"
    r"quarters?|fifths?|tenths?)\b",
    re.IGNORECASE,
)
_PARTS = {"third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_TIMES = re.compile(
    r"\b(?P<twice>twice|double[sd]?|doubling|two-?fold|2-?fold)\b"
    r"|\b(?P<thrice>thrice|triple[sd]?|tripling|three-?fold)\b"
    r"|\b(?P<quad>quadruple[sd]?|four-?fold)\b|\b(?P<halves>halve[sd]?|halving)\b",
    re.IGNORECASE,
)


def words(text: str) -> list[Number]:
    found = []
    for match in _WORD.finditer(text):
        value = _worded(match)
        if value is None:
            continue
        number = Number(match.start(), match.end(), value, 0.0, worded=True, written=match[0])
        unit = UNIT.match(text, match.end())
        if unit and unit["unit"] not in ("s", "h", "W", "J", "x", "X"):
            number = with_unit(number, unit)
        if match["word"] and match["word"].lower() == "one" and not unit:
            if re.match(
                r"\s+(?:of (?!(?:the |all |all the )?(?:two|three|four|five|six|seven|eight|\d+\b(?!\.\d)))|such|another|more|that|thing|could|can|should|may)",
                text[match.end() :],
                re.IGNORECASE,
            ):
                continue
            if re.search(
                r"\b(?:no|any|this|that|the|each|every|which)\s+$",
                text[max(0, match.start() - 12) : match.start()],
                re.IGNORECASE,
            ):
                continue
        found.append(modified(text, number))
    return found


def _worded(match: re.Match[str]) -> float | None:
    if match["tens"]:
        return float(_WORDS[match["tens"].lower()] + _WORDS[match["ones"].lower()])
    if match["hundreds"]:
        rest = match["rest"]
        more = sum(_WORDS.get(w, 0) for w in rest.lower().split("-")) if rest else 0
        return 100.0 * _WORDS.get(match["hundreds"].lower(), 1) + more
    word = match["word"].lower()
    return 12.0 if word == "dozen" else 2.0 if word == "both" else float(_WORDS[word])


def shares(text: str) -> list[Number]:
    found = []
    for match in _SHARES.finditer(text):
        if re.search(r"\band\s+$", text[: match.start()]) and match["half"]:
            continue  # "two and a half"
        if match["half"]:
            value = 50.0
        else:
            top = 1 if match["top"].lower() in ("a", "an") else _WORDS[match["top"].lower()]
            value = 100.0 * top / _PARTS[match["part"].lower().rstrip("s")]
        number = Number(
            match.start(), match.end(), value, 0.5, form="percent", worded=True, written=match[0]
        )
        found.append(modified(text, number))
    return found


def multiples(text: str) -> list[Number]:
    found = []
    for match in _TIMES.finditer(text):
        value = 2.0 if match["twice"] else 3.0 if match["thrice"] else 4.0 if match["quad"] else 0.5
        number = Number(
            match.start(), match.end(), value, value * 0.05, form="multiple", worded=True,
            written=match[0],
        )  # fmt: skip
        found.append(modified(text, number))
    return found
