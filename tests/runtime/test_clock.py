"""The clock of a database, as whoever shares it knows it."""

from __future__ import annotations

import threading

from segue.errors import StoreUnavailable
from segue.runtime.clock import FRESH, SharedClock


class Far:
    """A database whose clock is ``ahead`` of what passes here, and answers after ``way`` there and ``back``."""

    def __init__(self, ahead: int, way: int = 0, back: int = 0) -> None:
        self.passed, self.ahead, self.way, self.back = 1_000, ahead, way, back
        self.reachable = True
        self.asked = threading.Event()

    def ask(self) -> int:
        self.asked.set()
        if not self.reachable:
            raise StoreUnavailable("the test says so")
        self.passed += self.way
        said = self.passed + self.ahead
        self.passed += self.back
        return said

    def clock(self) -> SharedClock:
        return SharedClock(self.ask, passed=lambda: self.passed)


def test_it_tells_the_databases_time() -> None:
    far = Far(5_000_000)
    clock = far.clock()
    far.passed += 70
    assert clock.now() == 5_001_070


def test_what_an_answer_does_not_disprove_is_not_moved() -> None:
    far = Far(1_000_000, way=100, back=300)
    clock = far.clock()
    first = clock.now() - far.passed
    assert abs(first - far.ahead) <= 200, "half of the way there and back"
    far.way, far.back = 4_000, 150
    clock.renew()
    assert clock.now() - far.passed == first
    far.way, far.back = 10, 10
    clock.renew()
    assert abs(clock.now() - far.passed - far.ahead) <= 10


def test_a_server_whose_clock_is_set_is_followed() -> None:
    far = Far(0)
    clock = far.clock()
    far.ahead = -9_000_000
    clock.renew()
    assert clock.now() == far.passed - 9_000_000


def test_it_goes_on_while_the_server_is_away() -> None:
    far = Far(77)
    clock = far.clock()
    far.reachable = False
    far.passed += 10
    clock.renew()
    assert clock.now() == far.passed + 77


def test_it_asks_again_when_what_it_knows_is_old_and_keeps_nobody_waiting() -> None:
    far = Far(77)
    clock = far.clock()
    far.asked.clear()
    far.passed += FRESH - 1
    clock.now()
    assert not far.asked.is_set()
    far.passed += 1
    clock.now()
    assert far.asked.wait(30)
