"""Runs and forms of shapes that the program of the other tests does not have: each is shown as what it is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import pytest
from ui_kit import SIZES, Screen, Served
from ui_program import only

from segue import Engine, approval, continue_as_new, step, workflow

LARGE = 12_345_678_901_234_567_890
"""More than any number of a browser tells apart from its neighbours."""


@step
async def echo(value: Any) -> Any:
    return value


@workflow
async def echoes(value: int) -> dict[str, int]:
    return {"seen": await echo(value)}


@workflow
async def echoes_rows(value: list[dict[str, int] | None]) -> list[dict[str, int] | None]:
    return value


@workflow
async def counts_down(n: int) -> int:
    if n > 0:
        continue_as_new(n - 1)
    return n


@workflow
async def takes(first: int, *days: int, quiet: bool = False) -> list[int]:
    return [first, *days]


class KeyboardError(Exception):
    """It says nothing more."""


@step
async def breaks() -> None:
    raise KeyboardError


@workflow
async def says_nothing() -> None:
    await breaks()


@workflow
async def fails_by_itself() -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(mistaken(number))


async def mistaken(number: int) -> None:
    raise ValueError(f"mistake {number}")


@step
async def paints() -> None:
    print("\x1b[1;32mall is well\x1b[0m")


@workflow
async def prints() -> None:
    await paints()


@workflow(name="shop/orders ü?#1")
async def odd() -> int:
    return int(await echo(1))


@workflow(name="_".join(["a_name_that_goes_on"] * 12))
async def long() -> None:
    return None


class Shade(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"
    WHITE = "white"
    BLACK = "black"


@dataclass
class Optionals:
    size: Literal["S", None]
    sure: bool | None = None
    way: Literal["air", "sea"] | None = None
    shade: Shade | None = None


LINES: list[dict[str, Any]] = [{"tea": "Assam"}, {"tea": "Ceylon", "discount": "12 %"}]
FORMS: dict[str, Any] = {
    "facts": bool, "number": int, "colours": Shade, "anything": dict[str, Any], "optional": Optionals,
    "list": list[int], "long": bool,
}  # fmt: skip


@workflow
async def asks(form: str) -> Any:
    lines = [*LINES, *({"tea": f"Tea {number}"} for number in range(2, 250))]
    subject = {"facts": {"lines": lines}, "long": {"k" * 200: "v" * 200}}.get(form)
    return await approval("anybody", form=FORMS[form], subject=subject)


@workflow
async def echoes_often() -> None:
    await echo(1)
    await echo.using(key="mine")(2)
    await asyncio.gather(echo(3), paints())
    await asyncio.gather(echo(None), return_exceptions=True)


WORKFLOWS: list[Any] = [
    echoes,
    echoes_often,
    takes,
    echoes_rows,
    counts_down,
    says_nothing,
    fails_by_itself,
    prints,
    odd,
    long,
    asks,
]


@pytest.fixture(scope="module")
def served(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("shapes"), filled=False, serving=only(*WORKFLOWS))
    yield server
    server.close()


def ended(served: Served, workflow: Any, *input: Any, id: str) -> int:
    """The number of a run that has come to its end."""

    async def run(engine: Engine) -> int:
        handle = await engine.start(workflow, *input, id=id)
        await engine.closing_event(handle.run)
        return int(handle.run)

    return int(served.do(run))


def asked(served: Served, form: str) -> int:
    """The number of a task with such a form."""

    async def ask(engine: Engine) -> int:
        run = (await engine.start(asks, form, id=f"asks-{form}")).run
        while not (found := [task for task in await engine.tasks() if task.run == run]):
            await engine.changed(run)
        return int(found[0].task)

    return int(served.do(ask))


def answer(page: Any) -> Any:
    """What is sent as an answer, in its body."""
    with page.expect_response(re.compile("/complete$")) as said:
        page.get_by_role("button", name="Complete and go on").click()
    assert said.value.ok, said.value.text()
    return {"value": said.value.request.post_data_json["answer"]}


def test_a_large_number_keeps_its_digits(screen: Screen, served: Served) -> None:
    """To the screen, and from there into the next run."""
    page = screen.page
    screen.open(f"/runs/{ended(served, echoes, LARGE, id='large')}?step=%2Fecho", "Output")
    twice = page.get_by_role("complementary").get_by_text(str(LARGE))  # as the input and as the output
    twice.nth(1).wait_for()
    page.get_by_role("button", name="Start another…").click()
    field = page.get_by_role("dialog").get_by_role("textbox", name="Value")
    assert field.input_value() == str(LARGE)
    page.get_by_role("textbox", name=re.compile("^Run id")).fill("larger")
    page.get_by_role("button", name="as JSON").click()
    page.get_by_role("button", name="as form").click()
    field.press("End")
    field.press_sequentially("1")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(re.compile(r"/runs/\d+$"))
    found = served.do(lambda engine: engine.handle("larger"))
    assert served.do(lambda engine: found.result()) == {"seen": LARGE * 10 + 1}


def test_arguments_that_a_function_takes_any_number_of(screen: Screen, served: Served) -> None:
    """A form has what can be given in order, and gives it so."""
    page = screen.page
    run = ended(served, takes, 1, 2, 3, id="takes")
    screen.open(f"/runs/{run}", "Start another…")
    page.get_by_role("button", name="Start another…").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_role("textbox", name="First").input_value() == "1"
    assert dialog.get_by_text("Quiet").count() == 0
    dialog.get_by_role("button", name="Add").click()
    last = dialog.get_by_role("textbox").nth(3)
    last.fill("4")
    page.get_by_role("textbox", name=re.compile("^Run id")).fill("takes-more")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url(lambda url: not url.endswith(f"/runs/{run}"))
    found = served.do(lambda engine: engine.handle("takes-more"))
    assert served.do(lambda engine: found.result()) == [1, 2, 3, 4]


def test_steps_are_called_what_the_command_line_knows_them_by(screen: Screen, served: Served) -> None:
    screen.open(f"/runs/{ended(served, echoes_often, id='often')}?tab=events", "paints")
    names = screen.page.get_by_role("group", name="Events").get_by_role("button").all_inner_texts()
    assert [name.partition(",")[0].strip() for name in names] == ["/echo", "echo =mine", "/0/echo", "paints", "/2/echo"]


def test_facts_are_shown_whole(screen: Screen, served: Served) -> None:
    """A row may have what the first one lacks."""
    page = screen.page
    screen.open(f"/tasks?task={asked(served, 'facts')}", "Complete and go on")
    table = page.get_by_role("table", name="Lines")
    assert table.get_by_role("columnheader").all_inner_texts() == ["Tea", "Discount"]
    assert table.get_by_role("cell", name="12 %").is_visible()
    assert table.get_by_role("row").count() == 201
    page.get_by_role("button", name="more").click()
    table.get_by_role("cell", name="Tea 249").wait_for()


@pytest.mark.parametrize("size", SIZES)
def test_an_answer_that_is_no_object_has_a_label(chromium: Any, served: Served, size: str) -> None:
    screen = Screen(chromium, served.url, size)
    page = screen.page
    for name, role in {"number": "textbox", "colours": "combobox", "anything": "textbox"}.items():
        screen.open(f"/tasks?task={asked(served, name)}", "Complete and go on")
        field = page.get_by_role(role, name="Answer")
        above = page.get_by_role("button", name="as JSON").bounding_box()
        assert above["y"] + above["height"] <= field.bounding_box()["y"]
        assert screen.violations() == []
    screen.close()
    assert screen.errors == []


def test_none_is_an_answer_where_the_form_has_it(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open(f"/tasks?task={asked(served, 'optional')}", "Complete and go on")
    for field, chosen in {"Sure": "No", "Size": "S", "Way": "Air"}.items():
        group = page.get_by_role("group", name=field)
        group.get_by_role("radio", name=chosen, exact=True).check()
        group.get_by_role("radio", name="None", exact=True).check()
    page.get_by_role("combobox", name="Shade").select_option("red")
    page.get_by_role("combobox", name="Shade").select_option("")
    assert answer(page)["value"] == {"sure": None, "size": None, "way": None, "shade": None}


def test_what_was_typed_goes_with_its_item(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open(f"/tasks?task={asked(served, 'list')}", "Complete and go on")
    for number in range(3):
        page.get_by_role("button", name="Add").click()
        page.get_by_role("textbox").nth(number).fill(str(number + 1))
    page.get_by_role("button", name="Remove Answer 1").click()
    assert [field.input_value() for field in page.locator(".sitem input").all()] == ["2", "3"]
    assert answer(page)["value"] == [2, 3]


def test_a_list_that_ends_otherwise_than_it_begins_is_no_table(screen: Screen, served: Served) -> None:
    page = screen.page
    rows = [*({"tea": number} for number in range(150)), None]
    screen.open(f"/runs/{ended(served, echoes_rows, rows, id='rows')}", "Completed")
    result = page.get_by_role("complementary").get_by_role("group", name="JSON").last
    result.get_by_role("button", name="51 more").click()
    result.get_by_text("null", exact=True).wait_for()


def test_a_run_that_was_continued_is_shown_as_such(screen: Screen, served: Served) -> None:
    page = screen.page
    ended(served, counts_down, 1, id="chain")
    screen.open("/runs?state=continued", "Continued")
    page.get_by_role("button", name="Filter").click()
    assert page.get_by_role("checkbox", name="Continued").is_checked()
    last, first = [row.run for row in served.do(lambda engine: engine.list()) if row.id == "chain"]
    screen.open(f"/runs/{first}", "Goes on as")
    page.get_by_role("complementary").get_by_role("link", name=str(last), exact=True).click()
    page.wait_for_url(f"**/runs/{last}")
    page.get_by_role("complementary").get_by_role("link", name=str(first), exact=True).click()
    page.wait_for_url(f"**/runs/{first}")


def test_an_error_without_a_message_is_its_type(screen: Screen, served: Served) -> None:
    page = screen.page
    run = ended(served, says_nothing, id="says-nothing")
    screen.open(f"/runs/{run}", "KeyboardError")
    page.get_by_text("KeyboardError").locator("visible=true").nth(2).wait_for()  # banner, error, attempt
    assert page.get_by_text("KeyboardError:").count() == 0


def test_an_error_of_the_workflow_itself_is_told_with_its_lines(screen: Screen, served: Served) -> None:
    """Of a group, every one."""
    screen.open(f"/runs/{ended(served, fails_by_itself, id='by-itself')}", "mistake 0")
    error = screen.page.get_by_role("complementary").get_by_role("group", name="Error")
    error.get_by_text("in fails_by_itself→ async with asyncio.TaskGroup()").wait_for()
    for number in (1, 2):
        error.get_by_text(f"ValueError: mistake {number}").wait_for()
    screen.page.get_by_role("complementary").get_by_text("ValueError: mistake 0").wait_for()  # as the cause
    screen.shoot("failed-by-itself")


def test_colours_of_a_terminal_are_no_text_of_a_line(screen: Screen, served: Served) -> None:
    page = screen.page
    screen.open(f"/runs/{ended(served, prints, id='prints')}?tab=logs", "all is well")
    assert page.get_by_role("log").locator(".t").all_inner_texts() == ["all is well"]


def test_a_workflow_of_another_name_than_one_word_is_shown(screen: Screen, served: Served) -> None:
    ended(served, odd, id="odd")
    screen.open("/workflows?name=shop%2Forders%20%C3%BC%3F%231", "Last runs by step")
    screen.see("Defined in")
    screen.see("echo")
    assert screen.page.get_by_role("alert").count() == 0


def test_a_workflow_that_is_not_served_is_said_to_be_none(screen: Screen) -> None:
    screen.open("/workflows?name=gone", "No workflow gone is served here")


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_for_its_length(chromium: Any, served: Served, size: str) -> None:
    screen = Screen(chromium, served.url, size)
    places = {"/workers": ".tag", f"/tasks?task={asked(served, 'long')}": "h3.sub", "/settings": "dd li"}
    if size == "narrow":
        del places["/workers"]  # it has no room for what they serve
    for path, what in places.items():
        screen.open(path, {"/workers": "Alive", "/settings": "look at users"}.get(path, "Complete and go on"))
        wider = screen.page.locator(what).evaluate_all(
            "found => found.filter(each => each.getBoundingClientRect().right > innerWidth"
            " || (each.matches('li, h3') && each.scrollWidth > each.clientWidth)).length"
        )
        assert (path, wider) == (path, 0)
    screen.close()
    assert screen.errors == []
