"""A server that asks for a login, below a path, in a real browser: under its own content security policy."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import ui_program
from pwdlib.hashers.argon2 import Argon2Hasher
from ui_kit import Screen

from segue import Engine
from segue.server.access import Known
from segue.server.accounts import Accounts
from segue.server.app import application
from segue.server.listening import listen
from segue.stores.base import RunFilter

BASE = "/tools/segue"


class Guarded:
    """Such a server, in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._loop, self._stop = asyncio.new_event_loop(), asyncio.Event()
        self._ready: Future[tuple[Engine, str]] = Future()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(folder),))
        self._thread.start()
        self.accounts: Accounts
        self.engine, self.url = self._ready.result(60)

    async def _serve(self, folder: Path) -> None:
        async with Engine(f"sqlite:///{folder}/segue.db", workflows=ui_program.WORKFLOWS) as engine:  # type: ignore[arg-type]
            quick = Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)
            self.accounts = accounts = Accounts(engine.store.accounts, engine.clock.now, quick)
            accounts.add_user("ann", "correct horse", {"default": "developer"})
            app = application(engine, Known(accounts, "default"), accounts=accounts, base=BASE)
            server = listen(app, port=0)
            self._ready.set_result((engine, server.url))
            await self._stop.wait()
            await server.close()

    def do(self, make: Callable[[Engine], Any]) -> Any:
        """Awaits what ``make`` gives, on the loop of the engine."""
        return asyncio.run_coroutine_threadsafe(make(self.engine), self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        self._loop.close()


def visit(chromium: Any, guarded: Guarded, name: str, look: tuple[str, str] = ("wide", "light")) -> Screen:
    """A screen on which somebody has logged in."""
    screen = Screen(chromium, guarded.url, *look)
    screen.open(f"{BASE}/settings", "Password")
    screen.page.get_by_label("Name").fill(name)
    screen.page.get_by_label("Password").fill("correct horse")
    screen.page.get_by_role("button", name="Log in").click()
    screen.see("Who you are")
    return screen


@pytest.fixture
def guarded(chromium: Any, tmp_path: Path) -> Iterator[Guarded]:
    server = Guarded(tmp_path)
    yield server
    server.close()


def test_log_in_act_and_log_out(chromium: Any, guarded: Guarded) -> None:
    screen = Screen(chromium, guarded.url)
    page = screen.page
    screen.open(f"{BASE}/runs", "Password")
    assert page.url == f"{guarded.url}{BASE}/login?to=runs"
    assert screen.violations() == []

    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("alert").get_by_text("no user's name with their password").wait_for()
    screen.errors.clear()  # the browser complains of the answer's status, as it should

    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Start run").first.click()  # an empty page has two
    page.get_by_role("dialog").get_by_text("fulfil", exact=True).click()
    page.get_by_role("textbox", name="Id", exact=True).fill("order-60013")
    page.get_by_role("textbox", name="Customer").fill("Ada")
    page.get_by_text("AU", exact=True).click()
    page.get_by_role("button", name="Start", exact=True).click()
    screen.see("refund could not undo")
    assert f"{BASE}/runs/" in page.url
    (row,) = guarded.engine.store.list(RunFilter(limit=1))
    (_, started), *_ = guarded.engine.events_of(row.run)
    assert started.actor == "user:ann"

    page.goto(f"{BASE}/login")
    page.get_by_role("button", name="Log out").click()
    screen.see("Password")
    screen.open(f"{BASE}/overview", "Password")
    screen.close()
    assert screen.errors == []
