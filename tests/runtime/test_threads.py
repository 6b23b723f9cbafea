"""Threads that may hang: who has their places, and when they end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from segue.runtime.threads import HANGING, Threads

LONGEST = 10.0
NAME = "segue-these"


class Gate:
    """What holds up calls until it is opened."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.begun = 0

    def pass_through(self, result: int = 0) -> int:
        self.begun += 1
        assert self._open.wait(LONGEST)
        return result

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open()
    until(lambda: alive() == 0)


def alive() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.001)


def hang(threads: Threads, gate: Gate) -> Future[int]:
    """One more call that hangs and that nobody waits for."""
    begun = gate.begun
    future = threads.submit(gate.pass_through)
    until(lambda: gate.begun > begun)
    assert threads.leave(future) is not None
    return future


def test_as_many_are_carried_out_at_once_as_there_are_places(gate: Gate) -> None:
    threads = Threads(2, NAME)
    futures = [threads.submit(gate.pass_through, n) for n in range(5)]
    until(lambda: gate.begun == 2)
    assert [future.running() for future in futures] == [True, True, False, False, False]
    gate.open()
    assert [future.result(LONGEST) for future in futures] == [0, 1, 2, 3, 4]
    assert alive() == 2, "they wait for more"
    assert threads.submit(lambda: alive()).result(LONGEST) == 2
    threads.close()


def test_an_error_is_the_calls_own() -> None:
    threads = Threads(1, NAME)
    failed = threads.submit(lambda: 1 // 0)
    assert isinstance(failed.exception(LONGEST), ZeroDivisionError)
    assert threads.submit(lambda: 3).result(LONGEST) == 3
    threads.close()


def test_one_that_is_cancelled_before_its_turn_is_not_called(gate: Gate) -> None:
    threads = Threads(1, NAME)
    first, second, third = (threads.submit(gate.pass_through, n) for n in range(3))
    until(lambda: gate.begun == 1)
    assert second.cancel()
    gate.open()
    assert (first.result(LONGEST), third.result(LONGEST), gate.begun) == (0, 2, 2)
    threads.close()


def test_the_place_of_one_that_hangs_goes_to_others(gate: Gate) -> None:
    threads = Threads(1, NAME)
    hangs = threads.submit(gate.pass_through)
    waits = threads.submit(lambda: "here")
    until(lambda: gate.begun == 1)
    assert not waits.running()
    place = threads.leave(hangs)
    assert place is not None
    assert place.code is Gate.pass_through.__code__
    assert waits.result(LONGEST) == "here"
    assert (threads.hanging, alive()) == (1, 2)
    gate.open()
    assert hangs.result(LONGEST) == 0
    until(lambda: (threads.hanging, alive()) == (0, 1))
    assert threads.submit(lambda: "still").result(LONGEST) == "still"
    threads.close()


def test_nothing_is_left_of_one_that_has_come_back_or_not_begun(gate: Gate) -> None:
    threads = Threads(1, NAME)
    done = threads.submit(lambda: None)
    done.result(LONGEST)
    runs, waits = threads.submit(gate.pass_through), threads.submit(gate.pass_through)
    until(lambda: gate.begun == 1)
    assert threads.leave(done) is None
    assert threads.leave(waits) is None
    assert threads.leave(runs) is not None
    assert threads.leave(runs) is None, "once"
    assert threads.hanging == 1
    threads.close()


def test_so_many_may_hang_and_no_more(gate: Gate) -> None:
    threads = Threads(1, NAME)
    for _ in range(HANGING):
        hang(threads, gate)
        assert not threads.is_full
    hang(threads, gate)
    assert threads.is_full
    waits = threads.submit(lambda: "at last")
    assert not waits.running()
    gate.open()
    assert waits.result(LONGEST) == "at last"
    until(lambda: threads.hanging == 0)
    threads.close()


def test_closed_it_ends_its_threads_and_begins_nothing_more(gate: Gate) -> None:
    threads = Threads(2, NAME)
    left = hang(threads, gate)
    runs = [threads.submit(gate.pass_through) for _ in range(2)]
    until(lambda: gate.begun == 3)
    waits = threads.submit(gate.pass_through)
    assert threads.under_way() == runs
    threads.close()
    assert (waits.cancelled(), left.running()) == (True, True)
    assert threads.leave(runs[0]) is not None
    with pytest.raises(RuntimeError, match="closed"):
        threads.submit(gate.pass_through)
    assert gate.begun == 3
    gate.open()
    until(lambda: alive() == 0)


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_left_and_cancelled_the_rest_is_carried_out(seed: int) -> None:
    """Calls that take no time or some, of which many are left or cancelled at any moment: each of the others comes to
    its result, and no place is lost."""
    chance, places = random.Random(seed), 3
    threads = Threads(places, NAME)
    futures: list[tuple[int, Future[Any]]] = []
    for n in range(300):
        futures.append((n, threads.submit(_rest, chance.choice((0, 0, 0.001)), n)))
        if chance.random() < 0.3:
            threads.leave(chance.choice(futures)[1])
        if chance.random() < 0.1:
            chance.choice(futures)[1].cancel()
    for n, future in futures:
        assert future.cancelled() or future.result(LONGEST) == n
    until(lambda: threads.hanging == 0)
    gate = Gate()
    at_once = [threads.submit(gate.pass_through) for _ in range(places + 1)]
    until(lambda: gate.begun == places)
    assert [future.running() for future in at_once] == [True] * places + [False]
    gate.open()
    for future in at_once:
        future.result(LONGEST)
    threads.close()
    until(lambda: alive() == 0)


def _rest(seconds: float, result: int) -> int:
    time.sleep(seconds)
    return result
