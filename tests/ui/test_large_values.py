"""What is too large to be shown at once: told by its size, and fetched when somebody asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import shown

from segue import Engine, workflow

TEXT = "lorem " * 50_000


@workflow(name="archive")
async def archive(pages: int) -> str:
    return TEXT


@asynccontextmanager
async def serving(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    async with Engine(url, workflows=[archive]) as engine:
        await (await engine.start(archive, 3, id="archive-3")).result()
        async with shown(engine) as address:
            yield engine, address


@pytest.fixture(scope="module")
def large(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("large"), serving=serving)
    yield server
    server.close()


def test_a_large_result_is_told_by_its_size_and_shown_when_asked_for(chromium: Any, large: Served) -> None:
    screen = Screen(chromium, large.url)
    page = screen.page
    screen.open("/runs", "archive-3")
    page.get_by_text("json, 300.0 kB").wait_for()
    screen.shoot("large-result-in-the-list")
    page.get_by_role("link", name="archive-3").first.click()
    page.get_by_text("300.0 kB, not loaded").wait_for()
    screen.shoot("large-result-of-a-run")
    page.get_by_role("button", name="Load").click()
    page.get_by_text("lorem lorem").first.wait_for()
    assert screen.violations() == []
    screen.close()
    assert screen.errors == []
