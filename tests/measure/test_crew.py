"""What several processes share: nothing twice, nothing lost, and nobody waits for nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from chimera.measure.blocks import Share
from chimera.measure.crew import split
from chimera.measure.plan import Load
from chimera.testing.mock_server import MockServer
from tests.measure.lab import QUICK, Lab

places = st.lists(st.integers(0, 50), max_size=200)
parts = st.integers(1, 64)


@given(places, st.integers(1, 100), parts)
def test_each_request_and_client_of_a_closed_loop_is_in_one_part(
    asked: list[int], clients: int, count: int
) -> None:
    found = split(Share(asked, clients, None, 7, 9), count)
    assert len(found) == count
    assert sum(part.clients for part in found) == clients
    assert Counter(p for part in found for p in part.places or ()) == Counter(asked)
    assert all((part.zero_ns, part.until_ns, part.starts_ns) == (7, 9, None) for part in found)
    # Requests that nobody sends would never end, and each client has as many as another.
    assert all(part.clients for part in found if part.places)
    each = [len(part.places or ()) / part.clients for part in found if part.clients]
    assert max(each) - min(each) <= 1


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10**12))), parts)
def test_each_request_of_an_open_loop_keeps_its_time(
    asked: list[tuple[int, int]], count: int
) -> None:
    share = Share([place for place, _ in asked], 0, [start for _, start in asked], 7)
    found = split(share, count)
    pairs = [
        pair for part in found for pair in zip(part.places or (), part.starts_ns or (), strict=True)
    ]
    assert Counter(pairs) == Counter(asked)
    sizes = [len(part.places or ()) for part in found]
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 100), parts)
def test_a_block_that_its_time_ends_has_no_end_in_any_part(clients: int, count: int) -> None:
    found = split(Share(None, clients, None, 7, 9), count)
    assert sum(part.clients for part in found) == clients
    assert {part.places for part in found} == {None}


def test_more_processes_than_clients_end_as_well(tmp_path: Path) -> None:
    with MockServer(model=QUICK) as server:
        lab = Lab(tmp_path, server)
        one = (Load("closed", 1),)
        file = lab.run(lab.plan(loads=one, requests=4, repeats=1, processes=3))
        assert [block.requests for block in file.blocks] == [4]
        lab.path.unlink()
        file = lab.run(lab.plan(loads=one, seconds=0.3, repeats=1, processes=3))
        assert file.blocks[0].requests > 0
    assert {request.error for request in file.requests} == {None}
