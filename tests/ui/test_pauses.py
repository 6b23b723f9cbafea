"""When a page asks again: soon after every change, and less often while the server has its hands full."""

from __future__ import annotations

from typing import Any

import pytest
from ui_kit import Screen, Served

LIST = "/api/v1/runs?limit=60"
STEP = 25
"""Milliseconds."""


class Asked:
    """The list of runs under a clock that the test moves; ``times`` it was asked for."""

    def __init__(self, screen: Screen) -> None:
        self.times = self._answers = 0
        self._screen = screen
        self._page = screen.page
        screen.hear_from_test()
        self._page.clock.install()
        screen.open("/runs", "order-48213")
        self._page.clock.pause_at(self._page.evaluate("Date.now()") + 10_000)
        self._page.on("request", self._saw)
        self._page.on("requestfinished", self._got)

    def _saw(self, request: Any) -> None:
        self.times += request.url.endswith(LIST)

    def _got(self, request: Any) -> None:
        self._answers += request.url.endswith(LIST)

    def after(self, milliseconds: int) -> int:
        """Lets time pass, in which each answer takes none, and tells how often the list was asked for until then."""
        for _ in range(0, milliseconds, STEP):
            self._page.clock.run_for(STEP)
            self._settle()
            while self._answers < self.times:
                self._settle()
        return self.times

    def _settle(self) -> None:
        """Has the browser do what is there to do."""
        self._page.evaluate("fetch('/health/ready').then((answer) => answer.text())")

    def forget(self) -> None:
        self.times = self._answers = 0

    def tell(self, busy: bool) -> None:
        self._screen.tell_change(busy)


@pytest.fixture
def asked(chromium: Any, served: Served) -> Any:
    screen = Screen(chromium, served.url)
    asked = Asked(screen)
    asked.tell(busy=False)
    asked.after(5000)
    asked.forget()
    yield asked
    screen.close()


def test_every_change_is_asked_for_soon_while_they_keep_coming(asked: Asked) -> None:
    for number in range(1, 12):
        asked.tell(busy=False)
        assert asked.after(200) == number


def test_a_page_stands_back_while_the_server_is_busy(asked: Asked) -> None:
    for _ in range(20):
        asked.tell(busy=True)
        asked.after(200)
    assert 2 <= asked.times <= 6, "four seconds; twenty if it asked after each"


def test_a_page_does_not_stand_back_any_longer_than_the_server_is_busy(asked: Asked) -> None:
    for _ in range(10):
        asked.tell(busy=True)
        asked.after(200)
    before = asked.times
    asked.tell(busy=False)
    assert asked.after(200) == before + 1
