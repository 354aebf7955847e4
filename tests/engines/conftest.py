"""One embedded engine for all tests of this folder: its start is the slow part.

And one worker beside it, whose server is asked as any server with OpenAI's interface.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chimera.engines.embedded_model import embedded_model_path
from chimera.engines.llamacpp import LlamaCpp
from chimera.engines.worker_process import WorkerProcess
from chimera.testing.engine_contract import CONTRACT_OPTIONS


@pytest.fixture(scope="session")
def engine() -> Iterator[LlamaCpp]:
    with LlamaCpp(options=CONTRACT_OPTIONS) as engine:
        yield engine


@pytest.fixture
def fresh_engine() -> Iterator[LlamaCpp]:
    """An engine of the test's own, not yet started."""
    engine = LlamaCpp(options=CONTRACT_OPTIONS)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def llama_worker() -> Iterator[WorkerProcess]:
    """llama.cpp's own server with a key, as someone else may have started it."""
    config = {"model": str(embedded_model_path()), "num_ctx": 512, "num_thread": 2, "slots": 2}
    worker = WorkerProcess(config, 300)
    yield worker
    worker.end()
