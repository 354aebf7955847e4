"""Records real exchanges with an Ollama server for the tests.

    python tools/record_exchanges.py 127.0.0.1:11434 gemma3:270m [THINKING_MODEL]

Needs a running server that has the models. Our own engine asks, through a recorder that keeps what
goes over the wire: the contract of engines as its tests run it, and answers of further kinds.
``src/chimera/testing/recording.py`` says what is left out of a recording.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from chimera.engines.base import CompletionRequest, Message, Options
from chimera.engines.targets import open_target
from chimera.errors import EngineError
from chimera.testing.recording import Recorder

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "engines" / "recordings"
OPTIONS = Options(num_ctx=512, num_thread=2, temperature=0.0, seed=1, keep_alive="60")
KINDS = {
    "chat": CompletionRequest(messages=(Message("user", "Say hello."),), max_tokens=8),
    "repeats": CompletionRequest(prompt="ha" + " ha" * 15, max_tokens=100),
    "thinking": CompletionRequest(messages=(Message("user", "Capital of France?"),), max_tokens=9),
}


def main(arguments: list[str]) -> int:
    """Record everything anew; 1 if the contract is not kept."""
    host, _, port = arguments[0].partition(":")
    model, *more = arguments[1:]
    FOLDER.mkdir(exist_ok=True)
    with Recorder(host, int(port)) as recorder:
        os.environ["CHIMERA_OLLAMA"] = f"ollama:{model}@127.0.0.1:{recorder.port}"
        failed = pytest.main(["-q", "tests/engines/test_contract_ollama.py"])
        recorder.write(FOLDER / "ollama-contract.json")
    for name, request in KINDS.items():
        wanted, options = model, OPTIONS
        if name == "thinking":
            if not more:
                continue
            wanted, options = more[0], Options(num_ctx=512, temperature=0.0, seed=1, think=True)
        with (
            Recorder(host, int(port)) as recorder,
            open_target(f"ollama:{wanted}@127.0.0.1:{recorder.port}", options) as engine,
        ):
            with suppress(EngineError):  # an answer that breaks off is worth a recording as well
                engine.complete(request)
            recorder.write(FOLDER / f"ollama-{name}.json")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
