"""One row of a file, whatever its format, as what it asks.

The names of fields are compared without case, spaces and punctuation, so ``Request tokens``
of a trace and ``request_tokens`` are one. A field that is not known is left out and listed.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import msgspec

from chimera.errors import InputError
from chimera.measure.workloads.chats import read_chat, with_system
from chimera.measure.workloads.workload import Message

MOST_TOKENS = 10_000_000
_LONGEST_ID = 200
_LATEST_S = 1e9  # some thirty years: no trace lasts as long
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_PROMPT = ("prompt", "text", "question", "input", "messages", "conversations", "conversation")
_INPUT_TOKENS = [
    "inputlength",
    "inputlen",
    "inputtokens",
    "contexttokens",
    "requesttokens",
    "promptlength",
    "promptlen",
    "prompttokens",
]
_OUTPUT_TOKENS = [
    "maxtokens",
    "outputtokens",
    "outputlen",
    "outputlength",
    "maxnewtokens",
    "maxcompletiontokens",
    "generatedtokens",
    "responsetokens",
]
_IDS = ("id", "promptid", "taskid", "questionid")
_TIMES = ("ats", "atms", "timestampms", "arrivaltime", "arrivaltimes", "timestamp")
_OTHERS = ("system", "instruction", "jsonschema", "hashids")


class Row(msgspec.Struct, frozen=True):
    """``place`` is where it stands, for errors; ``name`` its id if it has none of its own."""

    place: str
    name: str
    fields: dict[str, Any]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a row asks. ``input_tokens`` stands where there is a length and no text.

    ``at_us`` is its time in microseconds; ``from_first`` says that this counts from wherever
    the file begins. ``left_out`` is why the row asks nothing, "" where it does.
    """

    id: str
    place: str
    text: str = ""
    messages: tuple[Message, ...] = ()
    input_tokens: int | None = None
    hash_ids: tuple[int, ...] = ()
    max_tokens: int | None = None
    json_schema: dict[str, Any] | None = None
    at_us: int | None = None
    from_first: bool = False
    unread: tuple[str, ...] = ()
    left_out: str = ""


def plain_name(name: str) -> str:
    """A field's name without case, spaces and punctuation."""
    return "".join(c for c in name.lower() if c.isalnum())


def is_known(name: str) -> bool:
    """Whether a column of this name says something about a prompt."""
    known = (*_PROMPT, *_INPUT_TOKENS, *_OUTPUT_TOKENS, *_IDS, *_TIMES, *_OTHERS)
    return plain_name(name) in known


def read_row(row: Row) -> Asked:
    """What ``row`` asks.

    Raises:
        InputError: no prompt in it, or a value that cannot be; names the row and the value.
    """
    return _RowReader(row).read()


