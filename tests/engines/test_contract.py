"""The embedded engine keeps the contract of all engines."""

from __future__ import annotations

import pytest

from chimera.testing.engine_contract import EngineContract


@pytest.mark.model
class TestLlamaCpp(EngineContract):
    """The fixtures ``engine`` and ``fresh_engine`` of this folder are the embedded engine."""
