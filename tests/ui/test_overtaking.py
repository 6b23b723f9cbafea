"""Answers that are late: what was asked before a change, and is answered after the news of it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served

pytestmark = pytest.mark.xdist_group("screens")


class Held:
    """The next request of a kind: it waits until the test lets it go."""

    def __init__(self, page: Any, method: str, address: str) -> None:
        self._page = page
        self._method = method
        self._found: list[Any] = []
        page.route(re.compile(address), self._hold)

    def _hold(self, route: Any) -> None:
        if self._found or route.request.method != self._method:
            route.continue_()
        else:
            self._found.append(route)

    @property
    def route(self) -> Any:
        for _ in range(5_000):
            if self._found:
                return self._found[0]
            self._page.evaluate("0")  # what the browser says is heard while it is asked something
        raise AssertionError(f"nobody sent a {self._method}")


def test_a_first_answer_from_before_a_change_is_not_the_last(screen: Screen, served: Served) -> None:
    page = screen.page
    newest = Held(page, "GET", r"/api/v1/runs\?limit=60$")
    screen.open("/runs", "order-48213")  # it needs a person: the server is asked for it beside the others
    before = newest.route.fetch()
    with page.expect_response(re.compile(r"/api/v1/runs\?state=incident&limit=20$")):
        served.do(lambda engine: engine.start(ui_program.sync_inventory, 1, id="stock-overtaking"))
    newest.route.fulfill(response=before)
    screen.see("stock-overtaking")


def test_what_is_typed_after_a_comment_was_sent_stays(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/tasks", "Approve order-48219")
    comment = page.get_by_role("textbox", name="Add a comment")
    sent = Held(page, "POST", r"/comments$")
    comment.fill("It is there.")
    page.get_by_role("button", name="Comment", exact=True).click()
    assert sent.route.request.post_data_json == {"text": "It is there."}
    comment.press_sequentially(" And more")
    sent.route.continue_()
    page.get_by_role("complementary").get_by_text("It is there.").wait_for()
    screen.wait_for_value(comment, " And more")
