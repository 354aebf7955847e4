"""Many exchanges at once on one loop: connections, limits, and every way of ending."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from chimera.engines.wire.address import Address
from chimera.engines.wire.call import Call, Exchange
from chimera.engines.wire.connection import Connection
from chimera.engines.wire.failures import is_tls, late, no_connection, reason
from chimera.engines.wire.http import HttpAnswer
from chimera.engines.wire.kernel_time import ArrivalClock
from chimera.engines.wire.lag import LagHistogram
from chimera.engines.wire.loop import READ, WRITE, Loop
from chimera.errors import EngineError
from chimera.record.request import ErrorClass

if TYPE_CHECKING:
    import ssl

OnDone = Callable[[Exchange], None]

_SWEEP_NS = 100_000_000  # how often limits are looked at while something is in flight
_NEVER_NS = float("inf")
_OLDEST_IDLE_NS = 4_000_000_000  # servers close idle connections from 5 s on
_STALE_NS = 1_000_000_000  # a closed connection says so within a round trip


class _Link:
    """A connection and what it carries."""

    __slots__ = ("answer", "connection", "exchange", "idle_since", "mask", "on_done", "places")

    def __init__(self, connection: Connection, places: list[tuple[int, Any]]) -> None:
        self.connection = connection
        self.places = places
        self.exchange: Exchange | None = None
        self.answer: HttpAnswer | None = None
        self.on_done: OnDone | None = None
        self.idle_since = 0
        self.mask = 0


class Wire:
    """Sends calls and collects what comes back, stamped.

    ``reuse`` keeps connections open for further requests. ``lag`` is the histogram of all
    reads whose arrival the kernel stamped; ``reads`` counts all.
    """

    def __init__(self, loop: Loop, *, reuse: bool = True) -> None:
        self.loop = loop
        self._clock = ArrivalClock()
        self._reuse = reuse
        self._idle: dict[Address, list[_Link]] = {}
        self._active: dict[Exchange, _Link] = {}
        self._places: dict[Address, list[tuple[int, Any]]] = {}
        self._tls: ssl.SSLContext | None = None
        self._single_use: set[Address] = set()
        self._held: list[_Link] | None = None
        self._sweeping = False
        self._soonest_ns = _NEVER_NS
        self.lag = LagHistogram()
        self._lags = self.lag.bins  # added to for every piece that arrives
        self.reads = 0

    @property
    def clock_steps(self) -> int:
        """How often the wall clock was set while the loop ran."""
        return self._clock.steps

    @property
    def active(self) -> int:
        """Exchanges that have not ended."""
        return len(self._active)

    def send(self, call: Call, on_done: OnDone, intended_ns: int | None = None) -> Exchange:
        """Begin an exchange now. ``on_done`` gets it when it has ended, also by an error."""
        exchange = Exchange(call, intended_ns)
        link = self._idle_link(call.address) if self._reuse else None
        if link is not None:
            exchange.reused = True
            exchange.connected_ns = exchange.start_ns
            self._carry(link, exchange, on_done)
            if self._held is None:
                self._transmit(link)
            else:
                self._held.append(link)
            return exchange
        try:
            places = self._places.get(call.address)
            if places is None:
                places = self._places[call.address] = call.address.places()
        except EngineError as error:
            self._never(exchange, on_done, str(error))
            return exchange
        self._connect(exchange, on_done, places)
        return exchange

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let what is sent within go out at once at its end: what has an open connection waits
        for those that begin to connect.
        """
        held: list[_Link] = []
        self._held = held
        try:
            yield
        finally:
            self._held = None
            for link in held:
                self._transmit(link)

    def abandon(self, error_class: ErrorClass, text: str) -> None:
        """End everything in flight with an error; each ``on_done`` is called."""
        for exchange, link in list(self._active.items()):
            if exchange in self._active:  # what one's ``on_done`` does may have ended another
                self._fail(link, error_class, text)

    def close(self) -> None:
        """Close every connection, without a word to whoever waits for an answer."""
        for link in [*self._active.values(), *(k for links in self._idle.values() for k in links)]:
            self._drop(link)
        self._active.clear()
        self._idle.clear()

    def _sweep(self) -> None:
        """End what has passed its limit, and look at the clocks."""
        now = time.monotonic_ns()
        self._clock.refresh()
        if now > self._soonest_ns:
            self._end_late(now)
        self._sweeping = bool(self._active)
        if self._sweeping:
            self.loop.at(now + _SWEEP_NS, self._sweep)

    def _end_late(self, now: int) -> None:
        self._soonest_ns = _NEVER_NS
        for exchange, link in list(self._active.items()):
            call = exchange.call
            if exchange not in self._active:  # ended by what another's ``on_done`` did
                continue
            self._expect(call, exchange.start_ns, exchange.last_ns or now)
            if now - exchange.start_ns > call.timeout_s * 1e9:
                self._fail(link, ErrorClass.TIMEOUT, late(exchange))
            elif (
                call.stall_s is not None
                and exchange.first_byte_ns is not None
                and exchange.last_ns is not None
                and now - exchange.last_ns > call.stall_s * 1e9
            ):
                text = f"the stream was silent for more than {call.stall_s:g} s"
                self._fail(link, ErrorClass.STALL, text)

    def _expect(self, call: Call, start_ns: int, last_ns: int) -> None:
        """Nothing is late before ``_soonest_ns``: what arrives only moves limits on, so most
        sweeps need not look at hundreds of exchanges.
        """
        soonest = start_ns + call.timeout_s * 1e9
        if call.stall_s is not None:
            soonest = min(soonest, last_ns + call.stall_s * 1e9)
        self._soonest_ns = min(self._soonest_ns, soonest)

    # --- connections

    def _idle_link(self, address: Address) -> _Link | None:
        links = self._idle.get(address)
        while links:
            link = links.pop()
            if time.monotonic_ns() - link.idle_since < _OLDEST_IDLE_NS:
                return link
            self._drop(link)
        return None

    def _connect(self, exchange: Exchange, on_done: OnDone, places: list[tuple[int, Any]]) -> None:
        """Begin a connection to the first place; the others wait for its failure."""
        address = exchange.call.address
        family, place = places[0]
        try:
            tls = self._context() if address.scheme == "https" else None
            connection = Connection(family, place, self._clock, tls, address.host)
        except OSError as error:
            if len(places) > 1:
                self._connect(exchange, on_done, places[1:])
            else:
                self._never(exchange, on_done, no_connection(address, error))
            return
        link = _Link(connection, places)
        self._carry(link, exchange, on_done)
        self._listen(link, READ | WRITE)

    def _carry(self, link: _Link, exchange: Exchange, on_done: OnDone) -> None:
        exchange.kernel = link.connection.kernel
        link.exchange, link.on_done = exchange, on_done
        link.answer = HttpAnswer(exchange)
        self._active[exchange] = link
        self._expect(exchange.call, exchange.start_ns, exchange.start_ns)
        if not self._sweeping:
            self._clock.refresh()
            self._sweeping = True
            self.loop.at(exchange.start_ns + _SWEEP_NS, self._sweep)

    def _transmit(self, link: _Link) -> None:
        exchange, connection = link.exchange, link.connection
        assert exchange is not None
        exchange.sent_ns = connection.floor_ns = time.monotonic_ns()
        try:
            connection.send(exchange.call.data)
        except OSError as error:
            self._broken(link, error)
            return
        self._listen(link, READ | WRITE if connection.wants_write else READ)

    def _listen(self, link: _Link, mask: int) -> None:
        if mask != link.mask:
            link.mask = mask
            action = self._readable if mask == READ else self._ready
            self.loop.listen(link.connection.sock, mask, partial(action, link))

    def _ready(self, link: _Link, mask: int) -> None:
        if mask != WRITE:
            self._readable(link, mask)
        else:
            self._writable(link)

    def _writable(self, link: _Link) -> None:
        connection, exchange = link.connection, link.exchange
        if exchange is None:
            return
        try:
            connection.proceed()
        except OSError as error:
            self._broken(link, error)
            return
        self._advance(link, exchange)

    def _advance(self, link: _Link, exchange: Exchange) -> None:
        """Send the request as soon as the connection stands."""
        if link.connection.connected and exchange.sent_ns is None:
            exchange.connected_ns = time.monotonic_ns()
            self._places[exchange.call.address] = link.places  # what worked comes first
            self._transmit(link)
        else:
            self._listen(link, READ | WRITE if link.connection.wants_write else READ)

    def _readable(self, link: _Link, _mask: int) -> None:
        connection, exchange = link.connection, link.exchange
        try:
            if not connection.established:
                connection.proceed()
            data = connection.receive()
        except OSError as error:
            self._broken(link, error)
            return
        if exchange is None:
            if data is not None:  # nothing was asked: the server closes an idle connection
                self._forget(link)
            return
        if data is None:
            self._advance(link, exchange)
            return
        self.reads += 1
        arrived = connection.arrived_ns
        if connection.kernel:
            lag = connection.read_ns - arrived
            self._lags[lag.bit_length()] += 1
            if lag > exchange.lag_ns:
                exchange.lag_ns = lag
                self.lag.most = max(self.lag.most, lag)
        if not data:
            self._ended(link, exchange)
            return
        answer = link.answer
        assert answer is not None
        exchange.last_ns = arrived
        wrong = answer.feed(arrived, data)
        if wrong:
            self._fail(link, ErrorClass.MALFORMED_STREAM, wrong)
        elif answer.complete:
            self._finish(link, exchange, keep=answer.keep)

    # --- ends

    def _ended(self, link: _Link, exchange: Exchange) -> None:
        """The server closed the connection: the end of a body, or a cut."""
        if self._was_stale(link, exchange):
            return
        if link.answer is not None and link.answer.ends_with_connection:
            self._finish(link, exchange, keep=False)
        elif exchange.first_byte_ns is None and exchange.last_ns is not None:
            text = "the answer ended within its headers"
            self._fail(link, ErrorClass.MALFORMED_STREAM, text)
        elif exchange.first_byte_ns is None:
            text = "the server closed the connection without an answer"
            self._fail(link, ErrorClass.CUT_STREAM, text)
        else:
            self._fail(link, ErrorClass.CUT_STREAM, "the stream was cut before its end")

    def _broken(self, link: _Link, error: OSError) -> None:
        exchange = link.exchange
        if exchange is None:
            self._forget(link)
        elif self._was_stale(link, exchange):
            return
        elif is_tls(error):
            self._fail(link, ErrorClass.TLS, f"no encrypted connection: {reason(error)}")
        elif exchange.sent_ns is not None:
            why = reason(error)
            self._fail(link, ErrorClass.CUT_STREAM, f"the connection was cut: {why}")
        elif not link.connection.established and len(link.places) > 1:
            on_done = link.on_done
            assert on_done is not None
            self._drop(link)
            del self._active[exchange]
            self._connect(exchange, on_done, link.places[1:])
        else:
            self._fail(link, ErrorClass.CONNECT, no_connection(exchange.call.address, error))

    def _was_stale(self, link: _Link, exchange: Exchange) -> bool:
        """A reused connection that ends at once without a byte was closed before we asked.

        The request goes out on a new one, its clock starting again, and this server's
        connections are not reused any more: it closes them without saying so. One that ends
        later is a failure: the server had the request, and was working at it or has crashed.
        """
        if not exchange.reused or exchange.last_ns is not None:
            return False
        now = time.monotonic_ns()
        if exchange.sent_ns is not None and now - exchange.sent_ns > _STALE_NS:
            return False
        on_done, address = link.on_done, exchange.call.address
        assert on_done is not None
        self._single_use.add(address)
        self._drop(link)
        del self._active[exchange]
        exchange.reused = False
        exchange.start_ns = now
        exchange.sent_ns = exchange.connected_ns = None
        self._connect(exchange, on_done, self._places[address])
        return True

    def _never(self, exchange: Exchange, on_done: OnDone, text: str) -> None:
        """An exchange that had no connection ends in the loop's next turn, like any other."""
        exchange.end_ns = time.monotonic_ns()
        exchange.error = (ErrorClass.CONNECT, text)
        self.loop.at(0, lambda: on_done(exchange))

    def _fail(self, link: _Link, error_class: ErrorClass, text: str) -> None:
        assert link.exchange is not None
        link.exchange.error = (error_class, text)
        self._finish(link, link.exchange, keep=False)

    def _finish(self, link: _Link, exchange: Exchange, *, keep: bool) -> None:
        on_done = link.on_done
        assert on_done is not None
        failed = exchange.error is not None
        exchange.end_ns = time.monotonic_ns() if failed else exchange.last_ns
        del self._active[exchange]
        link.exchange = link.on_done = link.answer = None
        address = exchange.call.address
        reusable = self._reuse and address not in self._single_use
        if keep and reusable and not failed and not link.connection.wants_write:
            link.idle_since = time.monotonic_ns()
            self._idle.setdefault(address, []).append(link)
        else:
            self._drop(link)
        on_done(exchange)

    def _forget(self, link: _Link) -> None:
        for links in self._idle.values():
            if link in links:
                links.remove(link)
        self._drop(link)

    def _drop(self, link: _Link) -> None:
        if link.mask:
            self.loop.ignore(link.connection.sock)
            link.mask = 0
        link.connection.close()

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            import ssl

            self._tls = ssl.create_default_context()
        return self._tls
