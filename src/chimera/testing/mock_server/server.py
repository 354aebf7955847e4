"""The server: takes connections and gives each request to whom it concerns."""

from __future__ import annotations

import socket

from chimera.testing.mock_server import ollama, openai
from chimera.testing.mock_server.behaviour import behaviour_of
from chimera.testing.mock_server.connection import Arrival, Connection, stamp_arrivals
from chimera.testing.mock_server.gaps import ns
from chimera.testing.mock_server.job import PATHS, Ask, Job, NotUnderstood, read_ask
from chimera.testing.mock_server.loop import Loop, clock
from chimera.testing.mock_server.pages import Pages
from chimera.testing.mock_server.places import Places
from chimera.testing.mock_server.script import script_of
from chimera.testing.mock_server.settings import Settings
from chimera.testing.mock_server.stream import Stream
from chimera.testing.mock_server.truth import TruthLog
from chimera.testing.mock_server.wire import Reply, Request

_BACKLOG = 4096
_ACCEPTS = 256  # at one waking, so that a flood of connections does not hold up the streams


class Server:
    """One listening socket and everything behind it. ``url`` is known once it is made."""

    def __init__(self, settings: Settings, loop: Loop) -> None:
        behaviour_of("", settings.defaults)  # a wrong default is said at the start
        self.loop = loop
        self._settings = settings
        self._paths = {p: k for p, k in PATHS.items() if k.startswith(settings.only or "")}
        self._truth = TruthLog()
        self._places = Places(settings.max_streams, loop)
        self._pages = Pages(settings, self._places, self._truth)
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((settings.host, settings.port))
        self._listener.setblocking(False)
        host, port = self._listener.getsockname()
        self.url = f"http://{host}:{port}"
        if not settings.refuse:
            stamp_arrivals(self._listener)
            self._listener.listen(_BACKLOG)
            loop.watch(self)

    def fileno(self) -> int:
        return self._listener.fileno()

    def ready(self, _: int) -> None:
        delay_ns = ns(self._settings.accept_delay_ms)
        if delay_ns:
            self.loop.forget(self)
            self.loop.at(clock() + delay_ns, self._accept_late)
        else:
            self._accept()

    def _accept_late(self) -> None:
        self._accept()
        self.loop.watch(self)

    def _accept(self) -> None:
        for _ in range(_ACCEPTS):
            try:
                sock, _address = self._listener.accept()
            except OSError:  # nobody there any more, or gone before being taken
                return
            self.loop.watch(Connection(sock, self))  # the selector keeps it alive

    def handle(self, request: Request, arrival: Arrival, connection: Connection) -> Reply | None:
        """The answer, or None where the connection was given a stream that answers."""
        kind = self._paths.get(request.path)
        if kind is None or request.method != "POST":
            return self._pages.answer(request, set(self._paths))
        dialect = ollama if kind.startswith("ollama") else openai
        try:
            ask = read_ask(request, kind, self._settings.model, self._settings.defaults)
        except NotUnderstood as error:
            return Reply(status=400, body=dialect.refusal(400, str(error)))
        job = self._job(ask, request, arrival)
        stream = Stream(job, script_of(job, dialect.speak(job)), connection, self.loop)
        connection.has(stream)
        self._places.admit(stream)
        return None

    def released(self, stream: Stream) -> None:
        self._places.release(stream)

    def _job(self, ask: Ask, request: Request, arrival: Arrival) -> Job:
        record = self._truth.add(
            id=ask.id,
            path=request.path,
            model=ask.model,
            stream=ask.stream,
            fault=ask.behaviour.fault,
            arrival_ns=arrival.ns,
            arrival_source=arrival.source,
            prompt_tokens=ask.prompt_tokens,
        )
        return Job(ask=ask, request=request, record=record)
