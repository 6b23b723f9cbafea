"""A page of the browser and a server behind it, as the tests of the screens use them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import ui_program

from segue import Engine, Every, Schedule

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "build" / "screenshots"
AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"

Serving = Callable[..., AbstractAsyncContextManager[tuple[Engine, str]]]
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}

HEARD = """
    window.EventSource = class extends EventTarget {
        constructor() { super(); window.told = this }
        close() {}
    }
    window.tell = (busy) => window.told.dispatchEvent(
        new MessageEvent('changed', { data: JSON.stringify({ now: Date.now() * 1000, busy }) }))
"""
"""In place of the browser's stream of changes: the test says when one comes."""


class Served:
    """The server in a thread of its own, so that a test may wait for the browser while it answers."""

    def __init__(self, folder: Path, *, filled: bool = True, serving: Serving = ui_program.serving) -> None:
        self._loop = asyncio.new_event_loop()
        self._serving = serving
        self._stop = asyncio.Event()
        self._ready: Future[tuple[Engine, str]] = Future()
        self._thread = threading.Thread(target=self._run, args=(folder, filled))
        self._thread.start()
        self.engine, self.url = self._ready.result(60)

    def _run(self, folder: Path, filled: bool) -> None:
        async def serve() -> None:
            async with self._serving(f"sqlite:///{folder}/segue.db", filled=filled) as served:
                self._ready.set_result(served)
                await self._stop.wait()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(serve())
            except BaseException as error:
                if not self._ready.done():
                    self._ready.set_exception(error)
                raise

    def do(self, make: Callable[[Engine], Any]) -> Any:
        """Awaits what ``make`` gives, on the loop of the engine."""
        return asyncio.run_coroutine_threadsafe(make(self.engine), self._loop).result(60)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)


class Screen:
    """One page of the browser; ``errors`` is what it complained of."""

    def __init__(self, browser: Any, url: str, size: str = "wide", scheme: str = "light", scale: float = 1) -> None:
        self._context = browser.new_context(
            viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce", base_url=url, device_scale_factor=scale
        )
        self.page = self._context.new_page()
        self.page.set_default_timeout(20_000)
        self.errors: list[str] = []
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self._asked: set[Any] = set()
        self.page.on("request", lambda request: self._asked.add(request))
        for answered in ("requestfinished", "requestfailed"):
            self.page.on(answered, lambda request: self._asked.discard(request))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.errors.append(text)

    def open(self, path: str, text: str) -> None:
        """Goes there, and waits until a text is to be seen."""
        self.page.goto(path, wait_until="domcontentloaded")
        self.see(text)

    def hear_from_test(self) -> None:
        """From the next page on, it hears of changes by ``tell_change`` only."""
        self.page.add_init_script(HEARD)

    def tell_change(self, busy: bool = False) -> None:
        self.page.evaluate("(busy) => window.tell(busy)", busy)

    def see(self, text: str) -> None:
        self.page.get_by_text(text).locator("visible=true").first.wait_for()

    def wait_for_value(self, field: Any, text: str) -> None:
        """Waits until a field has this text in it."""
        self.page.wait_for_function("([field, text]) => field.value === text", arg=[field.element_handle(), text])

    def wait_for_focus(self, found: Any) -> None:
        """Waits until an element is there, and has the keys."""
        found.wait_for()
        self.page.wait_for_function("(element) => element === document.activeElement", arg=found.element_handle())

    def settle(self) -> None:
        """Waits until all that the page has asked for is answered, but for its stream of changes."""
        while any(request.resource_type != "eventsource" for request in self._asked):
            self.page.wait_for_timeout(20)

    def shoot(self, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png")

    def violations(self) -> list[str]:
        """What axe finds. Its code goes in through the debugger: the page's own rules would refuse it."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("axe.run({ resultTypes: ['violations'] })")
        return [
            f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found["violations"]
            for node in each["nodes"][:3]
        ]

    def close(self) -> None:
        from playwright.sync_api import TimeoutError as PlaywrightTimeout  # not everybody has it

        # Where it has gone elsewhere just now, Chromium may never come to the end of closing: it arrives first, and the
        # page goes before the rest.
        with suppress(PlaywrightTimeout):
            self.page.wait_for_load_state(timeout=5_000)
        self.page.close()
        self._context.close()


def until_asked(served: Served, id: str) -> None:
    """Waits until a run asks somebody."""
    until = time.monotonic() + 20
    while not any(task.run_id == id for task in served.do(lambda engine: engine.tasks())):
        assert time.monotonic() < until, "the run asks nobody"


def show_schedule(screen: Screen, served: Served, name: str) -> None:
    """Makes a schedule of every two hours, and shows it."""
    rule = Schedule(Every("2h"), args=(900,))
    served.do(lambda engine: engine.schedules.create(name, ui_program.sync_inventory, rule))
    screen.open(f"/schedules?name={name}", "every 2h")


def form(screen: Screen, workflow: str) -> Any:
    """The form that starts a workflow."""
    screen.open(f"/workflows?name={workflow}", "Last runs by step")
    screen.page.get_by_role("button", name="Start…").click()
    dialog = screen.page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Run id").wait_for()
    return dialog


def started(screen: Screen, served: Served, dialog: Any, id: str) -> Any:
    """Sends the form; gives what came of the run."""
    dialog.get_by_role("textbox", name="Run id").fill(id)
    before = screen.page.url  # which may be that of another run
    dialog.get_by_role("button", name="Start", exact=True).click()
    screen.page.wait_for_url(lambda url: "/runs/" in url and url != before)
    found = served.do(lambda engine: engine.handle(id))
    return served.do(lambda engine: found.result())
