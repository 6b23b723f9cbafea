"""The pictures that docs/dashboard.md shows: taken here, of the pages as they are.

``pytest tests/ui/test_pictures.py --pictures`` writes them anew. Without it they are taken all the same, and left out
of the documents, since no two of them are alike to the last second.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import ui_day
from ui_kit import ROOT, SHOTS, Screen, Served

DOCUMENT = ROOT / "docs" / "dashboard.md"
PICTURES = ROOT / "docs" / "pictures"
SMALL = 160_000
"""Bytes of a picture, at most."""
SIZE = {"width": 1280, "height": 800}

SHOWN = {
    "overview": ("/overview", "failed · last 24 hours", "light"),
    "runs": ("/runs?workflow=fulfil", "order-48213", "light"),
    "run": ("/runs/{incident}", "Compensation", "light"),
    "graph": ("/runs/{incident}?tab=graph", "cancel_shipment", "dark"),
    "workflow": ("/workflows?name=fulfil", "asks manager", "light"),
    "tasks": ("/tasks", "Approve order-48219", "dark"),
    "schedules": ("/schedules", "quarter-hour", "light"),
    "settings": ("/settings", "Who you are", "light"),
}


@pytest.fixture(scope="module")
def day(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("day"), serving=ui_day.serving)
    yield server
    server.close()


@pytest.mark.parametrize("name", SHOWN)
def test_picture(chromium: Any, day: Served, name: str, request: pytest.FixtureRequest) -> None:
    path, text, scheme = SHOWN[name]

    async def incident(engine: Any) -> int:
        return int((await engine.handle("order-48213")).run)

    screen = Screen(chromium, day.url, "wide", scheme, scale=0.75)
    screen.page.set_viewport_size(SIZE)
    screen.open(path.format(incident=day.do(incident)), text)
    screen.shoot(f"picture-{name}")
    screen.close()
    assert screen.errors == []
    taken = SHOTS / f"picture-{name}.png"
    assert taken.stat().st_size <= SMALL
    if request.config.getoption("pictures"):
        PICTURES.mkdir(exist_ok=True)
        (PICTURES / f"{name}.png").write_bytes(taken.read_bytes())


def test_the_document_shows_each_of_them() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(pictures/(\w+)\.png\)", DOCUMENT.read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(SHOWN) == sorted(path.stem for path in PICTURES.glob("*"))
    assert all(path.stat().st_size <= SMALL for path in PICTURES.glob("*.png"))
