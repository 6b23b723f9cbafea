"""Every page in both sizes and schemes: shows what it should, complains of nothing, fits, is clean by axe."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from ui_kit import Screen, Served

PAGES = {
    "overview": ("/overview", "failed · last 24 hours"),
    "runs": ("/runs", "order-48213"),
    "runs-peek": ("/runs?peek={incident}", "Remedy"),
    "runs-none": ("/runs?id=nothing-like-it", "No runs match"),
    "run-timeline": ("/runs/{incident}", "Compensation"),
    "run-graph": ("/runs/{incident}?tab=graph", "cancel_shipment"),
    "run-events": ("/runs/{incident}?tab=events&full=true", "RunStarted"),
    "run-logs": ("/runs/{incident}?tab=logs", "score of C-20418"),
    "run-artifacts": ("/runs/{report}?tab=artifacts", "Sales by item"),
    "run-mapped": ("/runs/{mapped}", "load_partition × 40"),
    "run-decision": ("/runs/{quote}?step=%2Fdecision%3Ashipping%20fee", "by air"),
    "run-child": ("/runs/{parent}?step=%2Fquote%20%E2%80%BA%20%2Fdecision%3Ashipping%20fee", "by road"),
    "tasks": ("/tasks", "Approve order-48219"),
    "schedules": ("/schedules", "quarter-hour"),
    "schedule": ("/schedules?name=nightly-stock", "30 completed"),
    "schedules-week": ("/schedules?view=week", "times"),
    "workers": ("/workers", "Alive"),
    "workflows": ("/workflows?name=fulfil", "async def fulfil"),
    "workflow-mapped": ("/workflows?name=daily_etl", "load_partition"),
}

LOOKS = [("wide", "light"), ("wide", "dark"), ("narrow", "light"), ("narrow", "dark")]


@pytest.fixture(scope="module")
def numbers(served: Served) -> dict[str, int]:
    """The runs that the addresses name, once they are where they should be."""

    async def find(engine: Any) -> dict[str, int]:
        incident = await engine.handle("order-48213")
        mapped = await engine.handle("etl-2026-11-22")
        quote = await engine.handle("quote-1204")
        parent = await engine.handle("import-crm-7")
        await parent.result()
        report = await engine.handle("report-1")
        return {
            "report": report.run,
            "parent": parent.run,
            "quote": quote.run,
            "incident": incident.run,
            "mapped": mapped.run,
        }

    return served.do(find)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_pages(chromium: Any, served: Served, numbers: dict[str, int], size: str, scheme: str) -> None:
    screen = Screen(chromium, served.url, size, scheme)
    found: dict[str, list[str]] = {}
    for name, (path, text) in PAGES.items():
        screen.open(path.format(**numbers), text)
        screen.shoot(f"{name}-{size}-{scheme}")
        wider = screen.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found[name] = screen.violations() + ([f"wider than its window by {wider} px"] if wider > 0 else [])
    screen.close()
    assert {name: bad for name, bad in found.items() if bad} == {}
    assert screen.errors == []


LABELS = """new Promise((got) => requestAnimationFrame(() => requestAnimationFrame(() => got(
    [...document.querySelectorAll('.tick')].map((each) => each.getBoundingClientRect())
    .filter((box) => box.width > 0).map((box) => [box.left, box.right]).sort((a, b) => a[0] - b[0])))))"""
"""Where labels stand once what a new size brings with it is drawn."""


def test_labels_of_the_time_axis_leave_each_other_room(chromium: Any, served: Served, numbers: dict[str, int]) -> None:
    screen = Screen(chromium, served.url)
    screen.open(f"/runs/{numbers['incident']}", "Compensation")
    bad: dict[int, list[Any]] = {}
    for width in range(1440, 380, -15):
        screen.page.set_viewport_size({"width": width, "height": 900})
        places = screen.page.evaluate(LABELS)
        assert len(places) >= 2, f"where it begins, and now, at {width} px"
        bad[width] = [pair for pair in pairwise(places) if pair[0][1] > pair[1][0] + 1]
    screen.close()
    assert {width: pairs for width, pairs in bad.items() if pairs} == {}


def test_labels_beside_bars_stay_within_their_row(chromium: Any, served: Served, numbers: dict[str, int]) -> None:
    screen = Screen(chromium, served.url, "narrow")
    screen.open(f"/runs/{numbers['incident']}", "Compensation")
    out = screen.page.evaluate(
        "[...document.querySelectorAll('.tlrow .lb')].filter((each) => {"
        "const label = each.getBoundingClientRect(), row = each.closest('.tr').getBoundingClientRect();"
        "return label.left < row.left - 1 || label.right > row.right + 1 }).map((each) => each.textContent)"
    )
    screen.close()
    assert out == []


def test_the_list_says_which_signal_a_run_waits_for(screen: Screen) -> None:
    screen.open("/runs?workflow=onboard", "onboard-acme-gmbh")
    row = screen.page.get_by_role("row", name="onboard-acme-gmbh")
    row.get_by_text("waits for documents_received").wait_for()


def test_compact_events_say_what_steps_returned(chromium: Any, served: Served, numbers: dict[str, int]) -> None:
    screen = Screen(chromium, served.url)
    screen.open(f"/runs/{numbers['incident']}?tab=events", "redeem_voucher")
    screen.see("V-100")
    screen.close()


def test_a_dialog_begins_at_its_first_field(chromium: Any, served: Served, numbers: dict[str, int]) -> None:
    screen = Screen(chromium, served.url)
    screen.open(f"/runs/{numbers['incident']}", "Compensation")
    screen.page.get_by_role("button", name="Signal…").click()
    screen.page.get_by_role("dialog").locator(":is(select, input, textarea):focus").wait_for()
    screen.close()


def test_a_logged_line_does_not_run_into_its_time(chromium: Any, served: Served, numbers: dict[str, int]) -> None:
    screen = Screen(chromium, served.url, "narrow")
    screen.open(f"/runs/{numbers['incident']}?tab=logs", "score of C-20418")
    over = screen.page.evaluate(
        "[...document.querySelectorAll('.logl')].map((line) => {"
        "const text = document.createRange(); text.selectNodeContents(line.firstElementChild);"
        "return line.lastElementChild.getBoundingClientRect().left - text.getBoundingClientRect().right })"
    )
    search = screen.page.get_by_label("Find in logs").bounding_box()
    screen.shoot("run-logs-narrow")
    screen.close()
    assert over
    assert min(over) >= 4
    assert search["width"] >= 100


def test_first_page_is_light(screen: Screen) -> None:
    screen.open("/overview", "Needs a person")
    sizes: dict[str, int] = screen.page.evaluate(
        "Object.fromEntries(performance.getEntriesByType('resource').filter((each) => each.name.endsWith('.js'))"
        ".map((each) => [each.name, each.encodedBodySize]))"
    )
    assert sizes
    assert sum(sizes.values()) <= 250_000, sizes


@pytest.mark.parametrize("look", [("wide", "light"), ("narrow", "dark")])
def test_an_address_that_is_none_leads_home(chromium: Any, served: Served, look: tuple[str, str]) -> None:
    screen = Screen(chromium, served.url, *look)
    screen.open("/no/such/page?x=1", "Nothing is at /no/such/page")
    screen.shoot(f"pages-nowhere-{look[0]}")
    assert screen.violations() == []
    screen.page.get_by_role("link", name="Go to the overview").click()
    screen.see("failed · last 24 hours")
    screen.open("/runs/order-48213", "Nothing is at /runs/order-48213")  # a run has a number there
    screen.close()
    assert all("404" in error for error in screen.errors), screen.errors  # the browser complains of it, as it should
