"""Many things at the same time: how many, how large, and what a failure of one of them, or of all, comes to."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from segue.errors import StoreUnavailable
from segue.runtime.fetching import Side
from segue.runtime.several import BYTES, IN_A_ROW, MOST, PutOff, Several, Together

PATIENCE = 30.0
"""Seconds that a thread waits for others which have to come."""
LINGERS = 0.1
"""Seconds that it waits for others which must not: whoever came would be seen."""


class Work:
    """What is done with each thing: notes how many are under way. Those in ``fails`` fail, those in ``alone`` linger,
    so that whoever came would be seen; with ``meet`` so many are to be under way at once, but for the first."""

    def __init__(self, *, fails: Iterable[int] = (), alone: Iterable[int] = (), meet: int = 0) -> None:
        self.begun: list[int] = []
        self.most = 0
        self._fails = set(fails)
        self._alone = set(alone)
        self._meet = threading.Barrier(meet) if meet else None
        self._lock = threading.Lock()
        self._now = 0

    def __call__(self, thing: int) -> None:
        with self._lock:
            self.begun.append(thing)
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            if self._meet is not None and thing > 0:
                self._meet.wait(PATIENCE)
            if thing in self._alone:
                threading.Event().wait(LINGERS)
            if thing in self._fails:
                raise StoreUnavailable(f"{thing} fails")
        finally:
            with self._lock:
                self._now -= 1


@pytest.fixture
def several() -> Several[int]:
    return Several(Side(MOST), lambda: True)


def small(*things: int) -> list[tuple[int, int]]:
    return [(thing, 1) for thing in things]


def test_once_one_has_gone_well_several_go_at_the_same_time_and_no_more(several: Several[int]) -> None:
    work = Work(meet=MOST)
    several.each(small(*range(2 * MOST + 1)), work)
    assert sorted(work.begun) == list(range(2 * MOST + 1))
    assert (work.begun[0], work.most) == (0, MOST)
    several.check()


def test_what_is_away_is_asked_as_often_as_by_one_thread(several: Several[int]) -> None:
    work = Work(fails=range(100), alone=range(100))
    with pytest.raises(StoreUnavailable):
        several.each(small(*range(100)), work)
    assert (work.begun, work.most) == (list(range(IN_A_ROW)), 1)


def test_what_goes_away_in_the_middle_is_asked_by_nobody_who_was_not_on_the_way(several: Several[int]) -> None:
    work = Work(fails=range(1, 100), meet=MOST)
    with pytest.raises(StoreUnavailable):
        several.each(small(*range(100)), work)
    assert sorted(work.begun) == list(range(MOST + 1))
    assert several.failed == set(range(1, MOST + 1))


def test_after_a_failure_one_goes_alone_again(several: Several[int]) -> None:
    work = Work(fails=[1], alone=[2])
    several.each([(0, BYTES), (1, BYTES), (2, 1), (3, 1)], work)
    assert (work.begun, work.most) == ([0, 1, 2, 3], 1)


def test_one_that_fails_keeps_no_other_from_going(several: Several[int]) -> None:
    work = Work(fails=[7])
    several.each(small(*range(50)), work)
    assert sorted(work.begun) == list(range(50))
    assert several.failed == {7}
    with pytest.raises(StoreUnavailable, match="7 fails"):
        several.check()


def test_what_is_large_waits_until_there_is_room(several: Several[int]) -> None:
    work = Work(alone=range(7))
    several.each([(n, BYTES // 2 + 1) for n in range(5)], work)
    several.each([(5, 3 * BYTES), (6, 1)], work)
    assert (work.begun, work.most) == (list(range(7)), 1)


def test_two_that_have_room_go_together(several: Several[int]) -> None:
    work = Work(meet=2)
    several.each([(n, BYTES // 2) for n in range(5)], work)
    assert (sorted(work.begun), work.most) == (list(range(5)), 2)


def test_nothing_is_begun_once_it_does_not_go_on() -> None:
    work = Work()
    Several(Side(MOST), lambda: len(work.begun) < 3).each(small(*range(50)), work)
    assert 3 <= len(work.begun) < 3 + MOST


def test_what_nobody_expected_is_raised_when_nothing_is_under_way_any_more(several: Several[int]) -> None:
    both = threading.Barrier(2)
    ended: list[int] = []

    def do(thing: int) -> None:
        if thing:
            both.wait(PATIENCE)
        if thing == 1:
            raise KeyError("a defect")
        if thing == 2:
            threading.Event().wait(LINGERS)
        ended.append(thing)

    with pytest.raises(KeyError, match="a defect"):
        several.each(small(0, 1, 2), do)
    assert ended == [0, 2]


def test_what_fails_is_left_alone_for_twice_as_long_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    put_off: PutOff[str] = PutOff(2.0, 5.0)
    assert (bool(put_off), put_off.waiting()) == (False, set())

    for pause in (2.0, 4.0, 5.0, 5.0):
        put_off.tried(put_off.waiting(), {"bad"})
        now += pause - 0.1
        assert (bool(put_off), put_off.waiting()) == (True, {"bad"})
        put_off.tried(put_off.waiting(), set())  # a round without it changes nothing
        now += 0.1
        assert (bool(put_off), put_off.waiting()) == (True, set())

    put_off.tried(put_off.waiting(), {"other"})  # it was tried as well, and has gone well
    assert put_off.waiting() == {"other"}
    put_off.tried(put_off.waiting(), {"bad"})
    now += 2.0
    assert put_off.waiting() == set(), "it begins anew"


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


class Bytes:
    """Stands for those of a value."""


@contextmanager
def no_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_the_bytes_of_what_failed_are_gone_with_the_error(several: Several[int]) -> None:
    held: list[weakref.ref[Bytes]] = []

    def refuses(thing: int) -> None:
        raise StoreUnavailable("the database does not answer")

    asks = Together[int, None](lambda asked: [refuses(each) for each in asked], threading.Lock())

    def do(thing: int) -> None:
        data = Bytes()
        held.append(weakref.ref(data))
        asks(thing)

    with no_collector():
        with suppress(StoreUnavailable):
            several.each(small(0, 1, 2), do)
        wait_for(lambda: [each() for each in held] == [None] * IN_A_ROW)


# --- asked together -----------------------------------------------------------------------------------------------


def at_once(together: Together[int, int], count: int, turn: threading.Lock) -> list[Any]:
    """What so many threads have of it that all come while it is somebody else's turn."""
    answers: list[Any] = [None] * count

    def ask(n: int) -> None:
        try:
            answers[n] = together(n)
        except StoreUnavailable as error:
            answers[n] = str(error)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(count)]
    with turn:
        for thread in threads:
            thread.start()
        wait_for(lambda: len(together._waiting) == count)
    for thread in threads:
        thread.join(PATIENCE)
    return answers


def test_what_several_ask_for_is_answered_to_each() -> None:
    asked: list[list[int]] = []
    turn = threading.Lock()

    def double(numbers: list[int]) -> list[int]:
        assert turn.locked()
        asked.append(numbers)
        return [2 * n for n in numbers]

    together = Together(double, turn)
    assert at_once(together, 20, turn) == [2 * n for n in range(20)]
    assert [sorted(numbers) for numbers in asked] == [list(range(20))]
    assert together(21) == 42


def test_what_is_raised_is_raised_for_each() -> None:
    turn = threading.Lock()

    def refuse(numbers: list[int]) -> list[int]:
        raise StoreUnavailable("it is away")

    assert at_once(Together(refuse, turn), 5, turn) == ["it is away"] * 5
