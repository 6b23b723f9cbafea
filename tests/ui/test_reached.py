"""What is chosen is seen: with the keys alone, and in colours that the system forces."""

from __future__ import annotations

from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served

INSIDE = """([list, option]) => {
    const [outer, inner] = [list.getBoundingClientRect(), option.getBoundingClientRect()]
    return inner.top >= outer.top && inner.bottom <= outer.bottom
}"""


@pytest.fixture
def forced(screen: Screen) -> Any:
    screen.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    return screen.page


def test_the_palette_follows_the_keys(screen: Screen) -> None:
    page = screen.page
    page.set_viewport_size({"width": 720, "height": 360})
    screen.open("/runs", "Completed")
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog").get_by_role("listbox")
    palette.get_by_role("option", name="Settings").wait_for()
    palette.get_by_role("option").nth(2).hover()  # where the pointer rests, options pass beneath it
    for _ in range(30):  # more than there are, whatever is still to come above
        page.keyboard.press("ArrowDown")
    last = palette.locator("[aria-selected=true]").filter(has_text="Settings")
    last.wait_for()
    page.wait_for_function(INSIDE, arg=[palette.element_handle(), last.element_handle()])
    assert page.get_by_role("dialog").get_by_role("combobox").get_attribute(
        "aria-activedescendant"
    ) == last.get_attribute("id")


def test_one_tab_stands_out_in_forced_colours(forced: Any, screen: Screen) -> None:
    screen.open("/runs?view=failed", "Failed")
    lines = forced.locator(".tabs a").evaluate_all(
        "(tabs) => tabs.map((tab) => [tab.hasAttribute('aria-current'), getComputedStyle(tab).borderBottomColor])"
    )
    (current,) = {colour for chosen, colour in lines if chosen}
    assert current not in {colour for chosen, colour in lines if not chosen}


def test_what_is_chosen_has_an_outline_in_forced_colours(forced: Any, screen: Screen, served: Served) -> None:
    async def number(engine: Any) -> int:
        return int((await engine.handle("order-48213")).run)

    screen.open(f"/runs/{served.do(number)}", "refund could not undo")
    row = forced.locator(".tlrow.cur")
    row.wait_for()
    assert row.evaluate("(row) => getComputedStyle(row).outlineStyle") == "solid"
    screen.shoot("run-forced-colours")


def test_settings_scroll_by_the_keys(screen: Screen) -> None:
    screen.page.set_viewport_size({"width": 375, "height": 400})
    screen.open("/settings", "You may")
    assert screen.violations() == []


def asked_by_keys_to_cancel(screen: Screen, served: Served, id: str) -> int:
    """The run whose page asks whether it is to be cancelled."""
    page = screen.page
    run: int = served.do(lambda engine: engine.start(ui_program.onboard, id, id=id)).run
    screen.open(f"/runs/{run}", id)
    page.get_by_role("button", name="Cancel…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    return run


def test_the_keys_stay_on_the_page_when_their_button_goes(screen: Screen, served: Served) -> None:
    page = screen.page
    asked_by_keys_to_cancel(screen, served, "onboard-keys")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel the run").focus()
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    page.get_by_role("button", name="Cancel…").wait_for(state="detached")
    page.locator("#content:focus").wait_for()


def test_the_keys_go_to_the_page_from_a_dialog_whose_button_is_gone(screen: Screen, served: Served) -> None:
    page = screen.page
    run = asked_by_keys_to_cancel(screen, served, "onboard-gone")
    served.do(lambda engine: engine.cancel(run))
    page.get_by_role("button", name="Cancel…").wait_for(state="detached")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.locator("#content:focus").wait_for()


def test_the_key_for_starting_leads_to_the_first_choice(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "Completed")
    page.get_by_role("button", name="Start run").wait_for()
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog")
    screen.wait_for_focus(dialog.get_by_role("button", name="daily_etl"))
    page.keyboard.press("Enter")
    screen.wait_for_focus(dialog.get_by_role("textbox", name="Days"))
