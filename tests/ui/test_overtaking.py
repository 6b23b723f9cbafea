"""Answers that are late: what was asked before a change, and is answered after the news of it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served, show_schedule, until_asked


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
        until = time.monotonic() + 20
        while not self._found:
            assert time.monotonic() < until, f"nobody sent a {self._method}"
            self._page.evaluate("0")  # what the browser says is heard while it is asked something
        return self._found[0]


def asked(served: Served, id: str) -> None:
    served.do(lambda engine: engine.start(ui_program.plainly, id=id))
    until_asked(served, id)


def asked_for(screen: Screen, served: Served, id: str) -> None:
    """What a run asks is answered on its page with yes, and not sent."""
    asked(served, id)
    screen.open("/tasks", id)
    screen.page.get_by_role("link", name=re.compile(id)).click()
    screen.page.get_by_role("radio", name="Yes").check()


def answered(screen: Screen, served: Served, id: str) -> Held:
    """What a run asks is answered on its page; the answer is on its way until it is let go."""
    page = screen.page
    asked_for(screen, served, id)
    sent = Held(page, "POST", r"/complete$")
    page.get_by_role("button", name="Complete and go on").click()
    return sent


def test_a_first_answer_from_before_a_change_is_not_the_last(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.hear_from_test()
    newest = Held(page, "GET", r"/api/v1/runs\?limit=60$")
    screen.open("/runs", "order-48213")  # it needs a person: the server is asked for it beside the others
    before = newest.route.fetch()
    served.do(lambda engine: engine.start(ui_program.sync_inventory, 1, id="stock-overtaking"))
    with page.expect_response(re.compile(r"/api/v1/runs\?state=incident&limit=20$")):
        screen.tell_change()
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


def test_ones_own_tasks_are_asked_for_when_it_is_known_whose(screen: Screen, served: Served) -> None:
    page = screen.page
    session = Held(page, "GET", r"/session$")
    lists: list[str] = []
    page.on("request", lambda request: lists.append(request.url) if "/api/v1/tasks?" in request.url else None)
    page.goto("/tasks?view=mine", wait_until="domcontentloaded")
    page.get_by_role("link", name="Claimed by you").wait_for()
    session.route.continue_()
    screen.see("You have claimed no task")
    assert [url for url in lists if "claimed_by=you" not in url] == []


def test_whoever_has_gone_elsewhere_is_not_called_back_by_an_answered_task(screen: Screen, served: Served) -> None:
    page = screen.page
    sent = answered(screen, served, "plainly-gone")
    page.get_by_role("link", name="Workers").click()
    page.get_by_role("heading", name="Workers").wait_for()
    sent.route.continue_()
    screen.see("Answered: Deploy?")
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("/workers")


def test_a_task_stays_until_ones_own_answer_is_in(screen: Screen, served: Served) -> None:
    """The list has gone on before the server's answer to it is here."""
    page = screen.page
    sent = answered(screen, served, "plainly-kept")
    taken = sent.route.fetch()
    page.get_by_role("link", name="Deploy? plainly-kept").wait_for(state="detached")
    assert page.get_by_text("The run no longer needs an answer.").count() == 0
    assert page.get_by_role("heading", name="Deploy?").is_visible()
    sent.route.fulfill(response=taken)
    screen.see("Answered: Deploy?")
    page.get_by_role("heading", name="Deploy?").wait_for(state="detached")


def test_an_answered_task_takes_nobody_away_from_another_one(screen: Screen, served: Served) -> None:
    page = screen.page
    sent = answered(screen, served, "plainly-one")
    page.get_by_role("link", name=re.compile("Approve order-48298")).click()
    page.get_by_role("heading", name="Approve order-48298").wait_for()
    chosen = page.url
    sent.route.continue_()
    screen.see("Answered: Deploy?")
    page.get_by_role("link", name=re.compile("plainly-one")).wait_for(state="detached")
    assert page.url == chosen


