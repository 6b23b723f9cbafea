"""Forms that are made from types: what cannot be given, what need not be there, what is no value yet."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest
from ui_kit import Screen, Served, form, started
from ui_program import only

from segue import Engine, approval, workflow


@dataclass
class Tree:
    label: str
    parent: Tree | None = None
    kids: list[Tree] = field(default_factory=list)


@dataclass
class Address:
    street: str
    zip: str | None = None


@dataclass
class Parcel:
    to: Address
    back: Address | None = None
    place: Address = field(default_factory=lambda: Address("the depot"))
    weight: int | None = 5
    days: list[int] | None = None
    note: str | None = None
    rates: dict[str, Any] = field(default_factory=dict)


class Speed(enum.Enum):
    STANDARD = "standard"
    EXPRESS = "express"


@workflow
async def weighs(size: Literal["small", "medium", "large"], speed: Speed = Speed.STANDARD) -> str:
    return f"{size} {speed.value}"


@workflow
async def plants(tree: Tree) -> str:
    return repr(tree)


@workflow
async def sends(parcel: Parcel) -> str:
    return repr(parcel)


@workflow
async def asks() -> Any:
    return await approval("anybody", form=dict[str, Any])


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("forms"), filled=False, serving=only(plants, sends, asks, weighs))
    yield server
    server.close()


def test_a_type_within_itself_is_offered_a_step_at_a_time(screen: Screen, served: Served) -> None:
    dialog = form(screen, "plants")
    dialog.get_by_role("textbox", name="Label").fill("oak")
    dialog.get_by_role("button", name="Add Parent").click()
    dialog.get_by_role("textbox", name="Label").nth(1).fill("seed")
    dialog.get_by_role("button", name="Add Kids").last.click()
    dialog.get_by_role("textbox", name="Label").last.fill("acorn")
    result = started(screen, served, dialog, "plants")
    assert result == repr(Tree("oak", parent=Tree("seed"), kids=[Tree("acorn")]))


def test_what_need_not_be_there_can_be_taken_back(screen: Screen, served: Served) -> None:
    dialog = form(screen, "sends")
    dialog.get_by_role("textbox", name="Street").fill("Elm Street 1")
    add = dialog.get_by_role("button", name="Add Back")
    add.click()
    street = dialog.get_by_role("group", name="Back").get_by_role("textbox", name="Street")
    screen.wait_for_focus(street)
    street.fill("Oak Street 2")
    assert screen.violations() == []
    dialog.get_by_role("button", name="Remove Back").click()
    screen.wait_for_focus(add)
    dialog.get_by_role("textbox", name="Note").fill("a mistake")
    dialog.get_by_role("textbox", name="Note").fill("")
    dialog.get_by_role("textbox", name="Weight").fill("")  # none, and not the default
    dialog.get_by_role("button", name="Add Days").click()
    screen.wait_for_focus(dialog.get_by_role("group", name="Days").get_by_role("textbox"))
    dialog.get_by_role("button", name="Remove Days 1").click()
    dialog.get_by_role("button", name="None Days").click()
    result = started(screen, served, dialog, "sends")
    assert result == repr(Parcel(Address("Elm Street 1"), weight=None))


@pytest.mark.parametrize("whole", [False, True])
def test_nothing_is_sent_in_place_of_what_is_not_json(screen: Screen, served: Served, whole: bool) -> None:
    page = screen.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.url.endswith("/runs") else None)
    dialog = form(screen, "sends")
    dialog.get_by_role("textbox", name="Street").fill("Elm Street 1")
    rates = '{"DE": 4}'
    dialog.get_by_role("textbox", name="Rates").fill(rates)
    if whole:
        dialog.get_by_role("button", name="as JSON").click()
        rates = json.dumps({"parcel": {"to": {"street": "Elm Street 1"}, "rates": json.loads(rates)}})
    text = dialog.get_by_role("textbox", name="JSON" if whole else "Rates")
    text.fill(rates[:-1])
    dialog.get_by_role("button", name="Start", exact=True).click()
    dialog.get_by_role("alert").get_by_text("1 field needs attention").wait_for()
    dialog.get_by_text("Not JSON").wait_for()
    assert "POST" not in asked
    text.fill(rates)
    result = started(screen, served, dialog, f"rates-{whole}")
    assert result == repr(Parcel(Address("Elm Street 1"), rates={"DE": 4}))


def test_an_answer_that_is_not_json_yet_is_still_a_form_when_it_is_opened_again(screen: Screen, served: Served) -> None:
    async def ask(engine: Engine) -> int:
        run = (await engine.start(asks)).run
        while not (found := [task for task in await engine.tasks() if task.run == run]):
            await engine.changed(run)
        return int(found[0].task)

    page = screen.page
    place = f"/tasks?task={served.do(ask)}"
    screen.open(place, "Complete and go on")
    page.get_by_role("textbox", name="Answer").fill('{"DE": ')
    screen.open(place, "Complete and go on")
    answer = page.get_by_role("textbox", name="Answer")
    answer.fill('{"DE": 4}')
    page.get_by_role("button", name="Complete and go on").click()
    answer.wait_for(state="detached")


def test_choices_stand_as_they_are_declared(screen: Screen, served: Served) -> None:
    dialog = form(screen, "weighs")
    for name, choices in (("Size", ["Small", "Medium", "Large"]), ("Speed", ["Standard", "Express"])):
        group = dialog.get_by_role("group", name=name)
        group.wait_for()
        assert [each.inner_text().split()[0] for each in group.locator("label").all()] == choices
    dialog.get_by_text("Medium").click()
    assert started(screen, served, dialog, "weighs") == "medium standard"
