"""Forms by what is asked: moments and durations, alternatives, keys and values, limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta
from ui_kit import Screen, Served, form, started
from ui_program import only

from segue import Engine, approval, workflow


class Card(msgspec.Struct, tag_field="by", tag="card"):
    number: Annotated[str, Meta(pattern="^[0-9]{4}$")]


class Transfer(msgspec.Struct, tag_field="by", tag="transfer"):
    iban: str


@dataclass
class Sofa:
    seats: int


@dataclass
class Lamp:
    watts: int
    name: str = "lamp"


@workflow
async def waits(
    day: date,
    seen: datetime,
    sent: Annotated[datetime, Meta(tz=True)],
    opens: time,
    rest: timedelta,
    again: timedelta = timedelta(minutes=90),
    last: datetime | None = None,
) -> str:
    return repr((day, seen, sent, opens, rest, again, last))


@workflow
async def pays(amount: int | str, by: Card | Transfer, things: list[Sofa | Lamp], more: int | str | None = None) -> str:
    return repr((amount, by, things, more))


@workflow
async def prices(
    rates: dict[str, int],
    rooms: dict[str, Sofa],
    days: dict[date, int],
    sizes: dict[Literal["small", "large"], int],
    maybe: dict[str, int] | None = None,
) -> str:
    return repr((rates, rooms, days, sizes, maybe))


@workflow
async def joins(
    age: Annotated[int, Meta(ge=18, lt=100)],
    share: Annotated[float, Meta(multiple_of=0.5)],
    code: Annotated[str, Meta(min_length=2, max_length=4, pattern=r"^\w+$")],
    tags: Annotated[list[str], Meta(min_length=1)],
    member: UUID,
    place: tuple[int, str],
) -> str:
    return repr((age, share, code, tags, member, place))


@workflow
async def described(
    rates: Annotated[dict[str, int], Meta(description="Percent by country")],
    size: Annotated[Literal["small", "large"], Meta(description="Of the parcel")],
    shelf: Annotated[Literal["a", "b", "c", "d", "e"], Meta(description="As in the catalogue")],
    tags: Annotated[list[str], Meta(description="Words to find it by", min_length=1)],
    seat: Annotated[Sofa, Meta(description="Where one sits")],
    by: Annotated[int | Sofa, Meta(description="A number, or what it is")],
    soon: Annotated[bool, Meta(description="Before the others")] = False,
    note: int | str = "no note",
) -> str:
    return repr((rates, size, shelf, tags, seat, by, soon, note))


@workflow
async def meets(
    at: Annotated[datetime, Meta(tz=False)], opens: Annotated[time, Meta(tz=False)], seen: datetime | None = None
) -> str:
    return repr((at, opens, seen))


@workflow
async def asks() -> Any:
    return await approval("anybody", form=Sofa | Lamp)


WORKFLOWS = [waits, pays, prices, joins, described, meets, asks]


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("kinds"), filled=False, serving=only(*WORKFLOWS))
    yield server
    server.close()


def send(dialog: Any) -> None:
    dialog.get_by_role("button", name="Start", exact=True).click()


def told(field: Any, text: str) -> None:
    """Waits until a text stands below a field."""
    field.locator("xpath=ancestor::*[contains(@class, 'sfield') or contains(@class, 'sgroup')][1]").get_by_text(
        text
    ).wait_for()


def test_moments_and_durations_are_picked_and_typed(screen: Screen, served: Served) -> None:
    dialog = form(screen, "waits")
    dialog.get_by_label("Day").fill("2026-03-01")
    seen = dialog.get_by_label("Seen")
    assert seen.get_attribute("type") == "datetime-local"
    seen.fill("2026-03-01T12:30:00")
    sent = dialog.get_by_label("Sent", exact=False).first
    sent.fill("2026-03-01T12:30:05")
    zone = dialog.get_by_role("textbox", name="Sent Offset")
    zone.fill("+1")
    dialog.get_by_label("Opens").fill("08:15:00")
    rest = dialog.get_by_role("textbox", name="Rest")
    rest.fill("a while")
    again = dialog.get_by_role("textbox", name="Again")
    assert again.input_value() == "1h 30m"
    send(dialog)
    dialog.get_by_role("alert").get_by_text("2 fields need attention").wait_for()
    told(sent, "An offset such as +01:00, or Z")
    told(rest, "A duration, such as 1h 30m, 2d or 45s")
    screen.wait_for_focus(sent)
    zone.fill("+01:00")
    rest.fill("1d 2h 1.5s")
    assert screen.violations() == []
    result = started(screen, served, dialog, "waits")
    moment = datetime(2026, 3, 1, 12, 30)  # noqa: DTZ001
    aware = msgspec.convert("2026-03-01T12:30:05+01:00", datetime)
    rest_ = timedelta(days=1, hours=2, seconds=1.5)
    assert result == repr((date(2026, 3, 1), moment, aware, time(8, 15), rest_, timedelta(minutes=90), None))


def test_a_date_that_is_half_filled_in_is_not_left_out(screen: Screen, served: Served) -> None:
    dialog = form(screen, "waits")
    dialog.get_by_label("Day").press_sequentially("03")
    last = dialog.get_by_label("Last")
    last.press_sequentially("03")
    send(dialog)
    told(dialog.get_by_label("Day"), "Not complete yet")
    told(last, "Not complete yet")


def test_a_moment_with_a_zone_keeps_it(screen: Screen, served: Served) -> None:
    async def start(engine: Engine) -> int:
        sent = datetime(2026, 3, 1, 12, 30, 5, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
        times = (date(2026, 3, 1), sent, sent, time(8, 15, 0, 500_000), timedelta(seconds=-5))
        handle = await engine.start(waits, *times, id="zoned")
        await handle.result()
        return handle.run

    run = served.do(start)
    screen.open(f"/runs/{run}", "Start another")
    screen.page.get_by_role("button", name="Start another").click()
    dialog = screen.page.get_by_role("dialog")
    assert dialog.get_by_role("textbox", name="Rest").input_value() == "-5s"
    assert dialog.get_by_role("textbox", name="Seen Offset").input_value() == "+05:30"
    first = served.do(lambda engine: engine.handle("zoned"))
    assert started(screen, served, dialog, "zoned-again") == served.do(lambda engine: first.result())


def test_one_of_several_is_chosen_first(screen: Screen, served: Served) -> None:
    page = screen.page
    dialog = form(screen, "pays")
    amount = dialog.get_by_role("group", name="Amount")
    by = dialog.get_by_role("group", name="By")
    send(dialog)
    dialog.get_by_role("alert").get_by_text("2 fields need attention").wait_for()
    screen.wait_for_focus(amount.get_by_role("radio").first)
    page.keyboard.press("Space")
    number = dialog.get_by_role("textbox", name="Whole number")
    number.fill("many")
    by.get_by_text("Card").click()
    dialog.get_by_role("textbox", name="Number", exact=True).fill("42")
    dialog.get_by_role("button", name="Add Things").click()
    things = dialog.get_by_role("group", name="Things")
    screen.wait_for_focus(things.get_by_role("radio").first)
    things.get_by_text("Lamp").click()
    things.get_by_role("textbox", name="Watts").fill("60")
    send(dialog)
    told(number, "Not a number")
    told(dialog.get_by_role("textbox", name="Number", exact=True), "Matching ^[0-9]{4}$")
    amount.get_by_text("Text").click()
    dialog.get_by_role("textbox", name="Text").fill("7")
    by.get_by_text("Transfer").click()
    dialog.get_by_role("textbox", name="Iban").fill("DE42")
    by.get_by_text("Card").click()
    assert dialog.get_by_role("textbox", name="Number", exact=True).input_value() == "42", "what was typed is kept"
    by.get_by_text("Transfer").click()
    assert screen.violations() == []
    result = started(screen, served, dialog, "pays")
    assert result == repr(("7", Transfer("DE42"), [Lamp(60)], None))


def test_what_was_started_with_is_known_among_several(screen: Screen, served: Served) -> None:
    async def start(engine: Engine) -> int:
        handle = await engine.start(pays, 7, Card("4242"), [Sofa(2), Lamp(60, "red")], "more", id="known")
        await handle.result()
        return handle.run

    run = served.do(start)
    screen.open(f"/runs/{run}", "Start another")
    screen.page.get_by_role("button", name="Start another").click()
    dialog = screen.page.get_by_role("dialog")
    assert dialog.get_by_role("textbox", name="Number", exact=True).input_value() == "4242"
    assert dialog.get_by_role("radio", checked=True).count() == 5
    dialog.get_by_role("button", name="as JSON").click()
    text = dialog.get_by_role("textbox", name="JSON")
    text.fill(text.input_value().replace('"red"', '"blue"'))
    dialog.get_by_role("button", name="as form").click()
    assert dialog.get_by_role("textbox", name="Name").input_value() == "blue"
    result = started(screen, served, dialog, "known-again")
    assert result == repr((7, Card("4242"), [Sofa(2), Lamp(60, "blue")], "more"))


def test_an_answer_is_one_of_several(screen: Screen, served: Served) -> None:
    async def ask(engine: Engine) -> int:
        run = (await engine.start(asks, id="asks")).run
        while not (found := [task for task in await engine.tasks() if task.run == run]):
            await engine.changed(run)
        return int(found[0].task)

    page = screen.page
    place = f"/tasks?task={served.do(ask)}"
    screen.open(place, "Complete and go on")
    page.get_by_role("group", name="Answer").get_by_text("Lamp").click()
    page.get_by_role("textbox", name="Watts").fill("60")
    screen.open(place, "Complete and go on")
    watts = page.get_by_role("textbox", name="Watts")
    assert watts.input_value() == "60", "the draft is kept"
    page.get_by_role("button", name="Complete and go on").click()
    watts.wait_for(state="detached")
    found = served.do(lambda engine: engine.handle("asks"))
    assert served.do(lambda engine: found.result()) == {"watts": 60, "name": "lamp"}


def test_keys_and_values_have_a_row_each(screen: Screen, served: Served) -> None:
    page = screen.page
    dialog = form(screen, "prices")
    rates = dialog.get_by_role("group", name="Rates")
    for at, (key, value) in enumerate([("DE", "4"), ("DE", "5"), ("FR", "6")]):
        dialog.get_by_role("button", name="Add Rates").click()
        screen.wait_for_focus(rates.get_by_role("textbox", name="Key").nth(at))
        page.keyboard.type(key)
        page.keyboard.press("Tab")
        page.keyboard.type(value)
    dialog.get_by_role("button", name="Add Rooms").click()
    rooms = dialog.get_by_role("group", name="Rooms")
    rooms.get_by_role("textbox", name="Seats").fill("3")
    dialog.get_by_role("button", name="Add Days").click()
    days = dialog.get_by_role("group", name="Days")
    days.get_by_label("Key").fill("2026-03-01")
    days.get_by_role("textbox", name="Value").fill("1")
    dialog.get_by_role("button", name="Add Sizes").click()
    sizes = dialog.get_by_role("group", name="Sizes")
    sizes.get_by_text("Large").click()
    sizes.get_by_role("textbox", name="Value").fill("2")
    send(dialog)
    told(rates.get_by_role("textbox", name="Key").nth(1), "DE stands here twice")
    told(rooms.get_by_role("textbox", name="Key"), "Needed")
    assert dialog.get_by_text("stands here twice").count() == 1
    dialog.get_by_role("button", name="Remove Rates DE").nth(1).click()
    screen.wait_for_focus(dialog.get_by_role("button", name="Add Rates"))
    rooms.get_by_role("textbox", name="Key").fill("hall")
    assert screen.violations() == []
    result = started(screen, served, dialog, "prices")
    assert result == repr(({"DE": 4, "FR": 6}, {"hall": Sofa(3)}, {date(2026, 3, 1): 1}, {"large": 2}, None))


LIMITS = [
    ("Age", "17", "At least 18, less than 100"),
    ("Age", "100", "At least 18, less than 100"),
    ("Age", "20.5", "Not a whole number"),
    ("Share", "0.7", "A multiple of 0.5"),
    ("Code", "a", r"At least 2 characters, at most 4 characters, matching ^\w+$"),
    ("Code", "abcde", r"At least 2 characters, at most 4 characters, matching ^\w+$"),
    ("Code", "a-b", r"At least 2 characters, at most 4 characters, matching ^\w+$"),
    ("Member", "7", "A UUID, such as"),
]


def test_limits_are_held_before_anything_is_sent(screen: Screen, served: Served) -> None:
    page = screen.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.url.endswith("/runs") else None)
    dialog = form(screen, "joins")
    good = {"Age": "18", "Share": "1.5", "Code": "Zoë", "Member": "00000000-0000-0000-0000-000000000001"}
    for name, value in good.items():
        dialog.get_by_role("textbox", name=name).fill(value)
    place = dialog.get_by_role("group", name="Place")
    place.get_by_role("textbox", name="1").fill("3")
    place.get_by_role("textbox", name="2").fill("left")
    send(dialog)
    dialog.get_by_role("alert").get_by_text("1 field needs attention").wait_for()
    dialog.get_by_role("group", name="Tags").locator(".serr").get_by_text("At least 1 item").wait_for()
    screen.wait_for_focus(dialog.get_by_role("button", name="Add Tags"))
    page.keyboard.press("Enter")
    page.keyboard.type("new")
    for name, value, wanted in LIMITS:
        field = dialog.get_by_role("textbox", name=name)
        field.fill(value)
        send(dialog)
        told(field, wanted)
        screen.wait_for_focus(field)
        dialog.get_by_role("alert").get_by_text("1 field needs attention").wait_for()
        field.fill(good[name])
    assert "POST" not in asked
    result = started(screen, served, dialog, "joins")
    assert result == repr((18, 1.5, "Zoë", ["new"], UUID(int=1), (3, "left")))


def test_what_is_wrong_in_a_text_of_json_is_told_with_its_place(screen: Screen, served: Served) -> None:
    dialog = form(screen, "pays")
    dialog.get_by_role("button", name="as JSON").click()
    text = dialog.get_by_role("textbox", name="JSON")
    text.fill('{"amount": 7, "by": {"by": "card", "number": "42"}, "things": [{"seats": "two"}]}')
    send(dialog)
    told(text, "/by/number: Matching ^[0-9]{4}$; /things/0: Choose what it is")
    screen.wait_for_focus(text)


SAID = [
    ("Rates", "Percent by country"),
    ("Size", "Of the parcel"),
    ("Tags", "Words to find it by · At least 1 item"),
    ("Seat", "Where one sits"),
    ("By", "A number, or what it is"),
]


def test_what_is_said_of_a_value_stands_below_its_name_whatever_it_is(screen: Screen, served: Served) -> None:
    dialog = form(screen, "described")
    for name, text in SAID:
        group = dialog.get_by_role("group", name=name)
        group.get_by_text(text, exact=True).wait_for()
        id = group.get_attribute("aria-describedby")
        assert screen.page.locator(f"[id='{id}']").inner_text() == text
    told(dialog.get_by_label("Shelf"), "As in the catalogue")
    dialog.get_by_text("Before the others").wait_for()
    send(dialog)
    dialog.get_by_role("group", name="Tags").locator(".serr").get_by_text("At least 1 item").wait_for()
    dialog.get_by_role("group", name="Size").locator(".serr").get_by_text("Needed").wait_for()
    assert screen.violations() == []
    screen.shoot("form-described")


def test_a_text_of_several_kinds_that_has_a_default_is_not_needed(screen: Screen, served: Served) -> None:
    dialog = form(screen, "described")
    note = dialog.locator(".sunion").filter(has_text="Note")
    text = note.get_by_role("textbox", name="Text")
    assert text.input_value() == "no note"
    assert note.locator(".salt label").inner_text() == "Text"
    text.fill("")
    note.get_by_text("Whole number").click()
    note.locator(".salt label").get_by_text("*").wait_for()
    note.get_by_text("Text", exact=True).click()
    screen.wait_for_value(text, "")
    dialog.get_by_role("button", name="Add Tags").click()
    dialog.get_by_role("group", name="Tags").get_by_role("textbox").fill("new")
    dialog.get_by_role("group", name="Size").get_by_text("Small").click()
    dialog.get_by_label("Shelf").select_option("c")
    dialog.get_by_role("group", name="Seat").get_by_role("textbox", name="Seats").fill("2")
    dialog.get_by_role("group", name="By").get_by_text("Whole number").click()
    dialog.get_by_role("textbox", name="Whole number").fill("7")
    result = started(screen, served, dialog, "described")
    assert result == repr(({}, "small", "c", ["new"], Sofa(2), 7, False, ""))


def test_a_moment_that_must_have_no_zone_is_held_to_that(screen: Screen, served: Served) -> None:
    dialog = form(screen, "meets")
    dialog.get_by_role("button", name="as JSON").click()
    text = dialog.get_by_role("textbox", name="JSON")
    moment = "2026-03-01T12:30:00"
    text.fill(json.dumps({"at": f"{moment}Z", "opens": "08:15:00+01:00", "seen": f"{moment}Z"}))
    send(dialog)
    told(text, "/at: Without an offset from UTC; /opens: Without an offset from UTC")
    dialog.get_by_role("button", name="as form").click()
    dialog.get_by_role("textbox", name="At Offset").fill("")
    dialog.get_by_role("textbox", name="Opens Offset").fill("")
    result = started(screen, served, dialog, "meets")
    assert result == repr((datetime(2026, 3, 1, 12, 30), time(8, 15), msgspec.convert(f"{moment}Z", datetime)))  # noqa: DTZ001
