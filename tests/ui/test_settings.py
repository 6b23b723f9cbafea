"""Settings: users, API keys and the audit log of a server that asks for a login; each sees what they may."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import ui_program
from test_login import BASE, Guarded, visit
from ui_kit import Screen, Served

from segue import Engine, Every, Schedule

TABS = {
    "": "Who you are", "users": "vera", "keys": "API keys", "audit": "log_in", "namespaces": "Open runs",
    "system": "lost_limit",
}  # fmt: skip


@pytest.fixture
def guarded(chromium: Any, tmp_path: Path) -> Iterator[Guarded]:
    server = Guarded(tmp_path)
    server.accounts.add_user("root", "correct horse", {"*": "admin"})
    server.accounts.add_user("vera", "correct horse", {"default": "viewer"})
    yield server
    server.close()


async def fill(engine: Engine) -> None:
    """A schedule, and a run that asks somebody."""
    await engine.schedules.create("nightly", ui_program.sync_inventory, Schedule(Every("24h"), args=(900,)))
    asking = await engine.start(ui_program.fulfil, ui_program.Order("order-1", "Hallberg & Co"), id="order-1")
    while not await engine.tasks():
        await engine.changed(asking.run, 0)


@pytest.mark.parametrize("look", [("wide", "light"), ("wide", "dark"), ("narrow", "light"), ("narrow", "dark")])
def test_every_part_is_clean(chromium: Any, guarded: Guarded, look: tuple[str, str]) -> None:
    screen = visit(chromium, guarded, "root", look)
    for tab, text in TABS.items():
        screen.open(f"{BASE}/settings" + (f"?tab={tab}" if tab else ""), text)
        screen.shoot(f"settings-{tab or 'you'}-{look[0]}-{look[1]}")
        wider = screen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert (tab, screen.violations(), wider) == (tab, [], 0)
    screen.close()
    assert screen.errors == []


def test_a_user_is_added_changed_and_removed(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "root")
    page = screen.page
    page.get_by_role("link", name="Users").click()
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog", name="A new user")
    dialog.get_by_role("textbox", name="Name", exact=True).fill("otto")
    dialog.get_by_label("Password").fill("battery staple")
    dialog.get_by_role("combobox").select_option("operator")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Add").click()
    page.get_by_text("otto added").wait_for()
    role = page.get_by_label("Role of otto")
    role.focus()
    page.keyboard.press("ArrowDown")  # a choice that is passed gives no role
    page.get_by_role("button", name="Change the role").wait_for()
    assert role.input_value() == "developer"
    assert guarded.accounts.user("otto").roles == {"default": "operator"}
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_text("Role of otto changed").wait_for()
    assert guarded.accounts.user("otto").roles == {"default": "developer"}
    page.get_by_role("button", name="Remove otto?").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the account").click()
    page.get_by_role("cell", name="otto", exact=True).wait_for(state="detached")
    assert [user.name for user in guarded.accounts.list_users()] == ["ann", "root", "vera"]

    # All of it stands in the audit log.
    page.get_by_role("link", name="Audit log").click()
    for action in ("add_user", "change_user", "remove_user"):
        page.get_by_role("cell", name=action).wait_for()
    screen.close()
    assert screen.errors == []


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_an_admin_of_one_namespace_is_offered_what_they_may(chromium: Any, guarded: Guarded, size: str) -> None:
    guarded.accounts.add_user("nina", "correct horse", {"default": "admin"})
    guarded.accounts.add_user("emil", "correct horse", {"default": "viewer", "eu": "operator"})
    screen = visit(chromium, guarded, "nina", (size, "light"))
    page = screen.page
    screen.open(f"{BASE}/settings?tab=users", "vera")
    emil = page.get_by_role("row").filter(has=page.get_by_role("cell", name="emil", exact=True))
    emil.get_by_text("also in other namespaces").wait_for()
    assert emil.get_by_role("button").count() == 0
    assert page.get_by_text("eu").count() == 0
    root = page.get_by_role("row").filter(has=page.get_by_role("cell", name="root", exact=True))
    vera = page.get_by_role("row").filter(has=page.get_by_role("cell", name="vera", exact=True))
    assert [button.inner_text() for button in vera.get_by_role("button").all()] == ["New password…", "Remove…"]
    assert root.get_by_role("button").count() == 0
    role = root.get_by_text("admin in every namespace")
    assert role.evaluate(
        "(tag) => tag.getBoundingClientRect().right <= tag.closest('td').getBoundingClientRect().right"
    )
    page.get_by_role("button", name="Add user").click()
    dialog = page.get_by_role("dialog", name="A new user")
    dialog.get_by_role("combobox").wait_for()
    assert dialog.get_by_role("checkbox").count() == 0
    screen.shoot(f"settings-users-of-one-namespace-{size}")
    screen.close()
    assert screen.errors == []


def test_a_key_is_told_once_works_and_is_revoked(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "ann")
    page = screen.page
    assert page.get_by_role("link", name="Users").count() == page.get_by_role("link", name="Audit log").count() == 0
    page.get_by_role("link", name="API keys").click()
    page.get_by_role("button", name="New key").click()
    dialog = page.get_by_role("dialog", name="A new API key")
    dialog.get_by_label("Label").fill("nightly")
    dialog.get_by_label("Expires after").select_option("30")
    dialog.get_by_role("button", name="Make the key").click()
    dialog.get_by_text("never again").wait_for()
    secret = dialog.locator("pre").inner_text()
    headers = {"authorization": f"Bearer {secret}"}
    address = f"{guarded.url}{BASE}/api/v1"
    assert httpx.get(f"{address}/runs", headers=headers).status_code == 200
    assert httpx.post(f"{address}/runs", headers=headers, json={"workflow": "fulfil"}).status_code == 403
    dialog.get_by_role("button", name="I have kept it").click()
    page.get_by_role("cell", name="in 30d").wait_for()
    assert secret not in page.content()

    page.get_by_role("button", name="Revoke nightly?").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke the key").click()
    page.get_by_role("cell", name="revoked").wait_for()
    assert httpx.get(f"{address}/runs", headers=headers).status_code == 401
    screen.close()
    assert screen.errors == []


def test_a_viewer_sees_what_they_may_and_is_offered_nothing_else(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "vera")
    page = screen.page
    page.get_by_text("look at runs, workflows and logs").wait_for()
    assert page.get_by_text("signal, pause, repair and end runs").count() == 0
    screen.open(f"{BASE}/settings?tab=users", "Who you are")
    assert page.get_by_role("navigation", name="Settings").get_by_role("link").all_inner_texts() == [
        "You",
        "API keys",
        "Namespaces",
        "This server",
    ]
    screen.open(f"{BASE}/runs", "Nothing has run yet")
    assert page.get_by_role("button", name="Start run").count() == 0
    guarded.do(fill)
    screen.open(f"{BASE}/schedules?name=nightly", "Next due times")
    aside = page.get_by_role("complementary")
    assert aside.get_by_role("button").all_inner_texts() == [""]  # that which closes it
    assert [text for text in aside.locator("section").all_inner_texts() if not text.strip()] == []
    screen.open(f"{BASE}/tasks", "You may look at tasks, and not answer them.")
    assert page.get_by_role("button", name="Complete and go on").count() == 0
    screen.close()
    assert screen.errors == []


def test_a_password_is_changed_and_somebody_logs_out(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "ann")
    page = screen.page
    page.get_by_label("Password as it is").fill("correct horse")
    page.get_by_label("New password", exact=True).fill("battery staple")
    page.get_by_label("New password once more").fill("battery stable")
    page.get_by_text("The two are not the same").wait_for()
    page.get_by_label("New password once more").fill("battery staple")
    screen.settle()
    page.get_by_role("button", name="Change it").click()
    page.get_by_role("button", name="Log in").wait_for()
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("battery staple")
    page.get_by_role("button", name="Log in").click()
    screen.see("Who you are")
    screen.settle()  # what is asked as the session ends would be refused
    page.get_by_role("button", name="Log out").click()
    page.get_by_role("button", name="Log in").wait_for()
    screen.open(f"{BASE}/overview", "Password")
    screen.close()
    assert screen.errors == []


def test_without_a_login_it_says_so(screen: Screen, served: Served) -> None:
    screen.open("/settings", "This server asks nobody to log in")
    assert screen.page.get_by_role("button", name="Log out").count() == 0
    screen.page.get_by_role("link", name="Users").click()
    screen.see("Nobody has an account")
    screen.page.get_by_role("link", name="API keys").click()
    screen.see("An API key belongs to an account")
    screen.page.get_by_role("link", name="This server").click()
    screen.page.get_by_role("row", name=re.compile("^threads 32")).wait_for()
    screen.see("For ever: no rule says otherwise.")
