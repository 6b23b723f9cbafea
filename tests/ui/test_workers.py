"""Who works on the database, as the screen shows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import ui_program
from ui_kit import Screen, Served

from segue import Engine, step, workflow


@step(queue="gpu")
def rendered(page: int) -> int:
    raise NotImplementedError


@step(queue="a queue with a name that is longer than anybody would think of")
def printed(page: int) -> int:
    raise NotImplementedError


@workflow
async def publishes(pages: int) -> list[int]:
    return await asyncio.gather(*[rendered(n) for n in range(pages)], printed(0))


def test_who_works(screen: Screen, served: Served) -> None:
    async def owner(engine: Any) -> Any:
        (worker,) = engine.store.workers()
        return worker

    page, worker = screen.page, served.do(owner)
    screen.open("/workers", "Alive")
    row = page.get_by_role("row").filter(has_text=worker.worker)
    row.get_by_text(f"{worker.app} · epoch {worker.epoch}").wait_for()
    row.get_by_text(re.compile(r"^100 %$")).wait_for()
    assert row.get_by_role("listitem").all_inner_texts() == sorted(worker.serves)
    row.get_by_role("link", name="onboard").click()
    page.wait_for_url("**/workflows?name=onboard")


def test_where_workers_have_other_code_it_says_so(
    chromium: Any, tmp_path: Path, postgres_database: Callable[[], str]
) -> None:
    url = postgres_database()

    @asynccontextmanager
    async def serving(_: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
        """A server with all workflows, and a worker that came before it and has one of them."""
        async with Engine(url, workflows=[ui_program.report]), ui_program.serving(url, filled=filled) as served:
            yield served

    server = Served(tmp_path, filled=False, serving=serving)
    screen = Screen(chromium, server.url)
    screen.open("/workers", "Alive")
    first, second = screen.page.locator("tbody tr").all()
    rows = {each.get_by_role("listitem").count(): each for each in (first, second)}
    assert len(rows) == 1, "what is not there is shown as well"
    texts = [sorted(each.get_by_role("listitem").all_inner_texts()) for each in (first, second)]
    lacking = next(each for each in texts if "onboard not here · new" in " ".join(each).replace("\n", " "))
    assert "report" in lacking
    screen.page.get_by_title(re.compile("^onboard not here: only workers that came later have it$")).wait_for()
    assert screen.violations() == []
    screen.close()
    assert screen.errors == []
    server.close()


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_what_waits_in_queues(chromium: Any, tmp_path: Path, size: str) -> None:
    async def begin(engine: Engine) -> int:
        return (await engine.start(publishes, 3, id="pages")).run

    async def take(engine: Engine) -> None:
        assert len(await engine.activate("gpu", worker="node-1", limit=2)) == 2

    server = Served(tmp_path, filled=False, serving=ui_program.only(publishes))
    screen = Screen(chromium, server.url, size)
    page, run = screen.page, server.do(begin)
    screen.open("/workers", "Queues")
    row = page.get_by_role("row").filter(has_text="gpu")
    counts = row.locator("td.count")
    counts.nth(0).get_by_text(re.compile("^3$")).wait_for()
    if size == "wide":
        row.get_by_text("no worker has anything of it").wait_for()
    server.do(take)
    counts.nth(2).get_by_text(re.compile("^2$")).wait_for()
    assert counts.all_inner_texts() == ["1", "0", "2"]
    if size == "wide":
        row.get_by_text("node-1").wait_for()
        assert row.get_by_text("no worker has anything of it").count() == 0
    screen.shoot(f"queues-{size}")
    assert screen.violations() == []
    screen.open(f"/runs/{run}?step=%2F0%2Frendered", "node-1 has it")
    screen.shoot(f"queues-run-{size}")
    screen.open(f"/runs/{run}?step=%2F3%2Fprinted", "waits for a worker")
    screen.close()
    assert screen.errors == []
    server.close()
