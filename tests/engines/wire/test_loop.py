"""The loop by itself: timers, work for quiet moments, waking."""

from __future__ import annotations

import gc
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from chimera.engines.wire import loop as loop_module
from chimera.engines.wire.loop import READ, Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    with closing(Loop()) as loop:
        yield loop


def busy(loop: Loop) -> socket.socket:
    """A socket that is always ready to be read: load without end."""
    ours, theirs = socket.socketpair()
    theirs.send(b"x")
    theirs.detach()
    loop.listen(ours, READ, lambda _: None)
    return ours


def test_timers_are_done_in_their_order(loop: Loop) -> None:
    done: list[str] = []
    now = time.monotonic_ns()
    loop.at(now + 20_000_000, lambda: done.append("last"))
    loop.at(now + 10_000_000, lambda: done.append("second"))
    loop.at(now + 10_000_000, lambda: done.append("third"))
    loop.at(0, lambda: done.append("first"))
    loop.run(lambda: len(done) == 4)
    assert done == ["first", "second", "third", "last"]
    assert time.monotonic_ns() >= now + 20_000_000


def test_a_timer_that_sets_itself_anew_does_not_keep_the_loop(loop: Loop) -> None:
    turns: list[int] = []

    def again() -> None:
        turns.append(1)
        loop.at(0, again)

    again()
    loop.run(lambda: len(turns) >= 5)
    assert len(turns) == 5


def test_what_waits_is_done_when_it_is_quiet(loop: Loop) -> None:
    done: list[int] = []
    for n in range(5):
        loop.later(lambda n=n: done.append(n))  # type: ignore[misc]
    begun = time.monotonic_ns()
    loop.run(lambda: len(done) == 5)
    assert done == [0, 1, 2, 3, 4]
    assert time.monotonic_ns() - begun < loop_module._LONGEST_WAIT_NS * 10


def test_what_waits_is_done_under_load_as_well(loop: Loop) -> None:
    done: list[int] = []
    with busy(loop):
        begun = time.monotonic_ns()
        for n in range(3):
            loop.later(lambda n=n: done.append(n))  # type: ignore[misc]
        until = begun + loop_module._LONGEST_WAIT_NS // 2
        loop.run(lambda: time.monotonic_ns() > until or bool(done))
        first_ns = time.monotonic_ns() - begun
        loop.run(lambda: len(done) == 3)
        waited = time.monotonic_ns() - begun
    assert done == [0, 1, 2]
    assert first_ns >= loop_module._LONGEST_WAIT_NS // 2  # load comes first ...
    assert waited >= loop_module._LONGEST_WAIT_NS  # ... but not for ever


def test_much_that_waits_is_done_at_once_under_load(loop: Loop) -> None:
    done: list[int] = []
    with busy(loop):
        for n in range(100):
            loop.later(lambda n=n: done.append(n))  # type: ignore[misc]
        loop.run(lambda: len(done) >= 100 - loop_module._MOST_WAITING)
    assert done == list(range(len(done)))


def test_settle_does_what_waits_and_what_that_adds(loop: Loop) -> None:
    done: list[str] = []
    loop.later(lambda: loop.later(lambda: done.append("added")))
    loop.settle()
    assert done == ["added"]


def test_wake_from_another_thread(loop: Loop) -> None:
    stop: list[int] = []

    def waker() -> None:
        time.sleep(0.05)
        stop.append(1)
        loop.wake()

    thread = threading.Thread(target=waker)
    thread.start()
    loop.run(lambda: bool(stop))  # nothing else would end the wait
    thread.join()


def test_waking_again_and_again_blocks_nobody(loop: Loop) -> None:
    for _ in range(100_000):  # more than a socket holds
        loop.wake()
    turns = 0

    def done() -> bool:
        nonlocal turns
        turns += 1
        return turns > 3

    loop.run(done)


def test_waking_a_closed_loop_is_no_error() -> None:
    loop = Loop()
    loop.close()
    loop.wake()


def test_what_is_ignored_calls_nobody(loop: Loop) -> None:
    with busy(loop) as ours:
        loop.ignore(ours)
        loop.ignore(ours)
        until = time.monotonic_ns() + 10_000_000
        loop.listen(ours, READ, lambda _: pytest.fail("called"))
        loop.ignore(ours)
        loop.at(until, lambda: None)
        loop.run(lambda: time.monotonic_ns() > until)


def test_garbage_is_collected_again_afterwards(loop: Loop) -> None:
    seen: list[bool] = []
    loop.at(0, lambda: seen.append(gc.isenabled()))
    loop.run(lambda: bool(seen))
    assert (seen, gc.isenabled()) == ([False], True)
    with pytest.raises(ZeroDivisionError):
        loop.run(lambda: bool(1 / 0))
    assert gc.isenabled()