def test_a_schedule_that_is_taken_away_takes_nobody_away_from_another_one(screen: Screen, served: Served) -> None:
    page = screen.page
    show_schedule(screen, served, "fleeting")
    page.get_by_role("button", name="Delete…").click()
    sent = Held(page, "DELETE", r"/schedules/fleeting$")
    page.get_by_role("dialog").get_by_role("button", name="Delete the schedule").click()
    page.keyboard.press("Escape")
    page.get_by_role("link", name="quarter-hour").click()
    page.get_by_role("complementary", name="Schedules quarter-hour").wait_for()
    sent.route.continue_()
    page.get_by_role("link", name="fleeting").wait_for(state="detached")
    screen.see("Deleted")
    assert page.url.endswith("?name=quarter-hour")


def test_a_form_does_not_write_over_what_has_changed_since_it_was_opened(screen: Screen, served: Served) -> None:
    page = screen.page
    show_schedule(screen, served, "shared")
    page.get_by_role("button", name="Change…").click()
    dialog = page.get_by_role("dialog")
    served.do(lambda engine: engine.schedules.update("shared", note="by somebody else"))
    page.locator("aside").get_by_text("by somebody else").wait_for()
    dialog.get_by_label(re.compile("^Jitter")).fill("5s")
    dialog.get_by_role("button", name="Save").click()
    screen.see("is not any more what it was when it was read")
    assert served.do(lambda engine: engine.schedules.show("shared")).note == "by somebody else"
    screen.errors.clear()  # the browser complains of the answer's status, as it should


