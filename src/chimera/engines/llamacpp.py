"""The embedded engine: llama.cpp in a process of its own, reached over loopback HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from chimera.engines.answers import finished
from chimera.engines.base import (
    Completion,
    CompletionRequest,
    ErrorClass,
    Load,
    ModelIdentity,
    OnToken,
    Options,
    RequestFailed,
    Started,
)
from chimera.engines.embedded_model import (
    MODEL_NAME,
    MODEL_QUANTIZATION,
    MODEL_SHA256,
    embedded_model_path,
    file_sha256,
)
from chimera.engines.llama_server import LlamaAnswer, LlamaServer
from chimera.engines.names import short_quantization
from chimera.engines.wire.address import parse_address
from chimera.engines.wire.call import Call, Exchange
from chimera.engines.wire.once import exchange_now
from chimera.engines.worker_process import WorkerProcess
from chimera.errors import EngineError

# Hashing reads the whole file; beyond this it would take longer than many a benchmark.
_LARGEST_HASHED = 8_000_000_000
_COUNTS_KEPT = 4096
_TOLD = ("total_slots", "build_info", "model_alias", "modalities")
_CANNOT = {
    "num_keep": "nothing is dropped from a full context here: the answer ends",
    "keep_alive": "the model stays loaded until the bench ends",
    "think": "prompts are completed without a switch for thinking",
}
_EMBEDDED: tuple[str, str | None, str | None] = (MODEL_NAME, MODEL_SHA256, MODEL_QUANTIZATION)

T = TypeVar("T")


class LlamaCpp(Started):
    """llama.cpp with one model. ``path`` None means the embedded model.

    ``slots`` requests are served at once, each with a context of its own.
    """

    name = "llamacpp"

    def __init__(
        self,
        path: Path | None = None,
        options: Options | None = None,
        start_timeout_s: float = 900.0,
        slots: int = 1,
    ) -> None:
        self._path = path
        self._options = options or Options()
        self._start_timeout_s = start_timeout_s
        self._slots = slots
        self._worker: WorkerProcess | None = None
        self._server: LlamaServer | None = None
        self._load: Load | None = None
        self._version: str | None = None
        self._model: ModelIdentity | None = None
        self._counts: dict[str, int] = {}
        self._closed = False

    @property
    def version(self) -> str | None:
        """The version of the package xllamacpp; None before the start."""
        return self._version

    @property
    def options(self) -> Options:
        return self._options

    @property
    def pid(self) -> int | None:
        """Process id of the worker, for monitors; None when it does not run."""
        return self._worker.pid if self._worker else None

    def start(self) -> Load:
        """See ``Engine.start``. Joins the embedded model first where that is needed, which
        is not part of the load.
        """
        if self._load is not None:
            return self._load
        if self._closed:
            raise EngineError("the engine was closed")
        path = self._path or embedded_model_path()
        if not path.is_file():
            raise EngineError(f"no model file {path.name!r} in {path.parent}")
        config = {
            "model": str(path),
            "num_ctx": self._options.num_ctx,
            "num_thread": self._options.num_thread,
            "num_gpu": self._options.num_gpu,
            "num_batch": self._options.num_batch,
            "slots": self._slots,
        }
        start = time.monotonic_ns()
        worker = WorkerProcess(config, self._start_timeout_s)
        self._worker = worker
        ready = time.monotonic_ns()
        self._version = worker.version
        self._server = LlamaServer(parse_address(worker.address), worker.key)
        self._load = Load(
            start_ns=start,
            ready_ns=ready,
            server_load_ns=worker.load_ns,
            cold=True,
            num_ctx=_context_size(self._server.props()),
        )
        return self._load

    def model(self) -> ModelIdentity:
        """See ``Engine.model``."""
        if self._model is None:
            self._model = self._identify(self._started())
        return self._model

    def count_tokens(self, text: str) -> int | None:
        """See ``Engine.count_tokens``. The last counts are remembered."""
        count = self._counts.get(text)
        if count is None:
            count = self._asking(lambda: self._started().count_tokens(text))
            if len(self._counts) >= _COUNTS_KEPT:
                self._counts.pop(next(iter(self._counts)))
            self._counts[text] = count
        return count

    @property
    def address(self) -> str | None:
        """Where the worker's server listens; None before the start."""
        return self._server.address.url if self._server else None

    @property
    def metrics_url(self) -> str | None:
        """None: the worker is watched as a process."""
        return None

    @property
    def cannot(self) -> dict[str, str]:
        """See ``Engine.cannot``."""
        return dict(_CANNOT)

    def complete(self, request: CompletionRequest, on_token: OnToken | None = None) -> Completion:
        """See ``Engine.complete``. The prompt's tokens are counted before, and compared after:
        llama.cpp cuts nothing silently here.
        """
        self._started()
        return self.finish(exchange_now(self._call(request, on_token)))

    def prepare(self, request: CompletionRequest) -> Call:
        """See ``Engine.prepare``. The prompt's tokens are counted here."""
        return self._call(request, None)

    def finish(self, exchange: Exchange) -> Completion:
        """See ``Engine.finish``."""
        return self._asking(lambda: finished(exchange))

    def about(self) -> dict[str, Any]:
        """See ``Engine.about``."""
        with suppress(EngineError):
            props = self._started().props()
            return {k: v for k, v in props.items() if k in _TOLD}
        return {}

    def _call(self, request: CompletionRequest, on_token: OnToken | None) -> Call:
        server = self._started()
        if request.messages:
            prompt = self._asking(lambda: server.render(request.messages))
            request = msgspec.structs.replace(request, prompt=prompt, messages=())
        counted = self._check_fit(request)
        call = server.prepare(request, self._options, on_token)
        assert isinstance(call.answer, LlamaAnswer)
        call.answer.counted = counted
        return call

    def close(self) -> None:
        """See ``Engine.close``."""
        self._closed = True
        self._server = None
        if self._worker is not None:
            self._worker.end()

    def _started(self) -> LlamaServer:
        if self._server is None:
            raise EngineError("the engine was closed" if self._closed else "start the engine first")
        return self._server

    def _check_fit(self, request: CompletionRequest) -> int | None:
        """The prompt's tokens, which fit; None where nobody counts."""
        counted = self.count_tokens(request.prompt)
        context = self._load.num_ctx if self._load else None
        if counted is None or context is None:
            return counted
        most = request.max_tokens if request.max_tokens is not None else self._options.num_predict
        # llama.cpp keeps one place free; without a limit at least one token must have room.
        needed = counted + (most if most is not None and most >= 0 else 1)
        if needed > context:
            raise RequestFailed(
                ErrorClass.DOES_NOT_FIT,
                f"the prompt's {counted} tokens and {needed - counted} to be generated do not fit "
                f"the context of {context} tokens; raise num_ctx or shorten the prompt",
            )
        return counted

    def _asking(self, ask: Callable[[], T]) -> T:
        """Run one exchange; if it failed because the worker died, say that instead."""
        try:
            return ask()
        except RequestFailed as error:
            died = self._worker.death(wait_s=0.5) if self._worker and _by_death(error) else None
            if died is None:
                raise
            raise RequestFailed(
                ErrorClass.ENGINE_DIED, f"the engine ended during a request: {died}", error.partial
            ) from error

    def _identify(self, server: LlamaServer) -> ModelIdentity:
        meta = server.model_meta()
        parameters = meta.get("n_params")
        learnt = parameters if isinstance(parameters, int) and parameters > 0 else None
        missing = {} if learnt is not None else {"parameters": "the server does not say"}
        path = self._path or embedded_model_path()
        size = path.stat().st_size
        if self._path is None:
            name, digest, quantization = _EMBEDDED
        else:
            name = path.stem
            digest = _digest(path, size, missing)
            quantization = _quantization(meta, missing)
        return ModelIdentity(
            name=name,
            file=path.name,
            sha256=digest,
            quantization=quantization,
            size_bytes=size,
            parameters=learnt,
            not_learnt=missing,
        )


def _digest(path: Path, size: int, missing: dict[str, str]) -> str | None:
    if size > _LARGEST_HASHED:
        missing["sha256"] = f"larger than {_LARGEST_HASHED / 1e9:g} GB: not hashed"
        return None
    return file_sha256(path)


def _quantization(meta: dict[str, Any], missing: dict[str, str]) -> str | None:
    ftype = meta.get("ftype")
    if not isinstance(ftype, str) or not ftype:
        missing["quantization"] = "the server does not say"
        return None
    return short_quantization(ftype)


def _by_death(error: RequestFailed) -> bool:
    return error.error_class in (ErrorClass.CUT_STREAM, ErrorClass.CONNECT)


def _context_size(props: dict[str, Any]) -> int | None:
    settings = props.get("default_generation_settings")
    value = settings.get("n_ctx") if isinstance(settings, dict) else None
    return value if isinstance(value, int) and value > 0 else None
