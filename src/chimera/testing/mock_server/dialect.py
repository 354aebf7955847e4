"""What the script of an answer needs from a dialect: the bytes of its events and bodies."""

from __future__ import annotations

from typing import Protocol

import msgspec

from chimera.testing.mock_server.job import Job


class Timing(msgspec.Struct, frozen=True):
    """When the tokens of an answer were sent (for a whole answer: generated), and how many."""

    tokens: int
    first_ns: int
    last_ns: int


class Dialect(Protocol):
    """One answer's events as bytes, without HTTP around them."""

    stream_type: str

    def lead(self) -> bytes:
        """Everything that is sent before the first token; b"" if nothing is."""

    def tokens(self, first: int, count: int, thinking: bool) -> bytes:
        """One event with ``count`` tokens, of which ``first`` is the number of the first."""

    def tail(self, timing: Timing) -> bytes:
        """The events of a regular end."""

    def error(self) -> bytes:
        """The event of an error in the middle of a stream, and what follows it."""

    def broken_line(self) -> bytes:
        """A line that the framing of the stream does not know."""

    def broken_json(self) -> bytes:
        """A well-framed event whose JSON breaks off."""

    def whole(self, timing: Timing) -> bytes:
        """The body of an answer that is not streamed."""

    def refusal(self, status: int, message: str) -> bytes:
        """The body of an error status."""

    def loaded(self) -> bytes:
        """The body that answers an ask which only loads or drops the model."""


def words(first: int, count: int, empty: bool) -> bytes:
    """The text of some tokens, JSON-safe. Numbered, so that a lost one can be seen."""
    if empty:
        return b""
    if count == 1:
        return b" t%d" % first
    return b"".join([b" t%d" % number for number in range(first, first + count)])


def said_tokens(job: Job, tokens: int) -> int | None:
    """How many tokens the answer claims; None says nothing."""
    behaviour = job.ask.behaviour
    if behaviour.usage == "none":
        return None
    wrong = behaviour.usage == "wrong" or behaviour.fault == "wrong_usage"
    return tokens + 7 if wrong else tokens
