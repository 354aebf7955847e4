"""The process that holds llama.cpp, so that the client's timing is its own.

Run by ``chimera.engines.llamacpp``. The first line of stdin is the configuration as JSON;
then one JSON line goes to stdout, either {"address", "load_ns", "version"} or
{"error", "kind"}, and the process serves until stdin closes. It imports nothing of Chimera, so
that it starts fast and needs no import path.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO


def main() -> None:
    """Load the model, serve, and end with the parent."""
    # llama.cpp may print: only the one line below may reach the parent's pipe.
    reply = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    config = json.loads(sys.stdin.readline() or "null")
    if config is None:
        return
    _end_with_parent()
    try:
        import xllamacpp
    except ImportError as error:
        _say(reply, {"kind": "missing", "error": str(error)})
        return
    start = time.monotonic_ns()
    try:
        server = xllamacpp.Server(_params(xllamacpp, config))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear it
        _say(reply, {"kind": "load", "error": str(error)})
        sys.stderr.flush()
        os._exit(1)
    load_ns = time.monotonic_ns() - start
    version = getattr(xllamacpp, "__version__", None)
    _say(reply, {"address": server.listening_address, "load_ns": load_ns, "version": version})
    while sys.stdin.buffer.read(4096):
        pass
    # The server's own shutdown can hang; there is nothing to save.
    os._exit(0)


def _params(xllamacpp: Any, config: dict[str, Any]) -> Any:
    params = xllamacpp.CommonParams()
    params.model.path = config["model"]
    params.model_alias = {os.path.basename(config["model"])}  # what replies call it: no folder
    slots = config.get("slots") or 1
    params.n_parallel = slots
    params.warmup = False  # the first request is the cold one, and recorded as such
    params.swa_full = True  # a shared front of any length is reused, also by sliding windows
    params.fit_params = False  # the context size is what was asked for, or the load fails
    params.cache_ram_mib = 0  # nothing is kept beside the one slot's own prefix
    params.ui = False
    params.verbosity = 2
    params.api_keys = [config["key"]]
    if config.get("num_ctx") is not None:
        params.n_ctx = config["num_ctx"] * slots  # the server shares it out among the slots
    if config.get("num_thread") is not None:
        params.cpuparams.n_threads = config["num_thread"]
        params.cpuparams_batch.n_threads = config["num_thread"]
    if config.get("num_batch") is not None:
        params.n_batch = config["num_batch"]
    if config.get("num_gpu") is not None:
        params.n_gpu_layers = config["num_gpu"]
    return params


def _end_with_parent() -> None:
    """Die when stdin closes, also during the load, which holds Python's lock.

    The kernel sends SIGIO for it, whose default action ends the process. Where there is no
    such signal, the load goes on to its end and the read after it notices.
    """
    try:
        import fcntl

        fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
        flags = fcntl.fcntl(0, fcntl.F_GETFL)
        fcntl.fcntl(0, fcntl.F_SETFL, flags | os.O_ASYNC)  # type: ignore[attr-defined,unused-ignore]
    except (ImportError, AttributeError, OSError):
        return


def _say(reply: TextIO, message: dict[str, Any]) -> None:
    reply.write(json.dumps(message) + "\n")
    reply.flush()


if __name__ == "__main__":
    main()
