"""What people do: start a run, watch it, read why it stands still, repair it; answer a task; work by keys."""

from __future__ import annotations

import re
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served

from segue.server import histogram


def test_start_watch_repair(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/overview", "Needs a person")
    page.get_by_role("button", name="Start run").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("fulfil", exact=True).click()
    dialog.locator("input:focus").wait_for()
    page.get_by_role("textbox", name="Id", exact=True).fill("order-50013")
    page.get_by_role("textbox", name="Customer").fill("Ada")
    page.get_by_text("AU", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()

    # It fails, undoes what it did, and cannot undo the last of it: all without a reload.
    screen.see("refund could not undo")
    assert "charge ch_3QKd81 is under dispute" in page.get_by_role("alert").inner_text()
    screen.shoot("journey-incident")

    ui_program.SETTLED.add("order-50013")
    page.get_by_role("button", name="Retry refund").click()
    page.get_by_role("dialog").get_by_text("nothing is undone").wait_for()
    page.get_by_role("button", name="Retry", exact=True).click()
    page.locator("h1").get_by_text("Failed").wait_for()
    page.get_by_role("row", name=re.compile("^restore_voucher ?, compensated")).wait_for()
    assert page.get_by_role("alert").count() == 0


def test_answer_a_task(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/tasks", "Approve order-48219")
    page.get_by_role("button", name="Complete and go on").click()
    screen.see("1 field needs attention")
    page.keyboard.press("Escape")
    page.locator("body").click(position={"x": 400, "y": 700})
    page.keyboard.press("1")
    page.get_by_label("Comment", exact=True).fill("a good customer")
    page.keyboard.press("Control+Enter")
    page.get_by_role("heading", name="Approve order-48298").wait_for()

    async def ended(engine: Any) -> Any:
        handle = await engine.handle("order-48219")
        return await handle.result()

    assert served.do(ended)["parcel"] == "DHL-00341"
    screen.open("/tasks?view=done", "a good customer")


def test_nobody_says_no_by_not_looking(screen: Screen, served: Served) -> None:
    """An ``approval`` without a form of its own asks yes or no, and takes neither for granted."""
    page = screen.page

    async def start(engine: Any) -> None:
        await engine.start(ui_program.plainly, id="plainly-1")

    async def ended(engine: Any) -> Any:
        return await (await engine.handle("plainly-1")).result()

    served.do(start)
    screen.open("/tasks", "Deploy?")
    page.get_by_text("Deploy?").click()
    page.get_by_role("button", name="Complete and go on").click()
    screen.see("1 field needs attention")
    assert screen.violations() == []
    page.get_by_role("radio", name="No").check()
    page.get_by_role("button", name="Complete and go on").click()
    assert served.do(ended) is False


def test_a_change_is_seen_without_a_reload(screen: Screen, served: Served) -> None:
    screen.open("/runs", "order-48213")
    served.do(lambda engine: engine.start(ui_program.sync_inventory, 7, id="stock-live"))
    screen.see("stock-live")


def test_new_runs_wait_while_somebody_reads_further_down(screen: Screen, served: Served) -> None:
    async def many(engine: Any) -> None:
        for number in range(80):
            await engine.start(ui_program.sync_inventory, number, id=f"stock-{number:03}")

    served.do(many)
    screen.open("/runs", "stock-079")
    rows = screen.page.get_by_role("rowgroup", name="Runs")
    drawn = screen.page.locator(".rows .rrow").first
    top = drawn.get_attribute("id")
    rows.evaluate("each => { each.scrollTop = 400 }")
    # The place is scrolled before the rows there are drawn.
    screen.page.wait_for_function("top => document.querySelector('.rows .rrow').id !== top", arg=top)
    first = drawn.get_attribute("id")
    served.do(lambda engine: engine.start(ui_program.sync_inventory, 1, id="stock-new"))
    pill = screen.page.get_by_role("button", name="1 new")
    pill.wait_for()
    assert drawn.get_attribute("id") == first
    pill.click()
    screen.see("stock-new")


def test_keys(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/overview", "Needs a person")
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.get_by_role("grid", name="Runs").wait_for()
    page.locator(".rows .rrow").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Space")
    page.get_by_role("complementary").get_by_text("Steps").first.wait_for()
    page.keyboard.press("Enter")
    page.get_by_role("treegrid", name="Timeline").wait_for()
    page.keyboard.press("3")
    page.get_by_role("button", name="Copy as JSON").wait_for()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="Keys").wait_for(state="hidden")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("order-48330")
    page.get_by_role("option", name="order-48330 fulfil").click()
    page.locator("h1").get_by_text("order-48330").wait_for()


def test_what_a_user_wrote_is_text(screen: Screen, served: Served) -> None:
    evil = '<img src=x onerror="document.title=`owned`">'
    order = ui_program.Order(evil, evil, "AU")
    served.do(lambda engine: engine.start(ui_program.fulfil, order, id="evil-1"))

    async def number(engine: Any) -> int:
        return int((await engine.handle("evil-1")).run)

    screen.open(f"/runs/{served.do(number)}", "Failed")
    screen.see("<img src=x")
    assert screen.page.title() == "evil-1 · segue"
    assert screen.page.locator("img").count() == 0


def test_why_a_run_decided_so(screen: Screen, served: Served) -> None:
    page = screen.page

    async def number(engine: Any) -> int:
        handle = await engine.handle("quote-1204")
        await handle.result()
        return int(handle.run)

    run = served.do(number)
    screen.open(f"/runs/{run}", "24.9 by rules 2, 3")
    page.get_by_role("row", name=re.compile("shipping fee ?, completed, 24.9 by rules 2, 3")).click()
    page.get_by_role("complementary").get_by_text("Decided by").wait_for()
    zone = page.get_by_role("group", name="zone, FIRST").get_by_role("row").last
    assert zone.get_by_role("cell").all_inner_texts() == ["2", "FR", "far", "by air"]
    fee = page.get_by_role("group", name="shipping fee, COLLECT +").get_by_role("row")
    assert [row.get_by_role("cell").all_inner_texts() for row in fee.all()[1:]] == [
        ["2", "far", "1500", "9.9"],
        ["3", "far", "1500", "15"],
    ]

    page.keyboard.press("3")
    page.get_by_role("button", name="Full").click()
    page.get_by_role("button", name=re.compile("DecisionEvaluated")).click()
    page.locator(".evopen").get_by_role("group", name="zone, FIRST").wait_for()


def test_a_large_value_is_loaded_on_request(screen: Screen, served: Served) -> None:
    page = screen.page

    async def number(engine: Any) -> int:
        return int((await engine.handle("quote-1204")).run)

    screen.open(f"/runs/{served.do(number)}?step=%2Fcatalogue", "not loaded")
    page.get_by_role("button", name="Load").click()
    page.get_by_role("cell", name="A-00000").wait_for()
    page.get_by_role("button", name="1990 more").click()
    page.get_by_role("cell", name="A-00099").wait_for()


def test_a_child_opens_in_place(screen: Screen, served: Served) -> None:
    page = screen.page

    async def number(engine: Any) -> int:
        handle = await engine.handle("import-crm-7")
        await handle.result()
        return int(handle.run)

    screen.open(f"/runs/{served.do(number)}", "sync_inventory")
    assert page.get_by_role("row", name=re.compile("^catalogue")).count() == 0
    page.get_by_role("button", name="Steps of quote").click()
    page.get_by_role("row", name=re.compile("^catalogue ?, completed")).wait_for()
    page.get_by_role("row", name=re.compile("shipping fee ?, completed, 4.9 by rule 1")).click()
    page.get_by_role("complementary").get_by_text("by road").wait_for()
    page.reload()
    page.get_by_role("complementary").get_by_text("by road").wait_for()
    page.get_by_role("row", name=re.compile("^catalogue ?, completed")).wait_for()
    page.get_by_role("button", name="Steps of quote").click()
    assert page.get_by_role("row", name=re.compile("^catalogue")).count() == 0


def test_how_runs_ended_over_time(screen: Screen, served: Served) -> None:
    page = screen.page

    async def ended(engine: Any) -> None:
        for number in range(6):
            order = ui_program.Order(f"order-7{number}", "Chart", "AU" if number % 2 else "DE")
            try:
                await (await engine.start(ui_program.fulfil, order, id=order.id)).result()
            except Exception:
                assert number % 2

    served.do(ended)
    screen.open("/overview?workflow=fulfil&range=hour", "Finished runs per 2m")
    figures = page.get_by_role("figure")
    counted = figures.first.get_by_role("table", name="Finished runs per 2m").get_by_role("row").all_inner_texts()
    totals = [(int(text.split("Ended ")[1].split()[0]), int(text.split("Failed ")[1])) for text in counted]
    assert sum(failed for _, failed in totals) >= 3
    assert figures.first.locator(".big").inner_text() == str(sum(all for all, _ in totals))
    assert re.fullmatch(r"\d+(\.\d+)? %", figures.nth(1).locator(".big").inner_text())
    assert figures.nth(2).locator(".big").inner_text().startswith("p50 ")

    page.get_by_role("combobox", name="Workflow").select_option("import_crm")
    page.get_by_text("0 % failed").wait_for()
    page.get_by_role("combobox", name="Workflow").select_option("onboard")
    page.get_by_text("n/a failed · last hour").wait_for()  # its one run that has ended was cancelled
    page.get_by_role("link", name="7d").click()
    page.get_by_text("n/a failed · last 7 days").wait_for()
    assert page.url.endswith("?workflow=onboard&range=week")


def test_a_stretch_of_time_narrows_the_list(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "order-48213")
    histogram = page.get_by_role("img", name="Runs by when they began")
    histogram.wait_for()
    box = histogram.bounding_box()
    assert box is not None
    # The first of them began a moment ago, all at once: they stand at the left.
    page.mouse.move(box["x"] + 2, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 12, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile("from=.*to="))
    token = page.get_by_role("button", name=re.compile("^Remove started"))
    token.click()
    page.wait_for_url(re.compile("/runs$"))


def test_a_run_that_has_not_changed_is_not_sent_again(screen: Screen, served: Served) -> None:
    run = served.do(lambda engine: engine.handle("order-48213")).run
    screen.open(f"/runs/{run}", "order-48213")
    with screen.page.expect_response(lambda answer: f"/runs/{run}?plain" in answer.url) as asked:
        served.do(lambda engine: engine.start(ui_program.report, 1))
    assert (asked.value.status, asked.value.request.headers["if-none-match"]) == (304, asked.value.headers["etag"])
    screen.see("order-48213")


def test_bars_that_are_estimated_say_so(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histogram, "MOST_COUNTED", 5)
    screen.open("/runs", "order-48213")
    screen.see("of the runs")
    said = screen.page.get_by_text(re.compile("^Estimated from")).inner_text()
    assert re.fullmatch(r"Estimated from \d+(\.\d+)? % of the runs", said)
    monkeypatch.undo()
    screen.open("/runs?id=order-48213", "order-48213")
    screen.page.get_by_role("img", name="Runs by when they began").wait_for()
    assert screen.page.get_by_text(re.compile("^Estimated from")).count() == 0


def test_a_view_is_saved_and_removed(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "order-48213")
    assert page.get_by_role("button", name="Save view").count() == 0
    page.get_by_role("combobox", name="workflow").select_option("fulfil")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("textbox", name="Name").fill("Orders")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="All").click()
    page.get_by_role("link", name="Orders").click()
    page.wait_for_url(re.compile("workflow=fulfil"))
    page.reload()
    assert page.get_by_role("link", name="Orders").get_attribute("aria-current") == "page"
    page.get_by_role("button", name="Remove the view Orders").click()
    assert page.get_by_role("link", name="Orders").count() == 0


def test_runs_are_found_by_state_and_attribute(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "order-48213")
    page.get_by_role("button", name="Filter").click()
    dialog = page.get_by_role("dialog", name="Filter")
    dialog.get_by_label("Its value").fill("Mira Reuter")
    dialog.get_by_role("button", name="Show these").click()
    dialog.get_by_text("A value needs the name of its attribute").wait_for()
    dialog.get_by_label("Attribute", exact=True).fill("customer")
    dialog.get_by_label("Failed").check()
    dialog.get_by_role("button", name="Show these").click()
    page.get_by_role("button", name="Remove attribute customer=Mira Reuter").wait_for()
    page.get_by_text("1 shown", exact=True).wait_for()
    assert page.locator(".rows .rrow").all_inner_texts()[0].find("order-48330") >= 0
    page.get_by_role("button", name="Remove attribute customer=Mira Reuter").click()
    page.get_by_role("button", name="Remove state failed").click()
    page.wait_for_url(lambda url: url.endswith("/runs"))


def test_runs_of_a_workflow_stand_by_step_and_lead_to_where_it_went_wrong(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/workflows?name=fulfil", "Last runs by step")
    grid = page.get_by_role("group", name="Last runs by step")
    grid.get_by_role("rowheader", name="asks manager").wait_for()
    grid.get_by_role("link", name=re.compile("^refund, Incident, .*order-48213$")).click()
    page.locator("h1").get_by_text("order-48213").wait_for()
    page.get_by_role("complementary").get_by_text("RefundBlocked").first.wait_for()


def test_a_signal_is_sent_by_a_form_of_its_type(screen: Screen, served: Served) -> None:
    page = screen.page

    async def started(engine: Any) -> int:
        handle = await engine.start(ui_program.onboard, "globex", 1, id="onboard-globex")
        return int(handle.run)

    screen.open(f"/runs/{served.do(started)}", "documents_received")
    page.get_by_role("button", name="Signal…").click()
    dialog = page.get_by_role("dialog", name="Send onboard-globex a signal")
    assert dialog.get_by_label("Signal").input_value() == "documents_received"
    dialog.get_by_role("button", name="Send").click()
    dialog.get_by_text("1 field needs attention").wait_for()
    dialog.get_by_role("textbox", name="Value").fill("passport.pdf")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Send").click()
    page.locator("h1").get_by_text("Completed").wait_for()

    async def result(engine: Any) -> Any:
        return await (await engine.handle("onboard-globex")).result()

    assert served.do(result) == ["passport.pdf"]
