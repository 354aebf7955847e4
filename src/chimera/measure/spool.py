"""Requests that have ended and are not in the store yet, as they came: a kill must not lose them.

A request is decoded in a quiet moment and reaches the store with others; until then what it
brought stands in files of a run's own folder, written before the next request is sent in its
place. ``recovery`` reads what a killed run has left there. A file is written over, without being
made shorter, once the store holds all of it. A process that writes there holds a shared lock on
the folder.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from chimera.engines.kept import KeptExchange, Pieces, kept, quotes_a_secret
from chimera.engines.wire.call import Exchange
from chimera.errors import OutputError
from chimera.measure.clock import RunClock
from chimera.measure.load import Ended
from chimera.measure.recording import Step
from chimera.record.request import ErrorClass, Phase

_ENOUGH = 1 << 20  # bytes of a file, after which another one is taken
_HEAD = struct.Struct(">IQ")  # before each entry: its length, and its number
_TAIL = struct.Struct(">Q")  # behind it: its number again, as a sign that all of it was written
_END = bytes(_HEAD.size)


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """Some pieces of a request; of its last entry all fields are set. ``number`` counts the
    entries of a process, ``serial`` its requests. ``zero_ns`` is the run's zero on the monotonic
    clock that the other times are of.
    """

    number: int
    serial: int
    pieces: Pieces
    exchange: KeptExchange | None = None
    configuration: int = 0
    prompt_id: str = ""
    repeat: int = 0
    phase: Phase = "measured"
    intended_ns: int | None = None
    zero_ns: int = 0


class _File:
    """One file; ``waiting`` of its requests are not in the store yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self.place = 0  # where the next entry goes
        self.waiting = 0

    def delete(self) -> None:
        os.close(self.handle)
        with suppress(OSError):
            self.path.unlink()


class _Request:
    """Where a request's entries are; ``quotes`` if they hold a secret, so that none follow."""

    def __init__(self, serial: int) -> None:
        self.serial = serial
        self.files: list[_File] = []
        self.quotes = False


class Spool:
    """Writes the files of one process in the folder of a run.

    Raises, in most methods: OutputError where they cannot be written.
    """

    def __init__(self, folder: Path, clock: RunClock) -> None:
        self.folder = folder
        self._clock = clock
        self._encoder = msgspec.msgpack.Encoder()
        self._requests: dict[Exchange, _Request] = {}
        self._recorded: deque[Exchange | None] = deque()
        self._count = 0
        self._number = 0
        self._files = 0
        self._idle: list[_File] = []
        self._name = f"{os.getpid()}-{time.monotonic_ns()}"
        try:
            self._lock = _locked(folder)
            self._file = self._new_file()
        except OSError as error:
            raise self._failed(error) from error

    def part(self, exchange: Exchange) -> None:
        """Keep pieces that are about to be decoded while the request goes on."""
        request = self._of(exchange)
        request.quotes |= quotes_a_secret(exchange)
        if not request.quotes:
            self._number += 1
            self._write(request, Entry(self._number, request.serial, exchange.pieces))

    def add(self, step: Step, ended: Ended) -> None:
        """Keep a request that has ended.

        One that was cancelled is to be sent again: it is not kept.
        """
        exchange = ended.exchange
        if exchange is None or (exchange.error and exchange.error[0] is ErrorClass.CANCELLED):
            return
        request = self._of(exchange)
        if request.quotes or quotes_a_secret(exchange):
            return
        self._number += 1
        entry = Entry(
            self._number,
            request.serial,
            exchange.pieces,
            kept(exchange),
            step.configuration,
            step.prompt.id,
            step.repeat,
            step.phase,
            ended.intended_ns,
            self._clock.zero_ns,
        )
        self._write(request, entry)

    def recorded(self, exchange: Exchange | None) -> None:
        """The record of a request has been made; the store is sure of it with its next flush."""
        self._recorded.append(exchange)

    def flushed(self, count: int | None = None) -> None:
        """The store is sure of the next ``count`` that have been recorded; None means all."""
        for _ in range(len(self._recorded) if count is None else count):
            exchange = self._recorded.popleft()
            request = self._requests.pop(exchange, None) if exchange else None
            for file in request.files if request else ():
                file.waiting -= 1
                if not file.waiting:
                    file.place = 0
                    if file is not self._file:
                        self._idle.append(file)

    def close(self) -> None:
        """Leave nothing behind but what the store does not hold."""
        for file in (self._file, *self._idle):
            if not file.waiting:
                file.delete()
        os.close(self._lock)
        with suppress(OSError):  # not empty: it is for ``recovery``
            self.folder.rmdir()

    def _of(self, exchange: Exchange) -> _Request:
        request = self._requests.get(exchange)
        if request is None:
            self._count += 1
            request = self._requests[exchange] = _Request(self._count)
        return request

    def _write(self, request: _Request, entry: Entry) -> None:
        file, encoded = self._file, self._encoder.encode(entry)
        number = entry.number
        data = b"".join((_HEAD.pack(len(encoded), number), encoded, _TAIL.pack(number), _END))
        if file not in request.files:
            request.files.append(file)
            file.waiting += 1
        try:
            done = os.pwrite(file.handle, data, file.place)
            while done < len(data):
                done += os.pwrite(file.handle, data[done:], file.place + done)
            file.place += len(data) - len(_END)
            if file.place > _ENOUGH:
                self._file = self._idle.pop() if self._idle else self._new_file()
        except OSError as error:
            raise self._failed(error) from error

    def _new_file(self) -> _File:
        self._files += 1
        return _File(self.folder / f"{self._name}-{self._files:06d}")

    def _failed(self, error: OSError) -> OutputError:
        why = error.strerror or str(error)
        return OutputError(f"cannot write {self.folder}: {why}; what was measured before is kept")


def _locked(folder: Path) -> int:
    """The folder, made and with a shared lock on it; ``recovery`` may remove it until then."""
    while True:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_SH)
            if folder.exists() and os.path.samestat(os.fstat(lock), folder.stat()):
                return lock
            os.close(lock)


def entries(path: Path) -> Iterator[Entry]:
    """The whole entries of a file, also such as the store has; not what a kill has cut off.

    Raises:
        msgspec.MsgspecError: it is no such file.
    """
    data, place = path.read_bytes(), 0
    while len(data) - place >= len(_END):
        length, number = _HEAD.unpack_from(data, place)
        begin = place + len(_END)
        end = begin + length
        place = end + _TAIL.size
        if not length or data[end:place] != _TAIL.pack(number):
            return
        yield _decoder.decode(data[begin:end])


_decoder = msgspec.msgpack.Decoder(Entry)
