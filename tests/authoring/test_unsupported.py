"""What cannot be replayed says so, and what to use instead."""

from __future__ import annotations

import asyncio
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from world import Begin, World, flow

from segue.authoring.python.loop import WorkflowLoop
from segue.authoring.python.unsupported import UNSUPPORTED
from segue.errors import NotDeterministic

DOCUMENT = (Path(__file__).parents[2] / "docs" / "asyncio.md").read_text()
SUPPORTED = {
    "call_at", "call_exception_handler", "call_later", "call_soon", "create_future", "create_task", "get_debug",
    "get_task_factory", "is_closed", "is_running", "time",
}  # fmt: skip


def methods(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


def test_every_method_of_a_loop_is_supported_or_refused() -> None:
    assert methods(asyncio.AbstractEventLoop) == SUPPORTED | UNSUPPORTED.keys()


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_a_refused_method_names_itself_and_what_to_use(begin: Begin, name: str) -> None:
    async def calling() -> None:
        getattr(asyncio.get_running_loop(), name)("whatever", 1, key=2)

    with pytest.raises(NotDeterministic) as caught:
        begin(flow(calling))
    assert str(caught.value) == (
        f"{name} cannot be replayed, so it is not available inside a workflow: {UNSUPPORTED[name]}"
    )


async def by_policy() -> None:
    with closing(asyncio.sleep(0)) as coroutine:
        asyncio.get_event_loop().run_until_complete(coroutine)


async def threadsafe() -> None:
    with closing(asyncio.sleep(0)) as coroutine:
        asyncio.run_coroutine_threadsafe(coroutine, asyncio.get_running_loop())


CALLS: dict[str, tuple[Any, str]] = {
    "to_thread": (lambda: asyncio.to_thread(print), "plain (non-async) @step"),
    "create_subprocess_exec": (lambda: asyncio.create_subprocess_exec("true"), "@step"),
    "create_subprocess_shell": (lambda: asyncio.create_subprocess_shell("true"), "@step"),
    "open_connection": (lambda: asyncio.open_connection("localhost", 1), "async @step"),
    "start_server": (lambda: asyncio.start_server(print, "localhost", 0), "async @step"),
    "open_unix_connection": (lambda: asyncio.open_unix_connection("/nowhere"), "async @step"),
    "run_coroutine_threadsafe": (threadsafe, "handle.signal"),
    "get_event_loop().run_until_complete": (by_policy, "await what you wait for"),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_refused_function_of_asyncio_names_what_to_use(begin: Begin, name: str) -> None:
    call, remedy = CALLS[name]

    async def calling() -> None:
        await call()

    with pytest.raises(NotDeterministic, match=re.escape(remedy)):
        begin(flow(calling))


def a_new_loop(coroutine: Any) -> None:
    with closing(asyncio.new_event_loop()) as loop:
        loop.run_until_complete(coroutine)


def a_runner(coroutine: Any) -> None:
    with asyncio.Runner() as runner:
        runner.run(coroutine)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited", "ignore:unclosed event loop")
@pytest.mark.parametrize(
    ("run", "message"),
    [
        (asyncio.run, r"asyncio\.run\(\) cannot be called from a running event loop"),
        (a_new_loop, "Cannot run the event loop while another loop is running"),
        (a_runner, "a running event loop|while another loop is running"),  # its end hides what was wrong first
    ],
)
def test_a_second_loop_is_refused_by_asyncio_itself(run: Any, message: str) -> None:
    async def running() -> str:
        coroutine = asyncio.sleep(0)
        try:
            run(coroutine)
        except RuntimeError as error:
            return str(error)
        finally:
            coroutine.close()
        return "it ran"

    with World(flow(running)) as world:
        world.start()
        assert re.search(message, world.result)


# --- the document ---------------------------------------------------------------------------------------------


def section(title: str) -> str:
    return DOCUMENT.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_document_names_every_refused_method() -> None:
    named = set(re.findall(r"`(?:loop\.)?([a-z_*]+)`", section("Not supported")))
    patterns = [re.compile(name.replace("*", ".*") + "$") for name in named]
    missing = [name for name in UNSUPPORTED if not any(pattern.match(name) for pattern in patterns)]
    assert missing == []


def test_the_document_promises_only_what_asyncio_has() -> None:
    table = [line for line in section("Supported").splitlines() if line.startswith("| `")]
    names = re.findall(r"`([A-Za-z_]+)`", "".join(line.split("|")[1] for line in table))
    known = [n for n in names if hasattr(asyncio, n) or hasattr(asyncio.Task, n) or hasattr(WorkflowLoop, n)]
    assert sorted(set(names) - set(known)) == []
