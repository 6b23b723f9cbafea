"""Tasks that people share out: who sees to which, what they tell each other, and whom it is taken from."""

from __future__ import annotations

import re
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served

from segue import Engine

OTHER = "Mira Reuter"


async def the_task(engine: Engine, name: str = "Approve order-48219") -> Any:
    while True:
        for task in await engine.tasks():
            if task.name == name:
                return task


async def left_to(engine: Engine, name: str | None) -> Any:
    """The task once it is theirs."""
    while (found := await the_task(engine)).claimed_by != name:
        pass
    return found


def test_a_task_is_claimed_commented_on_and_released(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/tasks", "Approve order-48219")
    page.get_by_role("button", name="Claim", exact=True).click()
    page.get_by_role("link", name="Claimed by you 1").click()
    served.do(lambda engine: left_to(engine, "you"))
    page.get_by_role("textbox", name="Add a comment").fill("Stock is there.")
    page.get_by_role("button", name="Comment", exact=True).click()
    page.get_by_role("complementary").get_by_text("Stock is there.").wait_for()
    screen.wait_for_value(
        page.get_by_role("textbox", name="Add a comment"), ""
    )  # the news may be there before the answer
    assert "You claimed it" in page.get_by_role("complementary").inner_text()
    screen.shoot("tasks-claimed")
    assert screen.violations() == []
    page.get_by_role("button", name="Unclaim").click()
    screen.see("You have claimed no task")
    served.do(lambda engine: left_to(engine, None))


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_what_somebody_else_sees_to_is_seen_at_once_and_taken_over(chromium: Any, served: Served, size: str) -> None:
    screen = Screen(chromium, served.url, size)
    page = screen.page

    async def claimed(engine: Engine) -> int:
        task = await the_task(engine)
        await engine.claim_task(task, by=OTHER, over=task.claimed_by)
        await engine.comment_on_task(task, f"They want it before\n{size}.", by=OTHER)
        return int(task.task)

    number = served.do(the_task).task
    screen.open(f"/tasks?task={number}", "Complete and go on")
    served.do(claimed)  # without a reload
    screen.see("and sees to it.")
    assert page.get_by_role("button", name="Complete and go on").count() == 0
    history = page.get_by_role("complementary")
    history.get_by_text(f"They want it before {size}").wait_for()
    assert history.is_visible()
    screen.shoot(f"tasks-taken-{size}")
    assert screen.violations() == []
    page.get_by_role("button", name="Take over").click()
    page.get_by_role("button", name="Complete and go on").wait_for()
    served.do(lambda engine: left_to(engine, "you"))
    screen.close()
    assert screen.errors == []


@pytest.mark.parametrize(("size", "scheme"), [("wide", "light"), ("narrow", "dark")])
def test_a_task_is_handed_to_somebody_else(chromium: Any, served: Served, size: str, scheme: str) -> None:
    async def mine(engine: Engine) -> int:
        task = await the_task(engine)
        await engine.hand_task(task, "you", by=OTHER, over=task.claimed_by)
        return int(task.task)

    screen = Screen(chromium, served.url, size, scheme)
    page = screen.page
    screen.open(f"/tasks?task={served.do(mine)}", "Complete and go on")
    page.get_by_role("button", name="Hand to…").click()
    dialog = page.get_by_role("dialog", name="Hand on Approve order-48219")
    dialog.get_by_role("textbox", name="Who is to see to it").fill(OTHER)
    screen.shoot(f"tasks-hand-{size}-{scheme}")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Hand it on").click()
    screen.see("and sees to it.")
    screen.see(f"handed it to {OTHER}")
    served.do(lambda engine: left_to(engine, OTHER))
    page.get_by_role("button", name="Hand to…").wait_for()
    assert page.get_by_role("button", name="Complete and go on").count() == 0
    screen.shoot(f"tasks-handed-{size}-{scheme}")
    page.get_by_role("button", name="Take over").click()
    page.get_by_role("button", name="Unclaim").click()
    served.do(lambda engine: left_to(engine, None))
    screen.close()
    assert screen.errors == []


@pytest.mark.parametrize(
    ("size", "scheme", "view"), [("wide", "light", ""), ("narrow", "dark", ""), ("wide", "dark", "view=mine&")]
)
def test_who_hands_a_task_on_is_told_that_somebody_has_claimed_it_meanwhile(
    chromium: Any, served: Served, size: str, scheme: str, view: str
) -> None:
    async def to(engine: Engine, name: str) -> int:
        task = await the_task(engine)
        await engine.hand_task(task, name, by=OTHER, over=task.claimed_by)
        return int(task.task)

    number = served.do(lambda engine: to(engine, "you"))
    screen = Screen(chromium, served.url, size, scheme)
    page = screen.page
    screen.open(f"/tasks?{view}task={number}", "Complete and go on")
    page.get_by_role("button", name="Hand to…").click()
    dialog = page.get_by_role("dialog", name="Hand on Approve order-48219")
    dialog.get_by_role("textbox").fill("Ann")
    served.do(lambda engine: to(engine, OTHER))
    dialog.get_by_role("alert").get_by_text(f"{OTHER} has claimed it meanwhile.").wait_for()
    assert dialog.get_by_role("textbox").input_value() == "Ann"
    assert dialog.get_by_role("button", name="Hand it on", exact=True).is_disabled()
    screen.shoot(f"tasks-hand-claimed-{size}-{scheme}")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Hand it on all the same").click()
    dialog.get_by_role("alert").wait_for(state="detached")
    dialog.get_by_role("button", name="Hand it on", exact=True).click()
    dialog.wait_for(state="detached")
    served.do(lambda engine: left_to(engine, "Ann"))
    screen.close()
    assert screen.errors == []


def test_who_hands_a_task_on_is_told_that_it_has_been_answered_meanwhile(screen: Screen, served: Served) -> None:
    async def asked(engine: Engine) -> tuple[int, Any]:
        await engine.start(ui_program.plainly, id="answered-meanwhile")
        while True:
            for task in await engine.tasks():
                if task.run_id == "answered-meanwhile":
                    await engine.claim_task(task, by="you")
                    return int(task.task), task

    number, task = served.do(asked)
    page = screen.page
    screen.open(f"/tasks?task={number}", "Complete and go on")
    page.get_by_role("button", name="Hand to…").click()
    dialog = page.get_by_role("dialog", name=re.compile("^Hand on"))
    dialog.get_by_role("textbox").fill("Ann")
    served.do(lambda engine: engine.complete_task(task, {"approved": True}, by=OTHER))
    dialog.get_by_role("alert").get_by_text("It is no longer open").wait_for()
    assert dialog.get_by_role("button", name="Hand it on").is_disabled()
    dialog.get_by_role("button", name="Back").click()
    dialog.wait_for(state="detached")


def test_an_old_screen_takes_nobodys_task_away(screen: Screen, served: Served) -> None:
    """Whoever clicks has not seen yet that it is somebody's."""
    page = screen.page

    async def taken(engine: Engine) -> None:
        task = await the_task(engine, "Approve order-48298")
        await engine.claim_task(task, by=OTHER)

    number = served.do(lambda engine: the_task(engine, "Approve order-48298")).task
    page.route("**/api/v1/live*", lambda route: route.abort())
    screen.open(f"/tasks?task={number}", "Complete and go on")
    served.do(taken)
    page.get_by_role("button", name="Claim", exact=True).click()
    screen.see("has been claimed by")
    assert served.do(lambda engine: the_task(engine, "Approve order-48298")).claimed_by == OTHER
    screen.errors.clear()  # the stream that was cut, and the refusal
