"""What an outline says of code: a workflow in, the ways through it out."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import itertools
from collections.abc import Callable
from functools import partial
from types import FunctionType, SimpleNamespace
from typing import Any

import pytest

from segue import (
    approval,
    continue_as_new,
    escalate,
    group,
    other_run,
    patched,
    saga,
    signal,
    sleep,
    step,
    update,
    wait_condition,
    workflow,
)
from segue.authoring.python.outline import DONE, Outline
from segue.authoring.python.outline_drawing import MOST
from segue.authoring.python.outline_walk import outline_of


@step(name="outline_a")
def a(x: Any = None) -> Any: ...


@step(name="outline_b")
def b(x: Any = None) -> Any: ...


@step(name="outline_c", on_error=escalate("ops"))
def c(x: Any = None) -> Any: ...


@step(name="outline_undo_a")
def undo_a(x: Any = None, result: Any = None) -> None: ...


@step(name="outline_undo_b")
def undo_b(x: Any = None, result: Any = None) -> None: ...


@workflow(name="outline_below")
async def below(x: int = 0) -> None: ...


@workflow(name="outline_class_below")
class Below:
    async def run(self) -> None: ...


TABLE: dict[str, Any] = {"a": a}


def shape(function: Callable[..., Any]) -> list[str]:
    """Each edge in words, in the order of their places: ``a > b``, ``branch x -yes> b``, ``a !failed> b``."""
    made = workflow(name=f"outline.{function.__qualname__}")(function)
    return edges(outline_of(made))


def edges(outline: Outline) -> list[str]:
    words = {node.id: word(node) for node in outline.nodes}
    return [
        f"{words[edge.source]} {'' if edge.kind == 'next' else f'!{edge.kind}'}{edge.label and f'-{edge.label}'}> "
        f"{words[edge.target]}"
        for edge in sorted(outline.edges, key=lambda edge: (edge.source, edge.target))
    ]


def word(node: Any) -> str:
    if node.kind == "start":
        return "start"
    name = node.name.removeprefix("outline_")
    many, undo = "*" if node.many else "", "undo " if node.undo else ""
    return f"{undo}{name}{many}" if node.kind == "step" else f"{undo}{node.kind}{many} {name}".strip()


async def in_a_row() -> None:
    x = await a()
    await b(x)


async def a_branch(x: int) -> None:
    if x > 1:
        await a()
    else:
        print(x)
    await b()


async def a_branch_that_decides_nothing(x: int) -> None:
    if x:
        print(x)
    await a()


async def an_early_end(x: int) -> int:
    if x:
        return 1
    await a()
    return 2


async def a_match(x: str) -> None:
    match x:
        case "one":
            await a()
        case "two":
            await b()


async def a_match_of_all(x: str) -> None:
    match x:
        case "one":
            await a()
        case _:
            await b()


async def a_loop(items: list[int]) -> None:
    for item in items:
        if item > 3:
            break
        await a(item)
    await b()


async def until() -> None:
    while await a():
        await b()


async def for_ever() -> None:
    for turn in itertools.count():
        if await a(turn):
            return


async def caught() -> None:
    try:
        await a()
    except ValueError:
        await b()
    await c.using(key="x")()


async def raised_by_name(x: int) -> None:
    try:
        await a()
        if x:
            raise KeyError(x)
    except KeyError:
        await b()
    except ValueError:
        pass


async def with_a_finally(x: int) -> None:
    try:
        if x:
            return
        await a()
    finally:
        await b()
    await a()


async def side_by_side() -> None:
    await asyncio.gather(a(), b())


async def one_for_each(items: list[int]) -> None:
    await asyncio.gather(*[a(item) for item in items])
    await asyncio.gather(*map(b, items))
    await a.map(items)


async def several_for_each(items: list[int]) -> None:
    async def both(item: int) -> None:
        await a(item)
        await b(item)

    await asyncio.gather(*(both(item) for item in items))


async def one_after_the_other(items: list[int]) -> None:
    [await a(item) for item in items]


async def task_group(items: list[int]) -> None:
    async with asyncio.TaskGroup() as tg:
        tg.create_task(a())
        for item in items:
            tg.create_task(b(item))


async def a_task_beside() -> None:
    beside = asyncio.create_task(a())
    await b()
    await beside


async def a_saga() -> None:
    async with saga() as s:
        await s.step(a, 1, undo=undo_a)
        await asyncio.gather(*[s.step(b, n, undo=undo_b) for n in (1, 2)])


async def a_saga_that_is_caught() -> None:
    try:
        async with saga() as s:
            await s.step(partial(a, 1), undo=undo_a)
            s.undo(undo_b)
    except ValueError:
        await b()


async def a_transaction_group() -> None:
    async with group() as g:
        await g.step(a, 1, commit=b, rollback=undo_a)


async def people() -> None:
    who = "boss"
    await approval(who, name=f"Do {who}?", timeout="1d")
    await approval("staff")


async def waits(name: str) -> None:
    await signal("paid", int)
    await sleep("1d")
    await asyncio.sleep(3 * 60)
    await wait_condition(lambda: name == "")
    async for _ in signal(name):
        await a()


async def children() -> None:
    await below()
    await below.child(id="x")
    await Below.child()  # type: ignore[attr-defined]


async def messages() -> None:
    await other_run("x").signal("go")
    one = other_run("y")
    await one.cancel()


async def handlers() -> None:
    @update
    async def change(x: int) -> None:
        await a(x)

    @signal
    def told(x: int) -> None: ...

    await b()


async def again_and_again() -> None:
    async def deeper(n: int) -> None:
        await a(n)
        await deeper(n + 1)

    await deeper(0)


async def goes_on_as_another() -> None:
    await a()
    continue_as_new()


async def helper(what: Any) -> None:
    await what(1)


async def functions_that_are_handed_on() -> None:
    await helper(a)
    await helper(lambda x: b(x))


async def what_cannot_be_followed(which: str, what: Any) -> None:
    await TABLE[which](1)
    await what()
    await getattr(TABLE, which)()


async def short_circuits(x: int) -> None:
    x and await a()
    y = (await b()) if x else None
    print(y)


async def patches() -> None:
    if patched("new"):
        await a()


SHAPES: list[tuple[Callable[..., Any], list[str]]] = [
    (in_a_row, ["start > a", "a > b", "b > end"]),
    (a_branch, ["start > branch x > 1", "branch x > 1 -yes> a", "branch x > 1 -no> b", "a > b", "b > end"]),
    (a_branch_that_decides_nothing, ["start > a", "a > end"]),
    (an_early_end, ["start > branch x", "branch x -no> a", "branch x -yes> end", "a > end"]),
    (
        a_match,
        [
            "start > branch x", "branch x -'one'> a", "branch x -'two'> b", "branch x -none of them> end", "a > end",
            "b > end",
        ],
    ),
    (a_match_of_all, ["start > branch x", "branch x -'one'> a", "branch x -_> b", "a > end", "b > end"]),
    (
        a_loop,
        [
            "start > loop for item in items", "loop for item in items -each> branch item > 3",
            "loop for item in items -done> b", "branch item > 3 -no> a", "branch item > 3 -yes> b",
            "a !back> loop for item in items", "b > end",
        ],
    ),
    (
        until,
        ["start > loop while await a()", "loop while await a() > a", "a -each> b", "a -done> end",
         "b !back> loop while await a()"],
    ),
    (
        for_ever,
        ["start > loop for turn in itertools.count()", "loop for turn in itertools.count() -each> a",
         "a > branch await a(turn)", "branch await a(turn) !back-no> loop for turn in itertools.count()",
         "branch await a(turn) -yes> end"],
    ),
    (
        caught,
        ["start > try", "try > a", "try !failed-ValueError> b", "a > c", "b > c", "c !failed> task c failed",
         "c > end", "task c failed > end"],
    ),
    (
        raised_by_name,
        ["start > try", "try > a", "try !failed-KeyError> b", "try !failed-ValueError> end", "a > branch x",
         "branch x !failed-KeyError> b", "branch x -no> end", "b > end"],
    ),
    (
        with_a_finally,
        ["start > branch x", "branch x -no> a", "branch x -yes> b", "a > b", "b > a", "b > end", "a > end"],
    ),
    (side_by_side, ["start > parallel", "parallel > a", "parallel > b", "a > join", "b > join", "join > end"]),
    (one_for_each, ["start > a*", "a* > b*", "b* > a*", "a* > end"]),
    (
        several_for_each,
        ["start > parallel* for item in items", "parallel* for item in items > a", "a > b", "b > join*", "join* > end"],
    ),
    (
        one_after_the_other,
        ["start > loop for item in items", "loop for item in items > a", "loop for item in items -done> end",
         "a !back> loop for item in items"],
    ),
    (
        task_group,
        ["start > parallel", "parallel !beside> a", "parallel > loop for item in items", "a > join",
         "loop for item in items !beside-each> b", "loop for item in items -done> join", "b > join", "join > end"],
    ),
    (a_task_beside, ["start !beside> a", "start > b", "a > join", "b > join", "join > end"]),
    (
        a_saga,
        ["start > saga", "saga > a", "saga !failed-fails> undo undo_b*", "a > b*", "b* > end",
         "undo undo_b* > undo undo_a", "undo undo_a > fails"],
    ),
    (
        a_saga_that_is_caught,
        ["start > saga", "saga > a", "saga !failed-fails> undo undo_b", "a > end", "undo undo_b > undo undo_a",
         "undo undo_a !failed-ValueError> b", "b > end"],
    ),
    (
        a_transaction_group,
        ["start > saga", "saga > a", "saga !failed-fails> undo undo_a", "a > b", "b > end",
         "undo undo_a > fails"],
    ),
    (people, ["start > task Do {who}?", "task Do {who}? > task approval", "task approval > end"]),
    (
        waits,
        ["start > signal paid", "signal paid > sleep 1d", "sleep 1d > sleep 3 * 60", "sleep 3 * 60 > wait name == ''",
         "wait name == '' > loop for _ in signal(name)", "loop for _ in signal(name) > signal {name}",
         "signal {name} -each> a", "a !back> loop for _ in signal(name)"],
    ),
    (children, ["start > child below", "child below > child below", "child below > child class_below",
                "child class_below > end"]),
    (messages, ["start > message signal go", "message signal go > message cancel", "message cancel > end"]),
    (handlers, ["start > b", "handler change > a", "b > end"]),
    (again_and_again, ["start > a", "a > again deeper", "again deeper > end"]),
    (goes_on_as_another, ["start > a", "a > continues"]),
    (functions_that_are_handed_on, ["start > a", "a > b", "b > end"]),
    (
        what_cannot_be_followed,
        ["start > unknown TABLE[which]", "unknown TABLE[which] > unknown what",
         "unknown what > unknown getattr(TABLE, which)", "unknown getattr(TABLE, which) > end"],
    ),
    (
        short_circuits,
        ["start > branch x", "branch x -yes> a", "branch x -no> branch x", "a > branch x", "branch x -yes> b",
         "branch x -no> end", "b > end"],
    ),
    (patches, ["start > branch patched('new')", "branch patched('new') -yes> a", "branch patched('new') -no> end",
               "a > end"]),
]  # fmt: skip


@pytest.mark.parametrize(("function", "expected"), SHAPES, ids=[function.__name__ for function, _ in SHAPES])
def test_shapes(function: Callable[..., Any], expected: list[str]) -> None:
    assert sorted(shape(function)) == sorted(expected)


@workflow(name="outline_till")
class Till:
    def __init__(self) -> None:
        self.open = True

    async def run(self) -> None:
        await self._count()
        await wait_condition(lambda: not self.open)

    async def _count(self) -> None:
        await a()

    @update
    async def pay(self, amount: int) -> None:
        await b(amount)

    @signal
    def close(self) -> None:
        self.open = False


def test_a_class() -> None:
    found = outline_of(Till.__dict__["__segue_workflow__"])
    assert edges(found) == [
        "handler pay > b", "start > a", "a > wait not self.open", "wait not self.open > end",
    ]  # fmt: skip
    assert [(node.kind, node.name, node.detail) for node in found.nodes if node.kind == "handler"] == [
        ("handler", "close", "signal"), ("handler", "pay", "update"),
    ]  # fmt: skip


def test_where_it_stands() -> None:
    async def directly() -> None:
        await a()
        await helper(b)

    found = outline_of(workflow(name="outline.places")(directly))
    assert [(node.name, node.line, node.inside) for node in found.nodes if node.kind == "step"] == [
        ("outline_a", 2, ""), ("outline_b", None, "helper"),
    ]  # fmt: skip


def test_code_without_source_is_not_made_up() -> None:
    names: dict[str, Any] = {"workflow": workflow}
    exec("@workflow(name='outline.typed')\nasync def typed():\n    pass", names)
    assert outline_of(names["typed"]) == Outline(nodes=[], edges=[], read=False)


def test_code_that_never_ends_is_cut() -> None:
    async def spread(n: int) -> None:
        await a(n)

    async def wide() -> None:
        await asyncio.gather(
            *[spread(n) for n in range(3)], *[spread(n) for n in range(3)], *[spread(n) for n in range(3)]
        )

    async def wider() -> None:
        await wide(), await wide(), await wide(), await wide(), await wide(), await wide(), await wide(), await wide()

    async def widest() -> None:
        await wider(), await wider(), await wider(), await wider(), await wider(), await wider(), await wider()
        await wider(), await wider(), await wider(), await wider(), await wider(), await wider(), await wider()

    found = outline_of(workflow(name="outline.widest")(widest))
    assert found.cut
    assert len(found.nodes) <= MOST


@pytest.mark.parametrize("module", ["asyncio.streams", "argparse", "tarfile", "inspect", "segue.engine"])
def test_any_code_can_be_walked_through(module: str) -> None:
    """Code that was not written for this: nothing is raised, and every edge has its ends."""
    found = [each for each in vars(importlib.import_module(module)).values() if inspect.isclass(each)]
    functions = [each for cls in found for each in vars(cls).values() if isinstance(each, FunctionType)]
    assert functions
    for function in functions:
        walked: Any = SimpleNamespace(name="any", form=None, function=function)
        made = outline_of(walked)
        numbers = {node.id for node in made.nodes}
        assert all({edge.source, edge.target} <= numbers for edge in made.edges)
        assert all(node.kind in DONE or node.id in {edge.source for edge in made.edges} or node.kind in ("end", "fails",
                   "handler", "start") for node in made.nodes)  # fmt: skip