class _RowReader:
    def __init__(self, row: Row) -> None:
        self._place = row.place
        self._name = row.name
        self._spelt: dict[str, str] = {}
        self._fields: dict[str, Any] = {}
        self._read: set[str] = set()
        for name, value in row.fields.items():
            plain = plain_name(name)
            if plain in self._fields:
                self._refuse(f"{name!r} and {self._spelt[plain]!r} are one field; leave one")
            self._spelt[plain] = name
            if value is not None:
                self._fields[plain] = value

    def read(self) -> Asked:
        prompt = self._prompt_field()
        own_id = self._id()
        limit = self._whole(_OUTPUT_TOKENS, least=0)
        at_us, from_first = self._time()
        messages: tuple[Message, ...] = ()
        if prompt is None:
            tokens = self._whole(_INPUT_TOKENS, least=0)
            hash_ids = self._hash_ids()
            text = ""
            # Traces keep requests that failed: nothing was asked, or nothing came.
            empty = "ask for no token or have none" if tokens == 0 or limit == 0 else ""
        else:
            tokens, hash_ids = None, ()
            text, messages, empty = self._prompt(prompt)
            if limit == 0:
                self._refuse("a prompt that asks for 0 tokens; give 1 or more")
        return Asked(
            id=own_id,
            place=self._place,
            text=text,
            messages=messages,
            input_tokens=tokens,
            hash_ids=hash_ids,
            max_tokens=limit,
            json_schema=self._schema(),
            at_us=at_us,
            from_first=from_first,
            unread=tuple(self._spelt[n] for n in self._fields if n not in self._read),
            left_out=empty,
        )

    def _refuse(self, what: str) -> NoReturn:
        raise InputError(f"{self._place}: {what}")

    def _take(self, names: tuple[str, ...] | list[str]) -> tuple[str, Any]:
        """The first of these fields that is there, as spelt, and its value; ("", None)."""
        for name in names:
            if name in self._fields:
                self._read.add(name)
                return self._spelt[name], self._fields[name]
        return "", None

    def _prompt_field(self) -> str | None:
        """The name of the field that holds the prompt; None where there is only a length."""
        if "instruction" in self._fields:  # Alpaca: "input", if any, is what to do it with
            return "instruction"
        found = [name for name in _PROMPT if name in self._fields]
        if len(found) > 1:
            both = " and ".join(repr(self._spelt[name]) for name in found)
            self._refuse(f"{both} may each be the prompt; leave one")
        if found:
            return found[0]
        if not any(name in self._fields for name in _INPUT_TOKENS):
            has = ", ".join(self._spelt.values()) or "nothing"
            self._refuse(
                "no prompt; it stands in a field prompt, text, question, input, messages or "
                f"conversations, or its length in input_length (there is: {has:.200})"
            )
        return None

    def _prompt(self, name: str) -> tuple[str, tuple[Message, ...], str]:
        """The text, or the messages, and why there is neither."""
        spelt, value = self._take([name])
        text = ""
        messages: tuple[Message, ...] = ()
        if isinstance(value, str):
            if name in ("messages", "conversations", "conversation"):
                self._refuse(f"{spelt!r} is a list of turns, not text; name a text prompt")
            text = value
        elif isinstance(value, list):
            messages = read_chat(value, self._place)
            if not messages and name in ("conversations", "conversation"):
                return "", (), "have no question in them"
            if not messages:
                self._refuse(f"the chat in {spelt!r} holds no question of the user's; add one")
        else:
            self._refuse(f"{spelt!r} is no text: {value!r:.60}")
        if name == "instruction":
            text = self._with_input(text)
        if not messages and not text.strip():
            self._refuse("the prompt is empty; fill it in or remove it")
        _, system = self._take(["system"])
        if system is not None:
            if not isinstance(system, str):
                self._refuse(f"the system message is no text: {system!r:.60}")
            if system.strip():
                text, messages = "", with_system(system, text, messages, self._place)
        if any("\0" in part for part in (text, *(m.content for m in messages))):
            self._refuse("a zero character in the prompt; a server would cut it off there")
        return text, messages, ""

    def _with_input(self, instruction: str) -> str:
        spelt, value = self._take(["input"])
        if value is None or value == "":
            return instruction
        if not isinstance(value, str):
            self._refuse(f"{spelt!r} is no text: {value!r:.60}")
        return f"{instruction}\n\n{value}"

    def _id(self) -> str:
        spelt, value = self._take(_IDS)
        if value is None:
            return self._name
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._refuse(f"the {spelt} {value!r:.60} is neither text nor a whole number")
        own = str(value).strip()
        if not own or len(own) > _LONGEST_ID or not own.isprintable():
            self._refuse(f"the {spelt} {own!r:.60} is empty, over {_LONGEST_ID} or not printable")
        return own

    def _whole(self, names: list[str], least: int) -> int | None:
        spelt, value = self._take(names)
        if value is None:
            return None
        number = _number(value)
        if number is None or number != int(number) or not least <= number <= MOST_TOKENS:
            self._refuse(f"{spelt} is a whole number up to {MOST_TOKENS:,}, not {value!r:.60}")
        return int(number)

    def _hash_ids(self) -> tuple[int, ...]:
        spelt, value = self._take(["hashids"])
        if value is None:
            return ()
        if not isinstance(value, list) or any(type(one) is not int for one in value):
            self._refuse(f"{spelt} is a list of whole numbers, not {value!r:.60}")
        return tuple(value)

    def _schema(self) -> dict[str, Any] | None:
        spelt, value = self._take(["jsonschema"])
        if value is None:
            return None
        if not isinstance(value, dict) or not value:
            self._refuse(f"{spelt} is an object such as {{'type': 'object'}}, not {value!r:.60}")
        try:
            msgspec.json.encode(value)  # as the hash will
        except RecursionError:
            self._refuse(f"{spelt} is nested too deeply")
        return value

    def _time(self) -> tuple[int | None, bool]:
        """Microseconds, and whether they count from wherever the file begins."""
        spelt, value = self._take(_TIMES)
        if value is None:
            return None, False
        plain = plain_name(spelt)
        number = _number(value)
        if number is None:
            moment = _moment(value)
            if moment is None:
                self._refuse(f"{spelt} is no time: {value!r:.60}; give seconds or 2024-05-31 12:00")
            return moment, True
        seconds = number / 1000 if self._in_ms(plain, spelt) else number
        if plain == "ats" and not 0 <= seconds <= _LATEST_S:
            self._refuse(f"{spelt} is seconds from the beginning, 0 or more, not {value!r:.60}")
        if abs(seconds) > 1e12:
            self._refuse(f"{spelt} is no time: {value!r:.60}")
        return round(seconds * 1e6), plain != "ats"

    def _in_ms(self, plain: str, spelt: str) -> bool:
        if plain != "timestamp":
            return plain in ("atms", "timestampms")
        mooncake = "inputlength" in self._fields or "hashids" in self._fields
        if not mooncake and "requesttokens" not in self._fields:  # BurstGPT's are seconds
            self._refuse(
                f"the unit of {spelt!r} is not known; name the field at_s (seconds) or at_ms"
            )
        return mooncake


def _number(value: Any) -> float | None:
    """A finite number, also one written as text, as a CSV file has it."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _moment(value: Any) -> int | None:
    """A date with a time, in microseconds since 1970; UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)
