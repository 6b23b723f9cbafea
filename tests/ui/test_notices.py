"""What is said of what somebody has asked for is seen and read out, whatever is open over the page."""

from __future__ import annotations

from typing import Any

from ui_kit import Screen

IN_FRONT = """(notice) => {
    const { left, top, width, height } = notice.getBoundingClientRect()
    return notice.contains(document.elementFromPoint(left + width / 2, top + height / 2))
}"""


def wait_in_front(page: Any, notice: Any) -> None:
    """Nothing covers it: what is behind a dialog is dimmed, and no screen reader tells it."""
    notice.wait_for()
    page.wait_for_function(IN_FRONT, arg=notice.element_handle())


def test_a_refusal_is_said_in_front_of_the_dialog_that_stays_open(screen: Screen) -> None:
    page = screen.page
    screen.open("/workflows?name=sync_inventory", "Last runs by step")
    page.get_by_role("button", name="Start…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Run id").fill("stock-14:36")
    dialog.get_by_role("textbox", name="Rows").fill("7")
    dialog.get_by_role("button", name="Start", exact=True).click()
    notice = dialog.get_by_role("status").get_by_text("stock-14:36")
    wait_in_front(page, notice)
    assert page.get_by_role("status").get_by_text("stock-14:36").count() == 1
    dialog.get_by_role("button", name="Back").click()
    dialog.wait_for(state="detached")
    wait_in_front(page, page.get_by_role("status").get_by_text("stock-14:36"))
    screen.errors.clear()  # the browser complains of the answer's status, as it should
