"""Start, watch and end the process that holds llama.cpp."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from chimera.engines.embedded_model import INSTALL_LINE
from chimera.errors import EngineError, MissingExtra

_WORKER = Path(__file__).with_name("llamacpp_worker.py")
_LOG_TAIL = 16384
_LINES_SHOWN = 2
_LOG_LINE = re.compile(r"[\d.]+ (?P<level>[A-Z]) (?P<text>.*)")


class _Reply(msgspec.Struct, frozen=True):
    """The one line that the worker says."""

    address: str | None = None
    load_ns: int | None = None
    version: str | None = None
    kind: str | None = None
    error: str | None = None


class WorkerProcess:
    """A running worker. It ends when this object ends it, or when this process ends.

    address  http://host:port of its server, on loopback
    key      what a request must carry, so that nobody else on the machine uses the server
    load_ns  the model's load as the worker measured it
    """

    def __init__(self, config: dict[str, Any], timeout_s: float) -> None:
        """Start the worker and wait until its model is loaded.

        Raises:
            MissingExtra: the package xllamacpp is not installed.
            EngineError: the worker ended, or did not answer in time; with its last words.
        """
        self.key = secrets.token_hex(16)
        self._folder = str(Path(config["model"]).parent) + os.sep
        # Without a name: the log goes with the process, and killing us leaves no file.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in end()
        # A session of its own, so that Ctrl-C on the terminal reaches us but not the worker:
        # the request in flight is ours to end. -P: nothing of the current folder is imported.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
        )
        try:
            reply = self._greet(config | {"key": self.key}, timeout_s)
        except BaseException:
            self.end()
            raise
        self.address = reply.address or ""
        self.load_ns = reply.load_ns
        self.version = reply.version

    @property
    def pid(self) -> int:
        return self._process.pid

    def _greet(self, config: dict[str, Any], timeout_s: float) -> _Reply:
        line = self._first_line(config, timeout_s)
        try:
            reply = msgspec.json.decode(line, type=_Reply) if line else _Reply()
        except msgspec.MsgspecError:
            raise EngineError("the engine's process said something unexpected") from None
        if reply.kind == "missing":
            raise MissingExtra(
                f"the embedded engine is not installed ({reply.error}); get it with: {INSTALL_LINE}"
            )
        if reply.address is None:
            death = self.death(wait_s=2.0)  # its log is whole only when it has ended
            said = reply.error or death or "it said nothing"
            raise EngineError(_why(said, self.log_errors(), config))
        return reply

    def _first_line(self, config: dict[str, Any], timeout_s: float) -> bytes:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(BrokenPipeError):  # it is dead already; the empty line below says so
            stdin.write(msgspec.json.encode(config) + b"\n")
            stdin.flush()
        lines: list[bytes] = []
        # A thread, because a pipe cannot be waited for with a limit on every system.
        reader = threading.Thread(target=lambda: lines.append(stdout.readline()), daemon=True)
        reader.start()
        reader.join(timeout_s)
        if reader.is_alive():
            raise EngineError(f"the model was not loaded within {timeout_s:g} s")
        return lines[0] if lines else b""

    def death(self, wait_s: float = 0.0) -> str | None:
        """How the process ended, with its last words; None if it runs."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_s)
        code = self._process.poll()
        if code is None:
            return None
        # Who is killed has no last words, only older ones.
        last = [] if code == -signal.SIGKILL else self.log_errors()[-_LINES_SHOWN:]
        return _how(code) + (f"; its last words: {' | '.join(last)}" if last else "")

    def log_errors(self) -> list[str]:
        """The last errors that llama.cpp logged, without times and the model's folder.

        Lines that are not its log (a crash, a linker's complaint) count as errors too.
        """
        if self._log.closed:
            return []
        size = self._log.seek(0, 2)
        self._log.seek(max(0, size - _LOG_TAIL))
        text = self._log.read(_LOG_TAIL).decode("utf-8", "replace").replace(self._folder, "")
        found = []
        for line in text.splitlines():
            match = _LOG_LINE.match(line)
            if match is None and line.strip():
                found.append(line.strip())
            elif match is not None and match["level"] == "E":
                found.append(match["text"].strip())
        return found

    def end(self) -> None:
        """End the process and wait for it. A second call does nothing."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        limit = time.monotonic() + 2.0
        for stop in (None, self._process.terminate, self._process.kill):
            if stop is not None:
                stop()
            try:
                self._process.wait(max(0.1, limit - time.monotonic()))
                break
            except subprocess.TimeoutExpired:
                limit = time.monotonic() + 2.0
        self._log.close()


def _how(code: int) -> str:
    if code >= 0:
        return f"it exited with status {code}"
    with suppress(ValueError):
        name = signal.Signals(-code).name
        if name == "SIGKILL":
            return "it was killed (SIGKILL), often because memory ran out"
        return f"it was ended by {name}"
    return f"it was ended by signal {-code}"


def _why(said: str, errors: list[str], config: dict[str, Any]) -> str:
    """One line on why a load failed, with the next step where it is known."""
    name = Path(config["model"]).name
    for line in errors:
        words = line.lower()
        if "alloc" in words or "out of memory" in words:
            context = config["num_ctx"]
            asked = f" with a context of {context} tokens" if context else ""
            return (
                f"not enough memory for {name}{asked}: {line}; "
                "lower num_ctx or take a smaller model"
            )
        if "error loading model" in words:
            return f"{name} cannot be loaded; it is no whole GGUF model file: {line}"
    last = " | ".join(errors[-_LINES_SHOWN:])
    return f"the engine could not start with {name}: {said}" + (f" ({last})" if last else "")
