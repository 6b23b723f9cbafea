"""Updates and queries: forms of their types, the answer, the refusal, what is still under way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from test_login import BASE, Guarded, visit
from test_overtaking import Held
from ui_kit import Screen, Served
from ui_program import onboard, only, shown

import segue
from segue import Engine, continue_as_new, query, signal, step, update, workflow


class Article(msgspec.Struct):
    name: str
    price: Decimal


AWAY = {"provider"}


@step(on_exhausted="incident")
async def pay(amount: Decimal) -> str:
    if AWAY:
        raise ConnectionError("the payment provider is away")
    return f"paid {amount}"


@workflow
async def cart() -> str:
    articles: list[Article] = []
    count = 0

    @update
    async def add(article: Article, pieces: int = 1, wrap: Literal["paper", "box"] = "paper", *notes: str) -> Decimal:
        """Puts an article into the cart.

        As often as it is wanted.
        """
        articles.extend([article] * pieces)
        return sum((each.price for each in articles), Decimal())

    @add.validator
    def in_stock(article: Article, pieces: int = 1, wrap: str = "paper", *notes: str) -> None:
        if article.name == "gold":
            raise ValueError("gold is sold out until the autumn; ask for silver, or leave your address with us")

    @update
    def mark(what, mark=None):  # type: ignore[no-untyped-def]
        return what

    @update
    async def reserve() -> int:
        nonlocal count
        count += 1
        return int(await signal("reserved", int)) + count

    @update
    async def check_out() -> str:
        """Ends the run."""
        await segue.wait_condition(lambda: True)
        done.append("checked out")
        return "thank you"

    @update
    def fails(why: str) -> None:
        raise LookupError(f"there is no {why}")

    @update
    async def charge(amount: Decimal) -> str:
        return await pay(amount)

    @query
    def contents() -> list[Article]:
        """What lies in the cart."""
        return articles

    @query
    def cost(of: str, day: date, pieces: int = 1) -> Decimal:
        """What so many would cost on a day."""
        return next(each.price for each in articles if each.name == of) * pieces + day.day

    @query
    def nested() -> dict[str, Any]:
        long = {"text": "oak, oiled, " * 333, "list": [[1, 2], {"a": None}]}
        return {"of": "the cart", "deep": long, "count": 12_345_678_901_234_567_890}

    done: list[str] = []
    await segue.wait_condition(lambda: bool(done))
    return done[0]


@workflow
async def plain() -> None:
    await signal("over")


@workflow
async def goes_on(round: int = 1) -> None:
    if round == 1:
        continue_as_new(2)
    await signal("over")


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("asking"), filled=False, serving=only(cart, plain, goes_on))
    yield server
    server.close()


def begun(served: Served, id: str, *articles: Article, of: Any = cart) -> int:
    """A run, with something in it."""

    async def begin(engine: Engine) -> int:
        handle = await engine.start(of, id=id)
        for article in articles:
            await handle.update("add", article)
        return handle.run

    return int(served.do(begin))


def opened(screen: Screen, run: int, action: str) -> Any:
    """The dialog of an action of a run."""
    screen.open(f"/runs/{run}", "Timeline")
    screen.page.get_by_role("button", name=action).click()
    dialog = screen.page.get_by_role("dialog")
    dialog.locator(":is(select, input, textarea):focus").wait_for()
    return dialog


def answer_of(served: Served, id: str, name: str, *arguments: Any) -> Any:
    found = served.do(lambda engine: engine.handle(id))
    return served.do(lambda engine: found.query(name, *arguments))


def send(dialog: Any, name: str = "Send") -> None:
    dialog.get_by_role("button", name=name, exact=True).click()


def fill_in(dialog: Any, name: str, price: str = "5.20") -> None:
    dialog.get_by_label("Update").select_option("add")
    article = dialog.get_by_role("group", name="Article")
    article.get_by_role("textbox", name="Name").fill(name)
    article.get_by_role("textbox", name="Price").fill(price)


def test_an_update_is_sent_by_a_form_of_its_types_and_its_answer_shown(screen: Screen, served: Served) -> None:
    page = screen.page
    dialog = opened(screen, begun(served, "cart-1"), "Update…")
    dialog.get_by_text("Puts an article into the cart.").wait_for()
    send(dialog)
    dialog.get_by_role("alert").get_by_text("2 fields need attention").wait_for()
    screen.wait_for_focus(dialog.get_by_role("textbox", name="Name"))
    screen.shoot("update-errors")
    fill_in(dialog, "tea")
    dialog.get_by_role("textbox", name="Pieces").fill("2")
    dialog.get_by_role("group", name="Wrap").get_by_text("Box").click()
    dialog.get_by_role("button", name="Add Notes").click()
    page.keyboard.type("for Zoë")
    assert screen.violations() == []
    screen.shoot("update-form")
    page.keyboard.press("Control+Enter")
    dialog.get_by_text("answered in").wait_for()
    dialog.get_by_text('"10.40"').wait_for()
    screen.wait_for_focus(dialog.get_by_role("button", name="Close").last)
    assert screen.violations() == []
    screen.shoot("update-answered")
    dialog.get_by_role("button", name="Send another").click()
    screen.wait_for_focus(dialog.get_by_label("Update"))
    assert dialog.get_by_role("textbox", name="Name").input_value() == "tea", "what was typed is kept"
    send(dialog)
    dialog.get_by_text('"20.80"').wait_for()
    page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    screen.wait_for_focus(page.get_by_role("button", name="Update…"))
    assert len(answer_of(served, "cart-1", "contents")) == 4


@pytest.mark.parametrize("look", [("wide", "light"), ("narrow", "dark")])
def test_what_is_refused_is_told_at_the_form_and_nothing_is_lost(
    chromium: Any, served: Served, look: tuple[str, str]
) -> None:
    screen = Screen(chromium, served.url, *look)
    run = begun(served, f"cart-2-{look[0]}")
    screen.open(f"/runs/{run}", "Timeline")
    screen.shoot(f"run-acts-{look[0]}")
    dialog = opened(screen, run, "Update…")
    fill_in(dialog, "gold")
    send(dialog)
    refused = dialog.get_by_role("alert").filter(has_text="Update rejected")
    refused.get_by_text("ValueError: gold is sold out").wait_for()
    screen.wait_for_focus(dialog.get_by_role("button", name="Send", exact=True))
    assert screen.violations() == []
    screen.shoot(f"update-refused-{look[0]}")
    name = dialog.get_by_role("textbox", name="Name")
    assert name.input_value() == "gold"
    name.fill("silver")
    refused.wait_for(state="detached")
    screen.page.keyboard.press("Control+Enter")
    dialog.get_by_text('"5.20"').wait_for()
    dialog.get_by_role("button", name="Send another").click()
    dialog.get_by_label("Update").select_option("fails")
    dialog.get_by_role("textbox", name="Why").fill("tea")
    send(dialog)
    dialog.get_by_role("alert").filter(has_text="Update failed").get_by_text("there is no tea").wait_for()
    screen.close()
    assert all("422" in error for error in screen.errors), screen.errors


def test_an_update_without_types_takes_any_json(screen: Screen, served: Served) -> None:
    run = begun(served, "cart-3")
    for text, found in [("null", "It is done, and gives nothing back."), ('{"a": [1, "x"]}', "2 items")]:
        dialog = opened(screen, run, "Update…")
        dialog.get_by_label("Update").select_option("mark")
        send(dialog)
        dialog.get_by_role("alert").get_by_text("1 field needs attention").wait_for()
        dialog.get_by_role("textbox", name="What").fill(text)
        send(dialog)
        dialog.get_by_text(found).wait_for()


def test_one_that_takes_long_is_said_to_be_under_way_and_goes_on(screen: Screen, served: Served) -> None:
    page = screen.page
    run = begun(served, "cart-4")
    page.clock.install()
    dialog = opened(screen, run, "Update…")
    dialog.get_by_label("Update").select_option("reserve")
    sent = Held(page, "POST", r"/update$")
    page.keyboard.press("Control+Enter")
    assert sent.route.request.post_data_json["id"]
    page.keyboard.press("Control+Enter")  # it is under way
    sent.route.continue_()
    page.clock.fast_forward(2_000)
    under_way = dialog.get_by_role("status").filter(has_text="Still under way")
    under_way.get_by_text(sent.route.request.post_data_json["id"]).wait_for()
    assert screen.violations() == []
    screen.shoot("update-under-way")
    dialog.get_by_role("button", name="Close").last.click()
    dialog.wait_for(state="detached")
    found = served.do(lambda engine: engine.handle("cart-4"))
    served.do(lambda engine: found.signal("reserved", 40))
    page.get_by_role("status").get_by_text("Update reserve was answered").wait_for()


def test_sent_again_after_the_answer_was_lost_it_is_one_update(chromium: Any, served: Served) -> None:
    screen = Screen(chromium, served.url)
    page = screen.page
    run = begun(served, "cart-5")
    dialog = opened(screen, run, "Update…")
    fill_in(dialog, "tea")
    sent = Held(page, "POST", r"/update$")
    send(dialog)
    sent.route.fetch()  # it arrives, and the answer does not
    sent.route.abort()
    lost = dialog.get_by_role("alert").filter(has_text="Server not reached")
    lost.get_by_text("It may be carried out all the same.").wait_for()
    screen.shoot("update-lost")
    send(dialog, "Send again")
    dialog.get_by_text('"5.20"').wait_for()
    screen.close()
    assert len(answer_of(served, "cart-5", "contents")) == 1
    assert all("ERR_FAILED" in error for error in screen.errors), screen.errors


def test_one_on_which_the_run_stands_still_is_asked_for_again(chromium: Any, served: Served) -> None:
    screen = Screen(chromium, served.url)
    run = begun(served, "cart-11")
    dialog = opened(screen, run, "Update…")
    dialog.get_by_label("Update").select_option("charge")
    dialog.get_by_role("textbox", name="Amount").fill("5")
    send(dialog)
    dialog.get_by_role("alert").filter(has_text="Incident").get_by_text("the payment provider is away").wait_for()
    screen.shoot("update-incident")
    AWAY.clear()
    served.do(lambda engine: engine.retry(run))
    send(dialog, "Send again")
    dialog.get_by_text('"paid 5"').wait_for()
    screen.close()
    assert all("409" in error for error in screen.errors), screen.errors


def test_a_run_that_ends_by_an_update_still_shows_its_answer(screen: Screen, served: Served) -> None:
    page = screen.page
    dialog = opened(screen, begun(served, "cart-6", Article("tea", Decimal(5))), "Update…")
    dialog.get_by_label("Update").select_option("check_out")
    answer = Held(page, "POST", r"/update$")
    send(dialog)
    found = answer.route.fetch()
    page.locator("h1").get_by_text("Completed").wait_for()
    answer.route.fulfill(response=found)
    dialog.get_by_text('"thank you"').wait_for()
    dialog.get_by_role("button", name="Close").last.click()
    page.get_by_role("button", name="Query…").click()  # it answers as before
    dialog.get_by_text('"tea"').wait_for()
    dialog.get_by_role("button", name="Close").last.click()
    assert page.get_by_role("button", name="Update…").count() == 0


def test_a_query_without_arguments_is_answered_at_once_and_asked_again(screen: Screen, served: Served) -> None:
    page = screen.page
    run = begun(served, "cart-7", Article("tea", Decimal("5.20")), Article("milk", Decimal("1.90")))
    dialog = opened(screen, run, "Query…")
    dialog.get_by_text("What lies in the cart.").wait_for()
    answer = dialog.get_by_role("region", name="Answer")
    answer.get_by_role("cell", name="milk").wait_for()
    assert screen.violations() == []
    screen.shoot("query-answer")
    found = served.do(lambda engine: engine.handle("cart-7"))
    served.do(lambda engine: found.update("add", Article("bread", Decimal(3))))
    assert answer.get_by_role("cell", name="bread").count() == 0
    again = dialog.get_by_role("button", name="Ask again")
    again.click()
    answer.get_by_role("cell", name="bread").wait_for()
    screen.wait_for_focus(again)
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")


def test_an_answer_stays_while_there_is_no_newer_one(chromium: Any, served: Served) -> None:
    screen = Screen(chromium, served.url)
    page = screen.page
    dialog = opened(screen, begun(served, "cart-12", Article("tea", Decimal(5))), "Query…")
    tea = dialog.get_by_role("region", name="Answer").get_by_text('"tea"')
    tea.wait_for()
    lost = Held(page, "POST", r"/query$")
    send(dialog, "Ask again")
    dialog.get_by_role("button", name="Asking …").wait_for()
    lost.route.abort()
    dialog.get_by_role("alert").filter(has_text="Server not reached").wait_for()
    tea.wait_for()
    screen.shoot("query-lost")
    send(dialog, "Ask again")
    dialog.get_by_role("alert").wait_for(state="detached")
    tea.wait_for()
    screen.close()
    assert all("ERR_FAILED" in error for error in screen.errors), screen.errors


def test_a_query_with_arguments_is_asked_by_a_form_and_its_failure_told(chromium: Any, served: Served) -> None:
    screen = Screen(chromium, served.url)
    run = begun(served, "cart-8", Article("tea", Decimal("5.20")))
    dialog = opened(screen, run, "Query…")
    dialog.get_by_label("Query").select_option("cost")
    answer = dialog.get_by_role("region", name="Answer")
    answer.wait_for(state="detached")
    send(dialog, "Ask")
    dialog.get_by_role("alert").get_by_text("2 fields need attention").wait_for()
    dialog.get_by_role("textbox", name="Of").fill("tea")
    dialog.get_by_label("Day").fill("2026-03-04")
    send(dialog, "Ask")
    answer.get_by_text('"9.20"').wait_for()
    dialog.get_by_role("textbox", name="Of").fill("coffee")
    answer.wait_for(state="detached")  # it is that to another question
    screen.page.keyboard.press("Control+Enter")
    dialog.get_by_role("alert").filter(has_text="Query failed").get_by_text("StopIteration").wait_for()
    screen.shoot("query-failed")
    screen.close()
    assert all("422" in error for error in screen.errors), screen.errors


@pytest.mark.parametrize("look", [("wide", "dark"), ("narrow", "light")])
def test_a_long_answer_scrolls_below_what_was_asked(chromium: Any, served: Served, look: tuple[str, str]) -> None:
    screen = Screen(chromium, served.url, *look)
    many = [Article(f"article number {n} of the winter collection", Decimal(n)) for n in range(60)]
    dialog = opened(screen, begun(served, f"cart-9-{look[0]}", *many), "Query…")
    answer = dialog.get_by_role("region", name="Answer")
    answer.get_by_role("button", name="50 more").click()
    answer.get_by_role("cell", name="article number 59 ").wait_for()
    screen.shoot(f"query-long-{look[0]}")
    dialog.get_by_label("Query").select_option("nested")
    answer.get_by_role("button", name="show 4.0 kB").click()
    assert screen.violations() == []
    screen.shoot(f"query-nested-{look[0]}")
    ask = dialog.get_by_role("button", name="Ask again")
    assert ask.bounding_box()["y"] < screen.page.viewport_size["height"]
    screen.close()
    assert screen.errors == []


@asynccontextmanager
async def elsewhere(url: str, *, filled: bool) -> AsyncIterator[tuple[Engine, str]]:
    """A server that has no code of the runs, beside the engine that carries them out."""
    async with (
        Engine(url, workflows=[cart]) as engine,
        Engine(url, workflows=[], own=False) as other,
        shown(other) as address,
    ):
        yield engine, address


def test_where_its_code_is_not_known_an_update_goes_by_name(chromium: Any, tmp_path: Path) -> None:
    there = Served(tmp_path, filled=False, serving=elsewhere)
    screen = Screen(chromium, there.url)
    page = screen.page
    run = begun(there, "cart-10")
    dialog = opened(screen, run, "Update…")
    dialog.get_by_text("Which updates it answers is not known here").wait_for()
    dialog.get_by_role("textbox", name="Name").fill("add")
    for text in ['{"name": "tea", "price": "5.20"}', "2"]:
        dialog.get_by_role("button", name="Add Arguments").click()
        dialog.get_by_role("textbox").last.fill(text)
    screen.shoot("update-elsewhere")
    assert screen.violations() == []
    send(dialog)
    dialog.get_by_text('"10.40"').wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Query…").click()
    dialog.get_by_role("alert").get_by_text("its workflow 'cart' is not known here").wait_for()
    dialog.get_by_role("button", name="Retry").wait_for()
    screen.shoot("query-elsewhere")
    screen.close()
    there.close()
    assert all("400" in error for error in screen.errors), screen.errors


def test_a_run_that_answers_none_says_so(screen: Screen, served: Served) -> None:
    run = begun(served, "plain", of=plain)
    page = screen.page
    screen.open(f"/runs/{run}", "Timeline")
    page.get_by_role("button", name="Query…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("This run answers no query").wait_for()
    screen.shoot("query-none")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Update…").click()
    dialog.get_by_text("The run answers no update now.").wait_for()
    screen.wait_for_focus(dialog.get_by_role("textbox", name="Name"))
    assert screen.violations() == []
    screen.shoot("update-none")


def test_one_that_has_gone_on_leads_to_the_run_that_answers(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open(f"/runs/{begun(served, 'goes-on', of=goes_on)}", "Timeline")
    page.locator("h1").get_by_text("Continued").wait_for()
    assert page.get_by_role("button", name="Query…").count() == 0


def test_who_may_not_act_asks_and_sends_no_update(chromium: Any, tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    guarded.accounts.add_user("vera", "correct horse", {"default": "viewer"})
    run = guarded.do(lambda engine: engine.start(onboard, "acme", id="acme")).run
    screen = visit(chromium, guarded, "vera")
    page = screen.page
    screen.open(f"{BASE}/runs/{run}", "Timeline")
    page.get_by_role("button", name="Query…").click()
    page.get_by_role("dialog").get_by_role("region", name="Answer").get_by_text("[]").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".acts").get_by_role("button").all_inner_texts() == ["Query…"]
    screen.close()
    guarded.close()
    assert screen.errors == []
