"""What a person does with a run by hand: holds it, answers a call in its place, forks it, runs it again; looks at what
it has attached."""

from __future__ import annotations

import re
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served


def start(served: Served, id: str, country: str = "AU") -> int:
    order = ui_program.Order(id, "Repair", country)  # type: ignore[arg-type]

    async def begin(engine: Any) -> int:
        return int((await engine.start(ui_program.fulfil, order, id=id)).run)

    return int(served.do(begin))


def test_pause_and_resume(screen: Screen, served: Served) -> None:
    async def begin(engine: Any) -> int:
        return int((await engine.start(ui_program.onboard, "held", id="onboard-held")).run)

    page = screen.page
    screen.open(f"/runs/{served.do(begin)}", "onboard-held")
    page.get_by_role("button", name="Pause…").click()
    page.get_by_label("Reason").fill("the customer is on holiday")
    page.get_by_role("button", name="Pause the run").click()
    page.locator("h1").get_by_text("Paused").wait_for()
    page.get_by_role("button", name="Resume").click()
    page.locator("h1").get_by_text("Paused").wait_for(state="detached")


def test_skip_what_stands_still(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open(f"/runs/{start(served, 'order-70113')}", "refund could not undo")
    inspector = page.get_by_role("complementary", name="Step refund")
    inspector.get_by_role("button", name="Edit input…").wait_for()
    inspector.get_by_role("button", name="Skip…").click()
    page.get_by_label("Result, as JSON").fill("{")
    page.get_by_role("button", name="Skip it").click()
    page.get_by_text("This is not JSON").wait_for()
    page.get_by_label("Result, as JSON").fill("null")
    assert screen.violations() == []
    page.get_by_role("button", name="Skip it").click()
    page.locator("h1").get_by_text("Failed").wait_for()
    assert page.get_by_role("alert").count() == 0


def test_edit_the_input_of_what_stands_still(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open(f"/runs/{start(served, 'order-70213')}", "refund could not undo")
    page.get_by_role("button", name="Edit input…").click()
    arguments = page.get_by_label("Arguments, as JSON by name")
    text = arguments.input_value()
    assert '"order-70213"' in text
    arguments.fill(text.replace("order-70213", "order-70214"))  # whose refund is not blocked
    page.get_by_role("button", name="Give them").click()
    page.get_by_text("Further attempts get these arguments").last.wait_for()
    page.get_by_role("button", name="Retry refund").click()
    page.get_by_role("button", name="Retry", exact=True).click()
    page.locator("h1").get_by_text("Failed").wait_for()


def test_run_again_and_fork(screen: Screen, served: Served) -> None:
    page = screen.page
    run = start(served, "order-70330")
    screen.open(f"/runs/{run}", "Failed")
    page.get_by_role("row", name=re.compile("^print_label ?, ")).click()
    page.get_by_role("button", name="Run again from here…").click()
    dialog = page.get_by_role("dialog", name="Go on from print_label")
    dialog.get_by_text("Runs again", exact=True).wait_for()
    screen.shoot("go-on")
    assert screen.violations() == []
    dialog.get_by_label(re.compile("^Id of the fork")).fill("order-70330-fork")
    dialog.get_by_role("button", name="Fork a new run").click()
    page.locator("h1").get_by_text("order-70330-fork").wait_for()
    assert not page.url.endswith(f"/runs/{run}")

    screen.open(f"/runs/{run}?tab=events&full=true", "RunStarted")
    page.get_by_role("button", name=re.compile("StepCompleted")).first.click()
    page.get_by_role("button", name="Fork from here…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Go on from .* StepCompleted"))
    dialog.get_by_text("Kept", exact=True).wait_for()
    assert dialog.get_by_role("button", name=re.compile("^Run order")).count() == 0  # an event names no step


def test_artifacts(screen: Screen, served: Served) -> None:
    async def number(engine: Any) -> int:
        handle = await engine.handle("report-1")
        await handle.result()
        return int(handle.run)

    page = screen.page
    screen.open(f"/runs/{served.do(number)}?tab=artifacts", "Sales by item")
    table = page.get_by_role("region", name="Sales by item").get_by_role("row")
    assert table.nth(2).get_by_role("cell").all_inner_texts() == ["tea 1", "7"]
    page.get_by_text("sold by ann, <img src=x onerror=alert(1)>").wait_for()
    assert page.get_by_role("link", name="https://example.org/sales").get_attribute("rel") == "noopener noreferrer"
    picture = page.get_by_role("img", name="The curve")
    assert picture.evaluate("each => each.decode().then(() => each.naturalWidth)") == 240
    assert page.get_by_role("progressbar", name="Stages").evaluate("each => each.value / each.max") == pytest.approx(
        2 / 3
    )
