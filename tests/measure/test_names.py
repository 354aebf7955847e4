"""A configuration has one name, in what a run says meanwhile, at its end and afterwards."""

from __future__ import annotations

from typing import Any

from chimera.cli.bench_output import bench_text
from chimera.measure.names import named_options, names_of
from chimera.measure.summary import summarise
from chimera.record.run import Configuration, Options
from tests.measure.samples import REQUEST
from tests.measure.test_summary import a_file


def configurations(*some: tuple[Options, dict[str, Any]]) -> tuple[Configuration, ...]:
    return tuple(
        Configuration(index=i, options=options, **load) for i, (options, load) in enumerate(some)
    )


def test_names_say_what_tells_apart() -> None:
    several = configurations(
        (Options(num_ctx=512, num_thread=2, seed=0), {}),
        (Options(num_ctx=1024, num_thread=2, seed=0), {}),
        (Options(num_thread=2, seed=0), {}),
    )
    assert list(names_of(several).values()) == ["num_ctx=512", "num_ctx=1024", "num_ctx=default"]
    assert names_of(several[:1]) == {0: "num_ctx=512 num_thread=2"}
    assert names_of(configurations((Options(temperature=0.0, seed=0), {}))) == {
        0: "the default configuration"
    }


def test_a_swept_temperature_is_in_the_name() -> None:
    names = names_of(configurations(*((Options(temperature=t), {}) for t in (0.2, 0.8))))
    assert list(names.values()) == ["temperature=0.2", "temperature=0.8"]


def test_a_search_names_options_without_their_loads() -> None:
    rates = [{"arrival": "poisson", "request_rate": r, "concurrency": None} for r in (1.0, 2.0)]
    grid = configurations(*((Options(temperature=t), rate) for t in (0.2, 0.8) for rate in rates))
    assert named_options(grid)[2] == "temperature=0.8"
    assert names_of(grid)[3] == "temperature=0.8 poisson 2/s"


def test_loads_are_named() -> None:
    closed = configurations(*((Options(), {"concurrency": c}) for c in (1, 4)))
    assert list(names_of(closed).values()) == ["concurrency=1", "concurrency=4"]
    rate = {"arrival": "poisson", "request_rate": 2.5, "concurrency": None}
    assert names_of(configurations((Options(), rate))) == {0: "poisson 2.5/s"}


def test_the_end_of_a_run_has_no_other_name() -> None:
    text = bench_text(
        summarise(a_file(REQUEST, configurations=configurations((Options(), {})))), ""
    )
    assert text.count("the default configuration") >= 2
    assert "configuration 0" not in text
    assert "one client" not in text
