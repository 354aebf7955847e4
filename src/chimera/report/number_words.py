"""Words that say a number, which only a fact may say: a closed list.

"one" is not in it ("one run per configuration"), nor are ordinals ("the first request"):
they count nothing by themselves. Fractions are, in the plural or after "a" or "one".
"""

from __future__ import annotations

import re
import unicodedata

_COUNTS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fourty fifty sixty seventy eighty ninety
hundred thousand million billion trillion dozen hundreds thousands millions billions trillions
dozens tens zero nil naught couple
"""
_TIMES = """
half halves halved halve halving twice thrice double doubled doubles doubling triple tripled
triples tripling treble quadruple quadrupled quadruples quintuple twofold threefold fourfold
fivefold sixfold tenfold hundredfold
"""
_PARTS = """
third quarter fourth fifth sixth seventh eighth ninth tenth hundredth thousandth
"""

NUMBER_WORDS: frozenset[str] = frozenset((_COUNTS + _TIMES).split())
FRACTIONS: frozenset[str] = frozenset(w + "s" for w in _PARTS.split())

_A_PART = re.compile(
    r"\b(?:an?|one)[\s-]+(?:"
    + "|".join(_PARTS.split())
    + r")\b(?=\s+(?:of|as|more|less|faster|slower))"
)
# Set phrases of statistics, in which the word stands for the origin and not for a count.
_SET_PHRASES = re.compile(
    r"\b(?:exclude|excludes|excluding|include|includes|including|contain|contains|cross|crosses"
    r"|not|never|from|above|below|at) zero\b"
)
_WORD = re.compile(r"[^\W\d_]+")


def number_word(text: str) -> str | None:
    """The first number word or numeral in ``text``; None when there is none.

    Look-alikes are folded first: full-width letters, and invisible characters inside a word.
    """
    for char in text:
        if char.isnumeric():
            return char
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", text)
        text = "".join(c for c in folded if unicodedata.category(c) != "Cf")
        if any(c.isnumeric() for c in text):
            return text
    text = text.lower()
    if part := _A_PART.search(text):
        return part.group()
    text = _SET_PHRASES.sub("", text)
    for word in _WORD.findall(text):
        if word in NUMBER_WORDS or word in FRACTIONS:
            return str(word)
    return None
