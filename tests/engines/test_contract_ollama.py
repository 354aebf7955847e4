"""Ollama keeps the contract of all engines, against a real server: CHIMERA_OLLAMA names it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from chimera.engines.base import CompletionRequest, Measurable
from chimera.engines.targets import open_target
from chimera.testing.engine_contract import CONTRACT_OPTIONS, PROMPT, EngineContract

TARGET = os.environ.get("CHIMERA_OLLAMA", "")


class OllamaContract(EngineContract):
    """The contract with what Ollama cannot do; /api/generate."""

    counts_prompt = False
    says_cached = False
    has_grammar = False
    reuses_as_asked = False
    ignores_eos = False
    refuses_early = False
    refused = (
        CompletionRequest(prompt=PROMPT, max_tokens=4, json_schema={"type": "nonsense"}),
        "format",
    )

    @staticmethod
    def sampling(raw_request: dict[str, Any]) -> dict[str, Any]:
        sampling: dict[str, Any] = raw_request["options"]
        return sampling


@pytest.fixture(scope="module")
def engine() -> Iterator[Measurable]:
    with open_target(TARGET, CONTRACT_OPTIONS) as engine:
        yield engine


@pytest.fixture
def fresh_engine() -> Measurable:
    return open_target(TARGET, CONTRACT_OPTIONS)


@pytest.mark.skipif(
    not TARGET, reason="no Ollama server named (CHIMERA_OLLAMA=ollama:gemma3:270m uses one)"
)
class TestOllama(OllamaContract):
    """Against the server itself."""
