"""Many runs at once: chosen by keys, by the mouse or by the filter; what is done is foreseen, and confirmed."""

from __future__ import annotations

from typing import Any

import ui_program
from ui_kit import Screen, Served

from segue.stores.base import RunFilter


def start(served: Served, prefix: str, count: int) -> None:
    """Runs that wait for a day."""

    async def many(engine: Any) -> None:
        for number in range(count):
            await engine.start(ui_program.sync_inventory, number, True, id=f"{prefix}-{number:02}")

    served.do(many)


def states(served: Served, prefix: str) -> list[str]:
    async def found(engine: Any) -> list[str]:
        return [row.state for row in engine.store.list(RunFilter(id_prefix=prefix))]

    return served.do(found)  # type: ignore[no-any-return]


def settled(screen: Screen, word: str, count: int) -> None:
    """Waits until so many rows of the list are in a state."""
    screen.page.locator(".rows .rrow", has_text=word).nth(count - 1).wait_for()


def test_runs_are_chosen_by_keys_and_paused(screen: Screen, served: Served) -> None:
    start(served, "keyed", 4)
    page = screen.page
    screen.open("/runs?id=keyed", "keyed-03")
    page.get_by_role("checkbox", name="Select keyed-03").wait_for()  # who may choose is known a moment after the list
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    bar = page.get_by_role("toolbar", name="3 selected")
    bar.get_by_role("button", name="Pause…").click()
    dialog = page.get_by_role("dialog", name="Pause 3 runs?")
    dialog.get_by_label("Reason").fill("stocktaking")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Pause 3 runs").click()
    dialog.wait_for(state="hidden")
    page.get_by_text("stocktaking").nth(2).wait_for()
    assert sorted(states(served, "keyed")) == ["paused", "paused", "paused", "waiting"]


def test_all_that_match_are_chosen_and_what_cannot_be_done_is_said(screen: Screen, served: Served) -> None:
    start(served, "matching", 3)
    page = screen.page
    screen.open("/runs?id=matching", "matching-02")
    page.get_by_role("checkbox", name="Select matching-01").check()
    page.get_by_role("button", name="Pause…").click()
    dialog = page.get_by_role("dialog", name="Pause 1 run?")
    dialog.get_by_role("button", name="Pause 1 run").click()
    dialog.wait_for(state="hidden")
    page.get_by_role("checkbox", name="Select matching-01").check()
    page.get_by_role("button", name="Select all that match").click()
    bar = page.get_by_role("toolbar", name="All that match are selected")
    bar.get_by_role("button", name="Resume…").click()
    dialog = page.get_by_role("dialog", name="Resume 3 runs?")
    dialog.get_by_text("Possible with 1 of 3").wait_for()
    dialog.get_by_text("nobody paused it").first.wait_for()
    dialog.get_by_role("button", name="Resume 1 run").click()
    dialog.get_by_text("Done with 1 of 3").wait_for()
    dialog.get_by_role("button", name="Close").last.click()
    settled(screen, "Waiting", 3)


def test_nothing_chooses_every_run_there_is(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "order-48213")
    page.get_by_role("checkbox", name="Select all that are shown").check()
    page.get_by_role("toolbar").get_by_role("button", name="Terminate…").wait_for()
    assert page.get_by_role("button", name="Select all that match").count() == 0
    page.keyboard.press("Escape")
    page.get_by_role("toolbar").wait_for(state="hidden")


def test_more_than_twenty_are_ended_only_by_typing_their_number(screen: Screen, served: Served) -> None:
    start(served, "ending", 22)
    page = screen.page
    screen.open("/runs?id=ending", "ending-21")
    page.get_by_role("checkbox", name="Select ending-21").check()
    page.get_by_role("button", name="Select all that match").click()
    page.get_by_role("button", name="Terminate…").click()
    dialog = page.get_by_role("dialog", name="Terminate 22 runs?")
    dialog.get_by_text("nothing is undone").wait_for()
    confirm = dialog.get_by_role("button", name="Terminate 22 runs")
    assert confirm.is_disabled()
    dialog.get_by_label("Type 22 to confirm").fill("22")
    confirm.click()
    dialog.wait_for(state="hidden")
    settled(screen, "Terminated", 22)
    assert states(served, "ending") == ["terminated"] * 22
