"""Several namespaces in a real browser: whose runs are shown is in the address, and stays there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import ui_program
from test_login import BASE, Guarded
from ui_kit import Screen, Served

from segue import Engine, Incident
from segue.server.within import within
from segue.stores.base import RunFilter

KEPT = "As the settings say (on this server: ended runs are kept for ever)"


async def fill(engine: Engine) -> None:
    """One finished run here; elsewhere one that stands still and one that waits."""
    await (await engine.start(ui_program.sync_inventory, 3, id="stock-here")).result()
    eu = within(engine, "eu")
    await eu.start(ui_program.sync_inventory, 1, True, id="stock-eu")
    stands = await eu.start(ui_program.fulfil, ui_program.Order("order-70013", "Ada", "AU"), id="order-70013")
    await within(engine, "team.blue-2").start(ui_program.sync_inventory, 1, True, id="stock-blue")
    with suppress(Incident):
        await stands.result()


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("namespaces"), filled=False)
    server.do(fill)
    yield server
    server.close()


def address(screen: Screen, served: Served) -> str:
    found: str = screen.page.url.removeprefix(served.url)
    return found


def choose(screen: Screen, name: str) -> None:
    screen.page.get_by_role("button", name=re.compile("^Namespace ")).click()
    screen.page.get_by_role("dialog", name="Namespaces").get_by_role("link", name=name).click()


def test_another_namespace_is_chosen_and_every_address_carries_it_on(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "stock-here")
    choose(screen, "eu")
    screen.see("order-70013")
    assert address(screen, served) == "/runs?namespace=eu"
    assert page.get_by_text("stock-here").count() == 0
    page.get_by_role("link", name="stock-eu").first.click()
    page.wait_for_url(re.compile(r"/runs/\d+\?.*namespace=eu|/runs\?.*peek=\d+.*namespace=eu"))
    for name, path in (("Overview", "/overview"), ("Tasks", "/tasks"), ("Workflows", "/workflows")):
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name).click()
        page.wait_for_url(f"{served.url}{path}?namespace=eu")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Overview").click()
    screen.see("order-70013")
    page.get_by_role("link", name=re.compile("Waiting")).first.click()
    screen.see("stock-eu")
    assert "namespace=eu" in address(screen, served)
    page.reload()
    screen.see("stock-eu")
    page.go_back()
    screen.see("order-70013")


def test_what_is_started_and_what_happens_is_of_the_namespace(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs?namespace=eu", "order-70013")
    page.get_by_role("button", name="Start run").first.click()
    page.get_by_role("dialog").get_by_text("sync_inventory", exact=True).click()
    page.get_by_role("textbox", name="Run id").fill("begun-in-eu")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\d+\?namespace=eu"))
    screen.see("Completed")
    (row,) = served.engine.store.list(RunFilter(namespace="eu", id_prefix="begun-in-eu"))
    assert row.workflow == "sync_inventory"
    screen.open("/runs?namespace=eu", "begun-in-eu")

    async def start(engine: Engine) -> None:
        await engine.start(ui_program.sync_inventory, id="live-here")
        await within(engine, "eu").start(ui_program.sync_inventory, id="live-there")

    served.do(start)
    screen.see("live-there")  # by the stream, without a reload
    assert page.get_by_text("live-here").count() == 0


def test_a_link_opens_the_same_for_somebody_else(chromium: Any, served: Served) -> None:
    (row,) = served.engine.store.list(RunFilter(namespace="eu", id_prefix="order-70013"))
    screen = Screen(chromium, served.url)
    screen.open(f"/runs/{row.run}?namespace=eu", "refund could not undo")
    assert address(screen, served) == f"/runs/{row.run}?namespace=eu"
    screen.open(f"/runs/{row.run}?tab=events&namespace=eu", "Copy as JSON")
    assert screen.errors == []
    # The same number in the server's own namespace is no run, and an old address means what it meant.
    screen.open(f"/runs/{row.run}", "no run")
    screen.errors.clear()  # the browser complains of the answer's status, as it should
    screen.open("/runs", "stock-here")
    screen.close()
    assert screen.errors == []


def test_what_was_chosen_is_remembered_where_no_address_says_otherwise(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/", "Over time")
    assert address(screen, served) == "/overview"
    choose(screen, "eu")
    page.wait_for_url(f"{served.url}/overview?namespace=eu")
    screen.open("/", "order-70013")
    assert address(screen, served) == "/overview?namespace=eu"
    screen.open("/runs", "stock-here")
    choose(screen, "default")
    page.wait_for_url(f"{served.url}/runs")
    screen.open("/", "Over time")
    assert address(screen, served) == "/overview"


def test_it_is_changed_by_keys_alone(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open("/runs", "stock-here")
    page.get_by_role("button", name="Namespace default").wait_for()
    page.keyboard.press("g")
    page.keyboard.press("n")
    dialog = page.get_by_role("dialog", name="Namespaces")
    dialog.wait_for()
    assert dialog.get_by_role("link").all_inner_texts() == ["default\nthe server’s own", "eu", "team.blue-2"]
    for _ in range(2):  # from the button that closes it, past the first
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.url}/runs?namespace=eu")
    screen.see("order-70013")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox", name="Search or jump to").fill("team.bl")
    page.get_by_role("option", name="team.blue-2").wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{served.url}/runs?namespace=team.blue-2")
    screen.see("stock-blue")


@pytest.mark.parametrize("look", [("wide", "light"), ("wide", "dark"), ("narrow", "light"), ("narrow", "dark")])
def test_every_part_is_clean(chromium: Any, served: Served, look: tuple[str, str]) -> None:
    screen = Screen(chromium, served.url, *look)
    page = screen.page
    for path, text in (("/runs?namespace=team.blue-2", "stock-blue"), ("/settings?tab=namespaces", "Open runs")):
        screen.open(path, text)
        page.get_by_role("button", name=re.compile("^Namespace ")).wait_for()
        part = "settings" if "settings" in path else "runs"
        screen.shoot(f"namespaces-{part}-{look[0]}-{look[1]}")
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (path, screen.violations(), wider) == (path, [], 0)
    page.get_by_role("row", name="eu 2 Incident 1" if look[0] == "x" else re.compile("^eu ")).wait_for()
    choose_button = page.get_by_role("button", name=re.compile("^Namespace "))
    choose_button.click()
    page.get_by_role("dialog", name="Namespaces").wait_for()
    screen.shoot(f"namespaces-choice-{look[0]}-{look[1]}")
    assert screen.violations() == []
    screen.close()
    assert screen.errors == []


def test_settings_list_them_with_what_is_open_and_what_stands_still(screen: Screen, served: Served) -> None:
    screen.open("/settings", "Who you are")
    screen.page.get_by_role("link", name="Namespaces").click()
    rows = screen.page.get_by_role("region", name="Namespaces").get_by_role("row")
    rows.nth(3).wait_for()
    assert [" ".join(row.inner_text().split()) for row in rows.all()[1:]] == [
        f"default this one the server’s own {KEPT} 0 0 Edit…", f"eu {KEPT} 2 1 Edit…", f"team.blue-2 {KEPT} 1 0 Edit…",
    ]  # fmt: skip
    screen.page.get_by_role("link", name="eu", exact=True).click()
    screen.page.wait_for_url(f"{served.url}/settings?namespace=eu")


def test_where_there_is_one_nobody_is_asked(chromium: Any, tmp_path: Path) -> None:
    server = Served(tmp_path, filled=False)
    screen = Screen(chromium, server.url)
    screen.open("/runs", "Nothing has run yet")
    screen.page.keyboard.press("g")
    screen.page.keyboard.press("n")
    assert screen.page.get_by_role("button", name=re.compile("^Namespace ")).count() == 0
    assert screen.page.get_by_role("dialog").count() == 0
    screen.close()
    server.close()
    assert screen.errors == []


# --- with a login, below a path -------------------------------------------------------------------------------


@pytest.fixture
def guarded(chromium: Any, tmp_path: Path) -> Iterator[Guarded]:
    server = Guarded(tmp_path)
    server.accounts.add_user("emil", "correct horse", {"eu": "operator"})
    server.accounts.add_user("both", "correct horse", {"eu": "viewer", "us": "developer"})
    server.accounts.add_user("none", "correct horse", {})
    yield server
    server.close()


def visit(chromium: Any, guarded: Guarded, name: str) -> Screen:
    screen = Screen(chromium, guarded.url)
    screen.open(f"{BASE}/", "Password")
    screen.page.get_by_label("Name").fill(name)
    screen.page.get_by_label("Password").fill("correct horse")
    screen.page.get_by_role("button", name="Log in").click()
    return screen


def test_whoever_has_a_role_elsewhere_is_led_there(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "emil")
    page = screen.page
    page.wait_for_url(f"{guarded.url}{BASE}/overview?namespace=eu")
    screen.errors.clear()  # of the namespace in which there is nothing to be seen
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Runs").click()
    page.wait_for_url(f"{guarded.url}{BASE}/runs?namespace=eu")
    screen.see("Nothing has run yet")
    assert page.get_by_role("button", name=re.compile("^Namespace ")).count() == 0
    assert screen.errors == []
    screen.close()


def test_a_link_in_a_namespace_opens_after_the_login_too(chromium: Any, guarded: Guarded) -> None:
    screen = Screen(chromium, guarded.url)
    screen.open(f"{BASE}/workflows?name=fulfil&namespace=us", "Password")
    screen.page.get_by_label("Name").fill("both")
    screen.page.get_by_label("Password").fill("correct horse")
    screen.page.get_by_role("button", name="Log in").click()
    screen.see("Takes an order from payment to parcel")
    assert screen.page.url == f"{guarded.url}{BASE}/workflows?name=fulfil&namespace=us"
    screen.close()
    assert screen.errors == []


def test_an_address_that_is_not_for_one_says_so_and_what_is(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "both")
    page = screen.page
    page.wait_for_url(re.compile("namespace=eu"))
    screen.open(f"{BASE}/runs?namespace=secret", "You have no role in a namespace secret")
    assert [link.inner_text() for link in page.get_by_role("main").get_by_role("link").all()] == ["eu", "us"]
    assert screen.violations() == []
    screen.shoot("namespaces-stray")
    page.get_by_role("main").get_by_role("link", name="us").click()
    page.wait_for_url(f"{guarded.url}{BASE}/runs?namespace=us")
    page.get_by_role("button", name="Start run").first.wait_for()
    screen.close()


def test_whoever_has_no_role_at_all_still_gets_out(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "none")
    screen.see("You have no role in any")
    screen.page.get_by_role("main").get_by_role("link", name="Settings").click()
    screen.see("Who you are")
    screen.page.get_by_role("status").get_by_text("No role in default").wait_for()
    assert screen.page.get_by_text("Reconnecting").count() == 0
    screen.shoot("namespaces-no-role")
    assert screen.violations() == []
    screen.page.get_by_role("button", name="Log out").click()
    screen.see("Password")
    screen.close()


def test_a_page_that_has_heard_nothing_yet_names_no_time(chromium: Any, tmp_path: Path) -> None:
    server = Served(tmp_path, filled=False)
    screen = Screen(chromium, server.url)
    screen.page.route("**/api/v1/live*", lambda route: route.abort())
    screen.open("/overview", "Reconnecting")
    assert screen.page.get_by_text("Reconnecting").inner_text() == "Reconnecting"
    screen.close()
    server.close()
