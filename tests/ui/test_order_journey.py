"""The first five minutes of somebody who has just installed segue, by what they can read on the screen: they start the
order example, see it fail, read why, put it right, and see it finish."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ui_kit import ROOT, Screen


@pytest.fixture
def address(chromium: Any, tmp_path: Path) -> Iterator[str]:
    """Where ``segue dev examples/`` shows its dashboard."""
    command = [sys.executable, "-m", "segue.cli", "dev", str(ROOT / "examples"), "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "300"}
    dev = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert dev.stdout is not None
    for line in dev.stdout:
        found = re.search(r"dashboard (http://\S+)", line)
        if found:
            break
    else:
        raise AssertionError(f"segue dev ended with {dev.wait()} before it had a dashboard")
    # What it says of runs later on is read away, so that it never waits for a reader.
    reader = threading.Thread(target=dev.stdout.read)
    reader.start()
    yield found[1]
    dev.send_signal(signal.SIGINT)
    assert dev.wait(30) == 0
    reader.join()
    dev.stdout.close()


def test_an_order_fails_is_put_right_and_finishes(chromium: Any, address: str) -> None:
    screen = Screen(chromium, address)
    page = screen.page
    screen.open("/", "Nothing has run yet")

    # A card that the bank declines.
    page.get_by_text("Start run").first.click()
    page.get_by_text("fulfil", exact=True).locator("visible=true").first.click()
    form = page.get_by_role("dialog")
    form.get_by_label("Card").fill("4000 0000 0000 0002")
    page.get_by_text("Start ⌘↵").click()

    # It fails, by itself and on the screen; why stands in plain words, and what was done is undone.
    page.get_by_text("Failed", exact=True).first.wait_for()
    page.get_by_text("the bank declined the card").locator("visible=true").first.wait_for()
    page.get_by_text("Compensation").wait_for()
    page.get_by_text("2 of 2 undone, last first").wait_for()
    screen.shoot("journey-order-failed")

    # Another card: the form begins with all that this run was started with.
    page.get_by_text("Start another…").click()
    assert form.get_by_label("Card").input_value() == "4000 0000 0000 0002"
    form.get_by_label("Card").fill("4000 0000 0000 0077")
    form.get_by_role("textbox", name="Id", exact=True).fill("order-1042-b")
    page.get_by_text("Start ⌘↵").click()
    page.get_by_text("Completed", exact=True).first.wait_for()
    page.get_by_text("parcel-0001").locator("visible=true").first.wait_for()
    screen.shoot("journey-order-completed")
    screen.close()
    assert screen.errors == []
