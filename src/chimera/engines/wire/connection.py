"""One connection: connect, encrypt, send and receive without ever waiting."""

from __future__ import annotations

import errno
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from chimera.engines.wire.kernel_time import ANCILLARY, ArrivalClock, ask_for_stamps, stamp_of

if TYPE_CHECKING:
    import ssl

_READ = 1 << 16
_IN_PROGRESS = (errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)


class Connection:
    """A non-blocking TCP connection, encrypted where ``tls`` is given.

    ``connected`` once it can carry a request. After each ``receive``, ``arrived_ns`` is when
    the data came and ``kernel`` who stamped it; nothing comes before ``floor_ns``. Errors are
    OSError (ssl.SSLError is one).
    """

    def __init__(
        self,
        family: int,
        place: Any,
        clock: ArrivalClock,
        tls: ssl.SSLContext | None,
        host: str,
    ) -> None:
        self._clock = clock
        self.sock = socket.socket(family, socket.SOCK_STREAM)
        self.sock.setblocking(False)
        self._recvmsg = self.sock.recvmsg
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kernel = ask_for_stamps(self.sock)
        self.arrived_ns = 0
        self.read_ns = 0
        self.floor_ns = 0
        self.connected = False
        self.established = False  # TCP stands; what follows is encryption
        self._unsent = memoryview(b"")
        self._tls: ssl.SSLObject | None = None
        if tls is not None:
            import ssl

            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = tls.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        code = self.sock.connect_ex(place)
        if code not in (0, *_IN_PROGRESS):
            self.close()
            raise OSError(code, os.strerror(code))

    def proceed(self) -> None:
        """The socket can be written: finish connecting, then send what is left."""
        if not self.established:
            code = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code:
                raise OSError(code, os.strerror(code))
            self.established = True
            self.connected = self._tls is None
        if not self.connected:
            self._handshake()
        self._flush()

    def send(self, data: bytes) -> None:
        """Send what the socket takes now; ``wants_write`` says whether something is left."""
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        self._add(data)
        self._flush()

    @property
    def wants_write(self) -> bool:
        return bool(self._unsent) or not self.established

    def receive(self) -> bytes | None:
        """What arrived; b"" at the end of the stream, None if nothing of the answer did."""
        try:
            if self.kernel:
                data, ancillary, _, _ = self._recvmsg(_READ, ANCILLARY)
            else:
                data, ancillary = self.sock.recv(_READ), []
        except (BlockingIOError, InterruptedError):
            return None
        self.read_ns = arrived = now = time.monotonic_ns()
        if ancillary and (wall := stamp_of(ancillary)):
            arrived = self._clock.arrived(wall, self.floor_ns, now)
        self.arrived_ns = self.floor_ns = arrived
        if self._tls is None:
            return data
        return self._decrypted(data)

    def close(self) -> None:
        self.sock.close()

    def _add(self, data: bytes) -> None:
        # A view, so that what a slow reader leaves of a long prompt is not copied each time.
        self._unsent = memoryview(bytes(self._unsent) + data if self._unsent else data)

    def _flush(self) -> None:
        while self._unsent:
            try:
                count = self.sock.send(self._unsent)
            except (BlockingIOError, InterruptedError):
                return
            self._unsent = self._unsent[count:]

    def _handshake(self) -> None:
        import ssl

        assert self._tls is not None
        try:
            self._tls.do_handshake()
            self.connected = True
        except ssl.SSLWantReadError:
            pass
        self._add(self._outgoing.read())

    def _decrypted(self, data: bytes) -> bytes | None:
        import ssl

        assert self._tls is not None
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        if not self.connected:
            if not data:
                raise ConnectionResetError(errno.ECONNRESET, "closed during the handshake")
            self._handshake()
            self._flush()
            return None
        plain = []
        try:
            while piece := self._tls.read(_READ):
                plain.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(plain) or None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            pass
        return b"".join(plain)
