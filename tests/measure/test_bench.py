"""A run keeps every request, whatever happens to it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from chimera.engines.base import (
    CompletionRequest,
    Engine,
    ErrorClass,
    Load,
    Options,
    RequestFailed,
)
from chimera.errors import EngineError, InputError, MissingExtra
from chimera.measure.bench import run_bench
from chimera.measure.plan import BenchPlan
from chimera.measure.summary import summarise
from chimera.measure.workloads import open_workload
from chimera.record.runfile import RunFile, read_run
from tests.measure.samples import ScriptedEngine

PLAN = BenchPlan(
    target="llamacpp",
    workload=open_workload("built-in:short,medium"),
    num_ctx=(512, 1024),
    repeats=3,
    max_tokens=2,
)


class Lab:
    """Opens scripted engines and remembers them."""

    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "run.jsonl"
        self.engines: list[ScriptedEngine] = []
        self.progress: list[str] = []

    def open(self, target: str, options: Options) -> Engine:
        engine = ScriptedEngine(options, self.script)
        self.engines.append(engine)
        return engine

    def script(self, number: int, request: CompletionRequest) -> None:
        """What happens at a request; overridden by tests."""

    def run(self, plan: BenchPlan = PLAN) -> RunFile:
        return run_bench(
            plan,
            self.path,
            command="chimera bench",
            open_engine=self.open,
            on_progress=lambda done, planned, text: self.progress.append(
                f"{done}/{planned} {text}"
            ),
        )


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_the_file_holds_what_is_returned(lab: Lab) -> None:
    file = lab.run()
    assert read_run(lab.path) == file
    assert file.end is not None
    assert (file.end.requests, file.end.failed, file.end.planned) == (14, 0, 14)
    assert file.end.stopped == "complete"
    assert [engine.closed for engine in lab.engines] == [True, True]
    assert lab.progress[-1].startswith("14/14")


def test_cold_starts_are_set_apart(lab: Lab) -> None:
    file = lab.run()
    cold = [request for request in file.requests if request.phase == "cold"]
    assert [(r.index, r.configuration, r.repeat) for r in cold] == [(0, 0, 0), (1, 1, 0)]
    assert [start.server_load_ns for start in file.starts] == [7, 7]
    assert [start.num_ctx for start in file.starts] == [512, 1024]
    cells = summarise(file).cells
    assert [(cell.prompt_id, cell.n) for cell in cells] == [("short", 3), ("medium", 3)] * 2


def test_every_repeat_evaluates_the_whole_prompt(lab: Lab) -> None:
    lab.run()
    sent = [request for engine in lab.engines for request in engine.requests]
    assert {(r.cache_prompt, r.ignore_eos, r.max_tokens) for r in sent} == {(False, True, 2)}


def test_a_failed_request_is_recorded_and_the_run_goes_on(lab: Lab) -> None:
    def script(number: int, request: CompletionRequest) -> None:
        if number == 2:
            raise RequestFailed(ErrorClass.CUT_STREAM, "the stream was cut")

    lab.script = script  # type: ignore[method-assign]
    file = lab.run()
    failed = [request for request in file.requests if request.error]
    assert len(failed) == 2
    assert {f.error.error_class for f in failed if f.error} == {ErrorClass.CUT_STREAM}
    assert len(file.requests) == 14
    summary = summarise(file)
    assert (summary.failed, summary.failures) == (2, {"cut_stream": 2})
    assert sum(cell.n for cell in summary.cells) == 10
    assert sum(cell.failed for cell in summary.cells) == 2
    assert read_run(lab.path) == file


def test_the_first_request_that_gets_through_is_the_cold_one(lab: Lab) -> None:
    def script(number: int, request: CompletionRequest) -> None:
        if number == 0:
            raise RequestFailed(ErrorClass.TIMEOUT, "too slow")

    lab.script = script  # type: ignore[method-assign]
    file = lab.run()
    for configuration in (0, 1):
        mine = [r for r in file.requests if r.configuration == configuration]
        assert [r.phase for r in mine[:3]] == ["cold", "cold", "measured"]
        assert mine[1].error is None


def test_an_engine_that_does_not_start_leaves_the_others(lab: Lab, tmp_path: Path) -> None:
    class Broken(ScriptedEngine):
        def start(self) -> Load:
            raise EngineError("no memory")

    def open_engine(target: str, options: Options) -> Engine:
        made = Broken if options.num_ctx == 512 else ScriptedEngine
        return made(options)

    path = tmp_path / "run.jsonl"
    file = run_bench(PLAN, path, command="", open_engine=open_engine)
    assert read_run(path) == file
    assert [start.error.text if start.error else None for start in file.starts] == [
        "no memory",
        None,
    ]
    assert {request.configuration for request in file.requests} == {1}
    assert file.end is not None
    assert (file.end.requests, file.end.planned) == (7, 14)
    assert summarise(file).cold_starts[0].error == "no memory"


@pytest.mark.parametrize("error", [EngineError("no"), MissingExtra("no"), InputError("no")])
def test_nothing_is_written_when_no_engine_starts(lab: Lab, error: Exception) -> None:
    class Broken(ScriptedEngine):
        def start(self) -> Load:
            raise error

    with pytest.raises(type(error), match="no"):
        run_bench(PLAN, lab.path, command="", open_engine=lambda _, options: Broken(options))
    assert not lab.path.exists()


def test_ctrl_c_in_a_request_keeps_what_was_measured(lab: Lab) -> None:
    def script(number: int, request: CompletionRequest) -> None:
        if number == 2:
            signal.raise_signal(signal.SIGINT)

    lab.script = script  # type: ignore[method-assign]
    file = lab.run()
    assert file.end is not None
    assert file.end.stopped == "interrupted"
    assert file.requests[-1].error is not None
    assert file.requests[-1].error.error_class is ErrorClass.CANCELLED
    assert [r.error for r in file.requests[:-1]] == [None] * (len(file.requests) - 1)
    assert read_run(lab.path) == file
    assert all(engine.closed for engine in lab.engines)


def test_ctrl_c_between_requests_loses_nothing(lab: Lab, tmp_path: Path) -> None:
    def on_progress(done: int, planned: int, text: str) -> None:
        if done == 4:
            signal.raise_signal(signal.SIGINT)

    file = run_bench(PLAN, lab.path, command="", open_engine=lab.open, on_progress=on_progress)
    assert [request.error for request in file.requests] == [None] * 4
    assert file.end is not None
    assert file.end.stopped == "interrupted"


def test_ctrl_c_before_the_first_engine_leaves_nothing(lab: Lab) -> None:
    class Slow(ScriptedEngine):
        def start(self) -> Load:
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("the interrupt did not come through")

    with pytest.raises(KeyboardInterrupt):
        run_bench(PLAN, lab.path, command="", open_engine=lambda _, options: Slow(options))
    assert not lab.path.exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_is_never_overwritten(lab: Lab) -> None:
    lab.path.write_text("precious")
    with pytest.raises(InputError, match="holds a run already"):
        lab.run()
    assert lab.path.read_text() == "precious"
    assert lab.engines == []


def test_a_models_folder_is_not_recorded(lab: Lab) -> None:
    plan = BenchPlan(target="llamacpp:/secret/place/m.gguf", workload=PLAN.workload, repeats=1)
    assert lab.run(plan).run.target == "llamacpp:m.gguf"
    assert b"secret" not in lab.path.read_bytes()
