"""A run with hundreds of incidents that are alike: told once, counted, none hidden."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import only

from segue import Retry, step, workflow

PARCELS = 300
MENDED: set[str] = set()


@step(retry=Retry(attempts=1), on_exhausted="incident")
async def post_parcel(order: str, parcel: int) -> int:
    if f"addresses of {order}" not in MENDED:
        raise ValueError(f"parcel {parcel} has no address")
    return parcel


@step(retry=Retry(attempts=1), on_exhausted="incident")
async def weigh(order: str, parcel: int) -> int:
    if f"scale of {order}" not in MENDED:
        raise KeyError("scale")
    return parcel


@step(retry=Retry(attempts=1), on_exhausted="incident")
async def stamp(kind: int) -> int:
    error = type(f"Stamp{kind}Missing", (Exception,), {})
    raise error("buy some")


@workflow
async def post(order: str, parcels: int, weighed: int) -> int:
    posted = [post_parcel(order, each) for each in range(parcels)]
    return len(await asyncio.gather(*posted, *[weigh(order, each) for each in range(weighed)]))


@workflow
async def stamps(kinds: int) -> int:
    return len(await asyncio.gather(*[stamp(each) for each in range(kinds)]))


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("alike"), filled=False, serving=only(post, stamps))
    yield server
    server.close()


@pytest.fixture(scope="module")
def run(served: Served) -> int:
    return int(served.do(lambda engine: engine.start(post, "ann", PARCELS, 2, id="post-1")).run)


LOOKS = [("wide", "light"), ("wide", "dark"), ("narrow", "dark"), ("narrow", "light")]


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_what_is_alike_is_told_once(chromium: Any, served: Served, run: int, size: str, scheme: str) -> None:
    screen = Screen(chromium, served.url, size, scheme)
    page = screen.page
    screen.open(f"/runs/{run}", f"post_parcel could not go on in {PARCELS} calls")
    reasons = page.get_by_role("alert")
    reasons.get_by_text("weigh could not go on in 2 calls").wait_for()
    reasons.get_by_text(f"{PARCELS - 1} others say something else.").wait_for()
    assert reasons.get_by_text("has no address").count() == 1
    assert reasons.get_by_text("segue retry post-1").count() == 1  # one remedy, said once
    screen.shoot(f"alike-{size}-{scheme}")
    assert screen.violations() == []
    page.get_by_role("button", name=f"Retry all {PARCELS + 2}").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text(f"post_parcel × {PARCELS}, weigh × 2 get new attempts.").wait_for()
    dialog.get_by_role("button", name="Back").click()
    screen.close()
    assert screen.errors == []


def test_each_of_those_that_are_alike_can_be_reached(screen: Screen, served: Served, run: int) -> None:
    page = screen.page
    screen.open(f"/runs/{run}", "post_parcel could not go on")
    page.get_by_role("button", name=f"List all {PARCELS}").click()
    dialog = page.get_by_role("dialog", name=re.compile("^post_parcel could not go on"))
    calls = dialog.get_by_role("listitem")
    calls.nth(99).wait_for()
    assert calls.count() == 100
    screen.shoot("alike-listed")
    assert screen.violations() == []
    dialog.get_by_role("button", name=f"{PARCELS - 100} more").click()
    last = calls.nth(PARCELS - 1)
    last.wait_for()
    assert sorted(re.findall(r"parcel (\d+) has", dialog.inner_text()), key=int) == [str(n) for n in range(PARCELS)]
    said = last.get_by_text("has no address").inner_text()
    last.get_by_role("button").click()
    page.get_by_role("complementary", name="Step post_parcel").get_by_text(said).first.wait_for()
    assert dialog.count() == 0


def test_the_peek_of_a_run_counts_errors_that_are_alike(screen: Screen, served: Served, run: int) -> None:
    screen.open(f"/runs?peek={run}", "others say something else.")
    peek = screen.page.get_by_role("complementary", name="Peek post-1")
    assert peek.locator(".errg .num").all_inner_texts() == [f"{PARCELS} ×", "2 ×"]


def test_more_reasons_than_are_told_at_first_come_on_request(screen: Screen, served: Served) -> None:
    kinds = 9
    other = served.do(lambda engine: engine.start(stamps, kinds, id="stamps-1")).run
    page = screen.page
    screen.open(f"/runs/{other}", f"{kinds - 3} more reasons")
    reasons = page.get_by_role("alert").get_by_text("buy some")
    assert reasons.count() == 3
    page.get_by_role("button", name=f"{kinds - 3} more reasons").click()
    reasons.nth(kinds - 1).wait_for()
    screen.open(f"/runs?peek={other}", f"{kinds - 6} more reasons")
    page.get_by_role("button", name=f"{kinds - 6} more reasons").click()
    page.locator(".errg").nth(kinds - 1).wait_for()


def test_all_are_retried_at_once(screen: Screen, served: Served) -> None:
    MENDED.add("addresses of bob")
    number = served.do(lambda engine: engine.start(post, "bob", 2, 2, id="post-2")).run
    page = screen.page
    screen.open(f"/runs/{number}", "The same in all 2.")
    MENDED.add("scale of bob")
    page.get_by_role("button", name="Retry all 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True).click()
    page.locator("h1").get_by_text("Completed").wait_for()
