"""Who works on the database, as the screen shows it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ui_kit import Screen, Served

pytestmark = pytest.mark.xdist_group("screens")


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
