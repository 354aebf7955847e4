"""A run keeps every request, whatever happens to it: on a real server over real sockets."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chimera.engines.base import CompletionRequest, Measurable, RequestFailed
from chimera.engines.base import Load as Started
from chimera.engines.wire.call import Call
from chimera.errors import EngineError, InputError, MissingExtra
from chimera.measure.plan import Load
from chimera.measure.progress import Live
from chimera.record.request import ErrorClass
from chimera.record.runfile import read_run
from chimera.testing.mock_server import MockServer
from tests.measure.lab import QUICK, Lab, spoilt, wrapped


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    with MockServer(model=QUICK) as server:
        yield server


@pytest.fixture
def lab(tmp_path: Path, server: MockServer) -> Lab:
    return Lab(tmp_path, server)


def test_the_file_holds_what_is_returned(lab: Lab) -> None:
    file = lab.run()
    assert read_run(lab.path) == file
    assert file.end is not None
    assert (file.end.requests, file.end.failed, file.end.planned) == (7, 0, 7)
    assert file.end.stopped == "complete"
    assert file.run.model.name == QUICK
    assert [request.output_tokens for request in file.requests] == [4] * 7
    assert lab.seen[-1].done == 7


def test_each_repeat_is_a_block_and_the_cold_request_is_apart(lab: Lab) -> None:
    file = lab.run()
    assert [(r.phase, r.repeat) for r in file.requests[:1]] == [("cold", 0)]
    measured = [r for r in file.requests if r.phase == "measured"]
    assert sorted((r.repeat, r.prompt_id) for r in measured) == [
        (repeat, prompt) for repeat in (1, 2, 3) for prompt in ("medium", "short")
    ]
    assert [(b.repeat, b.requests, b.failed, b.stopped) for b in file.blocks] == [
        (repeat, 2, 0, "complete") for repeat in (1, 2, 3)
    ]
    for block in file.blocks:
        mine = [r for r in measured if r.repeat == block.repeat]
        assert block.start_ns == min(r.start_ns for r in mine)
        assert block.end_ns == max(r.end_ns for r in mine)


def test_a_closed_loop_keeps_its_clients_busy_and_no_more(lab: Lab) -> None:
    file = lab.run(lab.plan(loads=(Load("closed", 4),), requests=24, repeats=1))
    measured = [r for r in file.requests if r.phase == "measured"]
    assert len(measured) == 24
    begins = [(r.start_ns, 1) for r in measured]
    ends = [(r.end_ns, -1) for r in measured]
    active = most = 0
    for _, change in sorted(begins + ends):
        active += change
        most = max(most, active)
    assert most == 4
    assert {r.intended_start_ns for r in measured} == {None}


def test_an_open_loop_does_not_wait_for_answers(tmp_path: Path) -> None:
    """40 requests a second to a server that takes 200 ms for each: many are active at once."""
    model = "mock?ttft_ms=200&itl_ms=1&tokens=2"
    with MockServer(model=model) as server:
        lab = Lab(tmp_path, server, model)
        plan = lab.plan(loads=(Load("constant", None, 40.0),), requests=20, repeats=1)
        file = lab.run(plan)
    measured = [r for r in file.requests if r.phase == "measured"]
    intended = [r.intended_start_ns for r in measured]
    assert all(at is not None for at in intended)
    gaps = {b - a for a, b in zip(sorted(intended), sorted(intended)[1:], strict=False)}  # type: ignore[type-var, operator]
    assert gaps == {25_000_000}
    for request in measured:
        assert request.intended_start_ns is not None
        assert request.start_ns >= request.intended_start_ns
    first_end = min(r.end_ns for r in measured)
    assert sum(r.start_ns < first_end for r in measured) > 4
    assert file.end is not None
    assert file.end.client is not None
    assert file.end.client.dispatch_max_ns is not None


def test_time_ends_a_block_where_no_number_does(lab: Lab) -> None:
    file = lab.run(lab.plan(seconds=0.3, repeats=1, loads=(Load("closed", 2),)))
    (block,) = file.blocks
    assert block.requests > 2
    assert block.planned == block.requests
    assert file.end is not None
    assert file.end.stopped == "complete"


def test_repeats_go_on_until_the_interval_is_narrow(lab: Lab) -> None:
    file = lab.run(lab.plan(repeats=3, until_percent=90.0, most_repeats=50))
    assert 3 <= max(block.repeat for block in file.blocks) < 50
    assert file.end is not None
    assert "every interval is within 90%" in file.end.notes[0]


def test_repeats_that_do_not_narrow_it_end_and_say_so(lab: Lab) -> None:
    file = lab.run(lab.plan(repeats=3, until_percent=1e-6, most_repeats=4))
    assert max(block.repeat for block in file.blocks) == 4
    assert file.end is not None
    assert "stopped after 4 repeats, the most allowed" in file.end.notes[0]


def test_the_highest_rate_within_the_limits_is_found(tmp_path: Path) -> None:
    """One answer at a time, 50 ms each: above 20 a second the queue grows without end."""
    model = "mock?ttft_ms=50&itl_ms=0&tokens=1"
    with MockServer(model=model, max_streams=1) as server:
        lab = Lab(tmp_path, server, model)
        rates = tuple(Load("constant", None, rate) for rate in (5.0, 10.0, 15.0, 30.0, 60.0))
        plan = lab.plan(loads=rates, requests=30, repeats=1, search=True, slo={"ttft_s": 0.2})
        file = lab.run(plan)
    assert file.end is not None
    assert (
        "the highest rate that gave 99% of requests with ttft <= 0.2 s is 15" in file.end.notes[0]
    )
    tried = {block.configuration for block in file.blocks}
    assert {2, 3} <= tried


def test_a_request_that_cannot_be_sent_is_recorded_and_the_run_goes_on(lab: Lab) -> None:
    def sabotage(engine: Measurable) -> None:
        prepare, count = engine.prepare, iter(range(100))

        def refuse_some(request: CompletionRequest) -> Call:
            if next(count) == 2:
                raise RequestFailed(ErrorClass.DOES_NOT_FIT, "too long")
            return prepare(request)

        engine.prepare = refuse_some  # type: ignore[method-assign]

    file = lab.run(open_engine=wrapped(sabotage))
    failed = [request for request in file.requests if request.error]
    assert [f.error.error_class for f in failed if f.error] == [ErrorClass.DOES_NOT_FIT]
    assert failed[0].sent_ns is None
    assert len(file.requests) == 7
    assert read_run(lab.path) == file


@pytest.mark.parametrize(
    ("fault", "expected", "status"),
    [
        ("cut", ErrorClass.CUT_STREAM, None),
        ("no_end", ErrorClass.CUT_STREAM, None),
        ("status_429", ErrorClass.HTTP_STATUS, 429),
        ("status_503&body=0", ErrorClass.HTTP_STATUS, 503),
        ("redirect", ErrorClass.REDIRECT, 302),
        ("error_in_stream", ErrorClass.SERVER_ERROR, None),
        ("malformed_sse", ErrorClass.MALFORMED_STREAM, None),
        ("malformed_json", ErrorClass.MALFORMED_STREAM, None),
        ("not_http", ErrorClass.MALFORMED_STREAM, None),
        ("empty", ErrorClass.EMPTY, None),
        ("stall", ErrorClass.STALL, None),
    ],
)
def test_every_fault_is_one_class_and_a_run_without_success_ends(
    tmp_path: Path, server: MockServer, fault: str, expected: ErrorClass, status: int | None
) -> None:
    """The engine starts on a good model; every request that follows asks for the fault."""
    lab = Lab(tmp_path, server)

    file = lab.run(lab.plan(repeats=5, stall_s=0.3), open_engine=spoilt(fault))
    classes = {r.error.error_class for r in file.requests if r.error}
    assert classes == {expected}
    assert {r.error.http_status for r in file.requests if r.error} == {status}
    assert file.end is not None
    assert file.end.failed == file.end.requests
    assert "no request got through" in file.end.notes[0]
    assert max(block.repeat for block in file.blocks) == 1


def test_a_server_that_dies_in_the_run_fails_the_rest(tmp_path: Path) -> None:
    with MockServer(model=QUICK) as server:
        lab = Lab(tmp_path, server)

        def on_progress(live: Live) -> None:
            if live.done >= 3:
                server.kill()

        lab.run(lab.plan(repeats=2, seconds=1.5), on_progress=on_progress)
    file = read_run(lab.path)
    classes = {r.error.error_class for r in file.requests if r.error}
    assert classes <= {ErrorClass.CONNECT, ErrorClass.CUT_STREAM, ErrorClass.CANCELLED}
    assert len(file.requests) < 1000
    assert ErrorClass.CONNECT in classes
    assert sum(r.error is None for r in file.requests) >= 3


def test_an_engine_that_does_not_start_leaves_the_others(lab: Lab) -> None:
    def breaks(engine: Measurable) -> None:
        if engine.options.num_ctx == 512:

            def start() -> Started:
                raise EngineError("no memory")

            engine.start = start  # type: ignore[method-assign]

    plan = lab.plan(grid={"num_ctx": (512, 1024)})
    file = lab.run(plan, open_engine=wrapped(breaks))
    assert [start.error.text if start.error else None for start in file.starts] == [
        "no memory",
        None,
    ]
    assert {request.configuration for request in file.requests} == {1}


@pytest.mark.parametrize("error", [EngineError("no"), MissingExtra("no"), InputError("no")])
def test_nothing_is_written_when_no_engine_starts(lab: Lab, error: Exception) -> None:
    def breaks(engine: Measurable) -> None:
        def start() -> Started:
            raise error

        engine.start = start  # type: ignore[method-assign]

    with pytest.raises(type(error), match="no"):
        lab.run(open_engine=wrapped(breaks))
    assert not lab.path.exists()


def test_ctrl_c_keeps_what_was_measured_and_ends_what_is_in_flight(tmp_path: Path) -> None:
    model = "mock?ttft_ms=700&itl_ms=1&tokens=2"
    with MockServer(model=model) as server:
        lab = Lab(tmp_path, server, model)

        def stop(live: Live) -> None:
            if live.text.startswith("repeat 2"):
                signal.raise_signal(signal.SIGINT)

        file = lab.run(lab.plan(repeats=50), on_progress=stop)
    assert file.end is not None
    assert file.end.stopped == "interrupted"
    assert [r.error for r in file.requests[:-1]] == [None] * (len(file.requests) - 1)
    assert file.requests[-1].error is not None
    assert file.requests[-1].error.error_class is ErrorClass.CANCELLED
    assert file.blocks[-1].stopped == "interrupted"
    assert read_run(lab.path) == file
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_before_the_first_engine_leaves_nothing(lab: Lab) -> None:
    def slow(engine: Measurable) -> None:
        def start() -> Started:
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("the interrupt did not come through")

        engine.start = start  # type: ignore[method-assign]

    with pytest.raises(KeyboardInterrupt):
        lab.run(open_engine=wrapped(slow))
    assert not lab.path.exists()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_is_never_overwritten(lab: Lab) -> None:
    lab.path.write_text("precious")
    with pytest.raises(InputError, match="holds a run already"):
        lab.run()
    assert lab.path.read_text() == "precious"


def test_a_models_folder_is_not_recorded() -> None:
    from chimera.measure.names import without_folder

    assert without_folder("llamacpp:/secret/place/m.gguf") == "llamacpp:m.gguf"
    assert without_folder("openai:m@http://h:1/v1") == "openai:m@http://h:1/v1"
