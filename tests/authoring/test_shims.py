"""The functions that are replaced: on a workflow's loop deterministic, elsewhere what they were."""

from __future__ import annotations

import asyncio
import functools
import inspect
import re
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path
from typing import Any

import pytest
from world import Begin, flow

from segue.authoring.python import shims
from segue.authoring.python.loop import WorkflowFuture, WorkflowLoop
from segue.errors import NotDeterministic

REPLACED = ("gather", "as_completed", "wait", "all_tasks")


async def value(n: int) -> int:
    await asyncio.sleep(0)
    return n


def test_installing_twice_changes_nothing() -> None:
    before = [getattr(asyncio.tasks, f"_segue_{name}") for name in REPLACED]
    shims.install()
    assert [getattr(asyncio.tasks, f"_segue_{name}") for name in REPLACED] == before
    assert not isinstance(warnings._warn_unawaited_coroutine.args[0], functools.partial)  # type: ignore[attr-defined]


def test_elsewhere_they_are_what_they_were() -> None:
    async def elsewhere() -> list[Any]:
        outer = asyncio.gather(value(1), value(2))
        tasks = {asyncio.ensure_future(value(n)) for n in (3, 4)}
        bare: asyncio.Future[int] = asyncio.Future()
        bare.set_result(5)
        done, pending = await asyncio.wait({*tasks, bare}, timeout=5)
        completed = [await first for first in asyncio.as_completed({value(6), value(7)}, timeout=5)]
        everyone = asyncio.all_tasks()
        return [
            type(outer).__name__, await outer, {t.result() for t in done}, pending, set(completed), len(everyone),
            len(asyncio.all_tasks(asyncio.get_running_loop())),
        ]  # fmt: skip

    assert asyncio.run(elsewhere()) == ["_GatheringFuture", [1, 2], {3, 4, 5}, set(), {6, 7}, 1, 1]


def test_they_keep_their_names_and_signatures() -> None:
    assert inspect.iscoroutinefunction(asyncio.wait)
    assert [getattr(asyncio, name).__module__ for name in REPLACED] == ["asyncio.tasks"] * 4
    assert asyncio.wait.__kwdefaults__ == {"timeout": None, "return_when": "ALL_COMPLETED"}
    assert (asyncio.wait.__doc__ or "").startswith("Wait for the Futures")


def test_a_module_that_imported_the_names_first_has_the_shims_too() -> None:
    script = """
        from asyncio import all_tasks, as_completed, current_task
        from segue.authoring.python import execution
        from segue.authoring.python.loop import WorkflowLoop

        async def leaf():
            return current_task().path

        async def main():
            for first in as_completed([leaf() for _ in range(50)]):
                found.append(await first)

        found = []
        loop = WorkflowLoop()
        loop.enter(loop.spawn, main(), "")
        loop.enter(loop.run_ready)
        assert found == [f"/{n}" for n in range(50)], found
    """
    source = str(Path(shims.__file__).parents[3])
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, env={"PYTHONPATH": source})


def test_what_gather_returns_has_a_number(begin: Begin) -> None:
    async def gathering() -> list[Any]:
        loop: Any = asyncio.get_running_loop()
        before = hash(loop.create_future())
        outer = asyncio.gather(value(1), value(2))
        empty = asyncio.gather()
        numbers = [hash(outer) - before, type(empty) is WorkflowFuture]
        return [numbers, await outer, await empty]

    assert begin(flow(gathering)).result == [[3, True], [1, 2], []]


def test_coroutines_become_tasks_in_the_order_given(begin: Begin) -> None:
    async def completing() -> list[Any]:
        async def path(n: int) -> Any:
            return [n, asyncio.current_task().path]  # type: ignore[union-attr]

        return [await first for first in asyncio.as_completed([path(n) for n in range(20)])]

    assert begin(flow(completing)).result == [[n, f"/{n}"] for n in range(20)]


def test_all_tasks_are_the_run_s_own_in_order_of_creation(begin: Begin) -> None:
    async def listing() -> list[str]:
        for n in range(5):
            asyncio.create_task(value(n))  # noqa: RUF006
        return [task.path for task in asyncio.all_tasks()]  # type: ignore[attr-defined]

    other = WorkflowLoop()
    other.enter(other.spawn, value(1), "elsewhere")
    assert sorted(begin(flow(listing)).result) == ["", "/0", "/1", "/2", "/3", "/4"]
    assert [task.path for task in asyncio.all_tasks(other)] == ["elsewhere"]  # type: ignore[attr-defined]
    other.kill()


REFUSED = {
    "a set of coroutines to as_completed": lambda: list(asyncio.as_completed({value(1), value(2)})),
    "a frozen set of coroutines": lambda: list(asyncio.as_completed(frozenset([value(1)]))),
    "a bare future to wait": lambda: asyncio.wait([asyncio.Future()]),
    "a bare future to as_completed": lambda: list(asyncio.as_completed([asyncio.Future()])),
    "a set of coroutines to wait": lambda: asyncio.wait({value(1), value(2)}),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_order_is_refused(begin: Begin, what: str) -> None:
    async def calling() -> None:
        await REFUSED[what]()

    with pytest.raises(NotDeterministic, match=r"which has no order|made by asyncio\.Future"):
        begin(flow(calling))


WRONG = {
    "a coroutine to as_completed": lambda x: list(asyncio.as_completed(x)),
    "a coroutine to wait": lambda x: asyncio.wait(x),
    "coroutines to wait": lambda x: asyncio.wait([x]),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_asyncio_refuses_it_refuses_here_too(begin: Begin, what: str) -> None:
    async def calling() -> str:
        coroutine = value(1)
        try:
            await WRONG[what](coroutine)
        except TypeError as error:
            return str(error)
        finally:
            coroutine.close()
        return "it took it"

    message = begin(flow(calling)).result
    assert re.search(r"expects? an? (iterable|list) of|forbidden", message)
