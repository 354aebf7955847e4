"""One embedded engine for all tests of this folder: its start is the slow part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chimera.engines.llamacpp import LlamaCpp
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
