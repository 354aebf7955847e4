"""From the pieces of a body to its events: server-sent events, or JSON lines."""

from __future__ import annotations

from collections.abc import Iterable

from chimera.errors import FormatError

_LONGEST_LINE = 1 << 26
_NEWLINE, _RETURN = b"\n\r"
_FIELDS = (b"data", b"event", b"id", b"retry", b"error")


class JsonLines:
    """Lines that each hold one JSON document (Ollama's streams)."""

    accepts: tuple[str, ...] = ("ndjson", "jsonl", "stream+json")

    def __init__(self) -> None:
        self._rest = b""

    def split(self, data: bytes) -> Iterable[bytes]:
        """The documents that are whole by now.

        Raises:
            FormatError: a line without end.
        """
        if not self._rest and data.endswith(b"\n") and data.count(b"\n") == 1:
            return (data[:-1],) if len(data) > 1 else ()
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise FormatError("a line of the stream never ends")
        return [line for line in lines if line.strip()]

    @property
    def unfinished(self) -> bool:
        """Whether the stream ended inside a line."""
        return bool(self._rest.strip())


class ServerSentEvents:
    """The data of each event of an event stream (HTML standard, section 9.2).

    Comments and fields without data are passed over. A field "error", which some servers send
    in place of "data", counts as data.
    """

    accepts: tuple[str, ...] = ("event-stream",)

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def split(self, data: bytes) -> Iterable[bytes]:
        """The data of the events that are whole by now.

        Raises:
            FormatError: a line that is none of an event stream, or one without end.
        """
        # Nearly always a piece is one event, as the server wrote it.
        end = data.find(b"\n")
        if (
            end == len(data) - 2
            and data[-1] == _NEWLINE
            and data[:6] == b"data: "
            and not self._rest
            and not self._data
            and _RETURN not in data
        ):
            return (data[6:end],)
        return self._slow(data)

    def _slow(self, data: bytes) -> list[bytes]:
        found: list[bytes] = []
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            raise FormatError("a line of the stream never ends")
        for raw in lines:
            line = raw.removesuffix(b"\r")
            if line:
                value = _data_of(line)
                if value is not None:
                    self._data.append(value)
            elif self._data:
                found.append(b"\n".join(self._data))
                self._data = []
        return found

    @property
    def unfinished(self) -> bool:
        """Whether the stream ended inside an event."""
        return bool(self._rest.strip() or self._data)


def _data_of(line: bytes) -> bytes | None:
    """What a line adds to its event; None for comments and fields that carry no data."""
    name, colon, value = line.partition(b":")
    if colon and not name:
        return None
    if name not in _FIELDS:
        raise FormatError(
            f"not a line of an event stream: {line[:80].decode('utf-8', 'replace')!r}"
        )
    return value.removeprefix(b" ") if name in (b"data", b"error") else None