def test_a_task_is_handed_on_by_nobody_but_whom_the_dialog_was_opened_for(screen: Screen, served: Served) -> None:
    page = screen.page

    async def claimed(engine: Any, by: str) -> None:
        for task in await engine.tasks():
            if task.run_id == "order-48298":
                await engine.claim_task(task, by=by, over=task.claimed_by)

    served.do(lambda engine: claimed(engine, "Mira"))
    screen.hear_from_test()  # and the page has heard of nothing
    screen.open("/tasks", "Approve order-48298")
    page.get_by_role("link", name=re.compile("Approve order-48298")).click()
    page.get_by_role("button", name="Hand to…").click()
    served.do(lambda engine: claimed(engine, "Bob"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Who is to see to it").fill("Ann")
    with page.expect_request(re.compile("/hand$")) as asked_for:
        dialog.get_by_role("button", name="Hand it on").click()
    assert asked_for.value.post_data_json == {"to": "Ann", "over": "Mira"}
    screen.see("has been claimed by")
    screen.errors.clear()  # the browser complains of the answer's status, as it should


def test_another_filter_goes_on_where_its_own_rows_end(screen: Screen, served: Served) -> None:
    """Rows of the former filter are shown until the new ones have come: their end is not the end of these."""
    page = screen.page

    async def start(engine: Any) -> None:
        for number in range(70):
            await engine.start(ui_program.report, 1, id=f"sparse-{number:02}")
            await engine.start(ui_program.sync_inventory, 1, id=f"dense-{number:02}-a")
            await engine.start(ui_program.sync_inventory, 1, id=f"dense-{number:02}-b")

    served.do(start)
    screen.open("/runs?workflow=report", "sparse-69")
    rows = page.get_by_role("rowgroup", name="Runs")
    rows.evaluate("each => { each.scrollTop = 50 * 33 }")
    page.get_by_text(re.compile(r"^7\d shown")).wait_for()
    newest = Held(page, "GET", r"/api/v1/runs\?limit=60$")
    page.get_by_role("combobox", name="workflow").select_option("")
    page.wait_for_url(re.compile("/runs$"))
    newest.route.continue_()
    screen.see("dense-55-a")
    rows.evaluate("each => { each.scrollTop = 50 * 33 }")
    page.get_by_text(re.compile(r"^12\d\+ shown")).wait_for()
    rows.evaluate("each => { each.scrollTop = 90 * 33 }")
    screen.see("dense-38-a")  # three runs a number: the 30th from the end stands about there


def test_a_dialog_is_about_the_call_that_it_was_opened_for(screen: Screen, served: Served) -> None:
    page = screen.page
    order = ui_program.Order("order-70913", "Repair", "AU")

    async def begin(engine: Any) -> int:
        return int((await engine.start(ui_program.fulfil, order, id=order.id)).run)

    screen.open(f"/runs/{served.do(begin)}", "refund could not undo")
    inspector = page.get_by_role("complementary", name="Step refund")
    inspector.get_by_role("button", name="Skip…").click()
    page.get_by_label("Result, as JSON").fill("null")
    page.evaluate("""() => {
        const there = new URL(location.href)
        there.searchParams.set('step', '/charge')
        history.replaceState(history.state, '', there)
        dispatchEvent(new PopStateEvent('popstate', { state: history.state }))
    }""")
    page.get_by_role("complementary", name="Step charge").wait_for()
    page.get_by_role("button", name="Skip it").click()
    page.locator("h1").get_by_text("Failed").wait_for()


def test_who_the_first_account_is_for_is_known_before_it_is_added(screen: Screen, served: Served) -> None:
    page = screen.page
    users = Held(page, "GET", r"/users$")
    screen.open("/settings?tab=users", "Add user")
    add = page.get_by_role("button", name="Add user")
    assert users.route.request.method == "GET"
    assert add.is_disabled(), "whether there is an account is not known yet"
    users.route.continue_()
    add.click()
    dialog = page.get_by_role("dialog", name="A new user")
    assert dialog.get_by_role("combobox").input_value() == "admin"
    assert dialog.get_by_role("checkbox").is_checked()


def test_what_is_typed_before_the_palettes_code_has_come_is_typed_into_it(screen: Screen, served: Served) -> None:
    page = screen.page
    box = page.get_by_role("dialog").get_by_role("combobox")
    code = Held(page, "GET", r"/assets/Palette-")
    screen.open("/runs", "order-48213")
    page.keyboard.press("Control+k")
    page.keyboard.type("nobody")  # `n` alone would open the form that starts a run
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("Control+k")
    page.keyboard.type("norder-")
    code.route.continue_()
    box.wait_for()
    page.keyboard.type("482")
    assert box.input_value() == "norder-482"
    assert page.get_by_role("dialog").count() == 1
    page.keyboard.press("Home")
    page.keyboard.press("Delete")
    page.get_by_role("option", name="order-48213 fulfil").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    page.keyboard.press("Control+k")
    assert box.input_value() == ""


def test_a_dialog_that_is_opened_anew_before_its_closing_is_told_stays_open(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/overview", "Needs a person")
    dialog = page.get_by_role("dialog", name="Keys")
    page.keyboard.press("?")
    dialog.wait_for()
    page.evaluate("""() => new Promise((done) => {
        const closed = document.querySelector('dialog[open]')
        closed.addEventListener('close', () => setTimeout(done))  // after whoever listened before
        closed.close()
        document.dispatchEvent(new KeyboardEvent('keydown', { key: '?' }))
    })""")
    dialog.wait_for()
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_a_dialog_goes_to_its_first_field_when_fields_come_late(screen: Screen, served: Served) -> None:
    page = screen.page
    run = served.do(lambda engine: engine.start(ui_program.plainly, id="late-fields")).run
    screen.open(f"/runs/{run}", "late-fields")
    late = Held(page, "GET", r"/signals$")
    page.get_by_role("button", name="Signal…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Close").and_(page.locator(":focus")).wait_for()
    late.route.continue_()
    dialog.locator(":is(select, input, textarea):focus").wait_for()


@pytest.mark.parametrize("what", ["signal", "start"])
def test_what_is_sent_by_keys_is_sent_once(screen: Screen, served: Served, what: str) -> None:
    page = screen.page
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    if what == "signal":
        run = served.do(lambda engine: engine.start(ui_program.onboard, "acme", id="sent-once")).run
        screen.open(f"/runs/{run}", "sent-once")
        page.get_by_role("button", name="Signal…").click()
        page.get_by_role("dialog").get_by_role("textbox", name="Value").fill("passport.pdf")
    else:
        screen.open("/workflows?name=onboard", "Last runs by step")
        page.get_by_role("button", name="Start…").click()
        page.get_by_role("dialog").get_by_role("textbox", name="Customer").fill("acme")
    sent = Held(page, "POST", r"/signal$|/runs$")
    page.keyboard.press("Control+Enter")
    assert sent.route
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    sent.route.continue_()
    page.get_by_role("dialog").wait_for(state="detached")
    assert len(posted) == 1


def test_keys_that_a_dialog_has_answer_no_task_behind_it(screen: Screen, served: Served) -> None:
    page = screen.page
    asked_for(screen, served, "behind")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    page.get_by_role("button", name="Keys").click()
    dialog = page.get_by_role("dialog", name="Keys")
    dialog.get_by_text("submit").wait_for()
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    assert posted == []
    assert "behind" in [task.run_id for task in served.do(lambda engine: engine.tasks())]


def test_an_answer_that_is_lost_on_its_way_is_asked_for_again(screen: Screen, served: Served) -> None:
    page = screen.page
    served.do(lambda engine: engine.start(ui_program.plainly, id="found-again"))
    page.clock.install()
    lost = Held(page, "GET", r"/api/v1/runs\?limit=60$")
    page.goto("/runs", wait_until="domcontentloaded")
    assert lost.route
    page.clock.fast_forward(31_000)
    screen.see("found-again")


def test_a_reader_further_down_is_not_moved_while_the_rows_there_are_late(screen: Screen, served: Served) -> None:
    page = screen.page

    async def many(engine: Any) -> None:
        for number in range(70):
            await engine.start(ui_program.sync_inventory, number, id=f"late-{number:03}")

    served.do(many)
    screen.open("/runs?workflow=sync_inventory", "late-069")
    late = Held(page, "GET", r"/api/v1/runs\?.*after=\d+")
    page.get_by_role("rowgroup", name="Runs").evaluate("each => { each.scrollTop = 800 }")
    assert late.route
    drawn = page.locator(".rows .rrow").first
    page.wait_for_function("document.querySelector('.rows .rrow').ariaRowIndex > 2")
    first = drawn.get_attribute("id")
    served.do(lambda engine: engine.start(ui_program.sync_inventory, 1, id="late-new"))
    page.get_by_role("button", name="1 new").wait_for()
    assert drawn.get_attribute("id") == first
    late.route.continue_()


def test_the_palette_offers_no_run_that_other_words_have_found(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "order-48213")
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    options = dialog.get_by_role("option")
    dialog.get_by_role("combobox").fill("order-4821")
    options.filter(has_text="order-48219").wait_for()
    found = Held(page, "GET", r"/runs\?id=order-48213")
    dialog.get_by_role("combobox").fill("order-48213")
    assert found.route.request.method == "GET"
    assert options.all_inner_texts()[0].startswith("order-48213")
    found = Held(page, "GET", r"/runs\?id=worke")
    dialog.get_by_role("combobox").fill("worke")
    assert found.route.request.method == "GET"
    options.filter(has_text="Workers").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.url}/workers")


def test_what_is_chosen_in_the_palette_stays_chosen_when_more_comes_above_it(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "order-48213")
    late = Held(page, "GET", r"/runs\?limit=5$")
    page.keyboard.press("Control+k")
    dialog = page.get_by_role("dialog")
    chosen = dialog.locator("[aria-selected=true]")
    assert late.route
    dialog.get_by_role("option", name="Settings").wait_for()
    page.keyboard.press("ArrowDown")
    text = chosen.inner_text()
    position = chosen.get_attribute("id")
    late.route.continue_()
    dialog.locator(f"[aria-selected=true]:not(#{position})").wait_for()
    assert chosen.inner_text() == text
