"""The embedded engine's own process: how it starts, dies, and never outlives its parent."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chimera.engines.base import CompletionRequest, ErrorClass, Options, RequestFailed
from chimera.engines.embedded_model import embedded_model_path
from chimera.engines.llamacpp import LlamaCpp
from chimera.engines.names import short_quantization
from chimera.engines.targets import open_target
from chimera.errors import ChimeraError, EngineError, InputError, MissingExtra

LONG = CompletionRequest(prompt="Once upon a time", max_tokens=400, ignore_eos=True)

# A parent that starts an engine, says the worker's process id, and waits for its end.
PARENT = """
import sys, threading, time
from chimera.engines import worker_process
from chimera.engines.embedded_model import embedded_model_path
config = {"model": str(embedded_model_path()), "num_ctx": int(sys.argv[1]),
          "num_thread": 1, "num_gpu": None}
if sys.argv[2] == "loading":
    start = worker_process.subprocess.Popen
    def loud(*a, **k):
        process = start(*a, **k)
        print(process.pid, flush=True)
        return process
    worker_process.subprocess.Popen = loud
worker = worker_process.WorkerProcess(config, 60)
if sys.argv[2] == "ready":
    print(worker.pid, flush=True)
time.sleep(60)
"""


def _gone(pid: int) -> bool:
    """Whether a process ends within a while; a zombie has ended."""
    for _ in range(500):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.model
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("when", ["ready", "loading"])
def test_the_worker_ends_with_a_killed_parent(when: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, "512", when], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert _gone(worker)


@pytest.mark.model
def test_a_worker_that_dies_in_a_request_is_named(fresh_engine: LlamaCpp) -> None:
    fresh_engine.start()
    pid = fresh_engine.pid
    assert pid is not None
    began = threading.Event()

    def kill() -> None:
        began.wait()
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(RequestFailed, match="SIGKILL") as caught:
        fresh_engine.complete(LONG, lambda _: began.set())
    killer.join()
    assert caught.value.error_class is ErrorClass.ENGINE_DIED
    assert caught.value.partial is not None
    assert caught.value.partial.text
    with pytest.raises(RequestFailed) as again:
        fresh_engine.complete(LONG)
    assert again.value.error_class is ErrorClass.ENGINE_DIED


@pytest.mark.model
def test_closing_ends_the_worker(fresh_engine: LlamaCpp) -> None:
    fresh_engine.start()
    pid = fresh_engine.pid
    assert pid is not None
    fresh_engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.model
def test_ctrl_c_on_the_terminal_does_not_reach_the_worker(engine: LlamaCpp) -> None:
    pid = engine.pid
    assert pid is not None
    assert os.getpgid(pid) != os.getpgid(0)


@pytest.mark.model
def test_nobody_else_can_use_the_server(engine: LlamaCpp) -> None:
    worker = engine._worker
    assert worker is not None
    port = int(worker.address.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/completion", b'{"prompt":"a"}')
    assert connection.getresponse().status == 401
    connection.close()
    done = engine.complete(CompletionRequest(prompt="a", max_tokens=1))
    assert worker.key not in repr(done)
    assert str(embedded_model_path().parent) not in repr(done)
    assert worker.key not in " ".join(Path(f"/proc/{worker.pid}/cmdline").read_text().split("\0"))


@pytest.mark.model
def test_a_prompt_that_the_server_cut_is_noticed(engine: LlamaCpp) -> None:
    """As if the server had evaluated fewer tokens than it had counted before."""
    request = CompletionRequest(prompt="A prompt of its own", max_tokens=2, ignore_eos=True)
    true = engine.complete(request).prompt_tokens
    assert true is not None
    engine._counts[request.prompt] = true + 1
    with pytest.raises(RequestFailed, match=f"the server used {true}") as caught:
        engine.complete(request)
    assert caught.value.error_class is ErrorClass.PROMPT_CHANGED
    assert caught.value.partial is not None
    del engine._counts[request.prompt]


@pytest.mark.model
def test_the_embedded_model_is_known(engine: LlamaCpp) -> None:
    model = engine.model()
    assert (model.name, model.quantization) == ("gemma-3-270m", "Q4_K_M")
    assert (model.size_bytes, model.parameters) == (253_113_024, 268_098_176)
    assert engine.version


@pytest.mark.model
def test_a_model_file_of_ones_own_is_learnt_from_the_file() -> None:
    path = embedded_model_path()
    with open_target(f"llamacpp:{path}", Options(num_ctx=256)) as own, LlamaCpp() as built_in:
        assert own.model().sha256 == built_in.model().sha256
        assert own.model().quantization == built_in.model().quantization
        assert own.model().name == path.stem


@pytest.mark.model
@pytest.mark.parametrize("content", ["", "not a model " * 100, None])
def test_a_file_that_is_no_model(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "broken.gguf"
    if content is None:
        with embedded_model_path().open("rb") as whole:
            path.write_bytes(whole.read(20_000_000))
    else:
        path.write_text(content)
    with pytest.raises(EngineError, match=r"broken\.gguf cannot be loaded") as caught:
        LlamaCpp(path).start()
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.model
def test_too_little_memory_is_said() -> None:
    """Under a limit of this test's own, so that no machine is brought to its knees."""
    code = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3_000_000_000, 3_000_000_000))
from chimera.cli.main import main
options = ["-s", "num_ctx=3000000", "-s", "num_thread=1", "--workload", "built-in:short"]
sys.exit(main(["bench", *options]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 4
    last = done.stderr.splitlines()[-1]
    assert "not enough memory" in last
    assert "3000000 tokens" in last


def test_a_missing_package_has_its_install_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "xllamacpp.py").write_text("raise ImportError('No module named xllamacpp')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    model = tmp_path / "any.gguf"
    model.touch()
    with pytest.raises(MissingExtra, match=r"pip install 'chimera-lab\[local\]'"):
        LlamaCpp(model).start()


def test_a_worker_that_crashes_has_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = "import os, sys; sys.stderr.write('so long\\n'); sys.stderr.flush(); os.abort()"
    (tmp_path / "xllamacpp.py").write_text(crash)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    model = tmp_path / "any.gguf"
    model.touch()
    with pytest.raises(EngineError, match=r"SIGABRT.*so long"):
        LlamaCpp(model).start()


def test_a_load_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "xllamacpp.py").write_text("import time; time.sleep(60)")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    model = tmp_path / "any.gguf"
    model.touch()
    with pytest.raises(EngineError, match=r"not loaded within 0\.5 s"):
        LlamaCpp(model, start_timeout_s=0.5).start()


@pytest.mark.parametrize("target", ["", "llama", ":", "llamacpp2:x"])
def test_an_unknown_target_names_what_is_allowed(target: str) -> None:
    with pytest.raises(InputError, match=r"llamacpp, llamacpp:/path/model\.gguf"):
        open_target(target)


def test_a_missing_model_file_is_the_users_input() -> None:
    with pytest.raises(InputError, match="no model file"):
        open_target("llamacpp:/no/such/file.gguf")


def test_a_model_that_vanished_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ChimeraError, match="no model file"):
        LlamaCpp(tmp_path / "gone.gguf").start()


def test_quantizations_have_their_usual_names() -> None:
    assert short_quantization("Q4_K - Medium") == "Q4_K_M"
    assert short_quantization("Q3_K - Small") == "Q3_K_S"
    assert short_quantization("Q8_0") == "Q8_0"
    assert short_quantization("IQ2_XXS - 2.0625 bpw") == "IQ2_XXS - 2.0625 bpw"
