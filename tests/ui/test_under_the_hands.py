"""What somebody has before them stays as it is while news comes, and is sent once."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import ui_program
from test_overtaking import Held
from ui_kit import Screen, Served, until_asked

from segue import Every, Retry, Schedule, approval, signal, step, workflow
from segue.errors import Incident
from segue.stores.base import RunFilter

SPLIT = threading.Event()
"""Once it is set, the second step of ``cracks`` gives up."""
LONG = "Desk frame D2, oak, oiled, 180 x 90"
MANY = 9
"""More than the overview shows of a kind."""


@workflow(name="asks")
async def asks(name: str, within: str | None = None) -> bool:
    return (await approval("anybody", name=name, timeout=within)).approved


@step(retry=Retry(attempts=1), on_exhausted="incident")
async def crack() -> None:
    raise LookupError("there is a crack")


@step(retry=Retry(attempts=1), on_exhausted="incident")
async def split() -> None:
    await asyncio.to_thread(SPLIT.wait, 60)
    raise LookupError("it is split")


@workflow(name="cracks")
async def cracks(further: bool = False) -> None:
    await asyncio.gather(crack(), *([split()] if further else []))


@workflow(name="passes")
async def passes() -> str:
    first = await signal("opening", str)
    return first + await signal("closing", str)


@workflow(name="about")
async def about() -> bool:
    lines = [{"article": LONG, "quantity": n, "price": "612.00"} for n in range(3)]
    return (await approval("anybody", name="About these?", subject={"lines": lines})).approved


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    workflows = (asks, cracks, passes, about, ui_program.onboard, ui_program.sync_inventory)
    server = Served(tmp_path_factory.mktemp("hands"), serving=ui_program.only(*workflows))
    yield server
    SPLIT.set()
    server.close()


def start(served: Served, of: Any, *args: Any, id: str) -> int:
    return int(served.do(lambda engine: engine.start(of, *args, id=id)).run)


def end(served: Served, id: str) -> None:
    async def terminate(engine: Any) -> None:
        await (await engine.handle(id)).terminate("by somebody else")

    served.do(terminate)


def result(served: Served, id: str) -> Any:
    handle = served.do(lambda engine: engine.handle(id))
    return served.do(lambda engine: handle.result())


def test_a_task_that_is_due_sooner_takes_no_other_ones_place(screen: Screen, served: Served) -> None:
    page = screen.page
    start(served, asks, "Later?", "1h", id="later")
    screen.open("/tasks", "Later?")
    work = page.get_by_role("region", name="Later?")
    work.get_by_role("radio", name="Yes").check()
    start(served, asks, "Sooner?", "30m", id="sooner")
    page.get_by_role("list", name="Inbox").get_by_role("link", name=re.compile(r"Sooner\?")).wait_for()
    assert work.get_by_role("radio", name="Yes").is_checked()
    work.get_by_role("button", name="Complete and go on").click()
    assert result(served, "later") is True
    page.get_by_role("region", name="Sooner?").wait_for()


def test_a_task_that_is_let_go_is_still_there(screen: Screen, served: Served) -> None:
    page = screen.page
    start(served, asks, "Mine?", id="mine")
    screen.open("/tasks", "Mine?")
    page.get_by_role("link", name=re.compile(r"Mine\?")).click()
    page.get_by_role("button", name="Claim", exact=True).click()
    page.get_by_role("link", name=re.compile("Claimed by you")).click()
    page.get_by_role("link", name=re.compile(r"Mine\?")).click()
    page.get_by_role("button", name="Unclaim").click()
    page.get_by_role("region", name="Mine?").get_by_role("button", name="Claim", exact=True).wait_for()


def test_a_run_leads_to_its_own_task(screen: Screen, served: Served) -> None:
    page = screen.page
    start(served, asks, "Another run's?", "1m", id="anothers")
    run = start(served, asks, "Its own?", id="its-own")
    screen.open(f"/runs/{run}", "its-own")
    page.get_by_role("button", name=re.compile(r"Its own\?")).click()
    page.locator("a[href*='task=']", has_text="Open the task").click()
    page.get_by_role("region", name="Its own?").wait_for()


def test_a_retry_is_of_what_its_dialog_names(screen: Screen, served: Served) -> None:
    page = screen.page
    run = start(served, cracks, True, id="cracks")
    screen.open(f"/runs/{run}", "crack could not go on")
    page.get_by_role("button", name="Retry crack").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("crack gets new attempts").wait_for()
    SPLIT.set()
    page.locator(".incbox").get_by_text("Retry all 2").wait_for()
    assert dialog.get_by_text("crack gets new attempts").inner_text().startswith("crack gets")
    with page.expect_request(re.compile("/retry$")) as asked_for:
        dialog.get_by_role("button", name="Retry", exact=True).click()
    assert asked_for.value.post_data_json["key"].endswith("crack")


@pytest.mark.parametrize("way", ["Signal…", "Cancel…"])
def test_what_is_typed_for_a_run_stays_when_it_ends(screen: Screen, served: Served, way: str) -> None:
    page = screen.page
    run = start(served, ui_program.onboard, "acme", id=f"ends {way}")
    screen.open(f"/runs/{run}", "Timeline")
    page.get_by_role("button", name=way).click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_role("textbox", name="Value" if way == "Signal…" else "Reason")
    field.fill("passport.pdf")
    end(served, f"ends {way}")
    page.locator("h1").get_by_text("Terminated").wait_for()
    assert field.input_value() == "passport.pdf"
    dialog.get_by_role("button", name="Send" if way == "Signal…" else "Cancel the run").click()
    dialog.get_by_role("status").locator(".bad").wait_for()
    assert field.input_value() == "passport.pdf"
    screen.errors.clear()  # the browser complains of the answer's status, as it should


def test_a_signals_form_stays_as_it_was_opened(screen: Screen, served: Served) -> None:
    page = screen.page
    run = start(served, passes, id="passes")
    page.clock.install()
    screen.open(f"/runs/{run}", "passes")
    page.get_by_role("button", name="Signal…").click()
    which = page.get_by_role("dialog").get_by_role("combobox").first
    which.locator("option", has_text="opening").wait_for(state="attached")
    shown = which.locator("option").all_inner_texts()

    async def opened(engine: Any) -> None:
        await (await engine.handle("passes")).signal("opening", "now")

    served.do(opened)
    page.locator(".tlrow").get_by_text("opening").first.wait_for()
    page.clock.fast_forward(11_000)  # what is older than ten seconds is asked for again by whoever comes back
    with page.expect_response(re.compile("/signals")):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    screen.settle()
    assert which.locator("option").all_inner_texts() == shown
    assert which.input_value() == "opening"


def test_keys_that_do_nothing_here_are_not_listed(screen: Screen, served: Served) -> None:
    screen.open("/workers", "Workers")
    screen.page.keyboard.press("?")
    dialog = screen.page.get_by_role("dialog", name="Keys")
    dialog.get_by_text("settings").wait_for()
    assert dialog.get_by_text("another namespace").count() == 0


def test_lines_that_a_task_is_about_are_whole(chromium: Any, served: Served) -> None:
    start(served, about, id="about")
    screen = Screen(chromium, served.url, "narrow")
    screen.open("/tasks", "About these?")
    screen.page.get_by_role("link", name=re.compile("About these")).click()
    cell = screen.page.get_by_role("cell", name=LONG).first
    assert cell.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")
    screen.shoot("task-lines-narrow")
    screen.close()
    assert screen.errors == []


def test_whoever_goes_down_the_list_goes_on_where_a_run_has_left_it(screen: Screen, served: Served) -> None:
    page = screen.page
    for number in range(6):
        start(served, ui_program.onboard, "acme", id=f"leaving-{number}")
    screen.open("/runs?view=open&workflow=onboard", "leaving-0")
    current = page.locator(".rrow.cur")
    for _ in range(3):
        page.keyboard.press("j")
    current.filter(has_text="leaving-3").wait_for()
    for gone, key, next in (("3", "j", "2"), ("2", "k", "4")):
        end(served, f"leaving-{gone}")
        page.get_by_role("row").filter(has_text=f"leaving-{gone}").wait_for(state="detached")
        page.keyboard.press(key)
        current.wait_for()
        assert f"leaving-{next}" in current.inner_text()


def test_a_text_that_cannot_be_copied_is_said(screen: Screen, served: Served) -> None:
    """Without TLS a browser gives a page of another machine no clipboard."""
    run = start(served, ui_program.sync_inventory, 1, id="by-hand")
    screen.page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    screen.open(f"/runs/{run}", "by-hand")
    screen.page.get_by_role("button", name="Copy the id").click()
    screen.page.get_by_role("status").get_by_text("does not let this page copy").wait_for()


@pytest.mark.parametrize("what", ["fork", "trigger", "backfill", "skip"])
def test_what_is_pressed_twice_is_done_once(screen: Screen, served: Served, what: str) -> None:
    page = screen.page
    dialog = page.get_by_role("dialog")
    if what in ("fork", "skip"):
        run = start(served, cracks, id=f"twice-{what}")
        screen.open(f"/runs/{run}", "crack could not go on")
        page.get_by_role("button", name="Run again from here…" if what == "fork" else "Skip…").click()
        button = dialog.get_by_role("button", name="Fork a new run" if what == "fork" else "Skip it")
    else:
        rule = Schedule(Every("2h"), args=(900,))
        name = f"twice-{what}"
        served.do(lambda engine: engine.schedules.create(name, ui_program.sync_inventory, rule))
        screen.open(f"/schedules?name={name}", "every 2h")
        button = page.get_by_role("button", name="Trigger now")
        if what == "backfill":
            page.get_by_role("button", name="Backfill…").click()
            dialog.get_by_label(re.compile("^From")).fill("2026-01-01T00:00")
            dialog.get_by_label(re.compile("^Before")).fill("2026-01-02T00:00")
            button = dialog.get_by_role("button", name=re.compile(r"^Fill in"))
    sent = Held(page, "POST", rf"/{what}$|/backfills$")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    button.dblclick()
    sent.route.continue_()
    if what == "trigger":
        page.get_by_role("status").get_by_text("Started").first.wait_for()
    else:
        dialog.wait_for(state="detached")
    assert len([url for url in posted if "preview" not in url]) == 1


def test_a_count_is_of_what_its_link_leads_to(screen: Screen, served: Served) -> None:
    page = screen.page
    for number in range(MANY):
        start(served, cracks, id=f"counted-{number}")
        start(served, asks, f"Counted {number}?", id=f"asking-{number}")
        with pytest.raises(Incident):
            result(served, f"counted-{number}")
        until_asked(served, f"asking-{number}")
    rule = Schedule(Every("2h"), args=(900,))
    served.do(lambda engine: engine.schedules.create("going", ui_program.sync_inventory, rule))
    served.do(lambda engine: engine.schedules.create("resting", ui_program.sync_inventory, rule, paused="for now"))
    for kind, path in (("incidents", "runs"), ("tasks", "tasks"), ("", "schedules")):
        screen.open("/overview", "Needs a person")
        if path == "schedules":
            link = page.get_by_role("link", name=re.compile(r"^All \d+$"))
        else:
            link = page.get_by_role("link", name=re.compile(rf"^All \d+ {kind}$"))
        number = re.findall(r"\d+", link.inner_text())
        link.click()
        page.wait_for_url(re.compile(f"/{path}"))
        said = rf"{number[0]} schedules" if path == "schedules" else number[0]
        page.locator("#content").locator("[aria-current=page] .n, h1 ~ span").get_by_text(said, exact=True).wait_for()
    assert len(served.engine.store.list(RunFilter(states=("incident",), limit=100))) >= MANY
