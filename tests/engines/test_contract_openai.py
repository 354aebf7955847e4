"""OpenAI's interface keeps the contract of all engines, against llama.cpp's own server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.engines.openai import OpenAI
from chimera.engines.wire.address import Address, parse_address
from chimera.engines.worker_process import WorkerProcess
from chimera.testing.engine_contract import CONTRACT_OPTIONS, EngineContract

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def address(llama_worker: WorkerProcess) -> Address:
    return parse_address(llama_worker.address + "/v1")


@pytest.fixture(scope="module")
def key_file(llama_worker: WorkerProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key.txt"
    path.write_text(llama_worker.key + "\n")
    return path


@pytest.fixture(scope="module")
def completions(address: Address, key_file: Path) -> Iterator[OpenAI]:
    with OpenAI(address, options=CONTRACT_OPTIONS, chat=False, api_key_file=key_file) as engine:
        yield engine


@pytest.fixture(scope="module")
def chat(address: Address, key_file: Path) -> Iterator[OpenAI]:
    with OpenAI(address, options=CONTRACT_OPTIONS, api_key_file=key_file) as engine:
        yield engine


class TestCompletions(EngineContract):
    """/completions: a prompt goes out as it is."""

    takes_chats = False

    @pytest.fixture
    def engine(self, completions: OpenAI) -> OpenAI:
        return completions

    @pytest.fixture
    def fresh_engine(self, address: Address, key_file: Path) -> OpenAI:
        return OpenAI(address, options=CONTRACT_OPTIONS, chat=False, api_key_file=key_file)


class TestChat(EngineContract):
    """/chat/completions: a prompt goes out as a user's message."""

    is_chat = True

    @pytest.fixture
    def engine(self, chat: OpenAI) -> OpenAI:
        return chat

    @pytest.fixture
    def fresh_engine(self, address: Address, key_file: Path) -> OpenAI:
        return OpenAI(address, options=CONTRACT_OPTIONS, api_key_file=key_file)
