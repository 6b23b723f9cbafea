"""More than a screen carries along: large arguments, many attempts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ui_kit import Screen, Served
from ui_program import only

from segue import Retry, step, workflow
from segue.server.views import SHOWN

ATTEMPTS = 120
LARGE = 2_500_000
"""Characters of what nobody edits in a browser."""


@step(retry=Retry(attempts=ATTEMPTS, initial="1us", maximum="1us"), on_exhausted="incident")
async def measures(text: str) -> int:
    if text.startswith("é"):
        raise ValueError("not ASCII")
    return len(text)


@workflow
async def reads(length: int) -> int:
    return await measures("é" * length)


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("much"), filled=False, serving=only(reads))
    yield server
    server.close()


def standing(screen: Screen, served: Served, length: int) -> Any:
    """Shows a run whose step stands still; gives what tells of the step."""
    run = served.do(lambda engine: engine.start(reads, length)).run
    screen.open(f"/runs/{run}", "measures could not go on")
    return screen.page.get_by_role("complementary", name="Step measures")


def test_large_arguments_are_edited_as_they_are(screen: Screen, served: Served) -> None:
    page = screen.page
    standing(screen, served, SHOWN + 1).get_by_role("button", name="Edit input…").click()
    dialog = page.get_by_role("dialog")
    arguments = dialog.get_by_label("Arguments, as JSON by name")
    given = json.loads(arguments.input_value())
    assert given == {"text": "é" * (SHOWN + 1)}
    arguments.fill(json.dumps({"text": "e" + given["text"][1:]}))
    dialog.get_by_role("button", name="Give them").click()
    dialog.wait_for(state="detached")
    page.get_by_role("button", name="Retry measures").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry", exact=True).click()
    page.locator("h1").get_by_text("Completed").wait_for()
    assert str(SHOWN + 1) in page.get_by_role("complementary").inner_text()


def test_arguments_that_are_too_large_to_be_seen_are_not_replaced_unknowingly(screen: Screen, served: Served) -> None:
    page = screen.page
    standing(screen, served, LARGE).get_by_role("button", name="Edit input…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("note").get_by_text("takes the place of all of it").wait_for()
    assert dialog.get_by_label("Arguments, as JSON by name").input_value() == ""
    dialog.get_by_role("button", name="Give them").click()
    dialog.get_by_role("alert").get_by_text("This is not JSON").wait_for()
    assert screen.violations() == []


def test_every_attempt_can_be_seen(screen: Screen, served: Served) -> None:
    inspector = standing(screen, served, 1)
    attempts = inspector.locator(".att")
    attempts.nth(49).wait_for()
    assert attempts.count() == 50
    inspector.get_by_role("button", name=f"{ATTEMPTS - 50} more").click()
    attempts.nth(ATTEMPTS - 1).wait_for()
