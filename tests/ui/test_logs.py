"""What steps said, on the page of their run: by level, in one line or several, a link to a line, all as a text."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import shown

from segue import Engine, step, workflow

LINES = 400
LONG = "a very long line " * 40
log = logging.getLogger("tea")


@step
async def talk(lines: int) -> None:
    """Says something of each kind."""
    for n in range(lines):
        print(f"brewing {n:03}")
    log.warning("the pot is hot")
    print(LONG)
    log.error("the pot is broken")


@step
async def sweep() -> None:
    """Says one thing."""
    print("swept")


@workflow(name="tea")
async def tea(lines: int) -> None:
    """Brews and sweeps."""
    await talk(lines)
    await sweep()


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    async with Engine(url, workflows=[tea]) as engine:
        await (await engine.start(tea, LINES, id="tea-1")).result()
        async with shown(engine) as address:
            yield engine, address


@pytest.fixture(scope="module")
def brewed(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("tea"), serving=serving)
    yield server
    server.close()


def lines_of(page: Any) -> Any:
    return page.get_by_role("log", name="Logs")


@pytest.mark.parametrize(
    ("size", "scheme"), [("wide", "light"), ("wide", "dark"), ("narrow", "dark"), ("narrow", "light")]
)
def test_lines_are_chosen_by_level_and_wrapped_or_not(chromium: Any, brewed: Served, size: str, scheme: str) -> None:
    screen = Screen(chromium, brewed.url, size, scheme)
    page = screen.page
    screen.open("/runs/1?tab=logs", "the pot is broken")
    page.get_by_role("combobox", name="Level").select_option("Warnings and errors")
    lines_of(page).get_by_text("brewing").first.wait_for(state="detached")
    assert lines_of(page).get_by_role("link").count() == 2
    assert "level=warning" in page.url, "it can be shared"
    page.get_by_role("combobox", name="Level").select_option("Errors")
    lines_of(page).get_by_text("the pot is hot").wait_for(state="detached")
    page.get_by_role("combobox", name="Level").select_option("All levels")
    long = lines_of(page).get_by_text(LONG.strip()[:30])
    long.wait_for()
    screen.shoot(f"logs-wrapped-{size}-{scheme}")
    wrapped = long.bounding_box()
    page.get_by_role("button", name="Wrap").click()
    page.locator(".logs.long").wait_for()
    flat = long.bounding_box()
    assert wrapped["height"] > 2 * flat["height"]
    assert flat["width"] > 2_000
    screen.shoot(f"logs-flat-{size}-{scheme}")
    assert screen.violations() == []
    page.reload()
    page.locator(".logs.long").wait_for()
    page.get_by_role("button", name="Wrap").click()
    screen.close()
    assert screen.errors == []


def test_what_is_looked_for_is_what_was_typed(chromium: Any, brewed: Served) -> None:
    screen = Screen(chromium, brewed.url)
    page = screen.page
    screen.open("/runs/1?tab=logs", "the pot is broken")
    find = page.get_by_role("textbox", name="Find in logs")
    find.press_sequentially("pot is hot")
    assert find.input_value() == "pot is hot"
    lines_of(page).get_by_text("brewing").first.wait_for(state="detached")
    find.press("Home")
    find.press_sequentially("the ")
    assert find.input_value() == "the pot is hot"
    page.wait_for_url(re.compile(r"find=the\+pot|find=the%20pot"))
    screen.close()
    assert screen.errors == []


def test_keys_that_lead_back_end_the_following(chromium: Any, brewed: Served) -> None:
    screen = Screen(chromium, brewed.url)
    page = screen.page
    screen.open("/runs/1?tab=logs", "the pot is broken")
    page.get_by_role("button", name="Follow", pressed=True).wait_for()
    lines_of(page).press("PageUp")
    page.get_by_role("button", name="Follow", pressed=False).wait_for()
    screen.close()
    assert screen.errors == []


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_link_leads_to_a_line_and_marks_it(chromium: Any, brewed: Served, size: str) -> None:
    (line,) = [each for each in brewed.engine.logs(1) if each.text == "brewing 200"]
    screen = Screen(chromium, brewed.url, size)
    page = screen.page
    screen.open(f"/runs/1?tab=logs&line={line.row}", "brewing 200")
    marked = page.locator("[aria-current=location]")
    assert "brewing 200" in marked.inner_text()
    inside, around = marked.bounding_box(), lines_of(page).bounding_box()
    assert around["y"] < inside["y"] < around["y"] + around["height"], "it is in sight"
    screen.shoot(f"logs-line-{size}")
    assert screen.violations() == []
    other = lines_of(page).locator(".logl", has_text="brewing 203")
    other.get_by_role("link").click()
    page.wait_for_url(f"**line={line.row + 3}*")
    marked.get_by_text("brewing 203").wait_for()
    page.get_by_role("textbox", name="Find in logs").fill("swept")
    screen.see("The line of this link is not among those that are chosen.")
    page.get_by_role("button", name="Show all lines").click()
    lines_of(page).get_by_text("brewing 203").wait_for()
    screen.open("/runs/1?tab=logs&line=987654", "There is no such line any more.")
    screen.close()
    assert screen.errors == []


def test_the_log_is_downloaded_as_a_text(chromium: Any, brewed: Served) -> None:
    screen = Screen(chromium, brewed.url)
    screen.open("/runs/1?tab=logs&level=warning", "the pot is hot")
    with screen.page.expect_download() as downloading:
        screen.page.get_by_role("link", name="Download").click()
    assert downloading.value.suggested_filename == "tea-1.log"
    with open(downloading.value.path()) as file:
        lines = file.read().splitlines()
    assert [line.split("  ")[-1] for line in lines] == ["the pot is hot", "the pot is broken"]
    screen.close()
    assert screen.errors == []


@pytest.mark.parametrize(
    ("asked", "address", "text"),
    [
        ("tab=logs", "logs", "the pot is broken"),
        ("tab=logs&line=1", "logs", "brewing 000"),
        ("tab=events&full=true", "events", "StepCompleted"),
    ],
)
def test_what_was_not_answered_is_asked_for_again(
    chromium: Any, brewed: Served, asked: str, address: str, text: str
) -> None:
    screen = Screen(chromium, brewed.url)
    page = screen.page
    problem = {"type": "segue:busy", "title": "Not now", "status": 400, "detail": "The database is busy."}
    page.route(f"**/api/v1/runs/1/{address}?*", lambda route: route.fulfill(status=400, json=problem))
    screen.open(f"/runs/1?{asked}", "The database is busy.")
    assert page.get_by_text("No step has printed or logged anything.").count() == 0
    assert page.get_by_text("There is no such line any more.").count() == 0
    page.unroute_all()
    screen.errors.clear()  # the browser complains of the answer's status, as it should
    page.get_by_role("button", name="Retry").click()
    screen.see(text)
    screen.close()
    assert screen.errors == []
