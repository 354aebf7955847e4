"""When a piece of an answer arrived at this machine: the kernel's own stamp.

Linux stamps each packet on receipt and hands the stamp over with the data (SO_TIMESTAMPNS), so
that a busy client does not add its own delay to the server's times. The stamps are on the wall
clock; they are brought to the monotonic clock by the difference of the two, read anew while
the program runs. If the wall clock is set meanwhile, that is counted and the client's own time
of reading is taken instead until the difference is known again.
"""

from __future__ import annotations

import socket
import struct
import sys
import time

_SO_TIMESTAMPNS = 35
ANCILLARY = 64  # bytes that hold one stamp
_STAMP = struct.Struct("@qq")
_STAMP_BYTES, _unpack, _SOCKET = _STAMP.size, _STAMP.unpack_from, int(socket.SOL_SOCKET)
_STEP_NS = 1_000_000
_DRIFT = 0.001  # of the time between two looks: twice what a clock may be slewed


class ArrivalClock:
    """Stamps of the kernel on the monotonic clock. ``steps`` counts how often the wall clock
    was set.
    """

    def __init__(self) -> None:
        self.offset = _offset()
        self.steps = 0
        self._looked_ns = time.monotonic_ns()
        self._stepped_ns = 0

    def arrived(self, stamp_ns: int, floor_ns: int, now_ns: int) -> int:
        """When a piece came that was stamped ``stamp_ns`` and read at ``now_ns``, monotonic ns.

        It cannot have come before ``floor_ns``, when the request went out or the piece before
        it came: what is earlier by more than the clocks' own error is a clock that was set.
        """
        if not -_STEP_NS < time.time_ns() - now_ns - self.offset < _STEP_NS:
            self.refresh()
        arrived = stamp_ns - self.offset
        if self._stepped_ns < arrived <= now_ns and arrived >= floor_ns:
            return arrived  # nearly always
        if arrived > now_ns or arrived < max(self._stepped_ns, floor_ns - _STEP_NS):
            return now_ns
        return max(arrived, floor_ns)

    def refresh(self) -> None:
        """Look at both clocks again; to be called some times a second."""
        offset = _offset()
        now = time.monotonic_ns()
        if abs(offset - self.offset) > _STEP_NS + _DRIFT * (now - self._looked_ns):
            self.steps += 1
            # What was stamped by the clock as it was before cannot be brought to ours.
            self._stepped_ns = now
        self._looked_ns = now
        self.offset = offset


def ask_for_stamps(sock: socket.socket) -> bool:
    """Whether this system will stamp what arrives at ``sock``."""
    if sys.platform != "linux":
        return False
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    except OSError:
        return False
    return True


def stamp_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The stamp that came with the data, wall clock ns; 0 if there is none."""
    for level, kind, data in ancillary:
        if kind == _SO_TIMESTAMPNS and level == _SOCKET and len(data) >= _STAMP_BYTES:
            seconds, ns = _unpack(data)
            return seconds * 1_000_000_000 + ns  # type: ignore[no-any-return]
    return 0


def _offset() -> int:
    """Wall clock minus monotonic clock, ns, as exactly as three tries give it."""
    best, found = 1 << 62, 0
    for _ in range(3):
        before = time.monotonic_ns()
        wall = time.time_ns()
        after = time.monotonic_ns()
        if after - before < best:
            best, found = after - before, wall - (before + after) // 2
    return found
