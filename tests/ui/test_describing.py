"""Settings: what is said of namespaces, and how long their runs are kept; an admin changes it, others read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_login import BASE, Guarded, visit
from ui_kit import Screen

from segue import Engine, NamespaceInfo, Retention

KEPT = "As the settings say (on this server: ended runs are kept for ever)"
LONG = "Orders, refunds and returns of all shops in Europe.\nAsk the desk in Lyon before anything is ended here."


@pytest.fixture
def guarded(chromium: Any, tmp_path: Path) -> Iterator[Guarded]:
    server = Guarded(tmp_path)
    server.accounts.add_user("root", "correct horse", {"*": "admin"})
    server.accounts.add_user("vera", "correct horse", {"default": "viewer"})
    server.accounts.add_user("emil", "correct horse", {"eu": "admin", "default": "developer"})
    server.engine.store.described.change("eu", description=LONG, retention='[{"keep":"30d"}]')
    yield server
    server.close()


def listed(screen: Screen) -> list[str]:
    """The rows of the table, and what is offered in each."""
    rows = screen.page.get_by_role("region", name="Namespaces").get_by_role("row")
    rows.nth(1).wait_for()
    return [" ".join(row.inner_text().split()) for row in rows.all()[1:]]


def said(guarded: Guarded, name: str) -> NamespaceInfo:
    async def look(engine: Engine) -> NamespaceInfo:
        return next(each for each in await engine.namespaces() if each.name == name)

    found: NamespaceInfo = guarded.do(look)
    return found


def edit(screen: Screen, name: str) -> Any:
    screen.page.get_by_role("button", name=f"Edit namespace {name}").click()
    return screen.page.get_by_role("dialog", name=f"Namespace {name}")


@pytest.mark.parametrize("look", [("wide", "light"), ("wide", "dark"), ("narrow", "light"), ("narrow", "dark")])
def test_the_list_and_the_form_are_clean(chromium: Any, guarded: Guarded, look: tuple[str, str]) -> None:
    rules = '[{"keep":"1w","state":"completed"},{"keep":"1d12h","workflow":"poll_feed"}]'
    guarded.engine.store.described.change("team.blue-2", retention=rules)
    guarded.engine.store.described.change("x" * 63, description="y" * 200, retention="[]")
    screen = visit(chromium, guarded, "root", look)
    page = screen.page
    screen.open(f"{BASE}/settings?tab=namespaces", "Open runs")
    page.get_by_role("button", name="Edit namespace eu").wait_for()
    screen.shoot(f"describing-list-{look[0]}-{look[1]}")
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert (screen.violations(), wider) == ([], 0)
    dialog = edit(screen, "team.blue-2")
    dialog.get_by_role("group", name="Rule 1").get_by_label("Kept for").fill("soon")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("'soon' is not a length of time").wait_for()
    screen.shoot(f"describing-form-{look[0]}-{look[1]}")
    assert screen.violations() == []
    inside = dialog.locator(".in").evaluate("element => element.scrollWidth - element.clientWidth")
    assert inside == 0
    screen.close()


def test_an_admin_says_what_a_namespace_is_for_and_how_long_its_runs_are_kept(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "root")
    page = screen.page
    page.get_by_role("link", name="Namespaces").click()
    assert listed(screen) == [
        f"default this one the server’s own {KEPT} 0 0 Edit…",
        f"eu {' '.join(LONG.split())} Ended runs are kept 30 days 0 0 Edit…",
    ]
    dialog = edit(screen, "default")
    dialog.get_by_label("Description").fill("What is tried out")
    dialog.get_by_role("button", name="For a time").click()
    dialog.get_by_role("button", name="Add a rule").click()
    second = dialog.get_by_role("group", name="Rule 2")
    second.get_by_label("Kept for").fill("365d")
    second.get_by_label("Ended as").select_option("failed")
    dialog.get_by_role("button", name="Add a rule").click()
    third = dialog.get_by_role("group", name="Rule 3")
    third.get_by_label("Kept for").fill("1d12h")
    third.get_by_label("Workflow").fill("fulfil")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("Namespace default changed").wait_for()
    dialog.wait_for(state="detached")
    assert listed(screen)[0] == (
        "default this one the server’s own What is tried out Ended runs are kept 30 days, failed ones 365 days, "
        "runs of fulfil 1 day 12 hours 0 0 Edit…"
    )
    rules = (Retention("30d"), Retention("365d", state="failed"), Retention("1d12h", workflow="fulfil"))
    assert said(guarded, "default") == NamespaceInfo("default", "What is tried out", rules)

    dialog = edit(screen, "default")
    dialog.get_by_role("button", name="Remove rule 1").click()
    dialog.get_by_role("button", name="Save").click()
    screen.see("Failed runs are kept 365 days, runs of fulfil 1 day 12 hours, all others for ever")
    for way, retention, text in (("For ever", (), "for ever"), ("As the settings say", None, "As the settings say")):
        dialog = edit(screen, "default")
        dialog.get_by_role("button", name=way).click()
        dialog.get_by_role("button", name="Save").click()
        dialog.wait_for(state="detached")
        page.get_by_role("row", name="default").get_by_text(text).locator("visible=true").first.wait_for()
        assert said(guarded, "default") == NamespaceInfo("default", "What is tried out", retention)
    page.get_by_role("link", name="Audit log").click()
    page.get_by_role("cell", name="change_namespace").first.wait_for()
    screen.close()
    assert screen.errors == []


def test_what_is_refused_is_said_at_its_field(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "root")
    page = screen.page
    page.get_by_role("link", name="Namespaces").click()
    dialog = edit(screen, "eu")
    keep = dialog.get_by_role("group", name="Rule 1").get_by_label("Kept for")
    description = dialog.get_by_label("Description")
    keep.fill("")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("1 field needs attention").wait_for()
    assert keep.get_attribute("aria-invalid") == "true"
    assert "is not a length of time" in dialog.locator(f"#{keep.get_attribute('aria-describedby')}").inner_text()
    keep.fill("30d")
    assert keep.get_attribute("aria-invalid") == "false"
    description.fill("x" * 1001)
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("1 field needs attention").wait_for()
    assert (description.get_attribute("aria-invalid"), keep.get_attribute("aria-invalid")) == ("true", "false")
    description.fill("short")
    dialog.get_by_role("button", name="Add a rule").click()
    dialog.get_by_role("group", name="Rule 2").get_by_label("Kept for").fill("31d")
    dialog.get_by_role("button", name="Save").click()
    dialog.get_by_text("two rules of retention are for all runs of every workflow").wait_for()
    assert said(guarded, "eu") == NamespaceInfo("eu", LONG, (Retention("30d"),))
    screen.close()


def test_who_may_not_change_it_reads_it_and_is_offered_nothing(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "vera")
    page = screen.page
    page.get_by_role("link", name="Namespaces").click()
    assert listed(screen) == [f"default this one the server’s own {KEPT} 0 0"]
    page.get_by_role("heading", name="One namespace so far").wait_for()
    assert page.get_by_role("button", name="Edit").count() == 0
    assert screen.violations() == []
    screen.shoot("describing-one")
    screen.close()
    assert screen.errors == []


def test_an_admin_of_one_namespace_changes_it_from_wherever_they_are(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "emil")
    page = screen.page
    page.get_by_role("link", name="Namespaces").click()
    assert [row.endswith("Edit…") for row in listed(screen)] == [False, True]
    dialog = edit(screen, "eu")
    dialog.get_by_label("Description").fill("Europe")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("row", name="eu Europe").wait_for()
    assert said(guarded, "eu").description == "Europe"
    screen.close()
    assert screen.errors == []


def test_what_somebody_else_has_said_meanwhile_is_not_written_over(chromium: Any, guarded: Guarded) -> None:
    screen = visit(chromium, guarded, "root")
    screen.open(f"{BASE}/settings?tab=namespaces", "Open runs")
    dialog = edit(screen, "eu")
    guarded.engine.store.described.change("eu", retention='[{"keep":"60d"}]')
    dialog.get_by_label("Description").fill("Orders in Europe")
    dialog.get_by_role("button", name="Save").click()
    screen.see("namespace 'eu' is not any more what it was when it was read")
    screen.see("Ended runs are kept 60 days")
    assert said(guarded, "eu") == NamespaceInfo("eu", LONG, (Retention("60d"),))
    dialog.get_by_role("button", name="Back").click()
    dialog = edit(screen, "eu")
    dialog.get_by_label("Description").fill("Orders in Europe")
    dialog.get_by_role("button", name="Save").click()
    screen.see("Namespace eu changed")
    assert said(guarded, "eu") == NamespaceInfo("eu", "Orders in Europe", (Retention("60d"),))
    screen.close()
    assert all("412" in error for error in screen.errors), screen.errors
