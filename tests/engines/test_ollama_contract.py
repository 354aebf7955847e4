"""Ollama keeps the contract of all engines: the mock, recorded answers, and a real server.

The recording is made anew with

    python -m chimera.testing.recording http://127.0.0.1:11434 \
        tests/engines/recordings/ollama.json -- env CHIMERA_OLLAMA=ollama:gemma3:270m@{url} \
        python -m pytest tests/engines/test_ollama_contract.py -k TestRealOllama
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from chimera.engines.base import CompletionRequest, Measurable
from chimera.engines.targets import open_target
from chimera.testing.engine_contract import CONTRACT_OPTIONS, PROMPT, EngineContract
from chimera.testing.mock_server import MockServer
from chimera.testing.recording import Replay, load

RECORDING = Path(__file__).with_name("recordings") / "ollama.json"
REAL = os.environ.get("CHIMERA_OLLAMA", "")


class _OllamaContract(EngineContract):
    counts_prompt = False
    takes_empty = False
    has_grammar = False
    says_cached = False
    reuses_as_asked = False
    refuses_early = False
    ignores_eos = False
    refused: ClassVar[tuple[CompletionRequest, str] | None] = (
        CompletionRequest(prompt=PROMPT, json_schema={"type": "nothing"}),
        "schema",
    )

    @staticmethod
    def sampling(sent: dict[str, Any]) -> dict[str, Any]:
        options: dict[str, Any] = sent["options"]
        return options

    @staticmethod
    def server() -> AbstractContextManager[str]:
        """The target, while its server runs."""
        raise NotImplementedError


@pytest.fixture(scope="class")
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    with request.cls.server() as target:
        yield target


@pytest.fixture(scope="class")
def engine(target: str) -> Iterator[Measurable]:
    with open_target(target, CONTRACT_OPTIONS) as engine:
        yield engine


@pytest.fixture
def fresh_engine(target: str) -> Iterator[Measurable]:
    engine = open_target(target, CONTRACT_OPTIONS)
    yield engine
    engine.close()


class TestMock(_OllamaContract):
    """The mock's context is the same for all, its words have no meaning, it takes everything."""

    sets_context = False
    stops_at_strings = False
    obeys_schema = False
    refused = None

    @staticmethod
    @contextmanager
    def server() -> Iterator[str]:
        with MockServer(defaults="itl_ms=5&ttft_ms=20&tokens=400") as server:
            yield f"ollama:mock@{server.url}"


class TestRecordedOllama(_OllamaContract):
    """Answers of a real Ollama, byte for byte."""

    @staticmethod
    @contextmanager
    def server() -> Iterator[str]:
        with Replay(load(RECORDING)) as server:
            yield f"ollama:gemma3:270m@{server.url}"


@pytest.mark.skipif(not REAL, reason="CHIMERA_OLLAMA=ollama:MODEL@URL names no real server")
class TestRealOllama(_OllamaContract):
    """Any real server; no test looks at the model's words."""

    @staticmethod
    @contextmanager
    def server() -> Iterator[str]:
        yield REAL


def test_the_recording_says_nothing_of_where_it_was_made() -> None:
    text = RECORDING.read_text(encoding="utf-8")
    assert len(text) < 200_000
    for word in ("/home", "/root", "/work", "/Users", "blobs", "Date:"):
        assert word not in text
    assert socket.gethostname() not in text
